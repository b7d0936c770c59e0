"""SIGINT and SIGTERM as a wish to stop, which a loop looks at where it can."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def listening() -> Iterator[list[int]]:
    """While inside, SIGINT and SIGTERM are noted in the list; a second one of its kind ends the program after all."""
    caught: list[int] = []

    def note(signum: int, frame: FrameType | None) -> None:
        if signum in caught:
            raise KeyboardInterrupt
        caught.append(signum)

    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
