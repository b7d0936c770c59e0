"""The speed of a run, measured before it begins, to fit its schedule to the time there is."""

import time
from typing import NamedTuple

from seq2seq.training.trainer import Trainer, limited_kernel_caches
from seq2seq.training.validation import Dev

WARMUP, MOST = 3, 30  # updates: the first are slower, and so many are timed at most
STAGES = 5  # parts of the run whose updates are timed in turn: the last may take longer (training.sampled_softmax)
SECONDS = 15.0  # for timing updates
SAMPLE = 100  # dev sentences that are translated


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
            trainer.progress.step = len(times) % STAGES * trainer.total // STAGES
            begun = time.perf_counter()
            trainer.training_step.update(trainer.state, plan[first : first + accumulate])
            times.append(time.perf_counter() - begun)
        with trainer.training_step.workers.all_threads():
            step = max(1, trainer.validator.sentences // SAMPLE)
            validation = sum(_validation(dev, step) for dev in trainer.validator.dev.values())
    timed = times[WARMUP:]
    return Speed(sum(timed) / len(timed), validation)


def _validation(dev: Dev, step: int) -> float:
    """The seconds of a validation in one direction, by each `step`-th dev sentence.

    A model that has learnt nothing translates until its limit of length, and a trained one about as much as the
    references have: the time of its tokens counts.
    """
    src, tgt = dev.src[::step], dev.tgt[::step]
    times = [time.perf_counter()]
    translations = dev.translator.translate(src)
    times.append(time.perf_counter())
    dev.translator.log_probs(src, tgt)
    times.append(time.perf_counter())
    share = min(1.0, dev.translator.count_tokens(src, tgt) / dev.translator.count_tokens(src, translations))
    return (share * (times[1] - times[0]) + times[2] - times[1]) * len(dev.src) / len(src)


def updates_in(seconds: float, speed: Speed, validations: int) -> tuple[int, int]:
    """The updates that fit into so many seconds, and the validations, of which at most a tenth of the time is spent."""
    count = max(1, min(validations, int(0.1 * seconds / speed.validation)))
    return max(1, int((seconds - count * speed.validation) / speed.update)), count
