"""Workers share the arithmetic of an update and change nothing of it, and none outlives the first process."""

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
from torch import nn

from seq2seq.errors import WorkError
from seq2seq.processes import CAN_FORK
from seq2seq.training.trainer import Trainer
from seq2seq.training.workers import Shard, Workers, default_workers

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="workers are forked, which is safe on Linux only")

TEXT = corpus(60, 8)
GROUPS = [[0, 1, 2, 3, 4], [5], [6, 7]]
PLAIN = {"dropout": 0.0, "readout_dropout": 0.0}


def trainer(folder: Path, count: int, model: dict[str, Any] = PLAIN, **training: Any) -> Trainer:
    made = begin(folder, chosen({"workers": count, "clip": 0.0, **training}, model), TEXT)
    made.encoded.epoch(0)
    return made


def gradient(made: Trainer) -> list[torch.Tensor]:
    """Of the last update."""
    with made.workers:
        made.workers.gradient(0, made.total, 50, GROUPS)
    return [p.grad.clone() for p in made.model.parameters() if p.grad is not None]


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("loss", [{}, {"consistency": 0.5}])
def test_the_gradient_is_the_sum_of_the_shares(tmp_path: Path, count: int, loss: dict[str, Any]) -> None:
    """Seven workers get one pair each of the first batch and nothing of the others."""
    alone, together = (gradient(trainer(tmp_path / str(n), n, **loss)) for n in (1, count))
    assert len(alone) == len(together)
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)


def test_the_reported_loss_is_the_sum_too(tmp_path: Path) -> None:
    nats = []
    for count in (1, 3):
        made = trainer(tmp_path / str(count), count)
        with made.workers:
            nats.append(made.workers.gradient(0, 1, 50, GROUPS))
    assert nats[0] == pytest.approx(nats[1], rel=1e-5)


def test_workers_see_the_new_weights(tmp_path: Path) -> None:
    """A second update, after the first has moved them, is the one that a single process computes."""
    moved = []
    for count in (1, 2):
        made = trainer(tmp_path / str(count), count)
        with made.workers:
            for _ in range(3):
                made._update(GROUPS)
        moved.append({name: w.clone() for name, w in made.weights.items()})
    for name, weight in moved[0].items():
        torch.testing.assert_close(moved[1][name], weight, rtol=1e-3, atol=2e-4)


def test_each_worker_drops_other_units(tmp_path: Path) -> None:
    """Two workers with the same pairs: with dropout their halves differ, without they agree."""
    for model, same in (({"dropout": 0.5}, False), (PLAIN, True)):
        made = trainer(tmp_path / str(same), 2, model)
        with made.workers:
            made.workers.gradient(0, 1, 50, [[0, 0]])
        theirs = made.workers.gradients[0]
        ours = [p.grad - part for p, part in zip(made.model.parameters(), theirs, strict=True)]  # type: ignore[operator]
        close = all(torch.allclose(a, b, rtol=1e-3, atol=1e-6) for a, b in zip(ours, theirs, strict=True))
        assert close == same


def test_a_sampled_epoch_is_the_same_in_every_worker(tmp_path: Path) -> None:
    losses = []
    for count in (1, 2):
        made = begin(tmp_path / str(count), chosen({"workers": count}, PLAIN, sampling=0.1), TEXT)
        with made.workers:
            made.encoded.epoch(3)
            losses.append(made.workers.gradient(3, 1, 50, GROUPS))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


# ---- failures --------------------------------------------------------------------------------------------------------


def simple(compute: Callable[[Shard], float], count: int = 3) -> Workers:
    return Workers(count, [nn.Parameter(torch.zeros(2))], compute)


def test_what_a_worker_could_not_do_is_told_here() -> None:
    def compute(share: Shard) -> float:
        if share.worker == 2:
            raise WorkError("too much for me")
        return 1.0

    with simple(compute) as workers, pytest.raises(WorkError, match="too much for me"):
        workers.gradient(0, 1, 1, [[0, 1, 2]])


def test_a_worker_that_is_killed_is_told_here() -> None:
    def compute(share: Shard) -> float:
        if share.worker == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0

    with simple(compute) as workers, pytest.raises(WorkError, match="a worker ended with status -9"):
        workers.gradient(0, 1, 1, [[0, 1, 2]])


def test_signals_are_for_the_first_process(tmp_path: Path) -> None:
    """Ctrl-C at a terminal goes to all of them; the others go on until the first has decided."""
    with simple(lambda share: 1.0) as workers:
        for process, _ in workers.others:
            assert workers.gradient(0, 1, 1, [[0, 1, 2]]) == 3.0  # so they are there
            for number in (signal.SIGINT, signal.SIGTERM):
                os.kill(process.pid or 0, number)
        assert workers.gradient(0, 2, 1, [[0, 1, 2]]) == 3.0


def first(answer: Any) -> None:
    """A first process with three others, which tells their numbers and waits to be killed."""
    workers = simple(lambda share: 1.0, 4)
    workers.__enter__()
    answer.send([process.pid for process, _ in workers.others])
    time.sleep(60)


def test_no_worker_outlives_the_first_process() -> None:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=first, args=(theirs,))
    process.start()
    numbers = ours.recv()
    process.kill()
    process.join()
    until = time.monotonic() + 20
    while any(is_running(number) for number in numbers) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(is_running(number) for number in numbers)


def is_running(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_all_end_with_the_context() -> None:
    with simple(lambda share: 1.0) as workers:
        processes = [process for process, _ in workers.others]
        assert len(processes) == 2
    assert all(process.exitcode == 0 for process in processes)


# ---- how many --------------------------------------------------------------------------------------------------------


def test_threads_are_shared_out_and_given_back() -> None:
    torch.set_num_threads(4)
    try:
        with simple(lambda share: 1.0, 2) as workers:
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
        (2, 1024, 512, 1),  # a wide layer's threads meet seldom
        (2, 1536, 512, 2),
        (2, 1535, 512, 1),
    ],
)
def test_there_are_as_many_as_pay(threads: int, tokens: int, hidden: int, count: int) -> None:
    assert default_workers(threads, tokens, hidden) == count
