"""Exceptions for failures that a command reports in one line; any other exception is a bug and shows its traceback.

Also how a message or a report writes the name of a file.
"""

import re


class InputError(Exception):
    """The command or its input is wrong (exit status 2). The message: WHAT is wrong; what to do about it."""


class WorkError(Exception):
    """The input is valid but the work failed, for example because the disk is full (exit status 1)."""


class Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM stopped the work after its state was saved (exit status 128 + the signal's number).

    Like any KeyboardInterrupt it passes through `except Exception`.
    """

    def __init__(self, signum: int, message: str) -> None:
        super().__init__(message)
        self.signum = signum


def shown(text: str) -> str:
    r"""Text that UTF-8 can hold: a byte of a file's name that is no UTF-8 becomes its escape, as in `caf\xe9.txt`."""
    return re.sub("[\ud800-\udfff]", lambda half: _escape(ord(half[0])), text)


def _escape(half: int) -> str:
    return rf"\x{half - 0xDC00:02x}" if 0xDC80 <= half <= 0xDCFF else rf"\u{half:04x}"  # the former: surrogateescape
