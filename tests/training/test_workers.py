"""Workers compute the same update as one process, and none of them outlives the first process."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from reversal_task import begin, chosen, corpus
from running import is_running
from torch import nn

from seq2seq.errors import WorkError
from seq2seq.processes import CAN_FORK, ProcessPool, available_threads
from seq2seq.training.trainer import Trainer
from seq2seq.training.workers import Shard, Workers, default_workers

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="workers are forked, which is safe on Linux only")

TEXT = corpus(60, 8)
BATCHES = [[0, 1, 2, 3, 4], [5], [6, 7]]
PLAIN = {"dropout": 0.0, "readout_dropout": 0.0}


def new_trainer(folder: Path, count: int, model: dict[str, Any] = PLAIN, **training: Any) -> Trainer:
    trainer = begin(folder, chosen({"workers": count, "clip": 0.0, **training}, model), TEXT)
    trainer.data.load_epoch(0)
    return trainer


def gradient(trainer: Trainer) -> list[torch.Tensor]:
    """The gradient of the run's last update, if its batches are BATCHES."""
    with trainer.training_step.workers as workers:
        workers.gradient(0, trainer.total, 50, BATCHES)
    return [p.grad.clone() for p in trainer.model.parameters() if p.grad is not None]


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("loss", [{}, {"consistency": 0.5}])
def test_the_gradient_is_the_sum_over_the_shards(tmp_path: Path, count: int, loss: dict[str, Any]) -> None:
    """Seven workers: more than the five pairs of the largest batch."""
    alone, together = (gradient(new_trainer(tmp_path / str(n), n, **loss)) for n in (1, count))
    assert len(alone) == len(together)
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)


def test_the_reported_loss_is_the_sum_over_the_shards(tmp_path: Path) -> None:
    nats = []
    for count in (1, 3):
        with new_trainer(tmp_path / str(count), count).training_step.workers as workers:
            nats.append(workers.gradient(0, 1, 50, BATCHES))
    assert nats[0] == pytest.approx(nats[1], rel=1e-5)


def test_workers_see_the_new_weights(tmp_path: Path) -> None:
    """Later updates, which depend on the weights of the first, are those of a single process."""
    weights = []
    for count in (1, 2):
        trainer = new_trainer(tmp_path / str(count), count)
        with trainer.training_step.workers:
            for _ in range(3):
                trainer._update(BATCHES)
        weights.append({name: w.clone() for name, w in trainer.weights.items()})
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, rtol=1e-3, atol=2e-4)


def test_each_worker_has_its_own_dropout(tmp_path: Path) -> None:
    """The gradients of two workers with the same pair differ with dropout and agree without."""
    for model, same in (({"dropout": 0.5}, False), (PLAIN, True)):
        trainer = new_trainer(tmp_path / str(same), 2, model)
        with trainer.training_step.workers as workers:
            workers.gradient(0, 1, 50, [[0, 0]])
        theirs = workers.gradients[0]
        ours = [p.grad - part for p, part in zip(trainer.model.parameters(), theirs, strict=True)]  # type: ignore[operator]
        close = all(torch.allclose(a, b, rtol=1e-3, atol=1e-6) for a, b in zip(ours, theirs, strict=True))
        assert close == same


def test_subword_sampling_is_the_same_in_every_worker(tmp_path: Path) -> None:
    losses = []
    for count in (1, 2):
        trainer = begin(tmp_path / str(count), chosen({"workers": count}, PLAIN, sampling=0.1), TEXT)
        with trainer.training_step.workers as workers:
            trainer.data.load_epoch(3)
            losses.append(workers.gradient(3, 1, 50, BATCHES))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


# ---- failures --------------------------------------------------------------------------------------------------------


def simple_workers(compute: Callable[[Shard], float], count: int = 3) -> Workers:
    return Workers(count, [nn.Parameter(torch.zeros(2))], compute)


def test_the_error_of_a_worker_is_raised_in_the_first_process() -> None:
    def compute(shard: Shard) -> float:
        if shard.worker == 2:
            raise WorkError("out of memory")
        return 1.0

    with simple_workers(compute) as workers, pytest.raises(WorkError, match="out of memory"):
        workers.gradient(0, 1, 1, [[0, 1, 2]])


