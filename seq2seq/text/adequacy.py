"""Which pairs are hardly translations of each other, by what models of both directions make of them.

The score of a pair is its dual conditional cross-entropy (Junczys-Dowmunt 2018): with A and B the cross-entropies of
the target given the source, and of the source given the target, in nats per token,

    |A - B| + (A + B) / 2

It is high where both models find a side improbable, and where they disagree. What is high is decided against the other
pairs of the same text. This module does not know models.
"""

from collections.abc import Sequence

import numpy as np

UNLIKELY = "unlikely translation"

_DEVIATIONS = 2.4  # of a score from the median
_MAD = 1.4826  # by which the median absolute deviation is that of a normal distribution
_LEAST = 0.25  # nats; of a text that the models know by heart, the scores of good pairs hardly deviate
_ROUNDS = 50


def dual_cross_entropies(forward: Sequence[float], backward: Sequence[float]) -> list[float]:
    """The score of each pair, from its cross-entropies in nats per token; lower is better."""
    a, b = np.asarray(forward), np.asarray(backward)
    return list((np.abs(a - b) + (a + b) / 2).tolist())


def unlikely(scores: Sequence[float]) -> list[str]:
    """For each pair of a text the reason why it is suspicious; empty if it is not.

    The scores of good pairs are about normally distributed. Their median and deviation are estimated again without the
    pairs that are suspicious, until these stay the same, so that many bad pairs do not hide each other.

    Args:
        scores: of all pairs.
    """
    of_all, limit = np.asarray(scores, float), np.inf
    for _ in range(_ROUNDS):
        good = of_all[of_all <= limit]
        median = np.median(good)
        before, limit = limit, median + _DEVIATIONS * max(_MAD * np.median(np.abs(good - median)), _LEAST)
        if limit == before:
            break
    return [UNLIKELY if high else "" for high in (of_all > limit).tolist()]
