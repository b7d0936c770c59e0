"""Puts the values and marks of a sentence into its translation, by the alignment.

A VALUE of a numbered piece stands where the translation has the piece. A pair of OPEN and CLOSE goes around the words
that are aligned to the words that it held, one run of them, without an article whose own stands before the pair in the
source; a pair that held words never comes back empty. Another mark goes behind the word that is aligned to the one
before it, or before that aligned to the one after it; those of the kind ALONE keep their order.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from seq2seq.segments.keeping import Kept
from seq2seq.segments.pieces import PIECE, is_piece, number_of
from seq2seq.segments.reading import Inner, Sentence
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark
from seq2seq.segments.words import UNSPACED, with_capital

_LAST = re.compile(r"(\w+)\s?$")  # the last word of what is written
_LETTER = re.compile(r"\w")

Link = tuple[int, int]  # a character of the source sentence, and the character of its translation that is aligned to it
Begun = tuple[str, Sequence[tuple[int, Mark]]]  # what a translation begins with, and the marks in it, with their places


class Placed(NamedTuple):
    """A translated sentence: its text and marks in order, each text with its place in the translation."""

    parts: list[str | Mark]
    places: list[int]  # of each part: where it begins in the translation that was placed


class _Range(NamedTuple):
    """A mark, or a pair, in the translation: from word `start` to before word `end`; for a single mark a place."""

    start: int  # word
    end: int  # word
    first: Inner
    last: Inner | None  # the CLOSE of a pair
    inside: "list[_Range]"
    after_word: bool = True  # a single mark: behind word `start - 1`, not before word `start`


def place(
    sentence: Sentence, text: str, links: Sequence[Link], phrases: Iterable[str] = (), begun: Begun = ("", ())
) -> Placed:
    """The translation `text` of a sentence with its values and marks.

    Every value and mark stands in it once, in pairs that are balanced where the sentence's are; values whose pieces the
    translation lacks are placed as other marks are, and further pieces are left out. No mark divides one of `phrases`.
    Where the text begins as `begun` does, its marks stand as there, and the others behind it.
    """
    missing = [
        Inner(found.start(), sentence.values[number_of(found[0])], " ", " ")
        for found in PIECE.finditer(sentence.text)
        if number_of(found[0]) < len(sentence.values) and found[0] not in text
    ]
    inner = sorted([*sentence.inner, *missing], key=lambda mark: mark.position) if missing else sentence.inner
    if not inner and not PIECE.search(text):
        return Placed([text], [0]) if text else Placed([], [])
    words = _undivided([match.span() for match in _words().finditer(text)], text, phrases)
    writer = _Writer(sentence, text, words)
    if inner:
        sources = [match.span() for match in _words().finditer(sentence.text)]
        aligned = _aligned(sources, words, links)
        pieces = {sentence.text[start]: i for i, (start, _) in enumerate(sources) if is_piece(sentence.text[start])}
        for i, source in enumerate(aligned):
            first = text[words[i][0]]
            if first in pieces:
                aligned[i] = pieces[first]
            elif source >= 0 and (
                (_is_word(sentence.text[sources[source][0]]) and not _is_word(first))  # a full stop translates no word
                or sentence.text[sources[source][0]] in pieces  # nor does a word translate a value
            ):
                aligned[i] = -1
        beginning, fixed = begun[0].rstrip(), begun[1]
        if not (fixed and text.startswith(beginning)):
            beginning, fixed = "", ()
        for at, mark in fixed:
            writer.put(mark, at)
        others = [each for each in inner if all(each.mark != mark for _, mark in fixed)]
        behind = bisect_left(words, (len(beginning), 0))
        writer.write(_Placing(sources, words, aligned).ranges(others, behind, len(words)))
    writer.copy(len(text))
    return Placed(writer.parts, writer.places)


def _undivided(words: Sequence[tuple[int, int]], text: str, phrases: Iterable[str]) -> list[tuple[int, int]]:
    """The words of a text, where those of each of the phrases are one."""
    spans = [match.span() for phrase in phrases for match in re.finditer(re.escape(phrase), text, re.IGNORECASE)]
    result = list[tuple[int, int]]()
    for start, end in words:
        if result and any(a < result[-1][1] and start < b for a, b in spans):
            start = result.pop()[0]
        result.append((start, end))
    return result


def _aligned(sources: Sequence[tuple[int, int]], words: Sequence[tuple[int, int]], links: Sequence[Link]) -> list[int]:
    """For each word of the translation the source word that most of its links lead to; -1 for none."""
    result = []
    for start, end in words:
        votes = dict[int, int]()
        for source, target in links:
            if start <= target < end:
                word = next((i for i, (a, b) in enumerate(sources) if a <= source < b), -1)
                votes[word] = votes.get(word, 0) + 1
        votes.pop(-1, None)
        result.append(max(votes, key=votes.__getitem__) if votes else -1)
    return result


@cache
def _words() -> re.Pattern[str]:
    """Finds the words of a text, and what stands between them without white space."""
    letters = rf"(?:(?![{UNSPACED}]|{PIECE.pattern})\w)+"
    return re.compile(rf"{PIECE.pattern}|[{UNSPACED}]|{letters}(?:['’.-]{letters})*|\S")


def _is_word(character: str) -> bool:
    """Whether a word, rather than a punctuation mark, begins with the character."""
    return character.isalnum() or is_piece(character)


class _Placing:
    """Finds the places of marks among the words of a translation."""

    def __init__(
        self, sources: Sequence[tuple[int, int]], words: Sequence[tuple[int, int]], aligned: Sequence[int]
    ) -> None:
        self.sources, self.words, self.aligned = sources, words, aligned
        self.starts, self.ends = [a for a, _ in sources], [b for _, b in sources]

    def ranges(self, marks: list[Inner], start: int, end: int) -> list[_Range]:
        """The places of the marks between words `start` and `end`, in the order of the translation."""
        result, free = list[_Range](), [True] * (end - start)
        while marks:
            first = marks.pop(0)
            close = _partner(first, marks)
            if close is None:
                at, after_word = self._single(first, start, end)
                result.append(_Range(at, at, first, None, [], after_word or first.mark.kind == CLOSE))
                continue
            inside, last, marks = marks[:close], marks[close], marks[close + 1 :]
            held = range(bisect_right(self.ends, first.position), bisect_left(self.starts, last.position))
            low, high = self._run(held, free, start, end) if held else (at := self._single(first, start, end)[0], at)
            free[low - start : high - start] = [False] * (high - low)
            result.append(_Range(low, high, first, last, self.ranges(inside, low, high)))
        alone = [i for i, r in enumerate(result) if r.first.mark.kind == ALONE]  # they keep their order
        places = sorted((result[i].start, not result[i].after_word) for i in alone)
        for i, (at, before_word) in zip(alone, places, strict=True):
            result[i] = result[i]._replace(start=at, end=at, after_word=not before_word)
        # A single mark inside of a pair's words that does not belong to it stands before them.
        pairs = [r for r in result if r.end > r.start]
        for i, r in enumerate(result):
            if r.end == r.start and (around := [p for p in pairs if p.start < r.start < p.end]):
                result[i] = r._replace(start=around[0].start, end=around[0].start, after_word=False)
        return sorted(result, key=lambda r: (r.start, r.end))

    def _run(self, held: range, free: Sequence[bool], start: int, end: int) -> tuple[int, int]:
        """The run of free words with the most that are aligned to those held, and the fewest aligned to others.

        Where there are several, it is the one that begins first, and of these the shortest. `free` begins with word
        `start`. (The largest sum of a run in one pass: Kadane's algorithm.)
        """
        best, found = 0.0, (start, start)
        total, low = 0.0, start
        for word in range(start, end):
            if total < 0 or not free[word - start]:
                total, low = 0.0, word
            if not free[word - start]:
                low = word + 1
                continue
            source = self.aligned[word]
            total += 1 if source in held else -1 if source >= 0 else -0.1
            if total > best:
                best, found = total, (low, word + 1)
        if best:
            return self._without_article(held, *found)
        # Nothing is aligned to them: the free word nearest to where they stand in the source.
        share = (held.start + 0.5) / len(self.sources)
        near = [word for word in range(start, end) if free[word - start]]
        nearest = min(near, key=lambda word: abs((word + 0.5) / len(self.words) - share), default=None)
        return (start, start) if nearest is None else (nearest, nearest + 1)

    def _without_article(self, held: range, low: int, high: int) -> tuple[int, int]:
        """The run without its first word if that translates the source word before those held.

        So it is taken where no word is aligned to that one, and two of the run to one: an article to its noun.
        """
        before = held.start - 1
        takes = high - low > 1 and self.aligned[low] == self.aligned[low + 1] and before >= 0
        return (low + 1 if takes and before not in self.aligned else low), high

    def _single(self, mark: Inner, start: int, end: int) -> tuple[int, bool]:
        """The word before which a single mark stands, and whether it is bound to the word before it."""
        left = max((i for i, (_, b) in enumerate(self.sources) if b <= mark.position), default=None)
        right = min((i for i, (a, _) in enumerate(self.sources) if a >= mark.position), default=None)
        behind = max((t + 1 for t in range(start, end) if left is not None and self.aligned[t] == left), default=None)
        before = min((t for t in range(start, end) if right is not None and self.aligned[t] == right), default=None)
        prefers_right = mark.mark.kind == OPEN or (mark.after.isalnum() and not mark.before.isalnum())
        choices = [(before, False), (behind, True)] if prefers_right else [(behind, True), (before, False)]
        for at, after_word in choices:
            if at is not None:
                return at, after_word
        if left is None:
            return start, False
        if right is None:
            return end, True
        return start + round((end - start) * (left + 1) / len(self.sources)), True


def _partner(first: Inner, later: Sequence[Inner]) -> int | None:
    """Which of the later marks ends an OPEN."""
    if first.mark.kind != OPEN:
        return None
    depth = 1
    for i, inner in enumerate(later):
        depth += (inner.mark.kind == OPEN) - (inner.mark.kind == CLOSE)
        if not depth:
            return i
    return None


class _Writer:
    """Writes a translation with its marks."""

    def __init__(self, sentence: Sentence, text: str, words: Sequence[tuple[int, int]]) -> None:
        self.sentence, self.text, self.words = sentence, text, words
        self.parts, self.places = list[str | Mark](), list[int]()
        self.at = 0  # characters of the text that are written
        self.used = set[int]()  # the numbers of pieces that are written
        self.raw = not sentence.values and PIECE.search(sentence.text) is not None  # they are text

    def copy(self, end: int) -> None:
        """Write the text up to `end`, with values in the place of their pieces."""
        start = self.at
        for found in [] if self.raw else PIECE.finditer(self.text, start, end):
            before, number, last = self.text[start : found.start()], number_of(found[0]), found.end()
            if number < len(self.sentence.values) and number not in self.used:
                self.used.add(number)
                value = self.sentence.values[number]
                before, mark = self._fitted(before, value, self._word_stands_before_marks(number))
                self._add(before, start)
                self._add(mark, found.start())
                if counter := getattr(value.code, "counters", None):
                    last += len(behind[0]) if (behind := counter.match(self.text, last, end)) else 0
            else:
                self._add(before, start)
            start = last
        self._add(self.text[start:end], start)
        self.at = max(self.at, end)

    def _fitted(self, before: str, value: Mark, outside: bool) -> tuple[str, Mark]:
        """The text before a value with the word that belongs to it, and the value; the first word with a capital.

        Where the word stands `outside`, it is written before the marks that the value begins.
        """
        code = value.code
        if not (isinstance(code, Kept) and code.is_words):
            return before, value
        before = self._without_words(before, code)
        at = len(self.parts)
        while at and not before.strip() and isinstance(part := self.parts[at - 1], Mark) and part.kind == OPEN:
            at -= 1
        opened = at < len(self.parts)  # the value begins them
        if opened and at and isinstance(text := self.parts[at - 1], str):
            self.parts[at - 1] = self._without_words(text, code)
        written = any(
            part.kind == VALUE if isinstance(part, Mark) else _LETTER.search(part) for part in [*self.parts, before]
        )
        word, text = code.before, str(code)
        if not written and self._begins_with_capital():
            word, text = with_capital(word) or word, text if word else with_capital(text) or text
        if word and opened and outside:
            last = self.parts[at - 1] if at else ""
            glued = isinstance(last, str) and last[-1:].isalnum()
            self.parts.insert(at, f" {word} " if glued else f"{word} ")
            self.places.insert(at, self.places[at])
            before = ""
        elif word:
            before += f" {word} " if before[-1:].isalnum() else f"{word} "
        return before, value._replace(code=Kept.of(text, code.source))

    def _without_words(self, before: str, code: Kept) -> str:
        """The text before a value without the words that its own take the place of."""
        for _ in range(2):  # a preposition, and an article behind it
            if (last := _LAST.search(before)) and last[1].lower() in code.instead_of:
                before = before[: last.start()]
        return before

    def _word_stands_before_marks(self, number: int) -> bool:
        """Whether an OPEN stands directly before a value in the source."""
        values = [i for i, part in enumerate(self.sentence.parts) if isinstance(part, Mark) and part.kind == VALUE]
        before = self.sentence.parts[values[number] - 1] if values[number] else ""
        return isinstance(before, Mark) and before.kind == OPEN

    def _begins_with_capital(self) -> bool:
        """Whether the first letter of the sentence, as it stands in the source, is a capital, or has no case."""
        codes = (part if isinstance(part, str) else getattr(part.code, "source", "") for part in self.sentence.parts)
        first = next((letter for text in codes for letter in text if letter.isalpha()), "")
        return first != "" and not first.islower()

    def put(self, mark: Mark, at: int) -> None:
        """Write the text up to `at`, and a mark."""
        self.copy(at)
        self._add(mark, at)

    def write(self, ranges: Sequence[_Range]) -> None:
        """Write the text up to the last of these marks, with them."""
        for r in ranges:
            if r.last is None:
                self._single(r)
                continue
            empty = r.start >= r.end
            self.copy(max(self.at, self._place(r.start, after_word=empty)))
            self._add(r.first.mark, self.at)
            self.write(r.inside)
            if not empty:
                self.copy(max(self.at, self.words[r.end - 1][1]))
            self._add(r.last.mark, self.at)

    def _place(self, word: int, after_word: bool) -> int:
        """The place behind word `word - 1`, or before word `word`."""
        if (after_word and word > 0) or word >= len(self.words):
            return self.words[word - 1][1] if word > 0 else 0
        return self.words[word][0]

    def _single(self, r: _Range) -> None:
        """Write a single mark with white space around it as in the source."""
        self.copy(max(self.at, self._place(r.start, r.after_word)))
        _, mark, before, after = r.first
        if mark.kind in (OPEN, CLOSE):
            self._add(mark, self.at)
            return
        last = self.parts[-1] if self.parts else " "
        written = last[-1] if isinstance(last, str) else " "
        if (before.isspace() and not written.isspace()) or (written.isalnum() and not before.isalnum()):
            self._add(" ", self.at)
        self._add(mark, self.at)
        rest = self.text[self.at : self.at + 1]
        if rest.isalnum() and not after.isalnum():
            self._add(" ", self.at)
        elif rest == " " and before.isalnum() and after.isalnum() and mark.kind == ALONE:
            self.at += 1  # the mark stands in the place of the space

    def _add(self, part: str | Mark, place: int) -> None:
        if part != "":
            self.parts.append(part)
            self.places.append(place)
