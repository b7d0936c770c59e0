"""Subtitles as events: cues that make one sentence are one segment, whose translation is divided among them again.

A mark of the kind ALONE, with a number as its code, stands in the segment where a cue ends and the next one begins.
This module knows neither the format of the file nor that of the texts.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from seq2seq.documents.document import Event, Slot
from seq2seq.documents.line_breaks import balanced, break_points, glue, ideographic, proportional
from seq2seq.documents.subtitles.cue_text import Piece, Syntax
from seq2seq.documents.text_files import TextFile, has_words
from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, Mark, Segment

LINE = 42  # columns of a line, if the source has no longer one
MOST_CUES = 6  # in a segment
PAUSE = 1000  # ms; a sentence does not go on after a longer one

_END = tuple(".!?。！？؟۔।:;")
_CLOSING = "\"'”’»)]）」』♪♫ "
_TIME = r"(?:([0-9]{1,6}):)?([0-9]{1,2}):([0-9]{1,2})(?:[.,:]([0-9]{1,3}))?"
_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?![\w:])")
_BROKEN = r"\S{0,40}"  # what may be part of a time: no more, or a long line would take quadratic time
_BROKEN_TIMES = re.compile(rf"\s*+(?:{_BROKEN}(?:\d:|:\d){_BROKEN}\s*+-->|{_BROKEN}\s*+-->\s*+\d+:\d)")
_TIME_ALONE = re.compile(rf"\s*{_TIME}\s*")


class Timed(NamedTuple):
    """A piece with its cue's place in the document and in time."""

    piece: Piece
    cue: int
    start: int  # ms
    end: int

    def text(self) -> str:
        """Its words."""
        return "".join(part for part in self.piece.parts if isinstance(part, str))


class Cue(NamedTuple):
    """The line with the times of a cue, and the lines up to the times of the next one."""

    header: str
    start: int  # ms
    end: int
    lines: list[str]


def milliseconds(text: str) -> int | None:
    """The time `0:00:01.50` in milliseconds, or None."""
    match = _TIME_ALONE.fullmatch(text)
    return _milliseconds(match.groups()) if match else None


def cues(lines: Iterable[str]) -> Iterator[str | Cue]:
    """The cues of a file in which `-->` stands between two times; before them, the lines before the first.

    Raises:
        InputError: one of the two is no time where a cue begins, which would be text of the cue before it.
    """
    cue: Cue | None = None
    earlier = before = ""  # the two lines before
    for number, line in enumerate(lines, 1):
        times = _TIMES.match(line) if "-->" in line else None
        if times:
            if cue:
                yield cue
            cue = Cue(line, _milliseconds(times.groups()[:4]), _milliseconds(times.groups()[4:]), [])
        elif "-->" in line and _BROKEN_TIMES.match(line) and _may_begin(earlier.strip(), before.strip()):
            raise InputError(f"line {number}: times such as 00:00:01,000 --> 00:00:02,000 were expected; correct them")
        elif cue:
            cue.lines.append(line)
        else:
            yield line
        earlier, before = before, line
    if cue:
        yield cue


def _may_begin(earlier: str, before: str) -> bool:
    """Whether a cue may begin after these two lines: behind a blank line, or behind the cue's name or number."""
    return not before or before.isdecimal() or (not earlier and "-->" not in before)


def cue_events(items: Iterable[str | Timed], syntax: Syntax, text: TextFile) -> Iterator[Event]:
    """The events of a subtitle file of its pieces and what stands between them."""
    group, after = list[str | Timed](), list[str]()  # a sentence so far, and what follows it
    count, seen, ended = 0, 1, 1
    for item in items:
        if isinstance(item, str):
            after.append(item)
            continue
        last = group[-1] if group else None
        punctuated = 4 * ended >= seen
        seen += 1
        ended += item.text().rstrip(_CLOSING).endswith(_END)
        if isinstance(last, Timed) and count < MOST_CUES and _goes_on(last, item, punctuated):
            group += [*after, item]
            count += 1
        else:
            if group:
                yield _slot(group, syntax, text)
            yield text.encode("".join(after))
            group, count = [item], 1
        after = []
    if group:
        yield _slot(group, syntax, text)
    yield text.encode("".join(after))


def divided(segment: Segment, borders: Sequence[int]) -> list[Segment]:
    """The segment cut at the positions; markup that is open at a border is closed before it and opened after it."""
    shares, opened = [list[str | Mark]()], list[Mark]()
    cuts, position = deque(borders), 0

    def cut() -> None:
        shares[-1].extend(Mark(0, CLOSE, mark.code[::-1]) for mark in reversed(opened))
        shares.append([*opened])
        cuts.popleft()

    for part in segment.parts():
        if isinstance(part, str):
            while cuts and cuts[0] < position + len(part):
                left, part = part[: cuts[0] - position], part[cuts[0] - position :]
                position += len(left)
                shares[-1].append(left)
                cut()
            shares[-1].append(part)
            position += len(part)
            continue
        if part.kind != CLOSE and cuts and cuts[0] == position:
            cut()
        if part.kind == OPEN:
            opened.append(part)
        elif part.kind == CLOSE:
            opened.pop()
        shares[-1].append(part)
    return [_stripped(share) for share in shares]


