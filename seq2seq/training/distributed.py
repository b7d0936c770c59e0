"""Synchronous data parallelism over the processes that torchrun started, by torch.distributed.

Each rank computes the gradient of its shard of an update on its own device; the gradients are summed over all ranks
before the optimizer's step, so the ranks, which begin with the same weights, keep the same weights. Rank 0 alone reads
the command line, validates, writes files and prints. Without torchrun the world size is 1 and nothing is communicated.

This module does not know models or text.
"""

import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from seq2seq.errors import WorkError

T = TypeVar("T")

TIMEOUT = datetime.timedelta(days=1)  # the other ranks wait while rank 0 reads text, runs the teachers and validates


class ProcessGroup:
    """This process as one rank of `world_size`; tensors that are communicated lie on `device`."""

    def __init__(self, rank: int = 0, world_size: int = 1, device: str = "cpu") -> None:
        self.rank, self.world_size, self.device = rank, world_size, device
        self.is_main = rank == 0

    def broadcast_object(self, make: Callable[[], T]) -> T:
        """What `make` returns on rank 0, on every rank; the other ranks do not call it."""
        if self.world_size == 1:
            return make()
        objects = [make() if self.is_main else None]
        with collective():
            dist.broadcast_object_list(objects)
        return objects[0]  # type: ignore[return-value]

    def maximum(self, number: int) -> int:
        """The largest of the numbers of all ranks."""
        if self.world_size == 1:
            return number
        largest = torch.tensor(number, device=self.device)
        with collective():
            dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest.item())

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        """Copy the values of rank 0 into the tensors of every rank."""
        if self.world_size > 1:
            with collective():
                for tensor in tensors:
                    dist.broadcast(tensor, 0)

    def shard(self, batches: Sequence[list[int]]) -> list[list[int]]:
        """This rank's rows of each batch; batches without any are left out."""
        return [part for rows in batches if (part := rows[self.rank :: self.world_size])]

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter], nats: float) -> float:
        """Sum the `grad` of each parameter over all ranks, in place; returns the sum of their nats."""
        if self.world_size == 1:
            return nats
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([g.reshape(-1) for g in grads])
        total = torch.tensor(nats, dtype=torch.float64, device=self.device)
        with collective():
            dist.all_reduce(flat)
            dist.all_reduce(total)
        for parameter, part in zip(parameters, flat.split([g.numel() for g in grads]), strict=True):
            parameter.grad = part.view_as(parameter)
        return total.item()


@contextmanager
def join_group(device: str) -> Iterator[ProcessGroup]:
    """Inside the context, this process is a rank of the group that torchrun started, on `device` (cpu or cuda).

    Without torchrun it is the only rank.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1
    if world_size == 1:
        yield ProcessGroup()
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    with collective():
        dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=TIMEOUT)
    yield ProcessGroup(dist.get_rank(), world_size, device)
    dist.destroy_process_group()


@contextmanager
def collective() -> Iterator[None]:
    """Around a collective operation, which fails when another rank has ended.

    Raises:
        WorkError: it failed.
    """
    try:
        yield
    except RuntimeError as e:  # torch raises several kinds
        raise WorkError(f"another rank ended ({' '.join(str(e).split())}); see its messages") from None
