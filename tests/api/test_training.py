"""`seq2seq.train` and `seq2seq.evaluate`: the command's training, from Python, and a program left as it was."""

import _thread
import json
import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from reversal_task import reversals

import seq2seq
from seq2seq.commands import main
from seq2seq.errors import InputError, Interrupted

RECIPE = """
[data]
src = "digits"
tgt = "stigid"
[tokenizer]
vocab_size = 300
[model]
embedding = 6
encoder_hidden = [5, 3]
hidden = 7
attention = 4
[training]
updates = 6
validate_every = 3
batch_tokens = 60
precision = "fp32"
"""
QUICK: dict[str, Any] = {"device": "cpu", "threads": 1, "quiet": True}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return str(path)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    pairs = reversals(80)
    for part, rows in (("train", pairs[20:]), ("dev", pairs[:10]), ("test", pairs[10:20])):
        for side, language in enumerate(("digits", "stigid")):
            (folder / f"{part}.{language}").write_text("".join(f"{pair[side]}\n" for pair in rows))
    return folder


def test_a_run_is_the_commands_run(recipe: str, text: Path, tmp_path: Path) -> None:
    run = seq2seq.train(data=text, out=tmp_path / "run", recipe=recipe, **QUICK)
    arguments = ["train", "--data", text, "--recipe", recipe, "--device", "cpu", "--threads", 1, "--quiet"]
    assert main([*map(str, arguments), "--out", str(tmp_path / "command")]) == 0
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "command"))
    assert one == other
    assert (run.folder, run.updates, run.dev["step"] in (3, 6)) == (tmp_path / "run", 6, True)
    assert [s.name for s in run.scores["test"]] == ["BLEU", "chrF2"]
    assert len(run.samples) == 10
    assert (run.folder / "README.md").exists()
    lines = [sample[0] for sample in run.samples]
    assert run.model.translate(lines) == [sample[1] for sample in run.samples]
    assert json.loads(json.dumps(run.as_dict()))["folder"] == str(tmp_path / "run")


def test_a_run_is_evaluated(recipe: str, text: Path, tmp_path: Path) -> None:
    run = seq2seq.train(data=text, out=tmp_path / "run", recipe=recipe, **QUICK)
    bleu, chrf, ter = seq2seq.evaluate(run.model, data=str(text), split="test")
    assert [bleu, chrf] == run.scores["test"]
    assert ter.name == "TER"
    assert "nrefs:1" in ter.signature
    assert seq2seq.evaluate(run.folder, data=str(text), metrics=["bleu"]) == [bleu]
    [spread] = seq2seq.evaluate(run.folder, data=str(text), metrics=["bleu"], tokenize="char", confidence=True)
    assert "tok:char" in spread.signature and spread.mean is not None and spread.interval is not None
    with pytest.raises(InputError, match="unknown tokenizer 'cha'"):
        seq2seq.evaluate(run.folder, data=str(text), tokenize="cha")
    with pytest.raises(TypeError, match="unexpected keyword argument 'tokenise'"):
        seq2seq.evaluate(run.folder, data=str(text), tokenise="char")  # type: ignore[call-arg]
    with pytest.raises(InputError, match="no split 'tset'"):
        seq2seq.evaluate(run.model, data=str(text), split="tset")


def test_a_path_and_a_list_of_columns_are_as_good_as_strings(recipe: str, text: Path, tmp_path: Path) -> None:
    sides = ((text / f"train.{language}").read_text().splitlines() for language in ("digits", "stigid"))
    table = tmp_path / "table.tsv"
    table.write_text("".join(f"{src}\t{tgt}\n" for src, tgt in zip(*sides, strict=True)))
    columns = ["digits", "stigid"]
    run = seq2seq.train(data=table, columns=columns, out=tmp_path / "run", recipe=Path(recipe), set=None, **QUICK)
    assert run.settings.data.columns == ("digits", "stigid")


