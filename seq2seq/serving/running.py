"""Runs an application on a socket, in one process or in several, until a signal ends it.

At SIGINT or SIGTERM no new connection is accepted, and what was accepted is answered within GRACE seconds. Knows
neither routes nor models.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

GRACE = 20  # seconds
HEADER_SECONDS = 10.0  # from a request's first byte, or a connection's begin, to the end of its headers
MOST_CONNECTIONS = 4000
UNFINISHED_SECONDS = 2.0  # that a body may still take once the server ends
RESTART_SECONDS = 1.0  # until a process that failed is replaced


class PatientProtocol(H11Protocol):
    """HTTP/1.1 whose headers must arrive in time, and whose answers leave at once."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connects."""
        super().connection_made(transport)
        # Else the body of an answer waits 40 ms for the acknowledgement of its headers (Nagle's algorithm).
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Bytes arrive."""
        super().data_received(data)
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left."""
        super().connection_lost(exc)
        if self._limit:
            self._limit.cancel()

    def _wait_for_headers(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:  # a request is being served
            if self._limit:
                self._limit.cancel()
            self._limit = None
        elif self._limit is None:
            self._limit = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._limit = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class PatientServer(uvicorn.Server):
    """A server that, when it ends, does not wait for requests whose body does not arrive."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was accepted, and end."""
        asyncio.get_running_loop().call_later(UNFINISHED_SECONDS, self._drop_unfinished)
        await super().shutdown(sockets)

    def _drop_unfinished(self) -> None:
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and cycle.more_body and not cycle.response_complete:
                cast(PatientProtocol, connection).transport.close()


def serve(make: Callable[[], ASGIApp], listening: socket.socket, workers: int) -> int:
    """Serve an application until a signal ends it; returns the signal's number.

    Args:
        make: returns the application; is called once in each process.
        listening: the socket, which listens.
        workers: the number of processes.
    """
    most = _raise_file_limit()
    received: list[int] = []
    processes: set[int] = set()

    def note(signum: int, frame: object) -> None:
        received.append(signum)
        for pid in processes:
            os.kill(pid, signal.SIGTERM)

    before = {signum: signal.signal(signum, note) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        if workers == 1:
            _serve(make, listening, most)
        else:
            _supervise(lambda: _forked(make, listening, most), processes, received, workers)
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
    return received[0] if received else 0


def _supervise(start: Callable[[], int], processes: set[int], received: list[int], workers: int) -> None:
    """Keep so many processes running until a signal was received and all have ended."""
    while True:
        while not received and len(processes) < workers:
            pid = start()
            processes.add(pid)
            if received:  # meanwhile
                os.kill(pid, signal.SIGTERM)
        if not processes:
            return
        processes.discard(os.wait()[0])
        if not received:
            time.sleep(RESTART_SECONDS)


def _forked(make: Callable[[], ASGIApp], listening: socket.socket, most: int) -> int:
    """The process number of a new process that serves."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides when to stop
        signal.signal(signal.SIGTERM, lambda signum, frame: os._exit(0))  # until uvicorn handles it
        _serve(make, listening, most)
        status = 0
    finally:
        os._exit(status)


def _serve(make: Callable[[], ASGIApp], listening: socket.socket, most: int) -> None:
    settings: dict[str, Any] = {"log_level": "warning", "access_log": False, "lifespan": "on", "http": PatientProtocol}
    config = uvicorn.Config(
        make(), limit_concurrency=most, timeout_graceful_shutdown=GRACE, server_header=False, **settings
    )
    PatientServer(config).run(sockets=[listening])


def _raise_file_limit() -> int:
    """The number of connections that may be open at once, after the limit of open files was raised for them."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + 200
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, max(soft - 200, 100))
