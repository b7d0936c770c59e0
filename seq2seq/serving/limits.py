"""What a request may cost, how often a client may ask, and the exception for a request that is refused.

Knows neither HTTP nor models.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of a server; 0 is no limit where it says so."""

    characters: int = 100_000  # of all texts of a request
    texts: int = 2000  # of a request
    requests_per_minute: int = 0  # of a client; 0: any number
    seconds: float = 120.0  # to translate texts
    file_seconds: float = 600.0  # to translate a document
    text_bytes: int = 1_000_000  # of a request's body
    file_bytes: int = 10_000_000  # of a document
    body_seconds: float = 30.0  # until a request's body has arrived
    waiting_characters: int = 4_000_000  # of all requests that wait; of one client's, half of it
    waiting_requests: int = 2000  # of one client
    held_bytes: int = 100_000_000  # of all bodies that are still arriving


class RefusedError(Exception):
    """A request that is not served: the status and the message of its answer."""

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_after = status, retry_after  # seconds until it may be tried again


class Rates:
    """How often each client asks: a bucket of as many requests as it may send in a minute, which fills steadily."""

    MOST_CLIENTS = 10_000  # that are remembered

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when that was so

    def count(self, client: str, per_minute: int) -> None:
        """Count a request of a client that may send so many a minute; 0: any number.

        Raises:
            RefusedError: it sent more (429).
        """
        if not per_minute:
            return
        now = self._now()
        left, then = self._buckets.pop(client, (float(per_minute), now))
        left = min(per_minute, left + (now - then) * per_minute / 60)
        self._buckets[client] = (max(left - 1, 0) if left >= 1 else left, now)
        while len(self._buckets) > self.MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            wait = math.ceil((1 - left) * 60 / per_minute)
            raise RefusedError(429, f"more than {per_minute} requests a minute; try again in {wait} seconds", wait)
