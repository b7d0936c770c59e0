"""Many lists of ids in one array, of two or four bytes per id; Python's own lists of numbers take up to forty."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Ragged(Sequence[list[int]]):
    """A sequence of lists of ids: list i is `flat[offsets[i]:offsets[i + 1]]`, where `flat` holds all ids in a row."""

    def __init__(self, flat: NDArray[Any], offsets: NDArray[np.int64]) -> None:
        self.flat, self.offsets = flat, offsets

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Ragged":
        """Copy these lists."""
        offsets = np.cumsum([0, *map(len, lists)])
        return cls(np.fromiter(chain.from_iterable(lists), np.int32, int(offsets[-1])), offsets)

    @classmethod
    def joined(cls, parts: Iterable["Ragged"]) -> "Ragged":
        """The lists of all parts, one part after another."""
        flats, offsets, end = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)], 0
        for part in parts:
            flats.append(part.flat)
            offsets.append(part.offsets[1:] + end)
            end += len(part.flat)
        return cls(np.concatenate(flats), np.concatenate(offsets))

    def take(self, rows: NDArray[np.int64]) -> "Ragged":
        """The lists at these positions, in their order."""
        sizes = self.lengths()[rows]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        kind = np.int32 if max(len(self.flat), offsets[-1]) < 2**31 else np.int64  # of millions, less memory
        places = np.arange(offsets[-1], dtype=kind)
        places += np.repeat((self.offsets[rows] - offsets[:-1]).astype(kind), sizes)
        return Ragged(self.flat[places], offsets)

    def prefixed(self, ids: NDArray[np.int32]) -> "Ragged":
        """Each list with one of the ids in front of it."""
        return Ragged(np.insert(self.flat, self.offsets[:-1], ids), self.offsets + np.arange(len(self.offsets)))

    def reversed(self) -> "Ragged":
        """Each list from its end."""
        first_and_last = self.offsets[:-1] + self.offsets[1:] - 1
        return Ragged(self.flat[np.repeat(first_and_last, self.lengths()) - np.arange(len(self.flat))], self.offsets)

    def lengths(self) -> NDArray[np.int64]:
        """The length of each list."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        i = range(len(self))[index]
        return self.flat[self.offsets[i] : self.offsets[i + 1]].tolist()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ragged):
            return NotImplemented
        return np.array_equal(self.offsets, other.offsets) and np.array_equal(self.flat, other.flat)

    __hash__ = None  # type: ignore[assignment]


class Selected(Sequence[list[int]]):
    """The lists of a `Ragged` at `rows`, without a copy.

    Args:
        ids: the lists.
        rows: positions among them.
        lead: for each list an id that comes first; None: none does.
        backwards: whether each list is read from its end.
    """

    def __init__(
        self, ids: Ragged, rows: NDArray[Any], lead: NDArray[np.int32] | None = None, backwards: bool = False
    ) -> None:
        self.ids, self.rows, self.lead, self.backwards = ids, rows, lead, backwards

    def lengths(self) -> NDArray[np.int64]:
        """The length of each list."""
        lengths: NDArray[np.int64] = self.ids.lengths()[self.rows]
        return lengths if self.lead is None else lengths + 1

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        ids = self.ids[self.rows[index]]
        ids = ids[::-1] if self.backwards else ids
        return ids if self.lead is None else [int(self.lead[index]), *ids]
