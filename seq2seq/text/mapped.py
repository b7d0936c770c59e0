"""Sentence pairs whose text lies in a file that is mapped into memory, and views of sequences that copy nothing.

A run reads its text through `Sequence`, which a list fulfils as well as a map. `take`, `side` and `swapped` give a list
for a list, and for a map a map. This module does not know where the files are, nor what they were made from.
"""

import hashlib
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from seq2seq.text.sources import Pair

T = TypeVar("T")

BLOCK = 1000  # pairs that are decoded at once where all are read in turn


class Origin(NamedTuple):
    """Where a mapped text comes from, and where other forms of it are kept."""

    cache: Path  # the folder of all maps
    key: str  # names the text
    say: Callable[[str], None]  # is called with messages
    quiet: bool  # whether to show no progress


class MappedPairs(Sequence[Pair]):
    """Pairs in UTF-8, one side after the other: side s of pair i is `text[ends[2 i + s]:ends[2 i + s + 1]]`.

    Args:
        text: bytes.
        ends: (2 N + 1,), positions in `text`.
        rows: the pairs of the sequence, in its order.
        origin: of the text.
        order: the sides that are the source and the target.
    """

    def __init__(
        self,
        text: NDArray[np.uint8],
        ends: NDArray[np.int64],
        rows: NDArray[Any],
        origin: Origin,
        order: tuple[int, int] = (0, 1),
    ) -> None:
        self.text, self.ends, self.rows, self.origin, self.order = text, ends, rows, origin, order
        self._bytes = memoryview(text.data)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(self._decoded(self.rows[index]))
        return next(self._decoded(self.rows[range(len(self))[index]][None]))

    def __iter__(self) -> Iterator[Pair]:
        for start in range(0, len(self), BLOCK):
            yield from self._decoded(self.rows[start : start + BLOCK])

    def _decoded(self, rows: NDArray[Any]) -> Iterator[Pair]:
        sides = [self.lines(rows, side) for side in self.order]
        return map(Pair, *sides)

    def lines(self, rows: NDArray[Any], side: int) -> Iterator[str]:
        """One side of these pairs of the file."""
        places = 2 * rows.astype(np.int64) + side
        for start, end in zip(self.ends[places].tolist(), self.ends[places + 1].tolist(), strict=True):
            yield str(self._bytes[start:end], "utf-8", "surrogatepass")

    def joined(self, rows: NDArray[Any]) -> str:
        """The text of these pairs of the file, sides and pairs without anything between them."""
        if np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):  # for speed
            start, end = self.ends[2 * int(rows[0])], self.ends[2 * int(rows[-1]) + 2]
            return str(self._bytes[start:end], "utf-8", "surrogatepass")
        return "".join(chain(self.lines(rows, 0), self.lines(rows, 1)))

    def take(self, rows: NDArray[Any]) -> "MappedPairs":
        """The pairs at these positions of the sequence."""
        return MappedPairs(self.text, self.ends, self.rows[rows], self.origin, self.order)

    def swapped(self) -> "MappedPairs":
        """The pairs with their sides exchanged."""
        return MappedPairs(self.text, self.ends, self.rows, self.origin, self.order[::-1])

    def side(self, number: int) -> "MappedLines":
        """The lines of the sources (0) or the targets (1)."""
        return MappedLines(self, self.order[number])

    @property
    def key(self) -> str:
        """Names these pairs: the same key means the same pairs in the same order."""
        rows = hashlib.blake2b(np.ascontiguousarray(self.rows, np.int64).data, digest_size=16).hexdigest()
        return f"{self.origin.key} {self.order} {rows}"


