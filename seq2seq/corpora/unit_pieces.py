"""The units of a TMX or XLIFF file that is not well-formed, each as a small document with the start tags around it.

A parser of XML reads nothing after a fault, and what lxml calls recovery loses all after a bare `&`. So a damaged file
is cut at the tags of its units, and each unit is parsed alone. This module looks for these tags and for comments as
bytes; it parses nothing, and finds no unit in UTF-16, whose bytes are others.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO, NamedTuple

_BLOCK = 1 << 16  # bytes that are read at once
_LONGEST = 1 << 24  # bytes of a unit; more without the end of one are not kept together
_PREFIX = rb"(?:[\w.-]+:)?"
_END = re.compile(rb"</" + _PREFIX + rb"(?:tu|trans-unit|unit)\s*>")
_START = re.compile(rb"<" + _PREFIX + rb"(?:tu|trans-unit|unit)(?=[\s>])")
_ROOT, _FILE = (
    re.compile(rb"<(" + _PREFIX + name + rb")(?:\s(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)?>")
    for name in (b"(?:tmx|xliff)", b"file")
)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)


class Piece(NamedTuple):
    """A unit as a document; whether that is well-formed is not known."""

    document: bytes
    lines_before: int  # in the file, less those in the document


def pieces(stream: BinaryIO) -> Iterator[Piece]:
    """The units in the order of the file; what is in comments is none."""
    root, file, ends = b"", b"", b""  # the start tags, the former with all before it, and the end tags
    line, commented = 0, False
    for part in _parts(stream):
        before, line = line, line + part.count(b"\n")
        if commented:
            comment, closed, rest = part.partition(b"-->")
            commented = not closed
            part = _line_ends(comment) + rest
        if commented:
            continue
        part = _COMMENT.sub(lambda found: _line_ends(found[0]), part)
        starts = [found.start() for found in _START.finditer(part)]
        head = part[: starts[0]] if starts else part
        if not root and (found := _ROOT.search(head)):
            root, ends = head[: found.end()], b"</%s>" % found[1]
        for found in _FILE.finditer(head):
            file, ends = found[0], b"</%s>" % found[1] + ends[ends.rfind(b"</") :]
        if b"<!--" in head:
            commented = True
            continue
        for start, end in pairwise([*starts, len(part)]):
            around = root + file
            skipped = before + part.count(b"\n", 0, start) - around.count(b"\n")
            yield Piece(around + part[start:end] + ends, skipped)


def _line_ends(text: bytes) -> bytes:
    return b"\n" * text.count(b"\n")


def _parts(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of the stream, cut after the end of each unit."""
    rest, searched = b"", 0
    while block := stream.read(_BLOCK):
        rest += block
        begin = 0
        for found in _END.finditer(rest, max(0, searched - _BLOCK)):  # an end tag may be cut by a block's end
            yield rest[begin : found.end()]
            begin = found.end()
        rest = rest[begin:]
        searched = len(rest)
        if searched > _LONGEST:
            yield rest
            rest, searched = b"", 0
    yield rest
