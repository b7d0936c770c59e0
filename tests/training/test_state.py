"""Law 8: a run that was stopped or killed and resumed ends with the same bytes as one that was not; signals."""

import errno
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from reversal_task import End, assert_same, begin, chosen, end, resumed
from tiny_runs import EVERY_MODEL, EVERY_TRAINING, SHORT, around_update, killed, run_until, terminated

from seq2seq.errors import InputError, Interrupted, WorkError
from seq2seq.folder import checkpoint, files
from seq2seq.text.sources import Pair
from seq2seq.training import resume
from seq2seq.training.settings import Settings
from seq2seq.training.signals import listening


class Uninterrupted(NamedTuple):
    """An uninterrupted run."""

    settings: Settings
    end: End


@pytest.fixture(scope="module", params=["rnn sampled", "gru", "lstm", "gru in bf16", "gru by two"])
def uninterrupted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    cell, *how = request.param.split()
    loss = {"consistency": 0.0, "sampled_softmax": 0.3} if "sampled" in how else {}
    settings = chosen(
        {**EVERY_TRAINING, **loss, "precision": "bf16" if "bf16" in how else "fp32", "workers": 1 + ("two" in how)},
        {**EVERY_MODEL, "cell": cell},
        sampling=0.3,
    )
    folder = tmp_path_factory.mktemp("uninterrupted")
    trainer = begin(folder, settings, SHORT)
    trainer.run(quiet=True)
    result = end(folder)
    assert trainer.total > 12
    assert trainer.progress.epoch > 0
    rates = [line["learning_rate"] for line in trainer.progress.metrics]
    assert rates[-1] < rates[0]  # plateau halved it, so `rate_scale` matters
    moments = {"step", "exp_avg", "exp_avg_sq"}
    assert result.groups.keys() == {"weights", "average", "snapshot-0", "snapshot-1"} | moments
    return Uninterrupted(settings, result)


@pytest.mark.parametrize("stops", [[1, 5, -1], [2, 6, 11], [4, 7, 8]])
def test_a_stopped_and_resumed_run_ends_as_an_uninterrupted_one(
    uninterrupted: Uninterrupted, tmp_path: Path, stops: list[int]
) -> None:
    """Stopped before, at and after a validation, twice in a row, and before the last update."""
    trainer = begin(tmp_path, uninterrupted.settings, SHORT)
    for stop in stops:
        step = stop % trainer.total
        run_until(trainer, step, terminated)
        trainer = resumed(tmp_path, SHORT)
        assert trainer.progress.step == step  # a run from the start would end the same way
    trainer.run(quiet=True)
    assert_same(end(tmp_path), uninterrupted.end)


def test_a_killed_run_resumes_from_its_last_checkpoint(uninterrupted: Uninterrupted, tmp_path: Path) -> None:
    trainer = begin(tmp_path, uninterrupted.settings, SHORT)
    for step in (6, 9):
        run_until(trainer, step, killed)
        trainer = resumed(tmp_path, SHORT)
        assert trainer.progress.step == step // 4 * 4
    trainer.run(quiet=True)
    assert_same(end(tmp_path), uninterrupted.end)


def test_a_run_that_is_killed_before_its_first_checkpoint_cannot_be_resumed(
    uninterrupted: Uninterrupted, tmp_path: Path
) -> None:
    run_until(begin(tmp_path, uninterrupted.settings, SHORT), 4, killed)  # the validation of step 4 is not over
    with pytest.raises(InputError, match="there is nothing to resume"):
        resumed(tmp_path, SHORT)


@pytest.mark.parametrize("broken", ["model.safetensors", "metrics.jsonl", "step-00000008.safetensors"])
def test_after_a_full_disk_a_run_resumes_from_its_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    settings = chosen({**EVERY_TRAINING, "metric": "loss"}, EVERY_MODEL)
    begin(tmp_path / "whole", settings, SHORT).run(quiet=True)

    real = files.write

    def full(path: Path, content: bytes) -> None:
        if path.name == broken and trainer.progress.step == 8:
            raise WorkError(f"cannot write {path}: {os.strerror(errno.ENOSPC)}")
        real(path, content)

    trainer = begin(tmp_path / "full", settings, SHORT)
    with monkeypatch.context() as context:
        context.setattr(files, "write", full)
        with pytest.raises(WorkError, match="No space left on device"):
            trainer.run(quiet=True)
    checkpoint.load_model(tmp_path / "full")
    trainer = resumed(tmp_path / "full", SHORT)
    assert trainer.progress.step == 4
    trainer.run(quiet=True)
    assert_same(end(tmp_path / "full"), end(tmp_path / "whole"))


def test_resuming_a_finished_run_changes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path, chosen(), SHORT).run(quiet=True)
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    around_update(monkeypatch, lambda trainer: killed())
    resumed(tmp_path, SHORT).run(quiet=True)
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    ends = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        settings = chosen({**EVERY_TRAINING, "seed": seed}, EVERY_MODEL, sampling=0.3)
        begin(tmp_path / name, settings, SHORT).run(quiet=True)
        ends.append(end(tmp_path / name))
    assert_same(ends[0], ends[1])
    assert ends[0].model != ends[2].model
    assert ends[0].metrics != ends[2].metrics