def _milliseconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3_600_000 + int(minutes) * 60_000 + int(seconds) * 1000 + int(fraction.ljust(3, "0"))


def _goes_on(last: Timed, item: Timed, punctuated: bool) -> bool:
    """Whether the sentence of the last piece goes on in the next one.

    `punctuated`: sentences of this document end with punctuation, so that one that does not is unfinished.
    """
    close = item.cue <= last.cue + 1 and last.start <= item.start <= last.end + PAUSE
    if not close or item.piece.speaks or item.piece.style != last.piece.style:
        return False
    before, after = last.text().rstrip(_CLOSING), item.text().lstrip()
    letter = next((character for character in after if character.isalnum()), "")
    if before.endswith(("…", "...")):
        return after.startswith(("…", "...")) or letter.islower()
    if before.endswith(_END) or after[:1] in "[(（【":
        return False
    if ideographic(letter) or "\u0e00" <= letter < "\u0f00":  # scripts that need no punctuation between sentences
        return before.endswith((",", "，", "、"))
    return letter.islower() or before.endswith(",") or punctuated


def _slot(group: Sequence[str | Timed], syntax: Syntax, text: TextFile) -> Slot:
    """The pieces of a sentence as one segment."""
    timed = [item for item in group if isinstance(item, Timed)]
    parts = list(timed[0].piece.parts)
    for number, (last, item) in enumerate(pairwise(timed), 1):
        parts += [glue(last.text().rstrip(), item.text().lstrip()), Mark(0, ALONE, number), *item.piece.parts]
    segment = Segment.of_parts([part for part in parts if part])

    def put(translation: Segment) -> bytes:
        if translation == segment:
            return text.encode("".join(item if isinstance(item, str) else item.piece.raw for item in group))
        shares = iter(_shares(translation, timed))
        return text.encode(
            "".join(item if isinstance(item, str) else _written(next(shares), item.piece, syntax) for item in group)
        )

    return Slot(segment, put)


def _shares(translation: Segment, timed: Sequence[Timed]) -> list[Segment]:
    """The translation divided among the pieces: at the marks if each piece receives words, otherwise by length."""
    marks = {mark.code: mark.position for mark in translation.marks if isinstance(mark.code, int)}
    words = Segment(translation.text, tuple(mark for mark in translation.marks if not isinstance(mark.code, int)))
    if len(timed) == 1:
        return [words]
    points = [0, *break_points(words.text), len(words.text)]
    borders = [min(points, key=lambda point: abs(point - position)) for _, position in sorted(marks.items())]
    ends = [0, *borders, len(words.text)]
    if len(ends) != len(timed) + 1 or not all(has_words(words.text[a:b]) for a, b in pairwise(ends)):
        borders = proportional(words.text, [len(item.text()) + 1 for item in timed])
    shares = divided(words, borders)
    return shares + shares[-1:] * (len(timed) - len(shares))  # fewer words than cues: the last one stays on the screen


def _stripped(parts: Sequence[str | Mark]) -> Segment:
    """The segment of the parts, without white space at its ends."""
    stripped = list(parts)
    for order, strip in ((range(len(stripped)), str.lstrip), (range(len(stripped) - 1, -1, -1), str.rstrip)):
        for index in order:
            if isinstance(part := stripped[index], str):
                stripped[index] = strip(part)
                if stripped[index]:
                    break
    return Segment.of_parts([part for part in stripped if part])


def _written(share: Segment, piece: Piece, syntax: Syntax) -> str:
    """The text of a cue: broken into lines like the source, with its tags."""
    text = re.sub(r"[\r\n]", " ", share.text)
    bare = ">" in syntax.tag.sub("", piece.raw) and "-->" not in text  # WebVTT may write it with a reference or without
    characters = [">" if bare and character == ">" else syntax.encode(character) for character in text]
    for point in balanced(text, piece.lines, max(LINE, piece.columns)):
        if text[point - 1].isspace():
            characters[point - 1] = piece.line_end
        else:
            characters[point] = piece.line_end + characters[point]
    written, start = list[str](), 0
    for mark in share.marks:
        written += [*characters[start : mark.position], mark.code if mark.kind == ALONE else mark.code[0]]
        start = mark.position
    return piece.before + "".join([*written, *characters[start:]]) + piece.after
