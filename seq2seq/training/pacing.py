"""The speed of a run, measured before it begins, to fit its schedule to the time there is."""

import time
from typing import NamedTuple

from seq2seq.training.trainer import Trainer, limited_kernel_caches

WARMUP, MOST = 3, 30  # updates: the first are slower, and so many are timed at most
SECONDS = 15.0  # of measuring at most


class Speed(NamedTuple):
    """What the parts of a run take, in seconds."""

    update: float
    validation: float


def measure(trainer: Trainer) -> Speed:
    """The speed of a run, from some updates and a validation; the trainer cannot be used afterwards."""
    plan, accumulate = trainer.data.load_epoch(0), trainer.config.accumulate
    started, times = time.perf_counter(), list[float]()
    with limited_kernel_caches(), trainer.training_step.workers:
        while len(times) < WARMUP + MOST and (len(times) <= WARMUP or time.perf_counter() - started < SECONDS):
            first = len(times) * accumulate % len(plan)
            begun = time.perf_counter()
            trainer.training_step.update(trainer.state, plan[first : first + accumulate])
            times.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        with trainer.training_step.workers.all_threads():
            trainer.validator.validate(trainer.state.averaged())
    timed = times[WARMUP:]
    return Speed(sum(timed) / len(timed), time.perf_counter() - begun)


def updates_in(seconds: float, speed: Speed, validations: int) -> tuple[int, int]:
    """The updates that fit into so many seconds, and the validations, of which at most a tenth of the time is spent."""
    count = max(1, min(validations, int(0.1 * seconds / speed.validation)))
    return max(1, int((seconds - count * speed.validation) / speed.update)), count
