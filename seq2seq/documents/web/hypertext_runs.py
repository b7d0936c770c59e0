"""Runs of inline HTML between two boundaries: what of them is the segment, and what around it stays as it is.

This module does not know segments.
"""

from itertools import accumulate
from typing import NamedTuple

from seq2seq.documents.web.hypertext_elements import ALONE, CLOSE, OBJECT, OPEN, VERBATIM, WORD, Piece
from seq2seq.documents.web.hypertext_tokens import SPACE, TEXT

_MOST_OPEN = 100  # of the open elements that an end tag is compared with


class Run(NamedTuple):
    """A run in three parts. In the middle, each OPEN has its CLOSE, and something to read between the two."""

    before: list[Piece]
    middle: list[Piece]
    after: list[Piece]


def divided(text: str, pieces: list[Piece]) -> Run:
    """The run without white space, images, pairs of tags and other markup at its ends."""
    if len(pieces) == 1 and pieces[0].kind in (TEXT, VERBATIM):
        return Run([], _without_space(text, pieces), [])
    pairs = _pairs(pieces)
    readable = [0, *accumulate(_is_readable(text, piece) for piece in pieces)]
    first, last = 0, len(pieces)
    ends = {close: start for start, close in pairs.items()}
    while first < last:
        width = last - first
        start, end = pieces[first], pieces[last - 1]
        if not readable[first + 1] - readable[first] and (start.kind != OPEN or first not in pairs):
            first += 1
        elif start.kind == OPEN and readable[pairs[first]] == readable[first]:
            first = pairs[first] + 1
        elif not readable[last] - readable[last - 1] and (end.kind != CLOSE or last - 1 not in ends):
            last -= 1
        elif end.kind == CLOSE and readable[ends[last - 1]] == readable[last]:
            last = ends[last - 1]
        elif start.kind == OPEN and pairs[first] == last - 1:
            first, last = first + 1, last - 1
        if last - first == width:
            break
    middle = _merged(pieces, first, last, pairs, readable)
    return Run(pieces[:first], _without_space(text, middle), pieces[last:])


def _is_readable(text: str, piece: Piece) -> bool:
    """Whether a reader needs the piece to understand the sentence."""
    if piece.kind in (TEXT, VERBATIM):
        return bool(text[piece.start : piece.end].strip(SPACE))
    return piece.kind == WORD


def _pairs(pieces: list[Piece]) -> dict[int, int]:
    """The index of the end tag for that of each start tag that has one, as if the run were well-formed."""
    pairs, waiting = dict[int, int](), list[int]()
    for index, piece in enumerate(pieces):
        if piece.kind == OPEN:
            waiting.append(index)
        elif piece.kind == CLOSE:
            names = [pieces[start].name for start in waiting[: -_MOST_OPEN - 1 : -1]]
            if piece.name in names:
                del waiting[len(waiting) - names.index(piece.name) :]
                pairs[waiting.pop()] = index
    return pairs


def _merged(pieces: list[Piece], first: int, last: int, pairs: dict[int, int], readable: list[int]) -> list[Piece]:
    """The pieces from first to last; a pair with nothing to read inside is one piece; a tag without a pair is ALONE."""
    merged, index, ends = list[Piece](), first, set(pairs.values())
    while index < last:
        piece = pieces[index]
        if piece.kind == OPEN and index in pairs and readable[pairs[index]] == readable[index]:
            inside = pieces[index : pairs[index] + 1]
            kind = OBJECT if any(inner.kind == OBJECT for inner in inside) else ALONE
            attributes = tuple(attribute for inner in inside for attribute in inner.attributes)
            piece = Piece(kind, piece.start, inside[-1].end, piece.name, attributes)
            index += len(inside)
        else:
            if (piece.kind == OPEN and index not in pairs) or (piece.kind == CLOSE and index not in ends):
                piece = piece._replace(kind=ALONE)
            index += 1
        merged.append(piece)
    return merged


def _without_space(text: str, pieces: list[Piece]) -> list[Piece]:
    """The pieces without white space at the start of the first and the end of the last."""
    if pieces and pieces[0].kind in (TEXT, VERBATIM):
        pieces[0] = pieces[0]._replace(start=trimmed(text, pieces[0].start, pieces[0].end)[0])
    if pieces and pieces[-1].kind in (TEXT, VERBATIM):
        pieces[-1] = pieces[-1]._replace(end=trimmed(text, pieces[-1].start, pieces[-1].end)[1])
    return pieces


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The part of the text from start to end without white space around it."""
    part = text[start:end]
    start += len(part) - len(part.lstrip(SPACE))
    return start, max(start, end - len(part) + len(part.rstrip(SPACE)))
