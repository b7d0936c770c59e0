"""Links between the words of a text and of its translation, from those between their characters."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from seq2seq.segments.keeping import Kept
from seq2seq.segments.placing import Link
from seq2seq.segments.reading import Part, Sentence
from seq2seq.segments.segment import VALUE, Mark


def between_words(parts: Sequence[Part], text: str, links: Iterable[Link]) -> list[list[int]]:
    """Links between characters as links between words: pairs of their numbers, from 0 on, in order.

    Args:
        parts: the source; links count the characters of its text without what is kept.
        text: the translation.
        links: a character of the source, and the character of the translation that is aligned to it.
    """
    source = "".join(p if isinstance(p, str) else _source_of(p) for p in _source_parts(parts))
    src_words, tgt_words = word_ends(source), word_ends(text)
    places, shifts = _shifts(parts)
    found = {
        (word_at(source, src_words, a + shifts[bisect_left(places, a)]), word_at(text, tgt_words, b)) for a, b in links
    }
    return sorted([a, b] for a, b in found)


def _source_parts(parts: Sequence[Part]) -> Iterator[str | Mark]:
    """The text and the marks of the source, in order."""
    return chain.from_iterable(p.parts if isinstance(p, Sentence) else [p] for p in parts)


def _shifts(parts: Sequence[Part]) -> tuple[list[int], list[int]]:
    """How far a place in the source is from its place in the text without what is kept.

    Places up to `places[i]` that are after the one before it are shifted by `shifts[i]`; the last shift is that of
    all that follow. What is kept in the place of a word begins at its place.
    """
    places, shifts = list[int](), list[int]()
    at = shift = 0
    for part in _source_parts(parts):
        if isinstance(part, str):
            at += len(part)
        else:
            place = at if part.kind == VALUE else at - 1
            places.append(max([place, *places[-1:]]))
            shifts.append(shift)
            shift += len(_source_of(part))
    return places, [*shifts, shift]


def _source_of(mark: Mark) -> str:
    """What stood in the text of the source in the place of a mark."""
    return mark.code.source if isinstance(mark.code, Kept) else ""


def word_ends(text: str) -> list[int]:
    """Where each word of a text ends; words are what stands between spaces."""
    ends, start = list[int](), 0
    for word in text.split(" "):
        start += len(word)
        if word:
            ends.append(start)
        start += 1
    return ends


def word_at(text: str, ends: Sequence[int], place: int) -> int:
    """The number of the word that holds the character at `place`; of a space the next word, or the last."""
    return max(0, min(bisect_left(ends, place + 1), len(ends) - 1))