def test_a_killed_worker_is_an_error_in_the_first_process() -> None:
    def compute(shard: Shard) -> float:
        if shard.worker == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0

    with simple_workers(compute) as workers, pytest.raises(WorkError, match="a worker ended with status -9"):
        workers.gradient(0, 1, 1, [[0, 1, 2]])


def test_a_worker_that_is_killed_between_two_updates_is_an_error_in_the_first_process() -> None:
    """Not a closed pipe, which the commands would take for the end of whoever reads their output."""
    with simple_workers(lambda shard: 1.0) as workers, pytest.raises(WorkError, match="a worker ended with status -9"):
        workers.gradient(0, 1, 1, [[0, 1, 2]])
        process, _ = workers.others[1]
        process.kill()
        process.join()
        workers.gradient(0, 2, 1, [[0, 1, 2]])


def test_workers_ignore_signals(tmp_path: Path) -> None:
    """Ctrl-C in a terminal goes to all processes; the first one alone handles it."""
    with simple_workers(lambda shard: 1.0) as workers:
        for process, _ in workers.others:
            assert workers.gradient(0, 1, 1, [[0, 1, 2]]) == 3.0  # so they have started
            for number in (signal.SIGINT, signal.SIGTERM):
                os.kill(process.pid or 0, number)
        assert workers.gradient(0, 2, 1, [[0, 1, 2]]) == 3.0


def first_process(connection: Any) -> None:
    """A first process with three workers: sends their process ids, and waits to be killed."""
    workers = simple_workers(lambda shard: 1.0, 4)
    workers.__enter__()
    connection.send([process.pid for process, _ in workers.others])
    time.sleep(60)


def test_no_worker_outlives_the_first_process() -> None:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=first_process, args=(theirs,))
    process.start()
    pids = ours.recv()
    process.kill()
    process.join()
    deadline = time.monotonic() + 20
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(is_running(pid) for pid in pids)


def test_workers_end_with_the_context() -> None:
    with simple_workers(lambda shard: 1.0) as workers:
        processes = [process for process, _ in workers.others]
        assert len(processes) == 2
    assert all(process.exitcode == 0 for process in processes)


# ---- threads and the number of workers -------------------------------------------------------------------------------


def test_threads_are_shared_out_and_restored() -> None:
    torch.set_num_threads(4)
    try:
        with simple_workers(lambda shard: 1.0, 2) as workers:
            assert torch.get_num_threads() == 2
            with workers.all_threads():
                assert torch.get_num_threads() == 4
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("threads", "tokens", "hidden", "count"),
    [
        (1, 9999, 64, 1),
        (2, 1000, 64, 2),
        (2, 999, 64, 1),
        (16, 1600, 64, 3),
        (16, 60, 64, 1),
        (4, 4000, 64, 4),
        (2, 2400, 256, 2),  # recipes: multi30k
        (2, 1600, 384, 2),  # tatoeba
        (2, 1023, 512, 1),  # threads synchronise rarely in a wide layer
        (2, 1024, 512, 2),
        (2, 1535, 768, 1),
        (2, 1536, 768, 2),
    ],
)
def test_the_default_number_of_workers(threads: int, tokens: int, hidden: int, count: int) -> None:
    assert default_workers(threads, tokens, hidden) == count


@pytest.mark.skipif(available_threads() < 2, reason="there is one processor")
def test_workers_that_use_all_processors_stay_on_their_own() -> None:
    """Beside another program, two workers that meet on one processor would wait for each other."""
    whole, threads = os.sched_getaffinity(0), torch.get_num_threads()
    torch.set_num_threads(len(whole))
    try:
        pool = ProcessPool(len(whole), lambda worker, request: sorted(os.sched_getaffinity(0)))
        with pool:
            places = pool.run([None] * len(whole))
            with pool.all_threads():
                assert os.sched_getaffinity(0) == whole
            assert [sorted(os.sched_getaffinity(0)), *pool.run([None] * len(whole))[1:]] == places
        assert sorted(places) == [[processor] for processor in sorted(whole)]
        assert os.sched_getaffinity(0) == whole
        with ProcessPool(len(whole) + 1, pool.serve) as more:
            assert more.run([None] * (len(whole) + 1)) == [sorted(whole)] * (len(whole) + 1)
    finally:
        torch.set_num_threads(threads)
