"""Counts and times of requests for Prometheus; of all processes together where there are several.

Several processes share a folder that the environment variable PROMETHEUS_MULTIPROC_DIR names; it is set before this
module is imported. Neither texts nor addresses of clients are counted by.
"""

import os
import time

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = CONTENT_TYPE_LATEST
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """The metrics of an application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("seq2seq_requests", "Answered requests", ["route", "status"], registry=self._registry)
        self._seconds = Histogram(
            "seq2seq_request_seconds", "Time until the answer", ["route"], registry=self._registry
        )
        self._open = Gauge(
            "seq2seq_open_requests", "Requests without an answer", registry=self._registry, multiprocess_mode="livesum"
        )
        self.characters = Counter("seq2seq_characters", "Characters that were translated", registry=self._registry)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        registry = self._registry
        if SHARED_FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)

    def measured(self, app: ASGIApp) -> ASGIApp:
        """The application, whose requests are counted."""

        async def measure(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            begin, status = time.perf_counter(), "none"

            async def note(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = str(message["status"])
                await send(message)

            self._open.inc()
            try:
                await app(scope, receive, note)
            finally:
                self._open.dec()
                route = getattr(scope.get("endpoint"), "__name__", "other")
                self._requests.labels(route, status).inc()
                self._seconds.labels(route).observe(time.perf_counter() - begin)

        return measure
