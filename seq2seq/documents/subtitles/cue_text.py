"""The text of a subtitle: its words, and what stands around and between them. Knows no times and no file format."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from seq2seq.documents.line_breaks import glue, width
from seq2seq.documents.text_files import has_words, trimmed
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, Mark


class Syntax(NamedTuple):
    """What a subtitle format puts into its texts."""

    tag: re.Pattern[str]  # with one group: all of it
    line_end: re.Pattern[str]  # with one group: all of it
    decode: Callable[[str], str]  # what a person reads, of text without tags
    encode: Callable[[str], str]


class Piece(NamedTuple):
    """Text of one cue, or of one of several speakers in it: what is translated, alone or with the next piece."""

    raw: str  # as it stands in the document
    before: str  # of it: tags and signs before the words
    parts: list[str | Mark]  # of it: the words, with tags between them
    after: str
    speaks: bool  # whether it begins with a dash
    style: str  # tags and signs around the words: pieces of one sentence have the same
    lines: int
    columns: int  # of the longest line
    line_end: str  # what stands between two lines


_LEADING = re.compile(r"(?:\s|[♪♫])+|[-–—‐]+(?=\D|$)")
_TRAILING = re.compile(r"[\s♪♫]+$")
_DASH = re.compile(r"[-–—‐](?=\s?[^\W\d_]|\s?[\"'“„«¿¡(\[]|\s[0-9])")
_TAG_NAME = re.compile(r"<(/?)([A-Za-z]+)")
_BRACKETS = {"[": "]", "(": ")", "（": "）", "【": "】", "［": "］"}


def pieces(raw: str, syntax: Syntax, line_end: str) -> Iterator[str | Piece]:
    """The pieces of the text of a cue, and what stands before, between and after them; without blank lines."""
    divided = syntax.line_end.split(raw)
    lines = [line + end for line, end in zip(divided[::2], [*divided[1::2], ""], strict=True)]
    begins = [_DASH.match(syntax.tag.sub("", line).lstrip()) is not None for line in lines]
    starts = [0, *(i for i in range(1, len(lines)) if begins[i])]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        before, text, after = trimmed("".join(lines[start:end]))
        if after == "" and end < len(lines) and (found := re.search(rf"(?:{syntax.line_end.pattern})$", text)):
            text, after = text[: found.start()], found[0]  # a line end that is not white space
        piece = _piece(text, syntax, line_end) if has_words(text) else None
        yield before
        yield piece or text
        yield after


def _piece(raw: str, syntax: Syntax, line_end: str) -> Piece | None:
    """The words of the text and what is around them; None if there are no words."""
    parts = _paired([part for part in _parts(raw, syntax) if part])
    lines = [syntax.tag.sub("", line) for line in syntax.line_end.split(raw)[::2]]
    before, after, speaks = list[str](), list[str](), False
    while parts:
        first, last = parts[0], parts[-1]
        if isinstance(first, str) and (signs := _LEADING.match(first)):
            before.append(syntax.encode(signs[0]))
            speaks |= not signs[0][0].isspace() and signs[0][0] not in "♪♫"
            parts[:1] = filter(None, [first[signs.end() :]])
        elif isinstance(last, str) and (signs := _TRAILING.search(last)):
            after.append(syntax.encode(signs[0]))
            parts[-1:] = filter(None, [last[: signs.start()]])
        elif isinstance(first, Mark) and first.kind == ALONE:
            before.append(first.code)
            del parts[0]
        elif isinstance(last, Mark) and last.kind == ALONE:
            after.append(last.code)
            del parts[-1]
        elif isinstance(first, Mark) and isinstance(last, Mark) and _partner(parts) == len(parts) - 1:
            before.append(first.code[0])
            after.append(last.code[0])
            parts = parts[1:-1]
        elif len(parts) == 1 and isinstance(first, str) and _bracketed(first):
            before.append(first[0])
            after.append(first[-1])
            parts = [first[1:-1]]
        else:
            break
    if not has_words("".join(part for part in parts if isinstance(part, str))):
        return None
    style = "".join([*before, "|", *reversed(after)])
    return Piece(
        raw,
        "".join(before),
        _spaced(parts),
        "".join(reversed(after)),
        speaks,
        re.sub(r"\s+|(?<![\w{<])[-–—‐]+", "", style),
        len(lines),
        max(map(width, lines)),
        line_end,
    )


def _parts(raw: str, syntax: Syntax) -> Iterator[str | Mark]:
    """Texts with spaces for line ends, and tags as marks of the kind ALONE."""
    for number, part in enumerate(syntax.tag.split(raw)):
        if number % 2:
            yield Mark(0, ALONE, part)
            continue
        lines = syntax.line_end.split(part)[::2]
        text = lines[0]
        for line in lines[1:]:
            text = text.rstrip() + glue(text.rstrip(), line.lstrip()) + line.lstrip()
        yield syntax.decode(text)


def _paired(parts: Sequence[str | Mark]) -> list[str | Mark]:
    """The parts with tags that belong together as OPEN and CLOSE; the code of each is itself and its partner."""
    paired, opened = list(parts), list[tuple[str, int]]()
    for index, part in enumerate(parts):
        if isinstance(part, str) or not (tag := _TAG_NAME.match(part.code)):
            continue
        name = tag[2].lower()
        if not tag[1]:
            opened.append((name, index))
        elif any(name == other for other, _ in opened):
            while (start := opened.pop())[0] != name:
                pass  # an OPEN inside that is not closed stays ALONE
            partner = parts[start[1]]
            assert isinstance(partner, Mark)
            paired[start[1]] = Mark(0, OPEN, (partner.code, part.code))
            paired[index] = Mark(0, CLOSE, (part.code, partner.code))
    return paired


def _partner(parts: Sequence[str | Mark]) -> int:
    """The index of the CLOSE that ends the OPEN at the beginning, or -1."""
    depth = 0
    for index, part in enumerate(parts):
        if isinstance(part, Mark):
            depth += (part.kind == OPEN) - (part.kind == CLOSE)
        if depth == 0:
            return index if index else -1
    return -1


def _bracketed(text: str) -> bool:
    """Whether the text as a whole stands in brackets."""
    end = _BRACKETS.get(text[0])
    return end is not None and text.endswith(end) and text.count(text[0]) == 1 and text.count(end) == 1


def _spaced(parts: Sequence[str | Mark]) -> list[str | Mark]:
    """The parts with single spaces."""
    spaced, before = list[str | Mark](), ""
    for part in parts:
        if isinstance(part, str):
            part = re.sub(r"[ \t]+", " ", part)
            part = part.removeprefix(" ") if before == " " else part
            before = part[-1:] or before
        if part:
            spaced.append(part)
    return spaced
