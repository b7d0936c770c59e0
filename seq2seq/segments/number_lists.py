"""Lists of numbers as one: "11, 18, 25 and 32" is "11, 18, 25 und 32" in German.

A model has read few sentences with more than two numbers, and would write words around each. What stands between the
numbers of a list is that of CLDR.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from seq2seq.segments.numbers import locale_of
from seq2seq.segments.words import UNSPACED_LANGUAGES, primary

LEAST = 3  # numbers of a list
_ALSO_AND = {"ja": "と"}  # CLDR has a comma alone

_GOES_ON = re.compile(r",?\s*\w")  # a word follows a list

Found = tuple[int, int, str]  # where it begins and ends in a text, and what it is in the target language


class _Between(NamedTuple):
    """What is written between the numbers of a list in a language."""

    comma: str
    last: dict[str, str]  # before the last number, for `and` and for `or`


def joined(text: str, numbers: Sequence[Found], src: str, tgt: str) -> Iterator[Found]:
    """The numbers of a text in order, those of each list as one.

    Where words have spaces, a list has "and" or "or" before its last number, or no word follows: in "on May 5, 2019, 3
    people" there is none.
    """
    if len(numbers) < LEAST or _between(src) is None or _between(tgt) is None:
        yield from numbers
        return
    first = 0
    while first < len(numbers):
        last, word = first, None
        while last + 1 < len(numbers) and word is None:
            if not (match := _pattern(src).fullmatch(text, numbers[last][1], numbers[last + 1][0])):
                break
            last, word = last + 1, match.lastgroup
        found = numbers[first : last + 1]
        begin, end, first = found[0][0], found[-1][1], last + 1
        if len(found) >= LEAST and (word or primary(src) in UNSPACED_LANGUAGES or not _GOES_ON.match(text, end)):
            yield begin, end, _written(text, found, word, src, tgt)
        else:
            yield from found


def goes_on(gap: str, language: str) -> bool:
    """Whether what stands between two numbers is what a list has there."""
    return _between(language) is not None and _pattern(language).fullmatch(gap) is not None


def listed(items: Sequence[str], language: str) -> str:
    """Several things as a language lists them, "and" before the last; empty if that is not known."""
    between = _between(language)
    return between.comma.join(items[:-1]) + last_words(language)["also"] + items[-1] if between else ""


def last_words(language: str) -> dict[str, str]:
    """What is written between two things for `also` and `either`: " and ", " or "; empty if it is not known."""
    between = _between(language)
    return (between.last | {"also": _ALSO_AND.get(primary(language), between.last["also"])}) if between else {}


def _written(text: str, numbers: Sequence[Found], word: str | None, src: str, tgt: str) -> str:
    """A list in the target language; in its own with what stands between its numbers."""
    between = _between(tgt)
    assert between is not None
    gaps = [between.comma] * (len(numbers) - 2) + [between.last[word] if word else between.comma]
    if primary(src) == primary(tgt):
        gaps = [text[one[1] : other[0]] for one, other in pairwise(numbers)]
    codes = [code for _, _, code in numbers]
    return codes[0] + "".join(gap + code for gap, code in zip(gaps, codes[1:], strict=True))


@cache
def _between(language: str) -> _Between | None:
    """What is written in a language that CLDR knows; None where it is no comma."""
    locale = locale_of(language)
    patterns = locale.list_patterns if locale else {}
    if not {"standard", "or"} <= set(patterns):
        return None
    comma, also, either = (
        patterns[style][place].replace("{0}", "").replace("{1}", "")
        for style, place in (("standard", "middle"), ("standard", "2"), ("or", "2"))
    )
    return _Between(comma, {"also": also, "either": either}) if comma.strip() in (",", "、") else None


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """What stands between two numbers: a comma, or a word before the last of them."""
    between = _between(language)
    assert between is not None
    if between.comma.strip() == "、":
        also, either = _ALSO_AND.get(primary(language), between.last["also"]), between.last["either"]
        return re.compile(rf"[、,，]?\s*(?:(?P<also>{also})|(?P<either>{either}))\s*|[、,，]\s*")
    also, either = (re.escape(word.strip()) for word in between.last.values())
    return re.compile(rf",?\s+(?:(?P<also>{also})|(?P<either>{either}))\s+|,\s+", re.IGNORECASE)
