"""Tokens that a translation must hold: each once, and no other of their kind.

Where a hypothesis would end, or has no room left, its next token is the first one it lacks; see `constraints`.

Axes as in `search`; R required tokens of a sentence.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
NONE = -1


class Required(NamedTuple):
    """The required tokens of N sentences, and the tokens that stand in a translation only if they are required."""

    tokens: Ids  # (N, R), NONE where a sentence has fewer
    reserved: Ids  # of any sentence

    @classmethod
    def of(cls, tokens: Sequence[Sequence[int]], reserved: Sequence[int]) -> "Required":
        """The required tokens of each sentence."""
        table = np.full((len(tokens), max(map(len, tokens), default=0)), NONE, np.int64)
        for row, required in zip(table, tokens, strict=True):
            row[: len(required)] = required
        return cls(table, np.array(reserved, np.int64))

    def lacking(self, sentences: Ids, hypotheses: Ids) -> Ids:
        """The tokens (B, W, R) that hypotheses (B, W, t) of the sentences (B,) lack, NONE for one that they hold."""
        tokens = self.tokens[sentences][:, None]  # (B, 1, R)
        held = (hypotheses[..., None] == tokens[..., None, :]).any(2)  # (B, W, R)
        return np.where(held, NONE, tokens)


def first_of(lacking: Ids) -> Ids:
    """The first token (B, W) of those (B, W, R) that is not NONE, or NONE."""
    if not lacking.shape[2]:
        return np.full(lacking.shape[:2], NONE, np.int64)
    at = (lacking != NONE).argmax(2)[..., None]
    first: Ids = np.take_along_axis(lacking, at, 2)[..., 0]
    return first
