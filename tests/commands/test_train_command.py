"""A model folder, what it holds, and how it comes about: stopped and taken up again, twice the same, never lost."""

import json
import os
import platform
import pty
import re
import shutil
import signal
import sys
import time
import tomllib
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import pytest
from sacrebleu.metrics import BLEU
from safetensors.numpy import load_file
from shell import RECIPE, ROOT, Result, call, python, refused, snapshot, start, worked

from seq2seq.text.scoring import score
from seq2seq.training import settings

FILES = {
    "manifest.json",
    "README.md",
    "config.toml",
    "metrics.jsonl",
    "model.safetensors",
    "tokenizer.model",
    "training",
}
QUICK = ["--set", "training.updates=2", "--set", "training.validate_every=1", "--device", "cpu", "--threads", "1"]


def train(recipe: Path, corpus: Path, *more: object) -> Result:
    return call("train", "--recipe", recipe, "--data", corpus, *QUICK, *more)


def card(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


def steps(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_what_a_model_folder_holds(trained: Result, model: Path, corpus: Path, recipe: Path) -> None:
    assert {path.name for path in model.iterdir()} == FILES
    assert [path.name for path in sorted((model / "training").iterdir())] == [
        "step-00000060.safetensors",
        "step-00000120.safetensors",
    ]
    sections = tomllib.loads((model / "config.toml").read_text(encoding="utf-8"))
    assert sections.pop("seq2seq") == {"format": 1, "recipe": str(recipe), "target_pieces": 343}
    resolved = settings.resolve(sections)
    assert sections.keys() == resolved._asdict().keys()
    assert (resolved.data.where, resolved.model.hidden, resolved.training.updates) == (str(corpus), 32, 120)
    assert all(sections[name].keys() == vars(values).keys() for name, values in resolved._asdict().items())
    assert steps(model) == [60, 120]
    text = card(model)
    for part in ("# en to de", "BLEU", "chrF2", "nrefs:1", str(corpus), "Ein Kind"):
        assert part in text


def test_the_result_as_json(trained: Result, model: Path) -> None:
    """One object on standard output and nothing else; what is said meanwhile goes to standard error."""
    assert len(trained.lines) == 1
    result = json.loads(trained.out)
    assert result["folder"] == str(model)
    assert result["updates"] == 120 and result["dev"]["step"] in (60, 120)
    [bleu, chrf] = result["scores"]["test"]
    assert (bleu["name"], chrf["name"]) == ("BLEU", "chrF2")
    assert "nrefs:1|case:mixed" in bleu["signature"]
    assert [len(sample) for sample in result["samples"]] == [3] * 4
    _, translations, references = zip(*result["samples"], strict=True)
    assert bleu["value"] == pytest.approx(score(translations, [references], ("bleu",))[0].value)
    for part in ("train    52", "update 60", "dev BLEU"):
        assert part in trained.err


def test_the_summary_for_a_person(corpus: Path, recipe: Path) -> None:
    """Ten sentences, the scores, and commands that work as they stand."""
    result = worked(train(recipe, corpus, "--out", "my run", "--set", "training.updates=1"))
    assert result.out.count("\n  ref ") == 4
    assert re.search(r"^test  BLEU = [\d.]+  \(nrefs:1\|", result.out, re.MULTILINE)
    assert re.search(r"^test  chrF2 = [\d.]+  \(nrefs:1\|", result.out, re.MULTILINE)
    assert "  echo 'A cat eats today.' | seq2seq translate --model 'my run'\n" in result.out
    assert "  seq2seq train --data FOLDER --src xx --tgt yy" in result.out


def test_quiet_says_nothing(corpus: Path, recipe: Path) -> None:
    assert worked(train(recipe, corpus, "--out", "new", "--quiet")).err == ""


def test_twice_the_same_from_a_seed(corpus: Path, recipe: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        worked(train(recipe, corpus, "--out", name, "--seed", seed, "--quiet"))
    a, b, c = ((Path(name) / "model.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_new_folder_each_time(corpus: Path, recipe: Path) -> None:
    folders = [json.loads(worked(train(recipe, corpus, "--json", "--quiet")).out)["folder"] for _ in range(3)]
    assert folders == ["artifacts/runs/tiny", "artifacts/runs/tiny-2", "artifacts/runs/tiny-3"]
    assert all({path.name for path in Path(folder).iterdir()} == FILES for folder in folders)


def test_overwriting_is_asked_for_and_leaves_other_files_alone(corpus: Path, recipe: Path) -> None:
    worked(train(recipe, corpus, "--out", "run", "--quiet"))
    Path("run/notes.txt").write_text("mine")
    before = snapshot(Path("run"))
    refused(train(recipe, corpus, "--out", "run"), "run holds a model")
    assert snapshot(Path("run")) == before
    worked(train(recipe, corpus, "--out", "run", "--overwrite", "--seed", 5, "--set", "training.updates=1"))
    assert steps(Path("run")) == [1]
    assert Path("run/notes.txt").read_text() == "mine"
    assert [path.name for path in Path("run/training").iterdir()] == ["step-00000001.safetensors"]
    assert (Path("run") / "model.safetensors").read_bytes() != before["model.safetensors"]


def test_a_readme_of_somebody_else_is_not_lost(corpus: Path, recipe: Path) -> None:
    """`--out .` in a project of one's own must not cost its README."""
    Path("README.md").write_text("mine")
    refused(train(recipe, corpus, "--out", "."), "README.md would be lost")
    assert snapshot(Path()) == {"README.md": b"mine"}


def test_without_a_dev_part_a_share_is_held_out_and_said(corpus: Path, recipe: Path) -> None:
    for name in ("train.en", "train.de"):
        Path("text").mkdir(exist_ok=True)
        shutil.copy(corpus / name, "text")
    result = worked(train(recipe, Path("text"), "--out", "run", "--json"))
    assert "note: no dev part: 1 of 52 train pairs are held out as dev" in result.err
    assert list(json.loads(result.out)["scores"]) == ["dev"]


def test_a_finished_run_goes_on(model: Path, trained: Result) -> None:
    """With nothing left to do it scores once more; with more updates it trains on."""
    shutil.copytree(model, "run")
    again = json.loads(worked(call("train", "--resume", "run", "--device", "cpu", "--json")).out)
    assert again["scores"] == json.loads(trained.out)["scores"]
    more = worked(call("train", "--resume", "run", "--set", "training.updates=140", "--device", "cpu", "--json"))
    assert json.loads(more.out)["updates"] == 140
    assert steps(Path("run")) == [60, 120, 140]
    assert tomllib.loads(Path("run/config.toml").read_text())["training"]["updates"] == 140


@pytest.mark.parametrize(
    ("signum", "status", "every"),
    [
        pytest.param(signal.SIGINT, 130, 20, id="ctrl-c-after-a-validation"),
        pytest.param(signal.SIGTERM, 143, 100_000, id="sigterm-before-any"),
    ],
)
def test_stopped_and_taken_up_is_never_stopped(
    corpus: Path, recipe: Path, signum: signal.Signals, status: int, every: int
) -> None:
    """A signal writes a checkpoint and says how to go on; going on so gives the bytes of a run that never stopped."""

    def sets(updates: int) -> list[str]:
        return ["--set", f"training.updates={updates}", "--set", f"training.validate_every={every}"]

    arguments = ["--recipe", recipe, "--data", corpus, "--device", "cpu", "--threads", 1]
    with start(ROOT / "scripts" / "train.py", *arguments, *sets(1_000_000), "--out", "stopped") as process:
        assert process.stderr and process.stdout
        awaited = b"dev BLEU" if every < 1000 else b"1,000,000 updates"
        for line in process.stderr:
            if awaited in line:
                break
        time.sleep(0.5)
        process.send_signal(signum)
        assert process.wait(60) == status
        assert process.stdout.read() == b""
        last = process.stderr.read().decode().splitlines()[-1]
    found = re.fullmatch(r"stopped after update (\d+); go on with --resume (\S+)", last)
    assert found, last
    step, folder = int(found[1]), found[2]
    assert (Path("stopped/training") / f"step-{step:08d}.safetensors").exists()
    assert Path("stopped/model.safetensors").exists() == (every < 1000)

    end = step + 5
    on = worked(call("train", "--resume", folder, "--set", f"training.updates={end}", "--threads", 1, "--json"))
    straight = worked(call("train", *arguments, *sets(end), "--out", "straight", "--json"))
    one, other = json.loads(on.out), json.loads(straight.out)
    assert [one[key] for key in ("recipe", "updates", "scores")] == [str(recipe), other["updates"], other["scores"]]
    for name in ("model.safetensors", f"training/step-{end:08d}.safetensors"):
        a, b = (load_file(Path(run) / name) for run in ("stopped", "straight"))
        assert a.keys() == b.keys()
        assert all((a[key] == b[key]).all() for key in a)
    assert steps(Path("stopped")) == steps(Path("straight"))


def test_a_setting_that_fits_no_other_leaves_no_folder(corpus: Path, recipe: Path) -> None:
    result = train(recipe, corpus, "--out", "new", "--set", "model.context=dot", "--set", "model.hidden=33")
    refused(result._replace(err=result.err[result.err.index("error") :]), "model.context = 'dot'", "model.hidden = 33")
    assert not Path("new").exists()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="no other processor can be told to be an older one")
def test_a_processor_that_cannot_compute_in_bf16_says_so(
    corpus: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    wanted = "--set", "training.precision=bf16", "--out", "run"
    result = python("-m", "seq2seq", "train", "--recipe", recipe, "--data", corpus, *QUICK, *wanted, "--quiet")
    refused(result, "training.precision", "'fp32'")
    assert not Path("run").exists()


def test_a_recipe_may_hold_everything(corpus: Path) -> None:
    """`--recipe FILE.toml` alone, with data and all; the flags go before it."""
    Path("all.toml").write_text(f'[data]\nwhere = "{corpus}"\nsrc = "de"\ntgt = "en"\n{RECIPE}', encoding="utf-8")
    result = worked(call("train", "--recipe", "all.toml", *QUICK, "--out", "run", "--src", "en", "--tgt", "de"))
    assert "  en  A cat eats today." in result.out


def test_as_a_module_of_its_own(recipe: Path, corpus: Path) -> None:
    """`python -m seq2seq train` is the same command."""
    result = python("-m", "seq2seq", "train", "--recipe", recipe, "--data", corpus, *QUICK, "--out", "run", "--json")
    assert json.loads(worked(result).out)["updates"] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch has its threads from another library")
@pytest.mark.parametrize("chosen", [None, "7"])
def test_threads_that_wait_sleep_soon(chosen: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would lose whole time slices beside another program; the library of threads tells what it read."""
    monkeypatch.setenv("OMP_DISPLAY_ENV", "verbose")
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if chosen:
        monkeypatch.setenv("GOMP_SPINCOUNT", chosen)
    told = worked(python("scripts/train.py", "--help", cwd=ROOT)).err
    assert set(re.findall(r"GOMP_SPINCOUNT = '(\d+)'", told)) == {chosen or "1000"}


def test_a_terminal_that_hides_its_size_shows_the_bar(recipe: Path, corpus: Path, tmp_path: Path) -> None:
    """A pseudo-terminal of 0 columns and 0 lines, as under `script`."""
    ours, theirs = pty.openpty()
    arguments = [ROOT / "scripts" / "train.py", "--recipe", recipe, "--data", corpus, *QUICK, "--out", tmp_path / "new"]
    with start(*arguments, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the end of a terminal
            while piece := os.read(ours, 4096):
                shown += piece
        process.communicate()
    os.close(ours)
    assert process.returncode == 0
    assert re.search(rb"100%\|.* 2/2 \[.*loss \d", shown), shown


# ---- teachers --------------------------------------------------------------------------------------------------------


def train_part(corpus: Path) -> list[list[str]]:
    """The lines of its two sides."""
    return [(corpus / f"train.{language}").read_text().splitlines() for language in ("en", "de")]


def kept(folder: str) -> list[tuple[str, str]]:
    """The pairs that teachers added, as a model folder has them."""
    rows = map(json.loads, Path(folder, "taught.jsonl").read_text(encoding="utf-8").splitlines())
    return [(row["src"], row["tgt"]) for row in rows]


def told(model: str, corpus: Path, source: str, references: list[str]) -> list[tuple[str, str]]:
    """A model's best translation of each line of the training part, and of five the one most like the reference."""
    nbest = call("translate", "--model", model, "--input", corpus / f"train.{source}", "--nbest", "5")
    rows = [line.split("\t") for line in worked(nbest).lines]  # line, rank, score, translation
    said = [[row[3] for row in each] for _, each in groupby(rows, key=lambda row: row[0])]
    one = BLEU(smooth_method="add-k", smooth_value=1, effective_order=True)
    return [
        (each[0], max(each, key=lambda text: one.sentence_score(text, [ref]).score))
        for each, ref in zip(said, references, strict=True)
    ]


def test_what_teachers_say_is_learnt_as_well(corpus: Path, recipe: Path) -> None:
    """Each one's best, and of its n-best what is most like the reference, where new; a run goes on without them."""
    for seed in "12":  # teachers that have not learnt their text yet
        worked(train(recipe, corpus, "--out", seed, "--seed", seed, "--set", "training.updates=30"))
    src, tgt = train_part(corpus)
    both = [told(seed, corpus, "en", tgt) for seed in "12"]
    assert sum(best != close for each in both for best, close in each) > 5 and both[0] != both[1]
    everything = [(line, text) for each in both for line, texts in zip(src, each, strict=True) for text in texts]
    new = {*everything} - {*zip(src, tgt, strict=True)}
    teachers = "--teacher", "1", "--teacher", "2"
    first = worked(train(recipe, corpus, "--out", "whole", *teachers))
    assert f"the teachers add {len(new)} pairs" in first.err
    assert kept("whole") == [pair for pair in dict.fromkeys(everything) if pair in new]
    assert tomllib.loads(Path("whole/config.toml").read_text())["data"]["teachers"] == ["1", "2"]
    assert "- Synthetic data: the training part; translated by 1, 2 (knowledge distillation" in card(Path("whole"))

    worked(train(recipe, corpus, "--out", "parts", *teachers, "--set", "training.updates=1"))
    shutil.rmtree("1")
    worked(call("train", "--resume", "parts", "--set", "training.updates=2", "--device", "cpu", "--threads", "1"))
    assert Path("parts/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()

    Path("parts/taught.jsonl").write_text('{"src": "No.", "tgt": "Nein."}\n')
    refused(call("train", "--resume", "parts", "--set", "training.updates=3"), "text", "parts")
    Path("parts/taught.jsonl").write_text("Nein.\n")
    refused(call("train", "--resume", "parts", "--set", "training.updates=3"), "parts/taught.jsonl, line 1", "JSON")
    Path("parts/taught.jsonl").unlink()
    refused(call("train", "--resume", "parts", "--set", "training.updates=3"), "parts/taught.jsonl", "cannot read")
    worked(train(recipe, corpus, "--out", "whole", "--overwrite"))
    assert not Path("whole/taught.jsonl").exists()


def test_teachers_of_the_other_direction_translate_back(corpus: Path, recipe: Path) -> None:
    """Their sources stand beside the references, teacher by teacher."""
    worked(train(recipe, corpus, "--out", "forth", "--set", "training.updates=30"))
    worked(train(recipe, corpus, "--out", "back", "--src", "de", "--tgt", "en", "--set", "training.updates=30"))
    src, tgt = train_part(corpus)
    known = {*zip(src, tgt, strict=True)}
    said = [(text, ref) for texts, ref in zip(told("back", corpus, "de", src), tgt, strict=True) for text in texts]
    new = [pair for pair in dict.fromkeys(said) if pair not in known and pair[0]]
    assert len(new) > 30
    worked(train(recipe, corpus, "--out", "alone", "--teacher", "back"))
    assert kept("alone") == new
    worked(train(recipe, corpus, "--out", "straight", "--teacher", "forth"))
    worked(train(recipe, corpus, "--out", "both", "--teacher", "back", "--teacher", "forth"))
    assert kept("both") == [*dict.fromkeys([*new, *kept("straight")])]
    worked(train(recipe, corpus, "--out", "parts", "--teacher", "back", "--set", "training.updates=1"))
    worked(call("train", "--resume", "parts", "--set", "training.updates=2", "--device", "cpu", "--threads", "1"))
    assert Path("parts/model.safetensors").read_bytes() == Path("alone/model.safetensors").read_bytes()


def test_teachers_translate_text_of_one_language_too(corpus: Path, recipe: Path) -> None:
    """Each way behind its part of the training text, and the run goes on without text and teachers."""
    worked(train(recipe, corpus, "--out", "forth", "--set", "training.updates=30"))
    worked(train(recipe, corpus, "--out", "back", "--src", "de", "--tgt", "en", "--set", "training.updates=30"))
    alone = {"en": ["the sun sees me", "see me"], "de": ["die Sonne sieht", "sieht mich"]}
    for language, lines in alone.items():
        Path(f"more.{language}").write_text("".join(f"{line}\n" for line in lines))
    said = {
        language: worked(call("translate", "--model", model, "--input", f"more.{language}")).lines
        for language, model in (("en", "forth"), ("de", "back"))
    }
    both = "--teacher", "forth", "--teacher", "back"
    worked(train(recipe, corpus, "--out", "without", *both))
    first = worked(train(recipe, corpus, "--out", "whole", *both, "--mono", "more.en", "--mono", "more.de"))
    assert re.search(r"^more\.de +2 +0 +0 +0 +0 +2$", first.err, re.MULTILINE), first.err
    new = [*zip(alone["en"], said["en"], strict=True), *zip(said["de"], alone["de"], strict=True)]
    assert len(new) == 4 and not {*new} & {*kept("without")}
    assert [pair for pair in kept("whole") if pair not in new] == kept("without")
    assert [pair for pair in kept("whole") if pair in new] == new
    assert "- Synthetic data: the training part, more.en, more.de; translated by forth, back (" in card(Path("whole"))
    worked(
        train(
            recipe,
            corpus,
            "--out",
            "parts",
            *both,
            "--mono",
            "more.en",
            "--mono",
            "more.de",
            "--set",
            "training.updates=1",
        )
    )
    for gone in "more.en", "more.de":
        Path(gone).unlink()
    worked(call("train", "--resume", "parts", "--set", "training.updates=2", "--device", "cpu", "--threads", "1"))
    assert Path("parts/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


def test_text_that_no_teacher_can_translate_is_refused(model: Path, corpus: Path, recipe: Path) -> None:
    for name in "more.en", "more.de", "more.txt":
        Path(name).write_text("x\n")
    refused(train(recipe, corpus, "--out", "new", "--mono", "more.en"), "more.en", "en to de", "--teacher")
    wrong = train(recipe, corpus, "--out", "new", "--mono", "more.de", "--teacher", model)
    refused(wrong, "more.de", "de to en", "--teacher")
    refused(train(recipe, corpus, "--out", "new", "--mono", "more.txt", "--teacher", model), "more.txt", ".en", ".de")
    refused(train(recipe, corpus, "--out", "new", "--mono", "none.en", "--teacher", model), "none.en")
    refused(call("train", "--resume", model, "--mono", "more.en"), "--resume")
    assert not Path("new").exists()


def test_an_exported_model_teaches_like_any(model: Path, corpus: Path, recipe: Path) -> None:
    worked(call("export", "--model", model, "--out", "fast", "--format", "onnx", "--int8"))
    worked(train(recipe, corpus, "--out", "new", "--teacher", "fast"))
    src, tgt = train_part(corpus)
    said = [(line, text) for line, texts in zip(src, told("fast", corpus, "en", tgt), strict=True) for text in texts]
    new = [pair for pair in dict.fromkeys(said) if pair not in {*zip(src, tgt, strict=True)}]
    assert new and kept("new") == new
    worked(train(recipe, corpus, "--out", "beside", "--teacher", "fast", "--teacher", model))
    assert kept("beside")[: len(new)] == new
    worked(train(recipe, corpus, "--out", "trained", "--teacher", model))
    assert kept("beside") == [*dict.fromkeys([*new, *kept("trained")])]


def test_a_teacher_that_cannot_teach_is_refused(model: Path, corpus: Path, recipe: Path) -> None:
    refused(train(recipe, corpus, "--out", "new", "--teacher", "nobody"), "nobody")
    other = train(recipe, corpus, "--out", "new", "--src", "en", "--tgt", "fr", "--teacher", model)
    refused(other, str(model), "en to de", "en to fr or back")
    refused(call("train", "--resume", model, "--teacher", model), "--resume")
    refused(train(recipe, corpus, "--out", "new", "--set", "data.teachers=5"), "data.teachers", '["DIR"]')
    assert not Path("new").exists()
