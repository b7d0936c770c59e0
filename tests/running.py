"""Which processes run, and what they have started, by /proc; on Linux."""

from contextlib import suppress
from pathlib import Path


def _stat(pid: int) -> list[str]:
    """What the system says of a process, behind its name: its state, the process that started it, and so on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def is_running(pid: int) -> bool:
    try:
        return _stat(pid)[0] not in "XZ"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = list[int]()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(_stat(int(folder.name))[1]) == pid:
                found.append(int(folder.name))
    return found
