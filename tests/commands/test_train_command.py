"""`train`: the model folder, reproducible runs, and interrupted and resumed runs."""

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
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from safetensors.numpy import load_file
from shell import QUICK, RECIPE, ROOT, Result, call, card, python, refused, snapshot, start, train, worked

from seq2seq.commands import main
from seq2seq.commands.train import _summary
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


def steps(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_files_of_a_model_folder(trained: Result, model: Path, corpus: Path, recipe: Path) -> None:
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
    """Standard output is one JSON object; progress and notices go to standard error."""
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


def test_the_summary_shows_scores_samples_and_commands(corpus: Path, recipe: Path) -> None:
    """The samples (here four), the scores, and commands that can be copied."""
    result = worked(train(recipe, corpus, "--out", "my run", "--set", "training.updates=1"))
    assert result.out.count("\n  ref ") == 4
    assert re.search(r"^test  BLEU = [\d.]+  \(nrefs:1\|", result.out, re.MULTILINE)
    assert re.search(r"^test  chrF2 = [\d.]+  \(nrefs:1\|", result.out, re.MULTILINE)
    assert "  echo 'A cat eats today.' | seq2seq translate --model 'my run'\n" in result.out
    assert "own text" not in result.out


@pytest.mark.parametrize("where", ["", "DIR"])
def test_only_the_summary_of_the_corpus_that_ships_tells_how_to_train_on_other_text(where: str) -> None:
    named = SimpleNamespace(settings=SimpleNamespace(data=SimpleNamespace(where=where)), folder=Path("run"), scores={})
    named.model = SimpleNamespace(directions=[("en", "de")])
    named.samples = [("A cat.", "Ein Hund.", "Eine Katze.")]
    assert ("  seq2seq train --data FOLDER --src xx --tgt yy" in _summary(named)) == (not where)  # type: ignore[arg-type]


def test_quiet_prints_nothing(corpus: Path, recipe: Path) -> None:
    assert worked(train(recipe, corpus, "--out", "new", "--quiet")).err == ""


def test_the_same_seed_gives_the_same_weights(corpus: Path, recipe: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        worked(train(recipe, corpus, "--out", name, "--seed", seed, "--quiet"))
    a, b, c = ((Path(name) / "model.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_without_out_each_run_has_a_new_folder(corpus: Path, recipe: Path) -> None:
    folders = [json.loads(worked(train(recipe, corpus, "--json", "--quiet")).out)["folder"] for _ in range(3)]
    assert folders == ["artifacts/runs/tiny", "artifacts/runs/tiny-2", "artifacts/runs/tiny-3"]
    assert all({path.name for path in Path(folder).iterdir()} == FILES for folder in folders)


def test_overwriting_needs_the_option_and_keeps_other_files(corpus: Path, recipe: Path) -> None:
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


def test_a_readme_that_is_no_model_card_is_not_overwritten(corpus: Path, recipe: Path) -> None:
    """`--out .` in another project must not overwrite its README."""
    Path("README.md").write_text("mine")
    refused(train(recipe, corpus, "--out", "."), "README.md would be lost")
    assert snapshot(Path()) == {"README.md": b"mine"}


def test_without_a_dev_part_a_share_is_held_out_and_reported(corpus: Path, recipe: Path) -> None:
    for name in ("train.en", "train.de"):
        Path("text").mkdir(exist_ok=True)
        shutil.copy(corpus / name, "text")
    result = worked(train(recipe, Path("text"), "--out", "run", "--json"))
    assert "note: no dev part: 1 of 52 train pairs are held out as dev" in result.err
    assert list(json.loads(result.out)["scores"]) == ["dev"]


def test_a_finished_run_can_be_resumed(model: Path, trained: Result) -> None:
    """As it is, it is only scored again; with more updates, it is trained further."""
    shutil.copytree(model, "run")
    result = worked(call("train", "--resume", "run", "--device", "cpu", "--json"))
    again = json.loads(result.out)
    assert again["scores"] == json.loads(trained.out)["scores"]
    assert "note: the run has ended after 120 updates; it is only scored again" in result.err
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
def test_a_stopped_and_resumed_run_equals_a_run_that_never_stopped(
    corpus: Path, recipe: Path, signum: signal.Signals, status: int, every: int
) -> None:
    """A signal saves the state and prints how to resume; resuming gives the bytes of an uninterrupted run.

    At every stop, also before the first validation, the folder holds a model that translates.
    """

    def sets(updates: int) -> list[str]:
        return ["--set", f"training.updates={updates}", "--set", f"training.validate_every={every}"]

    arguments = ["--recipe", recipe, "--data", corpus, "--device", "cpu", "--threads", 1]
    with start(ROOT / "scripts" / "train.py", *arguments, *sets(1_000_000), "--out", "stopped") as process:
        assert process.stderr and process.stdout
        expected = b"dev BLEU" if every < 1000 else b"1,000,000 updates"
        for line in process.stderr:
            if expected in line:
                break
        time.sleep(0.5)
        process.send_signal(signum)
        assert process.wait(60) == status
        assert process.stdout.read() == b""
        last = process.stderr.read().decode().splitlines()[-1]
    match = re.fullmatch(r"stopped after update (\d+); go on with --resume (\S+)", last)
    assert match, last
    step, folder = int(match[1]), match[2]
    assert (Path("stopped/training") / f"step-{step:08d}.safetensors").exists()
    assert len(worked(call("translate", "--model", folder, stdin="A cat eats here.\n")).lines) == 1
    assert call("evaluate", "--model", folder, "--data", corpus, "--device", "cpu").status == 0
    assert card(Path(folder)).startswith("# en to de\n")

    end = step + 5
    resumed = worked(call("train", "--resume", folder, "--set", f"training.updates={end}", "--threads", 1, "--json"))
    straight = worked(call("train", *arguments, *sets(end), "--out", "straight", "--json"))
    one, other = json.loads(resumed.out), json.loads(straight.out)
    assert [one[key] for key in ("recipe", "updates", "scores")] == [str(recipe), other["updates"], other["scores"]]
    for name in ("model.safetensors", f"training/step-{end:08d}.safetensors"):
        a, b = (load_file(Path(run) / name) for run in ("stopped", "straight"))
        assert a.keys() == b.keys()
        assert all((a[key] == b[key]).all() for key in a)
    assert steps(Path("stopped")) == steps(Path("straight"))


def test_a_run_without_a_model_yet_says_how_to_go_on(model: Path) -> None:
    """As an earlier version left it when it was stopped before the first validation."""
    shutil.copytree(model, "run")
    Path("run/model.safetensors").unlink()
    result = call("translate", "--model", "run", stdin="A cat.")
    refused(result, "run/model.safetensors is missing", "train --resume run")


def test_a_run_can_be_resumed_from_any_folder(corpus: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths given relative to one folder are stored absolute."""
    shutil.copytree(corpus, "text")
    here = Path.cwd()
    worked(train(recipe, Path("text"), "--out", "run", "--quiet"))
    assert tomllib.loads(Path("run/config.toml").read_text())["data"]["where"] == str(here / "text")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    worked(call("train", "--resume", "../run", "--set", "training.updates=3", "--quiet"))
    assert steps(here / "run") == [1, 2, 3]


def test_epochs_that_are_given_count_in_place_of_the_updates_of_the_recipe(corpus: Path, recipe: Path) -> None:
    """A recipe with updates, as many ship, does not make `--set training.epochs` do nothing; nor does a run so far."""
    epochs = "--set", "training.epochs=1"
    options = ["--recipe", recipe, "--data", corpus, "--device", "cpu", "--threads", 1, "--json", "--quiet"]
    one = json.loads(worked(call("train", *options, *epochs, "--out", "run")).out)["updates"]
    assert one < 20
    more = worked(call("train", "--resume", "run", "--set", "training.epochs=2", "--json", "--quiet"))
    assert json.loads(more.out)["updates"] == 2 * one
    both = worked(call("train", *options, *epochs, "--set", "training.updates=3", "--out", "both"))
    assert json.loads(both.out)["updates"] == 3


def test_a_run_whose_text_has_moved_is_told_where_it_is(corpus: Path, recipe: Path) -> None:
    """It must be the same text, in any form; another one is refused, and leaves the folder as it was."""
    shutil.copytree(corpus, "text")
    worked(train(recipe, Path("text"), "--out", "run", "--quiet"))
    Path("text").rename("moved")
    before = snapshot(Path("run"))
    more = "--set", "training.updates=3", "--quiet"
    missing = call("train", "--resume", "run", *more)
    refused(missing, f"{Path.cwd() / 'text'}, the text of this run, is not there", "--resume run --data WHERE")
    shutil.copytree("moved", "other")
    other = Path("other/train.de").read_text()
    Path("other/train.de").write_text(other.replace("Eine Katze", "Eine Kuh"))
    refused(call("train", "--resume", "run", "--data", "other", *more), "the text or the tokenizer is not the one")
    assert snapshot(Path("run")) == before
    worked(call("train", "--resume", "run", "--data", "moved", *more))
    assert steps(Path("run")) == [1, 2, 3]
    assert tomllib.loads(Path("run/config.toml").read_text())["data"]["where"] == str(Path.cwd() / "moved")
    worked(call("train", "--resume", "run", "--set", "training.updates=4", "--quiet"))


def test_progress_is_written_without_a_terminal(recipe: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seq2seq.display.FIRST", 0.0)
    result = worked(train(recipe, corpus, "--out", "run", "--set", "training.validate_every=0"))
    assert re.search(r"^update 1 of 2 \(50%\), epoch 1, loss \d\.\d\d, no dev BLEU yet, \d+ tokens/s", result.err, re.M)


def test_settings_that_do_not_fit_each_other_create_no_folder(corpus: Path, recipe: Path) -> None:
    result = train(recipe, corpus, "--out", "new", "--set", "model.context=dot", "--set", "model.hidden=33")
    refused(result._replace(err=result.err[result.err.index("error") :]), "model.context = 'dot'", "model.hidden = 33")
    assert not Path("new").exists()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86_64 can be restricted to older instructions")
def test_bf16_on_a_processor_without_it_is_refused(corpus: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    options = "--set", "training.precision=bf16", "--out", "run"
    result = python("-m", "seq2seq", "train", "--recipe", recipe, "--data", corpus, *QUICK, *options, "--quiet")
    refused(result, "training.precision", "'fp32'")
    assert not Path("run").exists()


def test_a_recipe_may_hold_all_settings(corpus: Path) -> None:
    """`--recipe FILE.toml` may also set the data; options override it."""
    Path("all.toml").write_text(f'[data]\nwhere = "{corpus}"\nsrc = "de"\ntgt = "en"\n{RECIPE}', encoding="utf-8")
    result = worked(call("train", "--recipe", "all.toml", *QUICK, "--out", "run", "--src", "en", "--tgt", "de"))
    assert "  en  A cat eats today." in result.out


def test_python_m_seq2seq_is_the_command(recipe: Path, corpus: Path) -> None:
    result = python("-m", "seq2seq", "train", "--recipe", recipe, "--data", corpus, *QUICK, "--out", "run", "--json")
    assert json.loads(worked(result).out)["updates"] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch uses another OpenMP library")
@pytest.mark.parametrize("chosen", [None, "7"])
def test_waiting_threads_spin_only_briefly(chosen: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spinning threads slow down beside another program. OpenMP prints the setting that it has read."""
    monkeypatch.setenv("OMP_DISPLAY_ENV", "verbose")
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if chosen:
        monkeypatch.setenv("GOMP_SPINCOUNT", chosen)
    settings_of_openmp = worked(python("scripts/train.py", "--help", cwd=ROOT)).err
    assert set(re.findall(r"GOMP_SPINCOUNT = '(\d+)'", settings_of_openmp)) == {chosen or "1000"}


def test_a_terminal_of_unknown_size_shows_the_progress_bar(recipe: Path, corpus: Path, tmp_path: Path) -> None:
    """A pseudo-terminal reports 0 columns and 0 lines, as under `script`."""
    ours, theirs = pty.openpty()

    def read() -> bytes:
        shown = b""
        with suppress(OSError):  # the terminal is closed
            while piece := os.read(ours, 4096):
                shown += piece
        return shown

    arguments = ["train", "--recipe", recipe, "--data", corpus, *QUICK, "--out", tmp_path / "new"]
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(read)
        with os.fdopen(theirs, "w", encoding="utf-8") as terminal, mock.patch.object(sys, "stderr", terminal):
            assert main(list(map(str, arguments))) == 0
        shown = reading.result()
    os.close(ours)
    assert re.search(rb"100%\|.* 2/2 \[.*loss \d", shown), shown


def test_several_sources_each_with_its_weight(corpus: Path, recipe: Path, tmp_path: Path) -> None:
    """All are read and named, the settings keep them, and a stopped run goes on to the same bytes."""
    (tmp_path / "more.csv").write_text("EN;DE\nA bird sings.;Ein Vogel singt.\nA bird;Ein Vogel\n", encoding="utf-8")
    sources = ["--data", "more.csv=0.5", "--set", "training.updates=12", "--set", "training.validate_every=4"]
    straight = worked(train(recipe, corpus, *sources, "--out", "straight"))
    assert "train    54" in straight.err
    assert f"note: {corpus}: 52 train pairs" in straight.err
    more = Path("more.csv").absolute()
    assert "more.csv: 2 train pairs, each 0.5 times an epoch" in straight.err
    assert tomllib.loads(Path("straight/config.toml").read_text())["data"]["where"] == [str(corpus), f"{more}=0.5"]
    assert "more.csv=0.5" in card(Path("straight"))
    worked(train(recipe, corpus, *sources, "--set", "training.updates=6", "--out", "stopped"))
    worked(call("train", "--resume", "stopped", *sources[2:], "--device", "cpu", "--threads", 1))
    weights = [Path(folder, "model.safetensors").read_bytes() for folder in ("straight", "stopped")]
    assert weights[0] == weights[1]
    refused(train(recipe, corpus, "--data", "more.csv=0", "--out", "x"), "the weight must be a number above 0")


def test_weights_that_leave_no_pair_after_cleaning_are_refused(recipe: Path) -> None:
    """The weights of ten pairs are enough for an epoch, those of the three that are left are not."""
    long = " ".join(["long"] * 200)
    rows = [f"A{i} sleeps.\tA{i} schläft." for i in range(4)] + [f"{long}\t{long}"] * 6
    Path("few.tsv").write_text("".join(f"{row}\n" for row in ["en\tde", *rows]), encoding="utf-8")
    epochs = "--set", "training.epochs=2", "--quiet"
    result = call("train", "--recipe", recipe, "--data", "few.tsv=0.11", "--out", "new", *epochs)
    refused(result, "an epoch has no pair", "--data")
    assert not Path("new").exists()
