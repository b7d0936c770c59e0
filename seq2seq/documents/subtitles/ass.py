"""Subtitles of SubStation Alpha (.ass, .ssa). The words of the `Dialogue` lines are the segments.

Override blocks in braces are marks, `\\N` is a line end; drawings and every other line stay as they are.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event
from seq2seq.documents.subtitles.cue_text import Syntax, pieces
from seq2seq.documents.subtitles.cues import Timed, cue_events, milliseconds
from seq2seq.documents.text_files import read_text
from seq2seq.errors import InputError

SYNTAX = Syntax(
    re.compile(r"(\{[^{}]*\})"),
    re.compile(r"(\\[Nn])"),
    decode=lambda text: text.replace("\\h", "\u00a0"),
    encode=lambda text: text.replace("\u00a0", "\\h"),
)
_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}")


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The sentences of the subtitles as segments.

    Raises:
        InputError: no section `[Events]`; a line without times; not UTF-8 (or UTF-16 with a byte order mark).
    """
    text = read_text(source)
    yield text.mark
    yield from cue_events(_items(text.lines), SYNTAX, text)


def _items(lines: Iterator[str]) -> Iterator[str | Timed]:
    fields: tuple[str, ...] = _FIELDS
    section, found = "", False
    for number, line in enumerate(lines, 1):
        kind, _, rest = line.partition(":")
        kind = kind.strip().lower()
        if line.lstrip().startswith("["):
            section = line.strip().lower()
            found = found or section == "[events]"
        if section == "[events]" and kind == "format":
            fields = tuple(name.strip().lower() for name in rest.split(","))
            if fields[-1] != "text" or not {"start", "end"} <= set(fields):
                raise InputError(f"line {number}: a format of events needs Start and End, and Text at its end")
        if section == "[events]" and kind == "dialogue":
            yield from _dialogue(line, fields, number)
        else:
            yield line
    if not found:
        raise InputError("line 1: no section [Events]; is this a file of SubStation Alpha?")


def _dialogue(line: str, fields: tuple[str, ...], number: int) -> Iterator[str | Timed]:
    """The parts of a line such as `Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Text`."""
    kind, colon, rest = line.partition(":")
    values = rest.split(",", len(fields) - 1)
    if len(values) < len(fields):
        raise InputError(f"line {number}: {len(values)} fields instead of {len(fields)}")
    named = dict(zip(fields, values, strict=True))
    start, end = milliseconds(named["start"]), milliseconds(named["end"])
    if start is None or end is None:
        raise InputError(f"line {number}: times such as 0:00:01.50 were expected")
    body = values[-1].rstrip("\r\n")
    yield kind + colon + rest[: len(rest) - len(values[-1])]
    if _DRAWING.search(body):
        yield values[-1]
        return
    for part in pieces(body, SYNTAX, "\\N"):
        if isinstance(part, str):
            yield part
        else:
            style = "|".join([part.style, named.get("style", ""), named.get("name", "")])
            yield Timed(part._replace(style=style), number, start, end)
    yield values[-1][len(body) :]
