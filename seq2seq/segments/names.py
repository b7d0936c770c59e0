"""Names that a model cannot know: words with a capital that its training text does not hold. They are kept.

A token stands in the place of such a word and is replaced afterwards (Luong et al. 2015). Not every word with a capital
is a name: not in German, and not at the beginning of a sentence. `seq2seq.text.known_words` learns which ones are kept.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from seq2seq.segments.normalisation import normalise

# Capital letters of Latin script, from Š and Ł to Ế.
CAPITALS = "".join(chr(c) for c in (*range(0x41, 0x250), *range(0x1E00, 0x1F00)) if chr(c).isupper())
_WORD = rf"[{CAPITALS}][^\W\d_]+"
NAME = re.compile(rf"\b{_WORD}\b")  # a word with a capital; most that stand on both sides of a pair are names
_CAPITALISED = re.compile(_WORD)
# What belongs to a name beside it: O'Brien, and the other parts of Lin-Manuel.
_BEFORE = re.compile(rf"(?<!\w)(?:O['’]|(?:{_WORD}-)+(?:O['’])?)$")
_AFTER = re.compile(rf"(?:-(?:O['’])?{_WORD})+(?!\w)")
_LONGEST = 64  # characters before a name that are looked at
_ENDS = ".!?:…"
_TOKEN = re.compile(rf"\w+|[{_ENDS}]")


class Capitalised(NamedTuple):
    """The place of a word with a capital."""

    begin: int
    end: int
    first: bool  # of a sentence, as far as punctuation tells


def capitalised(text: str, first: bool = True) -> Iterator[Capitalised]:
    """The words of a text that NAME finds, in order. `first`: whether a sentence begins where the text does."""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if _CAPITALISED.fullmatch(token):
            yield Capitalised(*match.span(), first)
        first = token in _ENDS


def begins_after(text: str, first: bool) -> bool:
    """Whether a sentence begins after a text, before which one began if `first`."""
    tokens = _TOKEN.findall(text)
    return tokens[-1] in _ENDS if tokens else first


@dataclass(frozen=True)
class Names:
    """Tells names in the text of one language.

    Args:
        words: that are none, in small letters.
        inside: whether other words with a capital are names inside of a sentence.
        first: whether they are where it begins.
        key: of these arguments; it stands for the words in `repr`.
    """

    words: frozenset[str] = field(repr=False)
    inside: bool
    first: bool
    key: str

    def with_words(self, words: Iterable[str]) -> "Names":
        """The same with further words that are no names, in small letters and sorted."""
        key = hashlib.sha256(" ".join([self.key, *words]).encode()).hexdigest()
        return replace(self, words=self.words.union(words), key=key)

    def places(self, text: str, first: bool = True) -> list[tuple[int, int]]:
        """Where names stand in a text, those with a space between as one; `first` as of `capitalised`."""
        normal, origins = normalise(text)
        found = list[tuple[int, int]]()
        for begin, end, begins in capitalised(normal, first):
            if not (self.first if begins else self.inside) or normal[begin:end].lower() in self.words:
                continue
            if found and begin < found[-1][1]:  # the last part of a name with hyphens
                continue
            if before := _BEFORE.search(normal, max(0, begin - _LONGEST), begin):
                begin = before.start()
            if after := _AFTER.match(normal, end):
                end = after.end()
            if found and normal[found[-1][1] : begin] == " ":
                begin = found.pop()[0]
            found.append((begin, end))
        return [(origins[begin], origins[end]) for begin, end in found]
