"""Several processes share every batch, a thread each, and their gradients add up to the update's.

Threads inside one process meet after each small product; processes meet once an update. The weights lie in memory that
all of them see, and so do the gradients; the first process alone takes the step. A worker holds no state: what it
computes follows from the weights and its share. It ends when the first process does, however that ends.

This module knows nothing of models or text.
"""

import json
import mmap
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from seq2seq.errors import WorkError

WORTHWHILE = 700  # tokens of a batch that a worker needs, or the meetings cost more than they bring


class Share(NamedTuple):
    """A worker's part of an update: its number among the workers, and rows of each batch of the update."""

    worker: int
    epoch: int
    step: int
    tokens: int  # of the whole update
    rows: list[list[int]]


def worthwhile(threads: int, batch_tokens: int) -> int:
    """How many workers to take for batches of this size where there are so many threads."""
    return max(1, min(threads, batch_tokens // WORTHWHILE)) if sys.platform == "linux" else 1


class Workers:
    """This process and `count` - 1 others, which are there while the context is entered.

    Args:
        count: 1 computes here, with all threads.
        parameters: what the gradients are of; from now on they lie in shared memory.
        gradient: adds to the `grad` of each parameter what a share contributes, and returns its nats.
    """

    def __init__(self, count: int, parameters: Sequence[nn.Parameter], gradient: Callable[[Share], float]) -> None:
        self.count, self.parameters, self.compute = count, parameters, gradient
        self.gradients: list[list[Tensor]] = []  # of every worker but this process
        self.others: list[tuple[BaseProcess, Connection]] = []
        self.threads = torch.get_num_threads()
        if count > 1:
            for parameter, shared in zip(parameters, shared_like(parameters), strict=True):
                shared.copy_(parameter.detach())
                parameter.data = shared
            self.gradients = [shared_like(parameters) for _ in range(1, count)]

    def __enter__(self) -> Self:
        self.threads = torch.get_num_threads()
        torch.set_num_threads(max(1, self.threads // self.count))
        context = multiprocessing.get_context("fork" if self.count > 1 else None)
        for worker in range(1, self.count):
            ours, theirs = multiprocessing.Pipe()
            process = context.Process(target=self._serve, args=(worker, ours, theirs), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # threads that are not used after the fork
                process.start()
            theirs.close()
            self.others.append((process, ours))
        return self

    def __exit__(self, *failure: object) -> None:
        for process, connection in self.others:
            connection.close()
            process.join()
        self.others = []
        torch.set_num_threads(self.threads)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """While inside, this process has all threads: the others wait."""
        each = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(each)

    def gradient(self, epoch: int, step: int, tokens: int, group: Sequence[Sequence[int]]) -> float:
        """The gradient of an update, in the `grad` of each parameter; returns the summed nats.

        Raises:
            WorkError: a worker failed or was killed.
        """
        count = 1 + len(self.others)
        shares = [
            Share(w, epoch, step, tokens, [list(part) for rows in group if (part := rows[w::count])])
            for w in range(count)
        ]
        for (_, connection), share in zip(self.others, shares[1:], strict=True):
            connection.send_bytes(json.dumps(share).encode())
        nats = self.compute(shares[0])
        for (process, connection), gradient in zip(self.others, self.gradients, strict=False):
            try:
                answer = json.loads(connection.recv_bytes())
            except EOFError:
                process.join()
                raise WorkError(f"a worker ended with status {process.exitcode}; was memory short?") from None
            if isinstance(answer, str):
                raise WorkError(answer)
            nats += answer
            for parameter, theirs in zip(self.parameters, gradient, strict=True):
                parameter.grad = theirs.clone() if parameter.grad is None else parameter.grad.add_(theirs)
        return nats

    def _serve(self, worker: int, ours: Connection, theirs: Connection) -> None:
        """What another process does: answer each share until the first process is gone."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the first process decides
        for connection in (ours, *(connection for _, connection in self.others)):
            connection.close()  # the first one's ends, which would keep this process from seeing it go
        while True:
            try:
                share = Share(*json.loads(theirs.recv_bytes()))
                answer: float | str = self._answer(share, self.gradients[worker - 1])
                theirs.send_bytes(json.dumps(answer).encode())
            except (EOFError, BrokenPipeError, ConnectionResetError):
                os._exit(0)

    def _answer(self, share: Share, gradient: Sequence[Tensor]) -> float | str:
        for parameter in self.parameters:
            parameter.grad = None
        try:
            nats = self.compute(share) if share.rows else 0.0
        except WorkError as e:
            return str(e)
        for parameter, part in zip(self.parameters, gradient, strict=True):
            part.zero_() if parameter.grad is None else part.copy_(parameter.grad)
        return nats


def shared_like(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors of these shapes and types in memory that processes forked from now on share."""
    return [torch.frombuffer(mmap.mmap(-1, x.numel() * x.element_size()), dtype=x.dtype).view(x.shape) for x in tensors]