class MappedLines(Sequence[str]):
    """One side of mapped pairs; `number` is the side in the file."""

    def __init__(self, pairs: MappedPairs, number: int) -> None:
        self.pairs, self.number = pairs, number

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: Any) -> Any:
        rows = self.pairs.rows
        if isinstance(index, slice):
            return list(self.pairs.lines(rows[index], self.number))
        return next(self.pairs.lines(rows[range(len(rows))[index]][None], self.number))

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), BLOCK):
            yield from self.pairs.lines(self.pairs.rows[start : start + BLOCK], self.number)


class Joined(Sequence[T]):
    """Several sequences as one."""

    def __init__(self, parts: Sequence[Sequence[T]]) -> None:
        self.parts = parts
        self.starts = [0, *accumulate(map(len, parts))]

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            place = range(len(self))[index]
            number = bisect_right(self.starts, place) - 1
            return self.parts[number][place - self.starts[number]]
        start, stop, step = index.indices(len(self))
        if step < 1:
            return [self[place] for place in range(start, stop, step)]
        found = list[T]()
        for part, (first, end) in zip(self.parts, pairwise(self.starts), strict=True):
            skipped = max(0, -(-(first - start) // step))  # of the places start, start + step, ...
            found.extend(part[slice(start + skipped * step - first, max(0, min(stop, end) - first), step)])
        return found

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self.parts)


class Picked(Sequence[T]):
    """The items of a sequence at `rows`."""

    def __init__(self, items: Sequence[T], rows: NDArray[Any]) -> None:
        self.items, self.rows = items, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        rows = self.rows[index]
        return [self.items[row] for row in rows] if isinstance(index, slice) else self.items[rows]


def take(pairs: Sequence[Pair], rows: NDArray[Any]) -> Sequence[Pair]:
    """The pairs at these positions."""
    return pairs.take(rows) if isinstance(pairs, MappedPairs) else [pairs[row] for row in rows]


def side(pairs: Sequence[Pair], number: int) -> Sequence[str]:
    """The sources (0) or the targets (1)."""
    return pairs.side(number) if isinstance(pairs, MappedPairs) else [pair[number] for pair in pairs]


def swapped(pairs: Sequence[Pair]) -> Sequence[Pair]:
    """The pairs with their sides exchanged."""
    return pairs.swapped() if isinstance(pairs, MappedPairs) else [Pair(tgt, src) for src, tgt in pairs]


def characters(pairs: Sequence[Pair]) -> set[str]:
    """All characters of both sides."""
    if not isinstance(pairs, MappedPairs):
        return {character for pair in pairs for side in pair for character in side}
    seen = np.zeros(sys.maxunicode + 1, np.bool_)
    for start in range(0, len(pairs), BLOCK):
        text = pairs.joined(pairs.rows[start : start + BLOCK]).encode("utf-32-le", "surrogatepass")
        seen[np.frombuffer(text, np.uint32)] = True
    return set(map(chr, np.flatnonzero(seen)))


# ---- repetitions -----------------------------------------------------------------------------------------------------


def digest(text: str) -> int:
    """64 bits of a hash that is the same in every process. Different texts may have the same."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def distinct(lines: Joined[str]) -> Sequence[str]:
    """Each line once, where it comes first."""
    if not any(isinstance(part, MappedLines) for part in lines.parts):
        return list(dict.fromkeys(lines))
    hashes = np.fromiter(map(digest, lines), np.uint64, len(lines))
    return Picked(lines, np.flatnonzero(~repetitions(lines, hashes)))


def repetitions(items: Sequence[Any], digests: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether an equal item comes before each item. Only items with equal digests are compared.

    So 8 bytes of each item are in memory, where a set would hold them all.
    """
    order = np.argsort(digests, kind="stable")
    equal = np.flatnonzero(digests[order[1:]] == digests[order[:-1]])  # places in `order`, each before its equal
    found, seen, last = np.zeros(len(digests), np.bool_), set[Any](), -2
    for place in equal.tolist():
        if place != last + 1:
            seen = {items[order[place]]}
        row, last = order[place + 1], place
        found[row] = (item := items[row]) in seen
        seen.add(item)
    return found
