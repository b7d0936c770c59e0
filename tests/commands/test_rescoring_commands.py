"""--rescore, --weights, --mbr and --tune: what they print, what they refuse; the same from Python."""

import json
import re
from pathlib import Path

import pytest
from shell import PARTS, call, refused, train, worked

import seq2seq
from seq2seq.errors import InputError

LINES = "".join(f"{en}\n" for en, _ in PARTS["test2"][:8]) + "\nA cat sleeps. Two dogs run.\n"
RANKED = ["--length-penalty", "0", "--beam", "4"]


@pytest.fixture(scope="module")
def other(place: Path, corpus: Path, recipe: Path, model: Path) -> Path:
    """A model of the other direction."""
    folder = place / "de-en"
    worked(train(recipe, corpus, "--src", "de", "--tgt", "en", "--out", folder))
    return folder


@pytest.fixture(scope="module")
def twin(place: Path, corpus: Path, recipe: Path, model: Path) -> Path:
    """A model of the same direction, which writes from right to left."""
    folder = place / "twin"
    options = ["--set", "data.right_to_left=true", "--seed", 2, "--set", "training.updates=10"]
    worked(train(recipe, corpus, "--src", "en", "--tgt", "de", "--out", folder, *options))
    assert "right_to_left = true" in (folder / "config.toml").read_text()
    assert "right to left" in (folder / "README.md").read_text()
    return folder


def test_the_printed_score_is_the_weighted_sum(model: Path, other: Path) -> None:
    """By --nbest, and by --score of both models, line by line."""
    Path("in").write_text(LINES.splitlines()[0] + "\n")
    source = ["translate", "--model", model, "--input", "in"]
    own = {text: float(score) for _, _, score, text in _table(worked(call(*source, *RANKED, "--nbest", 4)).lines)}
    result = _table(worked(call(*source, *RANKED, "--nbest", 4, "--rescore", f"{other}=0.5")).lines)
    assert {row[3] for row in result} == own.keys()
    for _, _, score, text in result:
        Path("text").write_text(text + "\n")
        [channel] = worked(call("translate", "--model", other, "--input", "text", "--score", "in")).lines
        assert float(score) == pytest.approx(own[text] + 0.5 * float(channel), abs=2e-4)
    scores = [float(row[2]) for row in result]
    assert scores == sorted(scores, reverse=True)


def _table(lines: list[str]) -> list[list[str]]:
    return [line.split("\t") for line in lines]


def test_a_weight_of_0_changes_no_byte(model: Path, other: Path, twin: Path) -> None:
    for options in (["--scores"], ["--nbest", "3", "--alignments"], ["--sample", "1"]):
        plain = call("translate", "--model", model, *options, stdin=LINES)
        zero = call(
            "translate", "--model", model, *options, "--rescore", f"{other}=0", "--rescore", f"{twin}=0.0", stdin=LINES
        )
        assert worked(zero).out == worked(plain).out


def test_tuned_weights_are_taken_by_translate_and_evaluate(model: Path, other: Path, twin: Path, corpus: Path) -> None:
    common = ["evaluate", "--model", model, "--data", corpus, "--metric", "chrf", *RANKED, "--json"]
    tune = [*common, "--rescore", other, "--rescore", f"{twin}=0.5", "--split", "test2", "--tune"]
    tuned = worked(call(*tune, "w.toml")).out
    assert worked(call(*tune, "again.toml")).out == tuned
    content = Path("w.toml").read_text()
    assert Path("again.toml").read_text() == content
    values = {name: float(re.findall(rf"^{name} = ([\d.-]+)$", content, re.M)[0]) for name in ("before", "after")}
    before, after = (
        json.loads(worked(call(*common, "--split", "test2", *options)).out)["scores"][0]["value"]
        for options in ([], ["--weights", "w.toml"])
    )
    assert json.loads(tuned)["scores"][0]["value"] == pytest.approx(after)
    assert (values["before"], values["after"]) == pytest.approx((before, after), abs=1e-4)
    assert after >= before
    named = call(
        "translate",
        "--model",
        model,
        *RANKED,
        "--rescore",
        twin,
        "--rescore",
        other,
        "--weights",
        "w.toml",
        stdin=LINES,
    )
    alone = call("translate", "--model", model, *RANKED, "--weights", "w.toml", stdin=LINES)
    assert worked(named).out == worked(alone).out
    refused(call(*tune[:-1], "--tune", corpus / "dev.en"), "exists and holds no weights; give another name")
    assert worked(call(*tune[:-1], "--tune", "-")).out.startswith(content.split("length")[0].split("models")[0])


