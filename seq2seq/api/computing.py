"""Where to compute: the device, and the number of threads.

This module imports torch only where torch computes: an exported model needs none.
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

from seq2seq.errors import InputError

DEVICES = ("auto", "cpu", "cuda")

_lock = threading.Lock()
_inside = 0  # contexts of `torch_threads` that are entered now, in all Python threads
_outside = 0  # torch's number of threads before the first of them


def torch_device(device: str) -> str:
    """The device, "cpu" or "cuda", that one of `DEVICES` stands for; "auto" is a GPU where there is one.

    Raises:
        InputError: cuda is requested and torch finds none, or the device is unknown.
    """
    import torch

    if device not in DEVICES:
        raise InputError(f"unknown device {device!r}; choose one of {', '.join(DEVICES)}")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no GPU; take --device cpu, or install a CUDA build of torch")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


@contextlib.contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Inside, this Python thread computes with `count` threads of torch; None changes nothing.

    Torch keeps the number for each Python thread, and hands the last one set to those that come later. So contexts of
    several threads at once all restore the number from before the first of them.
    """
    global _inside, _outside
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
    """What prints a notice on standard error, above a progress bar where there is one; quiet: nothing."""
    from tqdm import tqdm

    return (lambda message: None) if quiet else (lambda message: tqdm.write(message, file=sys.stderr))
