"""Tokens that a translation must hold: each once, and no other of their kind.

A hypothesis cannot end before it holds all of them. Where it would end, or has no room left, its next token is the
first one it lacks. The beam is shared among the hypotheses by the number that they hold (Hokamp & Liu 2017; Post &
Vilar 2018): those that have not paid for a token yet do not push out those that have. Without required tokens nothing
changes.

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
    limits: Ids  # (N,) most tokens of a translation, `eos` included
    reserved: Ids  # of any sentence

    @classmethod
    def of(cls, tokens: Sequence[Sequence[int]], limits: Sequence[int], reserved: Sequence[int]) -> "Required":
        """The required tokens of each sentence."""
        table = np.full((len(tokens), max(map(len, tokens), default=0)), NONE, np.int64)
        for row, required in zip(table, tokens, strict=True):
            row[: len(required)] = required
        return cls(table, np.array(limits, np.int64), np.array(reserved, np.int64))

    def lacking(self, sentences: Ids, hypotheses: Ids) -> Ids:
        """The tokens (B, W, R) that hypotheses (B, W, t) of the sentences (B,) lack, NONE for one that they hold."""
        tokens = self.tokens[sentences][:, None]  # (B, 1, R)
        held = (hypotheses[..., None] == tokens[..., None, :]).any(2)  # (B, W, R)
        return np.where(held, NONE, tokens)

    def urgent(self, sentences: Ids, step: int, lacking: Ids, ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which hypotheses (B, W) must continue with a token that they lack, where `ends` (B, W) would end."""
        count = (lacking != NONE).sum(2)
        urgent: NDArray[np.bool_] = (count > 0) & (ends | (count >= self.limits[sentences][:, None] - step))
        return urgent

    def allow(
        self, lacking: Ids, tokens: Ids, log_probs: NDArray[np.float64], first: NDArray[np.float64], eos: int
    ) -> tuple[Ids, NDArray[np.float64]]:
        """The candidates (B, W, C + 1) of which the last is the first token that a hypothesis lacks.

        Args:
            lacking: (B, W, R).
            tokens, log_probs: the candidates (B, W, C); those that are not allowed become -inf.
            first: (B, W) log-probability of `first_of(lacking)`; -inf where another token is forced.
            eos: the token that ends a translation.
        """
        expected = (tokens[..., None] == lacking[:, :, None]).any(3)  # (B, W, C)
        incomplete = (lacking != NONE).any(2)
        barred = np.isin(tokens, self.reserved) & ~expected | (tokens == eos) & incomplete[..., None]
        log_probs = np.where(barred, -np.inf, log_probs)
        if not incomplete.any():
            return tokens, log_probs
        upcoming = first_of(lacking)
        known = (tokens == upcoming[..., None]).any(2)
        added = np.where(incomplete & ~known, first, -np.inf)
        return np.concatenate([tokens, upcoming[..., None]], 2), np.concatenate([log_probs, added[..., None]], 2)


def first_of(lacking: Ids) -> Ids:
    """The first token (B, W) of those (B, W, R) that is not NONE, or NONE."""
    if not lacking.shape[2]:
        return np.full(lacking.shape[:2], NONE, np.int64)
    at = (lacking != NONE).argmax(2)[..., None]
    first: Ids = np.take_along_axis(lacking, at, 2)[..., 0]
    return first


def held_after(lacking: Ids, tokens: Ids) -> Ids:
    """How many required tokens each candidate (B, W, C) of the tokens holds."""
    held: Ids = (lacking == NONE).sum(2)[..., None] + (tokens[..., None] == lacking[:, :, None]).any(3)
    return held


def best_of_each(totals: NDArray[np.float64], held: Ids, count: int) -> Ids:
    """The places (B, count) in W * C of the best candidates (B, W, C), in turn of each number of tokens held.

    The best of each number come first, the best of all leading, then the second of each, and so on.
    """
    flat, groups = totals.reshape(len(totals), -1), held.reshape(len(held), -1)
    order = np.argsort(-flat, axis=1, kind="stable")
    sorted_groups = np.take_along_axis(groups, order, 1)
    ranks = np.zeros_like(sorted_groups)
    for group in range(int(groups.max(initial=0)) + 1):
        inside = sorted_groups == group
        ranks[inside] = (np.cumsum(inside, axis=1) - 1)[inside]
    ranks[np.isneginf(np.take_along_axis(flat, order, 1))] = flat.shape[1]
    turns = np.argsort(ranks, axis=1, kind="stable")[:, :count]
    places: Ids = np.take_along_axis(order, turns, 1)
    return places
