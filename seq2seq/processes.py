"""A pool of worker processes that answer requests in parallel.

Workers are forked: each starts with a copy of this process's memory, and later learns only what its requests carry.
Requests and responses are JSON on pipes. Threads inside one process synchronise after each small product, processes
once per request: that is faster, and much faster beside another program. No worker outlives the main process.

This module does not know what a request means.
"""

import json
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Self

from seq2seq.errors import InputError, WorkError

CAN_FORK = sys.platform == "linux"  # elsewhere a fork is not safe in a process with threads


class ProcessPool:
    """This process (worker 0) and `count` - 1 forked worker processes, alive while the context is entered.

    The workers share torch's threads equally. If they use all of the processors, each stays on its own: two that meet
    on one wait for each other, which happened at every request beside another program, even one of low priority.

    Args:
        count: the number of workers; 1 is this process alone, with all threads.
        serve: (worker, request) to response, called in the worker. Requests and responses are JSON values.
    """

    def __init__(self, count: int, serve: Callable[[int, Any], Any]) -> None:
        self.count, self.serve = count, serve
        self.others: list[tuple[BaseProcess, Connection]] = []
        self.threads = _threads()
        self.processors: list[int] = []  # of all workers; empty if they may run anywhere

    def __enter__(self) -> Self:
        self.threads = _threads()
        share = max(1, self.threads // self.count)
        _set_threads(share)
        self.processors = _processors() if CAN_FORK and self.count > 1 else []
        if len(self.processors) != self.count * share:
            self.processors = []
        context = multiprocessing.get_context("fork" if self.count > 1 else None)
        for worker in range(1, self.count):
            ours, theirs = multiprocessing.Pipe()
            process = context.Process(target=self._serve_requests, args=(worker, ours, theirs), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which no worker uses after the fork
                process.start()
            theirs.close()
            self.others.append((process, ours))
        self._stay(0)
        return self

    def __exit__(self, failure: object, *details: object) -> None:
        for process, connection in self.others:
            connection.close()
            if failure:  # nothing reads the response
                process.kill()
            process.join()
        self.others = []
        self._stay(None)
        self.processors = []
        _set_threads(self.threads)

    def _stay(self, worker: int | None) -> None:
        """Keep this process on a worker's processors; None: on any."""
        if self.processors:
            share = len(self.processors) // self.count
            begin, end = (0, None) if worker is None else (worker * share, (worker + 1) * share)
            os.sched_setaffinity(0, self.processors[begin:end])

    @contextmanager
    def all_threads(self) -> Iterator[None]:
        """Give this process all threads inside the context, for work while the other workers are idle."""
        share = _threads()
        self._stay(None)
        _set_threads(self.threads)
        try:
            yield
        finally:
            _set_threads(share)
            self._stay(0)

    def run(self, requests: Sequence[Any]) -> list[Any]:
        """Send one request to each worker; returns the responses in the order of the requests.

        Raises:
            WorkError: `serve` raised InputError or WorkError in a worker process, or the process was killed.
        """
        for (process, connection), request in zip(self.others, requests[1:], strict=True):
            with _worker_is_there(process):
                connection.send_bytes(json.dumps(request).encode())
        responses = [self.serve(0, requests[0])]
        for process, connection in self.others:
            with _worker_is_there(process):
                message = json.loads(connection.recv_bytes())
            if "error" in message:
                raise WorkError(message["error"])
            responses.append(message["response"])
        return responses

    def _serve_requests(self, worker: int, ours: Connection, theirs: Connection) -> None:
        """The loop of a worker process: respond to each request until the main process closes the pipe or ends."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the main process decides when to stop
        self._stay(worker)
        for connection in (ours, *(connection for _, connection in self.others)):
            connection.close()  # the main process's ends: an open copy would hide that the main process has ended
        while True:
            try:
                request = json.loads(theirs.recv_bytes())
                try:
                    message = {"response": self.serve(worker, request)}
                except (InputError, WorkError) as e:
                    message = {"error": str(e)}
                theirs.send_bytes(json.dumps(message).encode())
            except (EOFError, BrokenPipeError, ConnectionResetError):
                os._exit(0)


@contextmanager
def _worker_is_there(process: BaseProcess) -> Iterator[None]:
    """Around sending to a worker and receiving from it.

    Raises:
        WorkError: the worker has ended.
    """
    try:
        yield
    except (EOFError, BrokenPipeError, ConnectionResetError):
        process.join()
        raise WorkError(
            f"a worker ended with status {process.exitcode}, perhaps for lack of memory; use fewer workers"
        ) from None


def available_threads() -> int:
    """The number of processor threads that this process may use."""
    return len(_processors()) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processors() -> list[int]:
    """The numbers of the processors that this thread may run on; on Linux."""
    return sorted(os.sched_getaffinity(0))


def _threads() -> int:
    """torch's number of threads, 1 where torch is not imported: other engines keep the number they were made with."""
    return sys.modules["torch"].get_num_threads() if "torch" in sys.modules else 1


def _set_threads(count: int) -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
