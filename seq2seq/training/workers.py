"""The workers of a training: each takes some rows of every batch, and their gradients add up to the update's.

Weights and gradients lie in memory that all of them see; the first process alone takes the step. A worker holds no
state: what it computes follows from the weights and its share.

This module knows nothing of models or text.
"""

import mmap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from seq2seq.processes import CAN_FORK, ProcessPool

# Tokens of a batch that a worker needs, or what it does once an update costs more than threads that meet after each
# product: the wider a layer, the more there is to do between two of their meetings.
WORTHWHILE, OF_A_UNIT = 500, 1.5


class Shard(NamedTuple):
    """A worker's part of an update: its number among the workers, and rows of each batch of the update."""

    worker: int
    epoch: int
    step: int
    tokens: int  # of the whole update
    rows: list[list[int]]


def default_workers(threads: int, batch_tokens: int, hidden: int) -> int:
    """How many workers to take where there are so many threads: for batches of this size, layers of `hidden` units."""
    needed = max(WORTHWHILE, OF_A_UNIT * hidden)
    return max(1, min(threads, int(batch_tokens / needed))) if CAN_FORK else 1


class Workers(ProcessPool):
    """A crew that computes gradients.

    Args:
        count: how many; 1 computes here.
        parameters: what the gradients are of; from now on they lie in shared memory.
        gradient: adds to the `grad` of each parameter what a share contributes, and returns its nats.
    """

    def __init__(self, count: int, parameters: Sequence[nn.Parameter], gradient: Callable[[Shard], float]) -> None:
        super().__init__(count, self._compute)
        self.parameters, self.compute = parameters, gradient
        self.gradients: list[list[Tensor]] = []  # of every worker but this process
        if count > 1:
            for parameter, shared in zip(parameters, shared_like(parameters), strict=True):
                shared.copy_(parameter.detach())
                parameter.data = shared
            self.gradients = [shared_like(parameters) for _ in range(1, count)]

    def gradient(self, epoch: int, step: int, tokens: int, group: Sequence[Sequence[int]]) -> float:
        """The gradient of an update, in the `grad` of each parameter; returns the summed nats.

        Raises:
            WorkError: a worker failed or was killed.
        """
        count = 1 + len(self.others)
        nats = self.run(
            [
                Shard(w, epoch, step, tokens, [list(part) for rows in group if (part := rows[w::count])])
                for w in range(count)
            ]
        )
        with self.all_threads():
            for gradient in self.gradients[: len(self.others)]:
                for parameter, theirs in zip(self.parameters, gradient, strict=True):
                    parameter.grad = theirs.clone() if parameter.grad is None else parameter.grad.add_(theirs)
        return float(sum(nats))

    def _compute(self, worker: int, request: Any) -> float:
        share = Shard(*request)
        if worker == 0:
            return self.compute(share)
        for parameter in self.parameters:
            parameter.grad = None
        nats = self.compute(share) if share.rows else 0.0
        for parameter, ours in zip(self.parameters, self.gradients[worker - 1], strict=True):
            ours.zero_() if parameter.grad is None else ours.copy_(parameter.grad)
        return nats


def shared_like(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors of these shapes and types in memory that processes forked from now on share."""
    return [torch.frombuffer(mmap.mmap(-1, x.numel() * x.element_size()), dtype=x.dtype).view(x.shape) for x in tensors]
