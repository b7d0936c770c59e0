"""SIGINT and SIGTERM as a request to stop, which a loop checks where it can stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def listening() -> Iterator[list[int]]:
    """Inside the context, SIGINT and SIGTERM are added to the list; the second of a kind raises KeyboardInterrupt.

    Only the main thread may set signal handlers: in any other thread the list stays empty.
    """
    caught: list[int] = []

    def note(signum: int, frame: FrameType | None) -> None:
        if signum in caught:
            raise KeyboardInterrupt
        caught.append(signum)

    in_main_thread = threading.current_thread() is threading.main_thread()
    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM) if in_main_thread}
    try:
        yield caught
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
