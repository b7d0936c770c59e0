"""The two ways a command fails on purpose; everything else is a bug and shows its traceback."""


class InputError(Exception):
    """The command or its input was wrong (exit status 2). The message says what, and what to do about it."""


class WorkError(Exception):
    """The input was fine and the work failed all the same, a full disk for one (exit status 1)."""
