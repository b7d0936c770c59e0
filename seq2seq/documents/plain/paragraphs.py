"""Plain text with hard-wrapped paragraphs, each of which is a segment, between blank lines.

The lines of a paragraph are joined for translating, and the translation is wrapped to the width of the longest of them,
with the indents of the first line and of the second one. A list item (`- `, `* `, `1. `) and a quotation (`> `) begin a
paragraph and keep what they begin with. What is laid out by hand (addresses, poems, tables) is translated line by line.
"""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.documents.line_breaks import break_points, filled, glue, width
from seq2seq.documents.text_files import TextFile, has_words, one_line, read_text, trimmed
from seq2seq.segments.segment import Segment

# Columns; an ideograph takes two. A paragraph of shorter lines was not wrapped, nor was one with a line of over LONG.
SHORT = 40
LONG = 160
MOST_LINES = 1000  # of a paragraph; longer ones are divided

_START = re.compile(r"((?:[ \t]*>)*[ \t]*)((?:[-–—*+•‣▪◦·]|[0-9]{1,3}[.)])[ \t]+)?(?=\S)")
_BULLET = re.compile(r"(?:[-–—*+•‣▪◦·>]|[0-9]{1,3}[.)])[ \t]")
_CELLS = re.compile(r"(?<=\S)( {3,}|[ \t]*\t[ \t]*)(?=\S)")  # marks a line of a table
_GAP = re.compile(r"( {2,}|[ \t]*\t[ \t]*)")  # stands between the cells of such a line


class _Line(NamedTuple):
    indent: str  # with the signs of a quotation
    bullet: str
    text: str
    end: str  # white space and the line ending

    def whole(self) -> str:
        return "".join(self)


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The paragraphs as segments; what holds neither letters nor digits as it is.

    Raises:
        InputError: the text is not in UTF-8 (or in UTF-16 with a byte order mark).
    """
    text = read_text(source)
    yield text.mark
    for block in _blocks(text.lines):
        if isinstance(block, str):
            yield text.encode(block)
        elif _laid_out(block):
            for line in block:
                yield from _line(line, text)
        else:
            yield from _paragraph(block, text)


def _blocks(lines: Iterator[str]) -> Iterator[str | list[_Line]]:
    """Paragraphs, and the lines without words between them."""
    block = list[_Line]()
    for raw in lines:
        line = _parsed(raw)
        if block and (line is None or _begins(line, block)):
            yield block
            block = []
        if line is None:
            yield raw
        else:
            block.append(line)
    if block:
        yield block


def _parsed(raw: str) -> _Line | None:
    """The parts of a line, or None for one without words; the number of a list item is none."""
    if not has_words(raw):
        return None
    before, text, end = trimmed(raw)
    start = _START.match(before + text)
    if start is None:
        return _Line(before, "", text, end)
    text = raw[start.end() : len(raw) - len(end)]
    return _Line(start[1], start[2] or "", text, end) if has_words(text) else None


def _begins(line: _Line, block: Sequence[_Line]) -> bool:
    """Whether the line begins a new paragraph after those of the block."""
    first, last = block[0], block[-1]
    if line.bullet or line.indent.count(">") != first.indent.count(">") or len(block) >= MOST_LINES:
        return True
    if len(block) > 1:
        return line.indent != block[1].indent
    outside = len(line.indent) <= len(first.indent)
    return bool(first.bullet) and outside and width(last.whole().rstrip()) < SHORT


def _laid_out(block: Sequence[_Line]) -> bool:
    """Whether the ends of the lines mean something."""
    lengths = [width(line.whole().rstrip()) for line in block]
    tabular = sum(_CELLS.search(line.text) is not None for line in block)
    return 2 * tabular >= len(block) or (len(block) > 1 and (max(lengths) < SHORT or max(lengths) > LONG))


def _line(line: _Line, text: TextFile) -> Iterator[Event]:
    """One line as a segment; a line of a table as one for each of its cells."""
    yield text.encode(line.indent + line.bullet)
    cells = _GAP.split(line.text) if _CELLS.search(line.text) else [line.text]
    for cell, gap in zip(cells[::2], [*cells[1::2], ""], strict=True):
        yield _cell(cell, gap, text) if has_words(cell) else text.encode(cell + gap)
    yield text.encode(line.end)


def _cell(cell: str, gap: str, text: TextFile) -> Slot:
    """A segment with the gap after it, which becomes so wide that the next cell stays where it was if possible."""

    def put(translation: Segment) -> bytes:
        words = one_line(translation.text)
        if "\t" in gap or not gap:
            return text.encode(words + gap)
        return text.encode(words + " " * max(2, width(cell) + len(gap) - width(words)))

    return Slot(Segment(cell), put)


def _paragraph(block: Sequence[_Line], text: TextFile) -> Iterator[Event]:
    """A paragraph as a segment."""
    first, last = block[0], block[-1]
    segment = Segment(_joined(block))
    raw = "".join(line.whole() for line in block)[len(first.indent + first.bullet) : -len(last.end) or None]

    def put(translation: Segment) -> bytes:
        return text.encode(raw if translation.text == segment.text else _wrapped(translation.text, block))

    yield text.encode(first.indent + first.bullet)
    yield Slot(segment, put)
    yield text.encode(last.end)


def _joined(block: Sequence[_Line]) -> str:
    parts = [block[0].text]
    for line in block[1:]:
        if parts[-1][-1] in "\u00ad\u2010" and line.text[0].islower():  # a word that was divided
            parts[-1] = parts[-1][:-1]
        else:
            parts.append(glue(parts[-1], line.text))
        parts.append(line.text)
    return re.sub(r"[ \t]+", " ", "".join(parts))


def _wrapped(words: str, block: Sequence[_Line]) -> str:
    """The translation in lines like those of the paragraph; a single line stays one."""
    words = one_line(words)
    if len(block) == 1:
        return words
    first, second = block[0], block[1]
    start = first.indent + first.bullet
    longest = max(width(line.whole().rstrip()) for line in block)
    lines = filled(words, longest - width(start.expandtabs()), longest - width(second.indent.expandtabs()))
    ending = first.end.lstrip(" \t")
    return f"{ending}{second.indent}".join(_without_bullets(lines))


def _without_bullets(lines: Sequence[str]) -> list[str]:
    """The lines, changed so that none but the first begins like a list item: its sign is moved to the line before."""
    result = list(lines[:1])
    for line in lines[1:]:
        while (points := break_points(line)) and _BULLET.match(line):
            result[-1] += " " + line[: points[0]].rstrip()
            line = line[points[0] :]
        result.append(line)
    return result
