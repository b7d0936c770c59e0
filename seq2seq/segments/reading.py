"""A segment as the sentences that a model reads, and what stands between them.

Each sentence is normalised. In the place of a VALUE stands a numbered piece, a character of private use that the
model's tokenizer knows; for a model without such pieces, nothing stands there. Other marks leave no trace in the text;
`placing` puts them into the translation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from seq2seq.segments.glossary import Place, Terms, with_term_values
from seq2seq.segments.keeping import Keeping, Kept, keep
from seq2seq.segments.normalisation import VERSION, normalise
from seq2seq.segments.pieces import piece
from seq2seq.segments.segment import ALONE, BREAK, CLOSE, OPEN, VALUE, Mark, Segment
from seq2seq.segments.sentences import Span, sentences

NO_TERMS = Terms()
_STAND_IN = "Qqqq"  # of a VALUE, where sentences are looked for: a word that no language has


@dataclass(frozen=True)
class Reading:
    """How segments are read for a model.

    Args:
        src: the language that is translated from.
        keeping: what is kept.
        split: whether sentences are translated one by one.
        normalisation: the model's version of `normalise`; 0 for none.
        pieces: how many numbered pieces the model's tokenizer has; 0 for none.
    """

    src: str = ""
    keeping: Keeping = field(default_factory=Keeping)
    split: bool = True
    normalisation: int = VERSION
    pieces: int = 0


class Inner(NamedTuple):
    """A mark inside of a sentence, before the character at `position` of its text."""

    position: int
    mark: Mark
    before: str  # the character before it in the source; a space at the ends of the sentence
    after: str  # the character after it in the source


class Sentence(NamedTuple):
    """What a model translates at once."""

    text: str  # normalised, with pieces
    origins: Sequence[int]  # for each character, and for the end, its place in the text of the segment
    values: tuple[Mark, ...]  # that pieces 0, 1, ... stand for
    inner: tuple[Inner, ...]  # the other marks, in order
    parts: tuple[str | Mark, ...]  # as it stands in the segment


Part = str | Mark | Sentence
_BRACKETS = ("()", "[]", "（）")


def read(segment: Segment, reading: Reading) -> list[Part]:
    """The segment's sentences, and the white space and marks outside of them, in order.

    What has no letter is no sentence; a segment may have none. The text of the whole is that of `keep(segment)`.
    """
    return read_kept(keep(segment, reading.keeping), reading)


def read_kept(segment: Segment, reading: Reading, terms: Terms = NO_TERMS) -> list[Part]:
    """As `read`, for a segment with marks for what is kept.

    No sentence ends inside of a term; in what is no sentence, terms are values.
    """
    result, position = list[Part](), 0
    for in_sentence, parts in _divided(segment, reading, terms):
        before, inside, after = _peeled(parts) if in_sentence else (parts, [], [])
        length = sum(len(p) for p in before if isinstance(p, str))
        result += before
        text = "".join(part for part in inside if isinstance(part, str))
        if text.strip() if reading.keeping.nothing else any(map(str.isalpha, text)):
            result.append(_sentence(inside, position + length, reading))
        else:
            inside = with_term_values(Segment.of_parts(inside), terms, everywhere=True).parts()
            result += inside
        result += after
        position += sum(len(p) for p in [*before, *inside, *after] if isinstance(p, str))
    return result


def _divided(segment: Segment, reading: Reading, terms: Terms) -> list[tuple[bool, list[str | Mark]]]:
    """The parts of each sentence and of each gap between them, in order, and whether it is a sentence."""
    result = list[tuple[bool, list[str | Mark]]]()
    for breaks, run in groupby(segment.parts(), lambda part: isinstance(part, Mark) and part.kind == BREAK):
        parts = list(run)
        result += [(False, parts)] if breaks else _by_sentence(parts, reading, terms)
    return result


def _by_sentence(parts: list[str | Mark], reading: Reading, terms: Terms) -> list[tuple[bool, list[str | Mark]]]:
    """As `_divided`, for parts without a BREAK."""
    flats = [_flat(parts, i) for i in range(len(parts))]
    flat = "".join(flats)
    spans = _joined(sentences(flat, reading.src), terms.places(flat)) if reading.split else [(0, len(flat))]
    bounds = [0, *(place for span in spans for place in span), len(flat)]
    groups: list[list[str | Mark]] = [[] for _ in bounds[1:]]  # gap, sentence, gap, sentence .. gap
    group, place = 0, 0
    for part, length in zip(parts, map(len, flats), strict=True):
        while group < len(groups) - 1 and _belongs_later(part, place, bounds[group + 1], group):
            group += 1
        if isinstance(part, Mark):
            groups[group].append(part)
        else:
            start = 0
            while place + length > bounds[group + 1] and group < len(groups) - 1:
                cut = bounds[group + 1] - place
                groups[group] += [part[start:cut]] if cut > start else []
                start, group = max(cut, start), group + 1
            groups[group] += [part[start:]] if start < length else []
        place += length
    return [(number % 2 == 1, parts) for number, parts in enumerate(groups)]


def _joined(spans: Sequence[Span], places: Sequence[Place]) -> list[Span]:
    """The spans of sentences in order, those as one between which a term stands."""
    result = list[Span]()
    for start, end in spans:
        if result and any(place.begin < result[-1][1] and place.end > start for place in places):
            start = result.pop()[0]
        result.append((start, end))
    return result


def _flat(parts: Sequence[str | Mark], i: int) -> str:
    """What stands for a part where sentences are looked for."""
    part = parts[i]
    if isinstance(part, str):
        return part
    if part.kind == VALUE:
        code = str(part.code) if isinstance(part.code, Kept) else ""
        return code if code[:1].isdigit() and code.isprintable() and " " not in code else _STAND_IN
    if part.kind == ALONE and isinstance(part.code, Kept) and part.code[:1].isdigit():  # by it the next item is found
        return part.code.source
    before, after = (parts[j] if 0 <= j < len(parts) else " " for j in (i - 1, i + 1))
    glued = isinstance(before, str) and isinstance(after, str) and not before[-1].isspace() and not after[0].isspace()
    return " " if part.kind == ALONE and glued else ""


def _belongs_later(part: str | Mark, place: int, end: int, group: int) -> bool:
    """Whether a part at this place stands after the group that ends at `end`; groups of odd numbers are sentences."""
    if place != end:
        return place > end
    if isinstance(part, str) or part.kind in (OPEN, VALUE):
        return True
    return group % 2 == 0 and part.kind == ALONE


def _peeled(parts: list[str | Mark]) -> tuple[list[str | Mark], list[str | Mark], list[str | Mark]]:
    """A sentence without the marks and white space at its ends, which stand outside; those before and those after."""
    partners = _partners(parts)
    start, end = 0, len(parts)
    while start < end and (_is_outer(parts, start, end, partners, first=True)):
        start += 1
    while end > start and (_is_outer(parts, start, end, partners, first=False)):
        end -= 1
    before, inside, after = parts[:start], parts[start:end], parts[end:]
    if inside and isinstance(inside[0], str) and (text := inside[0].lstrip()) != inside[0]:
        before.append(inside[0][: len(inside[0]) - len(text)])
        inside[0] = text
    if inside and isinstance(inside[-1], str) and (text := inside[-1].rstrip()) != inside[-1]:
        after.insert(0, inside[-1][len(text) :])
        inside[-1] = text
    if (brackets := _around(inside)) and isinstance(inside[0], str) and isinstance(inside[-1], str):
        before.append(brackets[0])
        after.insert(0, brackets[1])
        inside[0] = inside[0][1:]
        inside[-1] = inside[-1][:-1]
    return before, [part for part in inside if part], after


def _around(parts: Sequence[str | Mark]) -> str:
    """The two brackets around all of a sentence; empty if there are none, or others in it."""
    text = "".join(part if isinstance(part, str) else "\ufffc" for part in parts)
    ends = text[:1] + text[-1:]
    inside = text[1:-1]
    return ends if ends in _BRACKETS and inside == inside.strip() and not set(ends) & set(inside) else ""


def _partners(parts: Sequence[str | Mark]) -> dict[int, int]:
    """The place of the other end of each OPEN and CLOSE that has one here."""
    partners, opened = dict[int, int](), list[int]()
    for i, part in enumerate(parts):
        if isinstance(part, Mark) and part.kind == OPEN:
            opened.append(i)
        elif isinstance(part, Mark) and part.kind == CLOSE and opened:
            j = opened.pop()
            partners |= {i: j, j: i}
    return partners


def _is_outer(parts: Sequence[str | Mark], start: int, end: int, partners: dict[int, int], first: bool) -> bool:
    """Whether the first, or the last, of the parts from start to end stands outside of the words."""
    i = start if first else end - 1
    part = parts[i]
    if isinstance(part, str):
        return part.isspace()
    if part.kind in (ALONE, VALUE):
        return part.kind == ALONE
    partner = partners.get(i)
    if partner is None or not start <= partner < end:
        return True
    between = parts[partner + 1 : end] if first else []
    return first and all(isinstance(p, Mark) and p.kind != VALUE for p in between)


def _sentence(parts: Sequence[str | Mark], start: int, reading: Reading) -> Sentence:
    """The sentence of these parts, whose text begins at `start` in the text of the segment."""
    text, origins = "", list[int]()
    values, inner = list[Mark](), list[Inner]()
    for i, part in enumerate(parts):
        if isinstance(part, str):
            normalised = normalise(part, reading.normalisation)
            skip = bool(text.endswith(" ") or not text) and normalised.text.startswith(" ")
            text += normalised.text[skip:]
            origins += [start + origin for origin in normalised.origins[skip:-1]]
            start += len(part)
            continue
        if part.kind == VALUE and len(values) < reading.pieces:
            text += piece(len(values))
            origins.append(start)
            values.append(part)
            continue
        before, after = _character(parts[:i][::-1], -1), _character(parts[i + 1 :], 0)
        if before.isspace() and text.endswith(" ") and not after.isalnum():
            text, origins = text[:-1], origins[:-1]
        if part.kind in (ALONE, VALUE) and before.isalnum() and after.isalnum() and not text.endswith(" "):
            text += " "
            origins.append(start)
        inner.append(Inner(len(text), part, before, after))
    return Sentence(text, [*origins, start], tuple(values), tuple(inner), tuple(parts))


def _character(parts: Sequence[str | Mark], at: int) -> str:
    """The first (at 0) or last (at -1) character of the first part that has one; a space at the ends of a sentence."""
    for part in parts:
        if isinstance(part, str):
            return part[at]
        if part.kind == VALUE:
            return "x"  # it stands in the place of a word
    return " "
