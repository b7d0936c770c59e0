"""Shared by the tests of training: settings with everything that has a state, and runs that are stopped."""

import random
import signal
from collections.abc import Callable
from typing import Any

import pytest
import torch
from reversal_task import corpus

from seq2seq.errors import Interrupted
from seq2seq.training.trainer import Trainer

PLAIN = {"dropout": 0.0, "readout_dropout": 0.0}

# All settings at once that have a state or draw random numbers.
EVERY_MODEL = {"dropout": 0.2, "readout_dropout": 0.2, "word_dropout": 0.1, "variational": True, "encoder_layers": 2}
EVERY_TRAINING = {
    "epochs": 4,
    "batch_tokens": 40,
    "accumulate": 2,
    "schedule": "plateau",
    "learning_rate": 0.03,
    "scheduled_sampling": 0.5,
    "consistency": 0.5,
    "ema": 0.9,
    "average_last": 2,
    "validate_every": 4,
    "metric": "chrf",
    "keep": 2,
}
TEXT = corpus(60, 8)
SHORT = corpus(50, 6, longest=3)  # for EVERY_TRAINING: as many updates, each in less time
Update = Callable[[Trainer, list[Any]], None]


class Killed(Exception):  # noqa: N818 (it stands for a power failure, not for an error)
    """Ends a run as a power failure would: nothing is saved."""


def killed() -> None:
    raise Killed


def terminated() -> None:
    signal.raise_signal(signal.SIGTERM)


def around_update(monkeypatch: pytest.MonkeyPatch, after: Callable[[Trainer], None]) -> None:
    """Call `after` after each update."""
    real: Update = Trainer._update

    def update(self: Trainer, batches: list[Any]) -> None:
        real(self, batches)
        after(self)

    monkeypatch.setattr(Trainer, "_update", update)


def run_until(trainer: Trainer, step: int, stop: Callable[[], None]) -> None:
    """Run, and call `stop`, which ends the run, after update number `step`."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        around_update(monkeypatch, lambda trainer: stop() if trainer.progress.step == step else None)
        with pytest.raises((Interrupted, Killed)):
            trainer.run(quiet=True)
    assert trainer.progress.step == step
    torch.manual_seed(99)  # a resumed run must not depend on the state of the generators
    random.seed(99)
