"""The device and the number of threads to compute with, and notices about progress.

This module imports torch only when torch computes: an exported model does not need it.
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

from seq2seq.errors import InputError

DEVICES = ("auto", "cpu", "cuda")

_lock = threading.Lock()
_inside = 0  # number of contexts of `torch_threads` that are active, in all Python threads
_outside = 0  # torch's number of threads before the first of them was entered


def check_device(device: str) -> None:
    """Refuse a device that is none of `DEVICES`.

    Raises:
        InputError: it is none.
    """
    if device not in DEVICES:
        raise InputError(f"unknown device {device!r}; choose one of {', '.join(DEVICES)}")


def torch_device(device: str) -> str:
    """The device, "cpu" or "cuda", for one of `DEVICES`; "auto" is a GPU if there is one.

    Raises:
        InputError: cuda is requested and torch finds no GPU, or the device is unknown.
    """
    import torch

    check_device(device)
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no GPU; use --device cpu, or install a CUDA build of torch")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def check_threads(threads: int | None) -> None:
    """Check a number of threads that a program gives.

    Raises:
        TypeError: it is no int.
        InputError: it is less than 1.
    """
    if threads is not None and type(threads) is not int:
        raise TypeError(f"threads takes an int, not {threads!r}")
    if threads is not None and threads < 1:
        raise InputError(f"threads = {threads}: give a whole number of 1 or more")


@contextlib.contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Inside the context, torch computes with `count` threads in this Python thread; None changes nothing.

    Torch keeps one number per Python thread, and new threads inherit the number that was set last. So contexts that
    are active in several threads at once all restore the number from before the first of them. They do not nest.
    """
    global _inside, _outside
    check_threads(count)
    if count is None or "torch" not in sys.modules:
        yield
        return
    import torch

    with _lock:
        if not _inside:
            _outside = torch.get_num_threads()
        _inside += 1
        before = _outside
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            torch.set_num_threads(before)


def notifier(quiet: bool) -> Callable[[str], None]:
    """A function that prints a notice on standard error, above any progress bar; with `quiet` it prints nothing."""

    def notify(message: str) -> None:
        from tqdm import tqdm

        tqdm.write(message, file=sys.stderr)

    return (lambda message: None) if quiet else notify
