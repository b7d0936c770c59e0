"""The unfinished hypotheses of a search, and the candidates that continue them. Axes as in `search`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
LogProbs = NDArray[np.float32] | NDArray[np.float64]
Totals = NDArray[np.float64]  # cumulative log-probabilities
Mask = NDArray[np.bool_]

FREE = -1  # no token is forced


class Beam(NamedTuple):
    """The unfinished hypotheses before a step: W for each of B sentences."""

    sentences: Ids  # (B,) which of the N sentences
    tokens: Ids  # (B, W, t) `bos` and the tokens so far
    sources: Ids  # (B, W, t - 1) the source position of each token
    log_probs: Totals  # (B, W)

    @classmethod
    def start(cls, sentences: int, bos: int) -> "Beam":
        """One hypothesis for each sentence, without tokens."""
        shape = (sentences, 1)
        return cls(np.arange(sentences), np.full((*shape, 1), bos), np.zeros((*shape, 0), np.int64), np.zeros(shape))

    @property
    def step(self) -> int:
        """The number t of the step, from 1 on; hypotheses have t - 1 tokens."""
        return int(self.tokens.shape[2])

    def extend(self, kept: Ids, candidates: "Candidates", source: Ids) -> tuple["Beam", Ids]:
        """The next beam: the candidates (B, K) of the sentences `kept` (B',); and the row (B', K) that each continues.

        `source` (B, W) is the source position of the token that continues each hypothesis.
        """
        parents, tokens = candidates.parents[kept], candidates.tokens[kept]
        at = kept[:, None], parents
        return Beam(
            self.sentences[kept],
            np.concatenate((self.tokens[at], tokens[:, :, None]), axis=2),
            np.concatenate((self.sources[at], source[at][:, :, None]), axis=2),
            candidates.log_probs[kept],
        ), kept[:, None] * self.tokens.shape[1] + parents


class Candidates(NamedTuple):
    """Hypotheses continued by one token: C for each of B sentences, best first."""

    parents: Ids  # (B, C) which of the W hypotheses is continued
    tokens: Ids  # (B, C) the next token
    log_probs: Totals  # (B, C), -inf: not allowed

    @classmethod
    def take(cls, tokens: Ids, totals: Totals, places: Ids) -> "Candidates":
        """Those at places (B, C), of W * C', of next tokens (B, W, C') and the totals (B, W, C') with them."""
        flat = len(tokens), -1
        return cls(
            places // tokens.shape[2],
            np.take_along_axis(tokens.reshape(flat), places, 1),
            np.take_along_axis(totals.reshape(flat), places, 1),
        )


def with_target(tokens: Ids, log_probs: Totals, target: Ids, target_log_probs: LogProbs) -> tuple[Ids, Totals]:
    """The candidates (B, W, C + 1) of which one is the target (B, W) of each hypothesis; FREE: it has none."""
    same = tokens == target[..., None]
    log_probs = np.where(same & np.isneginf(log_probs), target_log_probs[..., None], log_probs)
    added = np.where((target != FREE) & ~same.any(2), target_log_probs, -np.inf)
    tokens = np.concatenate([tokens, np.where(target == FREE, 0, target)[..., None]], 2)
    return tokens, np.concatenate([log_probs, added[..., None]], 2)


def repeats(prefixes: Ids, tokens: Ids, n: int) -> Mask:
    """Which tokens (B, W, C) complete an n-gram that their prefix (B, W, t) has already (Paulus et al. 2018)."""
    banned = np.zeros(tokens.shape, np.bool_)
    last = prefixes[:, :, prefixes.shape[2] - n + 1 :]
    for start in range(prefixes.shape[2] - n + 1):
        same = (prefixes[:, :, start : start + n - 1] == last).all(axis=2)  # (B, W)
        banned |= same[:, :, None] & (tokens == prefixes[:, :, start + n - 1, None])
    return banned


def best(totals: Totals, count: int) -> Ids:
    """The places (B, C) in W * C' of the `count` largest of totals (B, W, C'), best first; at a tie the earlier."""
    places: Ids = np.argsort(-totals.reshape(len(totals), -1), axis=1, kind="stable")[:, :count]
    return places


def draw(tokens: Ids, log_probs: LogProbs, temperature: float, rngs: "Sequence[np.random.Generator]") -> Ids:
    """The place (B, 1) of one token of each sentence, drawn in proportion to p ** (1 / temperature).

    The largest of log p / temperature + a Gumbel number for each token (Maddison et al. 2014) is such a draw.
    """
    noise = np.stack([rng.gumbel(size=tokens.shape[2]) for rng in rngs])  # (B, V), by token: candidates may tie
    with np.errstate(over="ignore"):
        perturbed = log_probs[:, 0] / temperature + np.take_along_axis(noise, tokens[:, 0], 1)
    places: Ids = perturbed.argmax(1)[:, None]
    return places


def unfinished(candidates: Candidates, count: int, eos: int) -> Candidates:
    """The `count` best candidates that do not end; where there are fewer, others with a log-probability of -inf."""
    ended = candidates.tokens == eos
    order = np.argsort(ended, axis=1, kind="stable")[:, :count]
    parents, tokens = (np.take_along_axis(x, order, 1) for x in candidates[:2])
    return Candidates(parents, tokens, np.take_along_axis(np.where(ended, -np.inf, candidates.log_probs), order, 1))


def best_of_each(totals: Totals, groups: Ids, late: Mask, count: int) -> Ids:
    """The places (B, count) in W * C of the best candidates (B, W, C), in turn of each of the groups.

    The best of each group come first, the best of all leading, then the second of each, and so on; then those that are
    late, in the same way.
    """
    flat, labels = (x.reshape(len(x), -1) for x in (totals, 2 * groups + late))
    order = np.argsort(-flat, axis=1, kind="stable")
    sorted_groups = np.take_along_axis(labels, order, 1)
    by_group = np.argsort(sorted_groups, axis=1, kind="stable")
    begins = np.diff(np.take_along_axis(sorted_groups, by_group, 1), axis=1, prepend=-1) != 0
    at = np.arange(flat.shape[1])
    ranks = np.empty_like(sorted_groups)  # each one's place among those of its group
    np.put_along_axis(ranks, by_group, at - np.maximum.accumulate(np.where(begins, at, 0), axis=1), 1)
    ranks += np.where(sorted_groups % 2, flat.shape[1], 0)
    ranks[np.isneginf(np.take_along_axis(flat, order, 1))] = 2 * flat.shape[1]
    turns = np.argsort(ranks, axis=1, kind="stable")[:, :count]
    places: Ids = np.take_along_axis(order, turns, 1)
    return places
