"""Processes that share work: each is asked at once, all answer, and none outlives the first.

They are forked, so they know all that this process knew at that moment, and hear of later things in requests alone,
which go through pipes as JSON. Threads inside one process meet after each small product, processes once a request: that
is faster, and much faster beside another program.

This module knows nothing of what is asked.
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

CAN_FORK = sys.platform == "linux"  # elsewhere forking is not safe beside threads


class ProcessPool:
    """This process and `count` - 1 others, which are there while the context is entered. Threads are shared out.

    Args:
        count: 1 is this process alone, with all threads.
        serve: (worker, request) to answer; worker 0 is this process. Requests and answers are what JSON can say.
    """

    def __init__(self, count: int, serve: Callable[[int, Any], Any]) -> None:
        self.count, self.serve = count, serve
        self.others: list[tuple[BaseProcess, Connection]] = []
        self.threads = _threads()

    def __enter__(self) -> Self:
        self.threads = _threads()
        _set_threads(max(1, self.threads // self.count))
        context = multiprocessing.get_context("fork" if self.count > 1 else None)
        for worker in range(1, self.count):
            ours, theirs = multiprocessing.Pipe()
            process = context.Process(target=self._answer, args=(worker, ours, theirs), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # threads that are not used after the fork
                process.start()
            theirs.close()
            self.others.append((process, ours))
        return self

    def __exit__(self, failure: object, *details: object) -> None:
        for process, connection in self.others:
            connection.close()
            if failure:  # nobody waits for the answer
                process.kill()
            process.join()
        self.others = []
        _set_threads(self.threads)

    @contextmanager
    def all_threads(self) -> Iterator[None]:
        """While inside, this process has all threads: the others wait."""
        each = _threads()
        _set_threads(self.threads)
        try:
            yield
        finally:
            _set_threads(each)

    def run(self, requests: Sequence[Any]) -> list[Any]:
        """The answers to one request for each worker, in their order.

        Raises:
            WorkError: a worker said so, or was killed.
        """
        for (_, connection), request in zip(self.others, requests[1:], strict=True):
            connection.send_bytes(json.dumps(request).encode())
        answers = [self.serve(0, requests[0])]
        for process, connection in self.others:
            try:
                answer = json.loads(connection.recv_bytes())
            except EOFError:
                process.join()
                raise WorkError(f"a worker ended with status {process.exitcode}; was memory short?") from None
            if "error" in answer:
                raise WorkError(answer["error"])
            answers.append(answer["answer"])
        return answers

    def _answer(self, worker: int, ours: Connection, theirs: Connection) -> None:
        """What another process does: answer each request until the first process is gone."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the first process decides
        for connection in (ours, *(connection for _, connection in self.others)):
            connection.close()  # the first one's ends, which would keep this process from seeing it go
        while True:
            try:
                request = json.loads(theirs.recv_bytes())
                try:
                    answer = {"answer": self.serve(worker, request)}
                except (InputError, WorkError) as e:
                    answer = {"error": str(e)}
                theirs.send_bytes(json.dumps(answer).encode())
            except (EOFError, BrokenPipeError, ConnectionResetError):
                os._exit(0)


def available_threads() -> int:
    """The processor's threads that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _threads() -> int:
    """The threads that torch has, where it is what computes; other engines keep the ones they were made with."""
    return sys.modules["torch"].get_num_threads() if "torch" in sys.modules else 1


def _set_threads(count: int) -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
