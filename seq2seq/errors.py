"""Exceptions for failures that a command reports in one line; any other exception is a bug and shows its traceback."""


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
