"""What reading has to tell a person: notes, files that were not read, and units that were dropped as damaged."""

from collections import Counter
from collections.abc import Sequence

from seq2seq.errors import InputError, shown


class Findings:
    """Collects notes and counts faults.

    Args:
        skip: drop and count units that cannot be read, where otherwise they end the reading.
    """

    def __init__(self, skip: bool = False) -> None:
        self.skip = skip
        self.unread: list[str] = []  # files in other languages
        self.nameless: list[str] = []  # those of them that do not say the language of their translations
        self.left_out: Counter[str] = Counter()  # units that are not meant to be read, by kind
        self.languages: dict[str, None] = {}  # that files name, as they name them
        self.line = 0  # of the row that a reader gives, without the header; 0 if it does not say
        self.place = "", 0  # the file of that row, and its number there
        self.part_column = ""  # the name of the column of PART in the table that was read last
        self.of_many = False  # whether a table of more than two languages was read
        self._notes: dict[str, None] = {}
        self._faults: Counter[str] = Counter()  # by file
        self._first: dict[str, str] = {}

    def note(self, text: str) -> None:
        """Keep a note, once."""
        self._notes[text] = None

    def fault(self, file: str, place: str, problem: str, advice: str) -> None:
        """Count a unit of a file that cannot be read.

        Args:
            file: the file, as it is named in messages.
            place: for example "line 3".
            problem, advice: what is wrong there, and what to do about it.

        Raises:
            InputError: unless `skip`.
        """
        if not self.skip:
            raise InputError(f"{file}, {place}: {problem}; {advice}, or give --errors skip (train, corpus)")
        self._faults[file] += 1
        self._first.setdefault(file, f"{place}: {problem}")

    @property
    def dropped(self) -> int:
        """The number of units that were dropped."""
        return self._faults.total()

    @property
    def faults(self) -> list[str]:
        """A note for each file of which units were dropped."""
        return [f"{file}: {n:,} dropped as damaged (first: {self._first[file]})" for file, n in self._faults.items()]

    @property
    def notes(self) -> list[str]:
        """All notes, with one for each file of which units were dropped, as text that can be written."""
        return list(map(shown, [*self._notes, *self.counted, *self.faults]))

    @property
    def counted(self) -> list[str]:
        """A note with the numbers of the units that are left out, by kind; none if there are none."""
        left_out = ", ".join(f"{count:,} {kind}" for kind, count in self.left_out.items() if count)
        return [f"left out: {left_out}"] if left_out else []


def few(names: Sequence[str], most: int) -> str:
    """The first of some names, and the number of the others."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
