"""Progress of long work: a bar in a terminal or a notebook, elsewhere (a log file, `nohup`) a line now and then.

This module does not know what the work is.
"""

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tqdm.auto import tqdm

FIRST, LONGEST, SHARE = 20.0, 300.0, 0.1  # seconds between two lines: a tenth of the time so far, within these bounds
EVERY = 20  # steps between two texts behind the bar


class Display:
    """Shows how much of some work is done.

    Args:
        total: steps of the work.
        done: steps that were done before.
        unit: what a step is called.
        say: called with a line of progress where there is no terminal.
        quiet: whether to show nothing.
    """

    def __init__(self, total: int, done: int, unit: str, say: Callable[[str], None], quiet: bool) -> None:
        self.total, self.before, self.done, self.unit, self.say = total, done, done, unit, say
        self.bar = tqdm(total=total, initial=done, disable=True if quiet else None, unit=unit, **terminal_size())
        self.writes_lines = self.bar.disable and not quiet
        self.started = self.written = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.close()

    def advance(self, text: Callable[[], str]) -> None:
        """One step is done; `text()` says more about the state of the work."""
        self.done += 1
        self.bar.update()
        if self.done % EVERY == 0:
            self.show(text)
        now = time.monotonic()
        if (
            self.writes_lines
            and self.done < self.total
            and now - self.written >= min(LONGEST, max(FIRST, SHARE * (now - self.started)))
        ):
            self.written = now
            left = (now - self.started) / (self.done - self.before) * (self.total - self.done) / 60
            parts = [f"{self.unit} {self.done:,} of {self.total:,} ({self.done / self.total:.0%})", text()]
            self.say(", ".join([*filter(None, parts), f"about {left:.1f} min left"]))

    def show(self, text: Callable[[], str]) -> None:
        """Write `text()` behind the bar, if there is one."""
        if not self.bar.disable:
            for name, size in terminal_size().items():
                setattr(self.bar, name, size)
            self.bar.set_postfix_str(text(), refresh=False)


def terminal_size() -> dict[str, int]:
    """Columns and lines of the terminal: tqdm shows nothing where a terminal hides them. Empty in a notebook."""
    columns, lines = shutil.get_terminal_size()
    return {"ncols": columns, "nrows": lines} if sys.stderr.isatty() else {}
