"""Synchronous data parallelism over the processes that torchrun started, by torch.distributed.

Each rank computes the gradient of its shard of an update on its own device; the gradients are summed over all ranks
before the optimizer's step, so the ranks, which begin with the same weights, keep the same weights. All ranks share
the translating of validations and tests. Rank 0 alone reads the command line, writes files and prints. Without torchrun
the world size is 1 and nothing is communicated.

torchrun starts a job again after a rank has ended, if it was told to (--max-restarts): all ranks, maybe with other
numbers, maybe fewer or more of them.

This module does not know models or text.
"""

import datetime
import os
import platform
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from seq2seq.errors import WorkError

S = TypeVar("S")
T = TypeVar("T")

TIMEOUT = datetime.timedelta(days=1)  # the other ranks wait while rank 0 prepares the text and runs the teachers
SECONDS = 5.0  # for an answer of rank 0, after which its address is read again


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

    def share_out(self, items: Sequence[S], compute: Callable[[Sequence[S]], Sequence[T]]) -> list[T]:
        """What `compute` returns for the items, one result for each, in their order: on every rank, all of them.

        Each rank computes its share. The result of an item must not depend on the others that it is computed with.
        """
        if self.world_size == 1:
            return list(compute(items))
        parts: list[Any] = [None] * self.world_size
        own = list(compute(share)) if (share := items[self.rank :: self.world_size]) else []
        with collective():
            dist.all_gather_object(parts, own)
        results: list[Any] = [None] * len(items)
        for rank, part in enumerate(parts):
            results[rank :: self.world_size] = part
        return results

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
    rank, backend = int(os.environ["RANK"]), "nccl" if device == "cuda" else "gloo"
    with collective():
        if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
            store = _new_store(rank)
            dist.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=TIMEOUT)
        else:
            dist.init_process_group(backend, timeout=TIMEOUT)
    yield ProcessGroup(dist.get_rank(), world_size, device)
    dist.destroy_process_group()


def _new_store(rank: int) -> Any:
    """A store that holds nothing yet, in which the ranks find each other.

    The store that torchrun keeps still holds the addresses of ranks that ended, if they were started again, so rank 0
    opens another one. Its address, there, may also be that of a rank 0 that has ended; then nobody answers at it.
    """
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    open_store: Any = dist.TCPStore  # type: ignore[attr-defined]
    key = f"port of rank 0 of {os.environ['TORCHELASTIC_RUN_ID']} at {host}:{port}"  # no other job has it
    known = open_store(host, port, timeout=TIMEOUT, wait_for_workers=False)
    if rank == 0:
        new = open_store(host, 0, is_master=True, timeout=TIMEOUT, wait_for_workers=False)
        new.set(key, str(new.port))
        known.set(key, str(new.port))
        return new
    while True:
        found = int(known.get(key))
        with suppress(OSError, RuntimeError):
            socket.create_connection((host, found), SECONDS).close()
            new = open_store(host, found, timeout=datetime.timedelta(seconds=SECONDS), wait_for_workers=False)
            if int(new.get(key)) == found:
                new.set_timeout(TIMEOUT)
                return new
        time.sleep(0.1)


def job_name() -> str | None:
    """What names the job that torchrun started, the same when torchrun starts it again; None without torchrun.

    It is the job's --rdzv-id, or where torchrun was given none the process of torchrun, of which there is one then
    that can have rank 0.
    """
    name = os.environ.get("TORCHELASTIC_RUN_ID")
    return f"{platform.node()} {os.getppid()}" if name == "none" else name


def restarts() -> int:
    """How often torchrun has started this process again, as far as the torchrun of this machine knows."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


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