def test_settings_by_name(recipe: str, text: Path, tmp_path: Path) -> None:
    run = seq2seq.train(
        data=text, out=tmp_path / "a", recipe=recipe, set={"training.updates": 2, "model.hidden": 9}, seed=5, **QUICK
    )
    assert (run.updates, run.settings.model.hidden, run.settings.training.seed) == (2, 9, 5)
    again = seq2seq.train(
        data=text, out=tmp_path / "b", recipe=recipe, set=["training.updates=2", "model.hidden=9"], seed=5, **QUICK
    )
    assert (again.folder / "model.safetensors").read_bytes() == (run.folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("options", "failure", "words"),
    [
        ({"set": {"updates": 2}}, InputError, "expected SECTION.NAME"),
        ({"set": {"training.update": 2}}, InputError, "did you mean 'updates'"),
        ({"set": {"training.updates": "2"}}, InputError, "expected a whole number"),
        ({"set": "training.updates=2"}, TypeError, "mapping of settings"),
        ({"dat": "x"}, TypeError, "unexpected keyword argument 'dat'"),
        ({"resume": "x"}, InputError, "--resume goes on with the folder's own settings"),
        ({"device": "tpu"}, InputError, "unknown device 'tpu'"),
        ({"set": 5}, TypeError, "set takes a mapping of settings"),
        ({"set": [5]}, TypeError, "set takes a mapping of settings"),
        ({"set": {"training.finetuned": "x"}}, InputError, "give --finetune MODEL instead"),
        ({"minutes": "5"}, TypeError, "minutes takes a number, not '5'"),
        ({"recipe": 5}, TypeError, "recipe takes a path, not 5"),
        ({"teachers": 5}, TypeError, "teachers takes a path, or a list of paths, not 5"),
        ({"mono": "x.it"}, InputError, "x.it ends in neither .digits nor .stigid"),
        ({"langs": ["en", 5]}, TypeError, "languages, directions and columns are named by str, not by 5"),
        ({"data": []}, InputError, "the list of texts, or a path in it, is empty"),
        ({"resume": ""}, InputError, "resume is empty; give a path, or None"),
        ({"finetune": ""}, InputError, "finetune is empty; give a path, or None"),
        ({"overwrite": "no"}, TypeError, "overwrite takes True or False, not 'no'"),
        ({"quiet": 1}, TypeError, "quiet takes True or False, not 1"),
        ({"set": {"data.src": "digits"}, "src": "stigid"}, InputError, r"--set data\.src sets what an option sets"),
        ({"set": {"training.seed": 2}, "seed": 3}, InputError, r"--set training\.seed sets what an option sets"),
    ],
)
def test_wrong_options(
    recipe: str, text: Path, tmp_path: Path, options: dict[str, Any], failure: type[Exception], words: str
) -> None:
    with pytest.raises(failure, match=words):
        seq2seq.train(**{"data": text, "out": tmp_path / "new", "recipe": recipe, **QUICK, **options})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("where", ["main thread", "another thread"])
def test_training_leaves_the_program_as_it_was(recipe: str, text: Path, tmp_path: Path, where: str) -> None:
    datasets.enable_progress_bars()
    logging.getLogger("datasets").setLevel(logging.INFO)
    logging.getLogger("huggingface_hub").setLevel(logging.DEBUG)

    def state() -> list[object]:
        levels = [logging.getLogger(name).level for name in ("", "datasets", "huggingface_hub", "seq2seq")]
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        bars = datasets.utils.logging.is_progress_bar_enabled()
        random = torch.get_rng_state().tolist()
        return [levels, handlers, bars, random, torch.get_num_threads(), dict(os.environ), torch.is_grad_enabled()]

    def work() -> None:
        options = {**QUICK, "threads": 2}
        seq2seq.train(data=text, out=tmp_path / "run", recipe=recipe, **options)  # type: ignore[misc]
        seq2seq.evaluate(tmp_path / "run", data=str(text))

    before = state()
    if where == "main thread":
        work()
    else:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert (tmp_path / "run" / "README.md").exists()
    assert state() == before


def test_an_interrupted_training_goes_on(recipe: str, text: Path, tmp_path: Path) -> None:
    """Ctrl-C, or a notebook's stop button: the state is saved, and resuming gives what a whole run gives."""

    def interrupt() -> None:
        folder = tmp_path / "stopped" / "training"
        while not list(folder.glob("step-*.safetensors")):
            time.sleep(0.01)
        _thread.interrupt_main()

    threading.Thread(target=interrupt, daemon=True).start()
    options: dict[str, Any] = {"data": text, "recipe": recipe, **QUICK}
    with pytest.raises(Interrupted, match="go on with --resume") as stop:
        seq2seq.train(out=tmp_path / "stopped", set={"training.updates": 1_000_000}, **options)
    assert isinstance(stop.value, KeyboardInterrupt)
    step = max(int(path.stem.partition("-")[2]) for path in (tmp_path / "stopped" / "training").iterdir())
    updates = {"training.updates": step + 4}
    resumed = seq2seq.train(resume=tmp_path / "stopped", set=updates, **QUICK)
    whole = seq2seq.train(out=tmp_path / "whole", set=updates, **options)
    assert resumed.updates == whole.updates == step + 4
    one, other = ((run.folder / "model.safetensors").read_bytes() for run in (resumed, whole))
    assert one == other


def test_progress_is_shown_on_request(
    recipe: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seq2seq.train(data=text, out=tmp_path / "loud", recipe=recipe, device="cpu", threads=1)
    told = capsys.readouterr()
    assert told.out == ""
    assert "dev BLEU" in told.err and "parameters, 6 updates" in told.err
    seq2seq.train(data=text, out=tmp_path / "quiet", recipe=recipe, **QUICK)
    assert capsys.readouterr() == ("", "")
