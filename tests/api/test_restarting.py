"""A job that torchrun starts again goes on with its own run, and never with another one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from languages_task import TINY, write_text

import seq2seq
from seq2seq.api import planning, restarting
from seq2seq.api.planning import TrainOptions
from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.training.trainer import Trainer


class Killed(Exception):  # noqa: N818 (it stands for a power failure, not for an error)
    pass


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainOptions:
    """Of a command, in a job of torchrun with one rank."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "7")
    Path("tiny.toml").write_text(TINY)
    data = write_text(Path("data"), 60, dev=10, test=10)
    return {"data": data, "src": "en", "tgt": "de", "recipe": "tiny.toml", "device": "cpu", "quiet": True}


@pytest.fixture
def restart(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes what follows a restart by torchrun."""
    return lambda: monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")


def train(options: TrainOptions, out: str | None = "run", **more: object) -> None:
    seq2seq.train(**{**options, **({"out": out} if out else {}), **more})  # type: ignore[typeddict-item]


def kill(options: TrainOptions, after: int, out: str | None = "run") -> None:
    """Train, and end before the update after this one as a power failure would."""
    real = Trainer._update

    def update(self: Trainer, batches: list[list[int]]) -> None:
        if self.progress.step == after:
            raise Killed
        real(self, batches)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Trainer, "_update", update)
        train(options, out)


def weights(folder: str) -> bytes:
    return (Path(folder) / layout.WEIGHTS).read_bytes()


def test_a_restarted_job_goes_on_to_the_end_of_one_that_was_not(
    options: TrainOptions, restart: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if the command says --overwrite, which means the model that was there before the job."""
    train(options, "whole")
    kill({**options, "overwrite": True}, 5)
    assert layout.updates_of(layout.training_states(Path("run"))[-1]) == 3
    restart()
    train({**options, "quiet": False, "overwrite": True})
    assert "run: the job was started again; it goes on after update 3" in capsys.readouterr().err
    assert weights("run") == weights("whole")
    train(options)  # a rank that ends after the last update: the scores are computed again
    assert weights("run") == weights("whole")


def test_a_job_without_a_checkpoint_begins_anew(options: TrainOptions, restart: Callable[[], None]) -> None:
    train(options, "whole")
    kill(options, 2)
    restart()
    kill(options, 2)
    train(options)
    assert weights("run") == weights("whole")


def test_without_an_out_the_run_of_the_job_is_found(options: TrainOptions, restart: Callable[[], None]) -> None:
    train(options, None)
    kill({**options, "seed": 2}, 5, None)
    restart()
    train({**options, "seed": 2}, None)
    assert sorted(path.name for path in planning.RUNS.iterdir()) == ["tiny", "tiny-2"]
    assert weights("artifacts/runs/tiny") != weights("artifacts/runs/tiny-2")


@pytest.mark.parametrize("other", ["another job", "another command", "no job", "finished", "without torchrun"])
def test_no_other_run_is_gone_on_with(
    options: TrainOptions, restart: Callable[[], None], other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when torchrun starts a command again that was refused because of it."""
    if other == "no job":
        monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    if other == "finished":
        train(options)
    else:
        kill(options, 5)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "8" if other == "another job" else "7")
    if other == "without torchrun":
        monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    if other != "finished":
        restart()
    with pytest.raises(InputError, match="run holds a model"):
        train(options, **({"seed": 5} if other == "another command" else {}))
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == before


def test_a_job_without_a_name_is_that_of_its_torchrun(options: TrainOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setattr("os.getppid", lambda: 1234)
    first = restarting.job_of(options)
    assert first == restarting.job_of({**options, "threads": 3})
    monkeypatch.setattr("os.getppid", lambda: 1235)
    assert restarting.job_of(options) not in (None, first)


def test_another_number_of_ranks_goes_on_and_is_named(options: TrainOptions) -> None:
    train(options, set={"training.workers": 1})
    plan = planning.plan({"resume": "run", "data": options["data"]}, 3)
    assert plan.settings.training.workers == 3
    assert len(plan.notes) == 1
    assert plan.notes[0].startswith(
        "the run had 1 process and goes on with 3: updates, batches and learning rates stay"
    )
    with pytest.raises(InputError, match="torchrun started 3 ranks"):
        planning.plan({"resume": "run", "set": {"training.workers": 2}}, 3)
    assert planning.plan({"resume": "run"}, 1).notes == ()
