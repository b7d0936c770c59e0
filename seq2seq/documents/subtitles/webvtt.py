"""WebVTT subtitles (.vtt, https://www.w3.org/TR/webvtt1/). The words of the cues are the segments.

Everything else stays as it is: headers, NOTE, STYLE and REGION blocks, identifiers, times, settings, tags. Parsers of
WebVTT read a file as a whole and write it anew, so none of them is used for writing.
"""

import html
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event
from seq2seq.documents.subtitles.cue_text import Syntax, pieces
from seq2seq.documents.subtitles.cues import Cue, Timed, cue_events, cues
from seq2seq.documents.text_files import read_text
from seq2seq.errors import InputError

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\u200e": "&lrm;", "\u200f": "&rlm;"}
SYNTAX = Syntax(
    re.compile(r"(<[^<>]*>)"),
    re.compile(r"(\r\n?|\n)"),
    decode=html.unescape,
    encode=lambda text: "".join(_ESCAPES.get(character, character) for character in text),
)


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The sentences of the subtitles as segments.

    Raises:
        InputError: no WebVTT, or not in UTF-8 (or in UTF-16 with a byte order mark).
    """
    text = read_text(source)
    first = next(text.lines, "")
    if first.split()[:1] != ["WEBVTT"] or not first.startswith("WEBVTT"):
        raise InputError("line 1: WebVTT begins with the line WEBVTT")
    yield text.mark
    yield from cue_events(_items(chain([first], text.lines)), SYNTAX, text)


def _items(lines: Iterator[str]) -> Iterator[str | Timed]:
    for number, cue in enumerate(cues(lines)):
        if isinstance(cue, str):
            yield cue
        else:
            yield cue.header
            yield from _cue(cue, number)


def _cue(cue: Cue, number: int) -> Iterator[str | Timed]:
    """The text of a cue, up to the first blank line."""
    end = next((index for index, line in enumerate(cue.lines) if not line.strip("\r\n")), len(cue.lines))
    line_end = "\r\n" if cue.header.endswith("\r\n") else "\n"
    for part in pieces("".join(cue.lines[:end]), SYNTAX, line_end):
        yield part if isinstance(part, str) else Timed(part, number, cue.start, cue.end)
    yield "".join(cue.lines[end:])
