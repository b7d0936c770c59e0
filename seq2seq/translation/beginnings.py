"""What translations of sentences begin with, or are: a prefix that was asked for, and lines that are a term."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from seq2seq.segments.glossary import Place
from seq2seq.segments.pairs import prefix_text
from seq2seq.segments.placing import Begun
from seq2seq.segments.reading import Reading, Sentence
from seq2seq.segments.sentences import sentences
from seq2seq.segments.words import with_capital
from seq2seq.translation.joining import marks_in

_BESIDE_TERM = re.compile(r"[\s.?!:;…。？！：；()\[\]\"“”„«»‹›*–—-]*")


class Beginning(NamedTuple):
    """What the translation of a sentence begins with."""

    text: str
    is_whole: bool = False  # it is all of it


def beginnings(prefix: str, count: int, reading: Reading | None, language: str) -> list[Beginning]:
    """What of a prefix belongs to each of `count` sentences: the first sentences of both, and the rest to the next one.

    `reading` is that of the source, `language` that of the prefix.
    """
    divides = prefix and count > 1 and reading is not None and reading.split
    starts = [begin for begin, _ in sentences(prefix, language)][:count] if divides else []
    found = [Beginning(prefix[a:b].rstrip(), is_whole=True) for a, b in pairwise(starts)]
    found.append(Beginning(prefix[starts[-1] if len(starts) > 1 else 0 :]))
    return (found + [Beginning("")] * count)[:count]


def as_written(prefix: str, sentence: Sentence, reading: Reading | None, values: int | None = None) -> Begun:
    """A prefix of the sentence's translation as the model writes it, with its first `values`, or all of them.

    Beside it the marks that the prefix holds, each with its place in the text.
    """
    if not (prefix and reading and (sentence.values or sentence.inner)):
        return prefix, []
    return prefix_text(prefix, sentence.values[:values], [inner.mark for inner in sentence.inner], reading)


def term_alone(sentence: Sentence, places: Sequence[Place], language: str) -> str:
    """The translation of a sentence that is a term with nothing but punctuation beside it; of others nothing."""
    text = sentence.text
    if len(places) != 1 or sentence.values:
        return ""
    begin, end, target = places[0]
    if not all(map(_BESIDE_TERM.fullmatch, (text[:begin], text[end:]))):
        return ""
    capital = with_capital(target) if text[begin].isupper() else ""
    return text[:begin] + (capital or target) + marks_in(text[end:], language)
