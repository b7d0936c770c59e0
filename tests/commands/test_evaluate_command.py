"""`evaluate`: scores of a model, of files, and of two systems, equal to those of sacreBLEU."""

import gzip
import json
import re
from pathlib import Path

import pytest
import sacrebleu
from shell import PARTS, ROOT, Result, call, python, refused, worked, write_part

from seq2seq.text.sources import read_lines


@pytest.fixture
def files(corpus: Path) -> None:
    """Write references, and the translations of two systems, of which `good.txt` is better."""
    reference = read_lines(corpus / "train.de")
    good = [line.replace("Katze", "Kuh") for line in reference]
    bad = [line.replace("Ein", "Kein").replace("hier", "da").replace("Zwei", "Drei") for line in good]
    other = [line.replace("Katze", "Kuh") for line in bad]
    for name, lines in {"ref": reference, "ref2": other, "good.txt": good, "bad.txt": bad}.items():
        Path(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def scores(result: Result) -> dict[str, float]:
    return {s["name"]: s["value"] for s in json.loads(worked(result).out)["scores"]}


@pytest.mark.parametrize("part", ["test", "test2"])
def test_the_scores_of_a_model_are_those_that_training_printed(
    model: Path, trained: Result, corpus: Path, part: str
) -> None:
    arguments = ["evaluate", "--model", model, "--data", corpus, "--split", part]
    printed = json.loads(trained.out)["scores"][part]
    result = json.loads(worked(call(*arguments, "--metric", "bleu", "--metric", "chrf", "--json")).out)
    assert result == {"sentences": len(PARTS[part]), "scores": printed}
    lines = worked(call(*arguments)).lines
    assert lines[:2] == [f"{s['name']} = {s['value']:.2f}  ({s['signature']})" for s in printed]
    assert lines[2].startswith("TER = ")


def test_the_scores_of_a_model_are_those_of_the_file_of_its_translations(model: Path, corpus: Path) -> None:
    """Both with parts and search options that change the scores."""
    all_scores = []
    for part, *options in (
        ("test", "--beam", "5"),
        ("test2", "--beam", "1"),
        ("test2", "--beam", "9"),
        ("test2", "--beam", "9", "--length-penalty", "10"),
        ("test2", "--beam", "5", "--length-penalty", "0", "--word-reward", "3"),
        ("test", "--beam", "5", "--memory", corpus, "--memory-share", "0.9"),
    ):
        worked(call("translate", "--model", model, "--input", corpus / f"{part}.en", "--output", "hyp", *options))
        of_file = call("evaluate", "--hyp", "hyp", "--ref", corpus / f"{part}.de", "--json")
        of_model = call("evaluate", "--model", model, "--data", corpus, "--split", part, *options, "--json")
        all_scores.append(scores(of_model))
        assert scores(of_file) == all_scores[-1]
    assert len({json.dumps(s) for s in all_scores}) == len(all_scores)


@pytest.mark.usefixtures("files")
def test_the_scores_of_files_are_those_of_sacrebleu() -> None:
    hyp, ref, ref2 = map(read_lines, ("bad.txt", "ref", "ref2"))
    one = scores(call("evaluate", "--hyp", "bad.txt", "--ref", "ref", "--json"))
    two = scores(call("evaluate", "--hyp", "bad.txt", "--ref", "ref", "--ref", "ref2", "--json"))
    for result, refs in ((one, [ref]), (two, [ref, ref2])):
        assert result["BLEU"] == pytest.approx(sacrebleu.corpus_bleu(hyp, refs).score)
        assert result["chrF2"] == pytest.approx(sacrebleu.corpus_chrf(hyp, refs).score)
        assert result["TER"] == pytest.approx(sacrebleu.corpus_ter(hyp, refs).score)
    assert one["BLEU"] < two["BLEU"]
    assert "nrefs:2" in call("evaluate", "--hyp", "bad.txt", "--ref", "ref", "--ref", "ref2").lines[0]
    Path("ref.gz").write_bytes(gzip.compress(Path("ref").read_bytes()))
    assert scores(call("evaluate", "--hyp", "bad.txt", "--ref", "ref.gz", "--json")) == one


@pytest.mark.usefixtures("files")
def test_two_systems_are_compared_by_bootstrap() -> None:
    arguments = ["evaluate", "--ref", "ref", "--hyp", "bad.txt", "--hyp", "good.txt", "--metric", "bleu"]
    bad, good, verdict = worked(call(*arguments)).lines
    assert re.match(r"bad.txt  BLEU = [\d.]+ \(95% interval [\d.]+ ± [\d.]+\)  nrefs:1\|bs:1000\|seed:12345\|", bad)
    assert good.startswith("good.txt  BLEU = ")
    assert re.fullmatch(r"  good.txt is better than bad.txt \(p = 0\.00\d\)", verdict)
    comparison = json.loads(worked(call(*arguments, "--json", "--seed", 5)).out)["comparison"]
    assert [c["system"] for c in comparison] == ["bad.txt", "good.txt"]
    assert comparison[0]["p"] is None and comparison[1]["p"] < 0.05
    assert "seed:5|" in comparison[0]["signature"]
    assert worked(call(*arguments, "--quiet")).err == ""


def test_text_without_spaces_is_counted_by_its_script_or_as_asked() -> None:
    Path("ref").write_text("他去学校了。\n今天天气很好。\n", encoding="utf-8")
    Path("hyp").write_text("他去学校过。\n今天天气不好。\n", encoding="utf-8")
    arguments = ["evaluate", "--ref", "ref", "--hyp", "hyp", "--metric", "bleu"]
    for tokenize, signature in ((None, "tok:zh"), ("auto", "tok:zh"), ("char", "tok:char"), ("13a", "tok:13a")):
        [line] = worked(call(*arguments, *(["--tokenize", tokenize] if tokenize else []))).lines
        assert signature in line
        assert (line.startswith("BLEU = 0.00")) == (tokenize == "13a")
    compared = worked(call(*arguments, "--hyp", "ref")).lines
    assert "tok:zh" in compared[0] and compared[1].startswith("ref  BLEU = 100.00")
    result = call(*arguments, "--tokenize", "zh-tw")
    assert result.status == 2 and "ja-mecab" in result.err


def test_a_model_is_scored_by_the_language_it_translates_to(model: Path, corpus: Path) -> None:
    """`--tgt` names the language, whatever the script of the references."""
    for part in ("train", "test"):
        for side, name in (("en", "en"), ("de", "zh")):
            Path(f"{part}.{name}").write_bytes((corpus / f"{part}.{side}").read_bytes())
    arguments = ["evaluate", "--model", model, "--data", ".", "--tgt", "zh", "--metric", "bleu"]
    assert "tok:zh" in worked(call(*arguments)).out
    assert "tok:13a" in worked(call(*arguments, "--tokenize", "13a")).out


def test_several_texts_are_read_as_train_reads_them(model: Path, corpus: Path) -> None:
    """Their parts are joined; two memories are one."""
    ask = ["evaluate", "--model", model, "--data", corpus, "--metric", "bleu", "--json", "--device", "cpu"]
    write_part(Path("more"), "test", PARTS["test2"])
    one, two, both = (
        json.loads(worked(call(*ask, *options)).out)
        for options in ([], ["--split", "test2"], ["--data", "more", "--split", "test"])
    )
    assert both["sentences"] == one["sentences"] + two["sentences"] == len(PARTS["test"]) + len(PARTS["test2"])
    write_part(Path("first"), "train", PARTS["train"][:20])
    write_part(Path("second"), "train", PARTS["train"][20:])
    memories = [["--memory", corpus], ["--memory", "first", "--memory", "second"], ["--memory", "second"]]
    whole, joined, second = (
        worked(call(*ask, *memory, "--split", "test2", "--memory-share", 0.9)).out for memory in memories
    )
    assert whole == joined != second
    for command in (["report", "--model", model, "--out", "x.html"], ["benchmark"]):
        refused(call(*command, "--data", "nowhere", "--data", corpus), "nowhere is not there")


@pytest.mark.usefixtures("files")
def test_confidence_gives_an_interval_for_one_system(model: Path, corpus: Path) -> None:
    arguments = ["evaluate", "--hyp", "bad.txt", "--ref", "ref", "--metric", "chrf"]
    [line] = worked(call(*arguments, "--confidence")).lines
    assert re.fullmatch(r"chrF2 = [\d.]+ \(95% interval [\d.]+ ± [\d.]+\)  \(nrefs:1\|bs:1000\|seed:12345\|.*\)", line)
    [plain] = json.loads(worked(call(*arguments, "--json")).out)["scores"]
    [chrf] = json.loads(worked(call(*arguments, "--confidence", "--seed", 3, "--json")).out)["scores"]
    assert chrf["value"] == plain["value"] and "seed:3|" in chrf["signature"]
    assert plain.keys() == {"name", "value", "signature"} == chrf.keys() - {"mean", "interval"}
    [bleu] = worked(call("evaluate", "--model", model, "--data", corpus, "--metric", "bleu", "--confidence")).lines
    assert "95% interval" in bleu


@pytest.mark.usefixtures("files")
def test_the_script_is_the_command() -> None:
    result = worked(python(ROOT / "scripts" / "evaluate.py", "--hyp", "good.txt", "--ref", "good.txt"))
    assert result.lines[0].startswith("BLEU = 100.00  (nrefs:1|")
    assert result.err == ""