def test_consensus_and_documents(model: Path, other: Path) -> None:
    plain = ["translate", "--model", model, "--device", "cpu"]
    for options in (
        ["--mbr", "bleu"],
        ["--mbr", "chrf", "--beam", 8],
        ["--mbr", "bleu", "--sample", "0.5", "--beam", "3"],
    ):
        lines = worked(call(*plain, *options, "--scores", stdin=LINES)).lines
        assert len(lines) == LINES.count("\n")
        assert all(0 <= float(line.split("\t")[0]) <= 200.01 for line in lines)
    Path("page.md").write_text("# A cat sleeps here.\n\nTwo **dogs** run there.\n")
    worked(call(*plain, "--rescore", f"{other}=0.4", "--mbr", "chrf", "--input", "page.md", "--output", "out.md"))
    assert re.fullmatch(r"# .+\n\n.*\*\*.+\*\*.*\n", Path("out.md").read_text())


def test_python_does_the_same(model: Path, other: Path, twin: Path) -> None:
    translator, lines = seq2seq.load(model), LINES.splitlines()
    for options, arguments in (
        ({"rescore": other}, ["--rescore", other]),
        ({"rescore": {str(other): 0.3, twin: 0.2}}, ["--rescore", f"{other}=0.3", "--rescore", f"{twin}=0.2"]),
        ({"mbr": "bleu", "rescore": [twin]}, ["--mbr", "bleu", "--rescore", twin]),
        ({"mbr": "chrf", "search": {"sample": 1.0}, "beam": 4}, ["--mbr", "chrf", "--sample", "1", "--beam", "4"]),
    ):
        expected = worked(call("translate", "--model", model, *arguments, stdin=LINES)).lines
        assert translator.translate(lines, **options) == expected  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="rescore takes the path of a model"):
        translator.translate("A cat.", rescore=3)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="did you mean 'bleu'"):
        translator.translate("A cat.", mbr="blue")


def test_wrong_requests_are_refused_in_one_line(model: Path, other: Path, twin: Path, corpus: Path) -> None:
    Path("w.toml").write_text('[rescoring]\nmodels = ["gone"]\nweights = [0.5]\n')
    Path("recipe.toml").write_text("[training]\nupdates = 3\n")
    Path("empty.toml").write_text("[rescoring]\n")
    Path("two.toml").write_text('[rescoring]\nmodels = ["a", "b"]\nweights = [0.5]\n')
    Path("prefix").write_text("Ein\n")
    base = ["translate", "--model", model]
    for options, *names in (
        (["--rescore", "nowhere"], "there is no model folder nowhere"),
        (["--rescore", f"{other}=-1"], "no number of 0 or more"),
        (["--rescore", f"{other}=nan"], "no number of 0 or more"),
        (["--rescore", f"{other}=much"], "no number of 0 or more"),
        (["--rescore", other, "--rescore", f"{other}=2"], "named twice"),
        (["--weights", "none.toml"], "cannot read none.toml"),
        (["--weights", "recipe.toml"], "recipe.toml holds no weights", "--tune"),
        (["--weights", "empty.toml"], "empty.toml holds no weights"),
        (["--weights", "two.toml"], "two.toml has 1 weights for 2 models"),
        (["--weights", "w.toml"], "there is no model folder", "gone"),
        (["--weights", "w.toml", "--rescore", other], "w.toml has no weight of"),
        (["--weights", "w.toml", "--rescore", f"{other}=1"], "both weigh"),
        (["--mbr", "meteor"], "meteor"),
        (["--mbr", "bleu", "--sample", "1", "--rescore", other], "samples count alike"),
        (["--mbr", "bleu", "--score", "prefix"], "--score chooses no translation"),
    ):
        refused(call(*base, *options, stdin="A cat sleeps here.\n"), *names)
    refused(call("translate", "--model", twin, "--prefix", "prefix", stdin="A cat.\n"), "leave out --prefix")
    refused(call("translate", "--model", model, "--model", twin, stdin="A cat.\n"), "opposite ends")
    evaluate = ["evaluate", "--model", model, "--data", corpus, "--split", "test"]
    refused(call(*evaluate, "--tune", "w2.toml", "--mbr", "bleu"), "leave out --mbr")
    refused(call(*evaluate, "--tune", "w2.toml"), "nothing to weigh")
    refused(call(*evaluate, "--tune", "no/w2.toml", "--rescore", other), "no folder no")
    refused(call("evaluate", "--hyp", "prefix", "--ref", "prefix", "--tune", "w2.toml"), "--tune go with --model")
    assert not Path("w2.toml").exists()
