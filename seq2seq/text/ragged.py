"""Many lists of ids in one array: four bytes an id, where Python's own numbers take forty."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Ragged(Sequence[list[int]]):
    """Lists of ids; list i is `flat[cuts[i]:cuts[i + 1]]`, of flat (all ids,) and cuts (lists + 1,)."""

    def __init__(self, flat: NDArray[np.int32], cuts: NDArray[np.int64]) -> None:
        self.flat, self.cuts = flat, cuts

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Ragged":
        """These lists."""
        cuts = np.cumsum([0, *map(len, lists)])
        return cls(np.fromiter(chain.from_iterable(lists), np.int32, int(cuts[-1])), cuts)

    @classmethod
    def joined(cls, parts: Iterable["Ragged"]) -> "Ragged":
        """The lists of all parts, behind one another."""
        flats, cuts, end = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)], 0
        for part in parts:
            flats.append(part.flat)
            cuts.append(part.cuts[1:] + end)
            end += len(part.flat)
        return cls(np.concatenate(flats), np.concatenate(cuts))

    def __len__(self) -> int:
        return len(self.cuts) - 1

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(len(self))[at]]
        i = range(len(self))[at]
        return self.flat[self.cuts[i] : self.cuts[i + 1]].tolist()
