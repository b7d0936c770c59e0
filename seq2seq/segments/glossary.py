"""Terms: a glossary's phrases and their translations, found in a text, and phrases that no translation has.

A phrase is found as whole words, in a script without spaces wherever it is no part of a longer word as far as the
letters beside tell; one in small letters in any case,
another as it is written. At a place the longest phrase is found, from left to right, so that none overlaps another.
Phrases are compared as models read text: composed, with one form of quotes, dashes and spaces.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from seq2seq.errors import InputError
from seq2seq.segments.keeping import Kept
from seq2seq.segments.normalisation import normalise, plain
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark, Segment
from seq2seq.segments.words import fold, is_boundary, is_small, with_capital

# One kanji beside another one, or up to three katakana beside others: in Japanese mostly a part of a longer word.
_KANA, _KANJI, _KATAKANA = re.compile("[\u3041-\u30fa]"), "[\u3400-\u9fff々]", "[\u30a1-\u30faー]"
_PART_OF_WORD = re.compile(
    rf"{_KANJI}<{_KANJI}>|<{_KANJI}>{_KANJI}|{_KATAKANA}<{_KATAKANA}{{1,3}}>|<{_KATAKANA}{{1,3}}>{_KATAKANA}"
)
MOST_CHARACTERS = 200  # of a phrase: the time of a search grows with it
_RESERVED = "\u2581\u2585\ufffd"  # tokenizers use them for themselves, as they do characters of private use


class Term(NamedTuple):
    """A phrase and its translation."""

    source: str
    target: str


class Place(NamedTuple):
    """Where a phrase of a glossary stands in a text."""

    begin: int
    end: int
    target: str  # its translation


class Glossary(NamedTuple):
    """The terms of a glossary, and its direction, if it names one."""

    terms: tuple[Term, ...]
    direction: tuple[str, str] | None = None


@dataclass(frozen=True)
class Terms:
    """A glossary, and phrases to avoid.

    Raises:
        InputError: a translation of the glossary holds a phrase to avoid.
    """

    glossary: tuple[Term, ...] = ()  # of two for one phrase the last counts
    avoided: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for source, target in self.glossary if self.avoided else ():
            if found := self.avoided_places(target):
                raise InputError(
                    f"{found[0].target!r} is to be avoided, but the glossary has {target!r} for {source!r}; "
                    "leave one of them out"
                )

    def __bool__(self) -> bool:
        return bool(self.glossary or self.avoided)

    @cached_property
    def _finders(self) -> "tuple[_Finder, _Finder]":
        """What finds the phrases of the glossary: as they are, and in any case."""
        return _finders(self.glossary)

    @cached_property
    def _avoided_finders(self) -> "tuple[_Finder, _Finder]":
        """What finds the phrases to avoid: as they are, and in any case."""
        return _finders([(phrase, phrase) for phrase in self.avoided])

    def places(self, text: str, any_case: bool = False) -> list[Place]:
        """Where phrases of the glossary stand in a text, in order; with `any_case` in any case."""
        found = self._finders[any_case].places(text) if self.glossary else []
        if found and _KANA.search(text):
            found = [place for place in found if not _PART_OF_WORD.search(_around(text, place))]
        return found

    def avoided_places(self, text: str, any_case: bool = False) -> list[Place]:
        """Where phrases to avoid stand in a text, in order; with `any_case` in any case. The target is the phrase."""
        return self._avoided_finders[any_case].places(text) if self.avoided else []

    def also_avoiding(self, choices: Iterable[Sequence[str]]) -> "Terms | None":
        """These terms, with the first phrase of each choice that the glossary does not ask for; None: there is none."""
        terms = self
        for phrases in choices:
            for phrase in phrases:
                with suppress(InputError):
                    terms = Terms(self.glossary, (*terms.avoided, avoided_phrase(phrase)))
                    break
        return None if terms is self else terms


def _around(text: str, place: Place) -> str:
    """What was found between marks, with a character of each side."""
    begin, end = place.begin, place.end
    return f"{text[begin - 1 : begin]}<{text[begin:end]}>{text[end : end + 1]}"


class _Finder:
    """Finds phrases in texts."""

    def __init__(self, terms: Iterable[tuple[str, str]]) -> None:
        self.exact, self.small = dict[str, str](), dict[str, str]()
        for source, target in terms:
            phrase = normalise(source).text
            if is_small(phrase):
                self.small[fold(phrase)] = target
            else:
                self.exact[phrase] = target
                if capital := with_capital(phrase):  # as it begins a sentence: oh my God, Oh my God
                    self.exact.setdefault(capital, target)
        self.lengths = sorted({*map(len, self.exact), *map(len, self.small)}, reverse=True)
        self.firsts = {fold(phrase[0]) for phrase in [*self.exact, *self.small]}

    def places(self, text: str) -> list[Place]:
        """Where the phrases stand in the text as it is normalised, in places of the text as it is."""
        text, origins = normalise(text)
        small, found, begin = fold(text), list[Place](), 0
        while begin < len(text):
            end = begin
            if small[begin] in self.firsts and is_boundary(text[begin - 1 : begin], text[begin]):
                end = self._end(text, small, begin)
            if end > begin:
                phrase, target = text[begin:end], self.small.get(small[begin:end], "")
                found.append(Place(origins[begin], origins[end], self.exact.get(phrase, target)))
            begin = max(end, begin + 1)
        return found

    def _end(self, text: str, small: str, begin: int) -> int:
        """Where the longest phrase that begins here ends; `begin` if none does."""
        for length in self.lengths:
            end = begin + length
            known = text[begin:end] in self.exact or small[begin:end] in self.small
            if known and end <= len(text) and is_boundary(text[end - 1], text[end : end + 1]):
                return end
        return begin


def _finders(terms: Sequence[tuple[str, str]]) -> tuple[_Finder, _Finder]:
    """What finds phrases as they are, and in any case: STRASSE is Straße then."""
    small = [(fold(source), target) for source, target in terms]
    capitals = [(source.replace("ß", "ss"), target) for source, target in small if "ß" in source]
    return _Finder(terms), _Finder([*capitals, *small])


def term_of(source: str, target: str) -> Term:
    """A term of a glossary.

    Raises:
        InputError: one of its phrases is empty, or cannot be asked for.
    """
    return Term(_checked(source, "the source phrase"), _checked(target, "the target phrase"))


def avoided_phrase(phrase: str) -> str:
    """A phrase to avoid.

    Raises:
        InputError: it is empty, or cannot be asked for.
    """
    return plain(_checked(phrase, "the phrase"))


def _checked(phrase: str, name: str) -> str:
    """A phrase without white space at its ends, composed (Unicode's NFC).

    Raises:
        InputError: it is empty or too long, or holds a character that cannot be asked for.
    """
    phrase = unicodedata.normalize("NFC", phrase.strip())
    if len(phrase) > MOST_CHARACTERS:
        raise InputError(f"{name} {phrase[:30]!r}.. has more than {MOST_CHARACTERS} characters; shorten it")
    if not normalise(phrase).text.strip():
        raise InputError(f"{name} is empty; write one, or leave the line out")
    for letter in phrase:
        if letter in _RESERVED or "\ue000" <= letter <= "\uf8ff" or unicodedata.category(letter) in ("Cc", "Cs"):
            raise InputError(f"{name} holds the character U+{ord(letter):04X}, which cannot be asked for; leave it out")
    return phrase


def glossary_of(pairs: Iterable[tuple[str, str]]) -> Glossary:
    """The glossary of pairs of a source phrase and its translation.

    Raises:
        InputError: a phrase cannot be asked for, or one phrase has two translations.
    """
    terms = dict[str, Term]()
    for pair in pairs:
        term = term_of(*pair)
        before = terms.setdefault(normalise(term.source).text, term)
        if before.target != term.target:
            raise InputError(
                f"the glossary has {before.target!r} and {term.target!r} for {term.source!r}; leave one of them out"
            )
    return Glossary(tuple(terms.values()))


# The direction that the columns of a first line name; None if they are a term.
Header = Callable[[str, str], tuple[str, str] | None]


def parse_glossary(lines: Iterable[str], name: str, header: Header = lambda src, tgt: None) -> Glossary:
    """The terms of a glossary: a source phrase, a tab and its translation on each line.

    Lines without text, and lines that begin with #, are left out. The first line may name the two languages.

    Args:
        lines: of the glossary.
        name: of it, for messages.
        header: finds the direction that the first line may name.

    Raises:
        InputError: a line is wrong, or one phrase has two translations; with its number.
    """
    direction, terms = None, dict[str, tuple[int, Term]]()
    for number, line in enumerate(lines, 1):
        line = line.strip("\r\n")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        columns = line.split("\t")
        try:
            if len(columns) != 2:
                found = "no tab" if len(columns) == 1 else f"{len(columns) - 1} tabs"
                raise InputError(f"it has {found}; write a source phrase, one tab and a target phrase")
            term = term_of(*columns)
        except InputError as e:
            raise InputError(f"{name}, line {number}: {e}") from None
        if direction is None and not terms and (direction := header(*term)):
            continue
        key = normalise(term.source).text
        first, before = terms.setdefault(key, (number, term))
        if before.target != term.target:
            raise InputError(
                f"{name}, line {number}: {term.source!r} has another translation in line {first}; leave one of them out"
            )
    return Glossary(tuple(term for _, term in terms.values()), direction)


def parse_avoided(lines: Iterable[str], name: str) -> tuple[str, ...]:
    """The phrases of a list, one on each line; lines without text, and lines that begin with #, are left out.

    Raises:
        InputError: a phrase cannot be avoided; with the number of its line.
    """
    phrases = dict[str, None]()
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                phrases[avoided_phrase(line)] = None
            except InputError as e:
                raise InputError(f"{name}, line {number}: {e}") from None
    return tuple(phrases)


def merged(glossaries: Iterable[Glossary]) -> tuple[Term, ...]:
    """The terms of several glossaries; for one phrase that of the last counts."""
    terms = {normalise(term.source).text: term for each in glossaries for term in each.terms}
    return tuple(terms.values())


_OBJECT = "\ufffc"  # stands for a document's object, such as a picture: no term holds one


def with_term_values(segment: Segment, terms: Terms, everywhere: bool = False) -> Segment:
    """A segment of `keep`, with the terms that hold what is kept, such as "Windows 10", as values themselves.

    So are those beside letters that are kept, with these: 東京 in 東京都. With `everywhere`, all terms are values.

    What stands in their place is the translation that the glossary has. A term does not begin or end inside of what is
    kept. Markup around words is no part of the text; that inside of such a term follows it.
    """
    if not terms.glossary or not (everywhere or any(map(_is_value, segment.marks))):
        return segment
    parts, spans, text = segment.parts(), list[tuple[int, int]](), ""
    for part in parts:
        written = _as_written(part)
        spans.append((len(text), len(text) + len(written)))
        text += written
    values = [span for part, span in zip(parts, spans, strict=True) if _is_value(part)]
    result, at, places = list[str | Mark](), 0, terms.places(text)
    words = [(a, b) for a, b in values if text[a:b].isalpha() and all(b <= p.begin or p.end <= a for p in places)]
    for place in places:
        inside = [(begin, end) for begin, end in values if begin < place.end and end > place.begin]
        begin = next((a for a, b in words if at <= a and b == place.begin), place.begin)
        end = next((b for a, b in words if a == place.end), place.end)
        if not (inside or everywhere or (begin, end) != place[:2]):
            continue
        if inside and (inside[0][0] < place.begin or inside[-1][1] > place.end):
            continue
        code = text[begin : place.begin] + place.target + text[place.end : end]
        before, inside_of_it = (
            [part for part in _cut(parts, spans, *ends) if isinstance(part, Mark) and not _is_value(part)]
            for ends in ((begin, begin + 1), (begin + 1, end))
        )
        result += [
            *_cut(parts, spans, at, begin),
            *before,
            Mark(0, VALUE, Kept.of(code, text[begin:end])),
            *inside_of_it,
        ]
        at = end
    result += _cut(parts, spans, at, len(text))
    result += [part for part, (begin, end) in zip(parts, spans, strict=True) if begin == end == len(text)]
    return Segment.of_parts(result)


def _as_written(part: str | Mark) -> str:
    """What a part is in the text that terms are looked for in."""
    if isinstance(part, str):
        return part
    if part.kind in (OPEN, CLOSE):
        return ""
    if isinstance(part.code, Kept):
        return part.code.source
    return _OBJECT if part.kind == VALUE else "\n"


def _is_value(part: str | Mark) -> bool:
    """Whether a part is kept itself, and no markup around words."""
    return isinstance(part, Mark) and (part.kind == VALUE or (part.kind == ALONE and isinstance(part.code, Kept)))


def _cut(parts: Sequence[str | Mark], spans: Sequence[tuple[int, int]], start: int, stop: int) -> list[str | Mark]:
    """The parts from `start` to before `stop`, with the spans of all of them; texts are cut, marks are whole."""
    result = list[str | Mark]()
    for part, (begin, _) in zip(parts, spans, strict=True):
        if isinstance(part, Mark):
            result += [part] if start <= begin < stop else []
        elif text := part[max(start - begin, 0) : max(stop - begin, 0)]:
            result.append(text)
    return result
