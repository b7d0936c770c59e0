"""SubRip subtitles (.srt). Numbers, times, tags and every other byte stay; the words of the cues are the segments.

Parsers of SubRip read a file as a whole and drop what they do not know, so none of them is used for writing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event
from seq2seq.documents.subtitles.cue_text import Syntax, pieces
from seq2seq.documents.subtitles.cues import Cue, Timed, cue_events, cues
from seq2seq.documents.text_files import has_words, read_text
from seq2seq.errors import InputError

SYNTAX = Syntax(
    re.compile(r"(</?[A-Za-z][^<>\r\n]*>|\{\\[^{}\r\n]*\})"),
    re.compile(r"(\r\n?|\n)"),
    decode=str,
    encode=str,
)


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The sentences of the subtitles as segments.

    Raises:
        InputError: text without any times of a cue, or not in UTF-8 (or in UTF-16 with a byte order mark).
    """
    text = read_text(source)
    yield text.mark
    yield from cue_events(_items(text.lines), SYNTAX, text)


def _items(lines: Iterator[str]) -> Iterator[str | Timed]:
    words = False  # whether there is text before the first cue
    number = 0
    for number, cue in enumerate(cues(lines)):
        if isinstance(cue, str):
            words = words or has_words(cue)
            yield cue
            continue
        words = False
        yield cue.header
        yield from _cue(cue, number)
    if words:
        raise InputError("line 1: no cue; a cue begins with its times, such as 00:00:01,000 --> 00:00:02,000")


def _cue(cue: Cue, number: int) -> Iterator[str | Timed]:
    """The blocks of lines of a cue: mostly one, but blank lines inside a cue occur."""
    end = _end(cue.lines)
    line_end = "\r\n" if cue.header.endswith("\r\n") else "\n"
    block = list[str]()
    for line in [*cue.lines[:end], ""]:
        if line.strip():
            block.append(line)
            continue
        for part in pieces("".join(block), SYNTAX, line_end) if block else ():
            yield part if isinstance(part, str) else Timed(part, number, cue.start, cue.end)
        yield line
        block = []
    yield "".join(cue.lines[end:])


def _end(lines: Sequence[str]) -> int:
    """The number of lines before the number of the next cue, which is the last one that is not blank."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    is_number = end and lines[end - 1].strip().isdecimal()
    if is_number and (end == len(lines) or (end > 1 and not lines[end - 2].strip())):
        return end - 1
    return end
