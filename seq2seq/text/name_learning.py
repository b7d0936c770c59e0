"""Learns from training text in which directions words with a capital that a model does not know are names.

Words that the text holds once tell what an unknown one is: where at least a third of those with a capital stand in the
translation as well, an unknown one is kept. (Of unknown words that are no names a model translates few.) This is so in
English, French, Spanish and Dutch, and not in German, where nouns have a capital, nor in translations to another
script. It is told apart for the first word of a sentence.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from seq2seq.segments.names import CAPITALS, capitalised
from seq2seq.segments.normalisation import normalise
from seq2seq.text.directions import Direction
from seq2seq.text.known_words import KnownWords
from seq2seq.text.mapped import Joined, digest, side
from seq2seq.text.sources import Pair

MOST_LINES, MOST_PAIRS = 1_000_000, 200_000  # evenly spread, that are looked at
EVIDENCE = 20  # words that stand once; fewer tell nothing
_CHUNK = 10_000  # lines that are in memory at once
_WORD = re.compile(rf"\b[{CAPITALS}{CAPITALS.lower()}][^\W\d_]+\b")  # what could be a name, were it with a capital

Trains = Mapping[Direction, Sequence[Pair]]
T = TypeVar("T")


def learn_names(trains: Trains) -> KnownWords:
    """The words of training text, by direction."""
    words, kept = dict[str, str](), dict[Direction, tuple[bool, bool]]()
    for src in dict.fromkeys(src for src, _ in trains):
        counts = _counted(_sources(trains, src))
        once = {word for word, count in counts.items() if count == 1}
        for direction, pairs in trains.items():
            if direction[0] == src and any(places := _kept(pairs, once)):
                kept[direction] = places
                words[src] = " ".join(sorted(counts.keys() - once))
    return KnownWords(words, kept)


def with_text(known: KnownWords, trains: Trains) -> KnownWords:
    """The known words and those of more training text; what is kept stays."""
    words = dict[str, str]()
    for src, line in known.words.items():
        more = {word for word, count in _counted(_sources(trains, src)).items() if count > 1}
        words[src] = " ".join(sorted({*line.split(), *more}))
    return KnownWords(words, known.kept)


def words_of(lines: Sequence[str]) -> list[str]:
    """The words of a text, in small letters; of MOST_LINES lines at most."""
    return sorted(_counted(lines))


def _sources(trains: Trains, src: str) -> Sequence[str]:
    """The sources of a language."""
    return Joined([side(pairs, 0) for direction, pairs in trains.items() if direction[0] == src])


def _counted(lines: Sequence[str]) -> Counter[str]:
    """How often each word stands in a text, in small letters; equal lines count once."""
    counts, seen = Counter[str](), set[int]()  # of lines, their digests, which take less memory
    for line in _spread(lines, MOST_LINES):
        if (key := digest(line)) not in seen:
            seen.add(key)
            counts.update(map(str.lower, _WORD.findall(normalise(line).text)))
    return counts


def _kept(pairs: Sequence[Pair], once: set[str]) -> tuple[bool, bool]:
    """Whether a third of the words with a capital of `once` stand on both sides: inside sentences, and first in one."""
    found, shared = [0, 0], [0, 0]
    for pair in _spread(pairs, MOST_PAIRS):
        text = normalise(pair.src).text
        for begin, end, first in capitalised(text):
            if (word := text[begin:end]).lower() in once:
                found[first] += 1
                shared[first] += word in _WORD.findall(pair.tgt)
    inside, first = (n >= EVIDENCE and 3 * same >= n for n, same in zip(found, shared, strict=True))
    return inside, first


def _spread(items: Sequence[T], most: int) -> Iterator[T]:
    """At most so many of the items, evenly spread; some at a time are in memory."""
    step = max(1, -(-len(items) // most))
    for start in range(0, len(items), _CHUNK * step):
        part: Any = items[start : start + _CHUNK * step : step]
        yield from part
