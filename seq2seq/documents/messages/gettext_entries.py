"""The entries of a PO file, as lines that keep their bytes, and as what polib reads of them."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from re import compile
from typing import BinaryIO

import polib

from seq2seq.errors import InputError

BATCH = 1 << 18  # bytes that polib parses at once

_OPEN_STRING = compile(r'[^"#]*+"(?!(?:[^"\\]|\\.)*+"\s*$)')  # polib cuts off the last character, whatever it is

BLANK, COMMENT, FLAGS, PREVIOUS, OBSOLETE, CONTINUED, KEYWORD, MSGSTR = range(8)  # kinds of lines
_COMMENTS = {b"#,": FLAGS, b"#|": PREVIOUS, b"#~": OBSOLETE}


@dataclass
class Entry:
    """Lines from the first comment to the last msgstr, with their kinds; or lines without an entry."""

    line: int  # number of the first
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    size: int = 0
    read: bool = False  # whether polib finds an entry in them
    has_msgstr: bool = False

    def add(self, kind: int, line: bytes) -> None:
        """Add a line of this kind behind the others."""
        self.lines.append((kind, line))
        self.size += len(line)
        self.read |= kind in (KEYWORD, CONTINUED, MSGSTR)
        self.has_msgstr |= kind == MSGSTR


def entries_of(source: BinaryIO) -> Iterator[Entry]:
    """The entries of the file, at least one, and all its lines in them."""
    entry, last = Entry(1), COMMENT
    for number, line in enumerate(source, 1):
        if number == 1 and line.startswith(codecs.BOM_UTF8):
            entry.add(COMMENT, codecs.BOM_UTF8)
            line = line.removeprefix(codecs.BOM_UTF8)
        kind = _kind(line)
        complete = entry.has_msgstr and kind not in (MSGSTR, CONTINUED, BLANK)
        if complete or (last == OBSOLETE and kind not in (OBSOLETE, BLANK)) or (entry.size > BATCH and not entry.read):
            yield entry
            entry = Entry(number)
        entry.add(kind, line)
        last = last if kind == BLANK else kind
    yield entry


def _kind(line: bytes) -> int:
    words = line.split(None, 1)
    if not words:
        return BLANK
    if words[0].startswith(b"#"):
        return _COMMENTS.get(words[0][:2], COMMENT)
    if words[0].startswith(b'"'):
        return CONTINUED
    return MSGSTR if words[0].startswith(b"msgstr") else KEYWORD


class _Lines(str):
    """Text whose lines end at "\\n" only, as those of a file do; `str` ends them at U+2028, too."""

    number = 0  # of the line that was read last

    def splitlines(self, keepends: bool = False) -> Iterator[str]:  # type: ignore[override]
        for number, line in enumerate(self.split("\n")):
            self.number = number
            yield line


class _AllEntries(polib.POFile):  # type: ignore[misc]
    """Entries with the header among them, which polib would look for and take out."""

    def find(self, *args: object, **kwargs: object) -> None:
        """No header."""


def parsed_of(entries: list[Entry], charset: str) -> list[polib.POEntry]:
    """What polib reads of those entries that have an msgid, without comments.

    Raises:
        InputError: a line is not in the character set, or wrong.
    """
    lines = b"".join(_read(kind, line, entry) for entry in entries for kind, line in entry.lines)
    first = entries[0].line
    try:
        text = _Lines("\n" + lines.decode(charset))  # begins with a line's end: polib opens a text that names a file
    except UnicodeError as error:
        line = first + lines.count(b"\n", 0, getattr(error, "start", 0))
        raise InputError(f"line {line}: not {charset}, the character set that the header names") from None
    for number, written in enumerate(text.split("\n")):
        if _OPEN_STRING.match(written):
            raise InputError(
                f"line {first + number - 1}: not an entry of a PO file: a string is not closed, or has text beside it"
            )
    try:
        found = polib.pofile(text, encoding=charset, klass=_AllEntries)
    except (OSError, ValueError, IndexError):
        raise InputError(f"line {first + text.number - 1}: not an entry of a PO file") from None
    return list(found)


def _read(kind: int, line: bytes, entry: Entry) -> bytes:
    """The line, or an empty one where polib is not to read it."""
    if kind in (CONTINUED, KEYWORD, MSGSTR) or (kind == FLAGS and entry.has_msgstr):
        return line
    return b"\n" if line.endswith(b"\n") else b""


def without_fuzzy(kind: int, line: bytes) -> bytes:
    """A line of an entry that is not fuzzy any more: nothing, if it says what the msgid was before."""
    if kind == FLAGS:
        body = line.rstrip(b"\r\n")
        flags = [flag for flag in body.split(b",") if flag.strip() != b"fuzzy"]
        return b",".join(flags) + line[len(body) :] if len(flags) > 1 else b""
    return b"" if kind == PREVIOUS else line