def test_a_folder_may_be_moved_and_resumed(tmp_path: Path) -> None:
    settings = chosen()
    run_until(begin(tmp_path / "here", settings, SHORT), 3, terminated)
    shutil.move(tmp_path / "here", tmp_path / "there")
    resumed(tmp_path / "there", SHORT).run(quiet=True)
    begin(tmp_path / "whole", settings, SHORT).run(quiet=True)
    assert_same(end(tmp_path / "there"), end(tmp_path / "whole"))


# ---- other text, model or settings -----------------------------------------------------------------------------------


def test_other_text_is_refused(tmp_path: Path) -> None:
    """A changed word, swapped pairs, a pair moved from train to dev, a shorter dev; test parts do not matter."""
    trainer = begin(tmp_path, chosen({"epochs": 1}), SHORT)
    trainer.run(quiet=True)
    train, dev = SHORT.train, SHORT.dev
    changed = Pair(train[0].src, train[0].tgt + " 1")
    for other in (
        SHORT._replace(train=[changed, *train[1:]]),
        SHORT._replace(train=[train[1], train[0], *train[2:]]),
        SHORT._replace(train=train[:-1], dev=[train[-1], *dev]),
        SHORT._replace(dev=dev[1:]),
    ):
        with pytest.raises(InputError, match="the text or the tokenizer is not the one"):
            resumed(tmp_path, other)
    resumed(tmp_path, SHORT._replace(tests={"test": dev}))


def test_a_state_of_another_model_is_refused(tmp_path: Path) -> None:
    """After a change of [model] in config.toml."""
    begin(tmp_path, chosen(), SHORT).run(quiet=True)
    path = tmp_path / "config.toml"
    for old, new in (("hidden = 7", "hidden = 8"), ("decoder_layers = 1", "decoder_layers = 2")):
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))
        with pytest.raises(InputError, match=r"does not fit config\.toml"):
            resumed(tmp_path, SHORT)
        path.write_text(text)
    resumed(tmp_path, SHORT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"ema": 0.0}, {"ema": 0.9}),
        ({"ema": 0.9}, {"ema": 0.0}),
        ({"average_last": 1}, {"average_last": 3}),
        ({"average_last": 3}, {"average_last": 1}),
        ({"accumulate": 1}, {"accumulate": 2}),
    ],
)
def test_a_run_may_be_resumed_with_other_settings(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    settings = {"updates": 12, "validate_every": 2}
    run_until(begin(tmp_path, chosen({**settings, **before}), SHORT), 7, terminated)
    trainer = resumed(tmp_path, SHORT, training={**settings, **after})
    trainer.run(quiet=True)
    assert trainer.progress.step == 12
    assert len(trainer.state.snapshots) == trainer.config.average_last
    assert bool(trainer.state.average) == (trainer.config.ema > 0)
    checkpoint.load_model(tmp_path)


def test_a_smaller_average_last_keeps_the_newest_snapshots(tmp_path: Path) -> None:
    settings = {"updates": 12, "validate_every": 2, "ema": 0.0}
    trainer = begin(tmp_path, chosen({**settings, "average_last": 3}), SHORT)
    run_until(trainer, 7, terminated)
    newest = trainer.state.snapshots[1:]
    again = resumed(tmp_path, SHORT, training={**settings, "average_last": 2})
    run_until(again, 8, terminated)
    assert all(torch.equal(again.state.snapshots[0][name], w) for name, w in newest[-1].items())


# ---- signals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_state_and_the_message_says_how_to_resume(tmp_path: Path, signum: signal.Signals) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    trainer = begin(tmp_path, chosen(), SHORT)
    with pytest.MonkeyPatch.context() as monkeypatch, pytest.raises(Interrupted) as stopped:
        around_update(monkeypatch, lambda t: signal.raise_signal(signum) if t.progress.step == 3 else None)
        trainer.run(quiet=True)
    assert stopped.value.signum == signum
    assert str(stopped.value) == f"stopped after update 3; go on with --resume {tmp_path}"
    assert resume.load(tmp_path)[1]["step"] == 3
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_second_signal_of_the_same_kind_is_a_keyboard_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), listening() as caught:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)  # a launcher may send both kinds
        assert caught == [signal.SIGTERM, signal.SIGINT]
        signal.raise_signal(signal.SIGINT)


def test_outside_the_main_thread_signals_are_not_handled(tmp_path: Path) -> None:
    """Python sets signal handlers in the main thread only; a run in another thread trains all the same."""
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    signals: list[list[int]] = []
    failures: list[BaseException] = []

    def train() -> None:
        try:
            with listening() as caught:
                assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before
                signals.append(caught)
            begin(tmp_path / "thread", chosen(), SHORT).run(quiet=True)
        except BaseException as e:
            failures.append(e)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert not failures
    assert signals == [[]]
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before
    begin(tmp_path / "main", chosen(), SHORT).run(quiet=True)
    assert_same(end(tmp_path / "thread"), end(tmp_path / "main"))


def test_a_run_that_copies_with_coverage_resumes_exactly(tmp_path: Path) -> None:
    """By two workers, with the coverage loss and predictions of the mixture among the decoder's input."""
    training = {"coverage": 0.5, "scheduled_sampling": 0.5, "validate_every": 4, "workers": 2}
    settings = chosen(training, {"copy": True, "coverage": True})
    begin(tmp_path / "whole", settings, SHORT).run(quiet=True)
    run_until(begin(tmp_path / "stopped", settings, SHORT), 5, terminated)
    resumed(tmp_path / "stopped", SHORT).run(quiet=True)
    assert_same(end(tmp_path / "stopped"), end(tmp_path / "whole"))
