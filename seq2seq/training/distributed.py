"""The processes that torchrun started: every rank computes a share of each update on a device of its own.

All begin with the same weights and take the same steps, for their gradients are added up before each (synchronous data
parallelism). Rank 0 leads: it alone reads the command line, validates, writes and speaks. Alone, without torchrun, a
process leads itself, and nothing here does anything.

This module knows nothing of models or text.
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

PATIENCE = datetime.timedelta(days=1)  # the others wait for rank 0 to read, to teach, to validate


class ProcessGroup:
    """This process among `count` of them; what they tell one another lies on `device`."""

    def __init__(self, rank: int = 0, count: int = 1, device: str = "cpu") -> None:
        self.rank, self.count, self.device = rank, count, device
        self.is_main = rank == 0

    def broadcast_object(self, find: Callable[[], T]) -> T:
        """What rank 0 finds; the others do not look."""
        if self.count == 1:
            return find()
        found = [find() if self.is_main else None]
        with collective():
            dist.broadcast_object_list(found)
        return found[0]  # type: ignore[return-value]

    def maximum(self, number: int) -> int:
        """The largest of the numbers that the ranks give."""
        if self.count == 1:
            return number
        largest = torch.tensor(number, device=self.device)
        with collective():
            dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest.item())

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        """Make the tensors what they are in rank 0."""
        if self.count > 1:
            with collective():
                for tensor in tensors:
                    dist.broadcast(tensor, 0)

    def shard(self, group: Sequence[list[int]]) -> list[list[int]]:
        """This rank's rows of each batch."""
        return [part for rows in group if (part := rows[self.rank :: self.count])]

    def all_reduce(self, parameters: Sequence[nn.Parameter], nats: float) -> float:
        """Add up the gradients of all ranks, in the `grad` of each parameter; returns the sum of their nats."""
        if self.count == 1:
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
    """The ranks that torchrun started, this one among them, while the context is entered; on `device`, cpu or cuda."""
    count = int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1
    if count == 1:
        yield ProcessGroup()
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    with collective():
        dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=PATIENCE)
    yield ProcessGroup(dist.get_rank(), count, device)
    dist.destroy_process_group()


@contextmanager
def collective() -> Iterator[None]:
    """What all ranks do at once; where one is gone it cannot be done."""
    try:
        yield
    except RuntimeError as e:  # of several kinds
        raise WorkError(f"another rank ended ({' '.join(str(e).split())}); see what it said") from None
