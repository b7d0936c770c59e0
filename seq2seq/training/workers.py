"""Processes that share the arithmetic of each update on a CPU: each computes the gradient of its shard.

Weights and gradients lie in shared memory; the first process alone changes the weights. A worker keeps no state: its
gradient is a function of the weights and its shard.

This module does not know models or text.
"""

import mmap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from seq2seq.processes import CAN_FORK, ProcessPool

# Tokens of a batch that make a worker faster than a thread: at least MIN_TOKENS, and MIN_TOKENS_PER_UNIT for each unit
# of a layer. A worker costs a fixed time per update, threads synchronise after each product; the wider the layer, the
# more rarely they do.
MIN_TOKENS, MIN_TOKENS_PER_UNIT = 500, 1.0


class Shard(NamedTuple):
    """The rows of an update that one worker computes."""

    worker: int  # its number, 0 is the first process
    epoch: int
    step: int
    tokens: int  # target tokens of the whole update
    rows: list[list[int]]  # of each batch


def default_workers(threads: int, batch_tokens: int, hidden: int) -> int:
    """The fastest number of workers on this many threads, for batches of `batch_tokens`, layers of `hidden` units."""
    needed = max(MIN_TOKENS, MIN_TOKENS_PER_UNIT * hidden)
    return max(1, min(threads, int(batch_tokens / needed))) if CAN_FORK else 1


class Workers(ProcessPool):
    """A process pool that computes gradients.

    Args:
        count: processes; 1 is this process alone.
        parameters: with more than one process, their values are moved to shared memory.
        compute: adds the gradient of a shard to the `grad` of each parameter, and returns its loss in nats.
    """

    def __init__(self, count: int, parameters: Sequence[nn.Parameter], compute: Callable[[Shard], float]) -> None:
        super().__init__(count, self._compute_shard)
        self.parameters, self.compute = parameters, compute
        self.gradients: list[list[Tensor]] = []  # in shared memory, of every worker but this process
        if count > 1:
            for parameter, shared in zip(parameters, shared_like(parameters), strict=True):
                shared.copy_(parameter.detach())
                parameter.data = shared
            self.gradients = [shared_like(parameters) for _ in range(1, count)]

    def gradient(self, epoch: int, step: int, tokens: int, batches: Sequence[Sequence[int]]) -> float:
        """Compute an update's gradient into the `grad` of each parameter; returns its loss in nats, summed.

        Raises:
            WorkError: a worker failed or was killed.
        """
        count = 1 + len(self.others)
        nats = self.run(
            [
                Shard(w, epoch, step, tokens, [list(part) for rows in batches if (part := rows[w::count])])
                for w in range(count)
            ]
        )
        with self.all_threads():
            for gradient in self.gradients[: len(self.others)]:
                for parameter, theirs in zip(self.parameters, gradient, strict=True):
                    parameter.grad = theirs.clone() if parameter.grad is None else parameter.grad.add_(theirs)
        return float(sum(nats))

    def _compute_shard(self, worker: int, request: Any) -> float:
        shard = Shard(*request)
        if worker == 0:
            return self.compute(shard)
        for parameter in self.parameters:
            parameter.grad = None
        nats = self.compute(shard) if shard.rows else 0.0
        for parameter, ours in zip(self.parameters, self.gradients[worker - 1], strict=True):
            ours.zero_() if parameter.grad is None else ours.copy_(parameter.grad)
        return nats


def shared_like(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors of the same shapes and types in memory shared with processes that are forked later."""
    return [torch.frombuffer(mmap.mmap(-1, x.numel() * x.element_size()), dtype=x.dtype).view(x.shape) for x in tensors]
