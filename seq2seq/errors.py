"""The ways a command ends early on purpose; everything else is a bug and shows its traceback."""


class InputError(Exception):
    """The command or its input was wrong (exit status 2). The message says what, and what to do about it."""


class WorkError(Exception):
    """The input was fine and the work failed all the same, a full disk for one (exit status 1)."""


class Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM stopped the work after its state was saved (exit status 128 + the signal's number).

    Like any KeyboardInterrupt it passes through `except Exception`.
    """

    def __init__(self, signum: int, message: str) -> None:
        super().__init__(message)
        self.signum = signum
