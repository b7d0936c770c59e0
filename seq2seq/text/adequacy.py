"""Which pairs are hardly translations of each other, by what models of both directions make of them.

With A and B the cross-entropies of the target given the source, and of the source given the target, in nats per token,
and A' and B' those given a line of another pair, the gain of a pair is

    1 - (A / A' + B / B') / 2

the share of each side that the other side tells the models. It is around 0 where the sides do not belong together,
whatever the text, and high for translations, the less so the less the models know of its kind. Where one side is in a
language that was not asked for, |A - B| is high (a term of the dual cross-entropy, Junczys-Dowmunt 2018). This module
does not know models.
"""

import random
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UNLIKELY = "unlikely translation"

_LONG = 40  # characters of the longer side
_LIMITS = 0.17, 0.20  # gains: of long pairs, of others, which vary more
_MISMATCHED = NormalDist(0, 1 / 1.7)  # gains of pairs that do not belong together, in units of the limit
_ACCUSED = 0.002  # share of good pairs that may be accused on purpose, where the models hardly know the text
_UNCERTAIN = 0.05  # of the estimated share of bad pairs
_ASYMMETRY = 3.0  # nats between A and B that are suspicious in any text
_DEVIATIONS = 5.0  # of a gain or of |A - B| from the median
_LEAST = 0.04  # deviation of the gains of a text that the models know by heart
_MAD = 1.4826  # by which the median absolute deviation is that of a normal distribution
_TRIED = 20  # pairs, one of which has other sides

Floats = NDArray[np.float64]


class Entropies(NamedTuple):
    """Cross-entropies of pairs in nats per token: of their targets, and of their sources."""

    forward: Sequence[float]
    backward: Sequence[float]


def others(src: Sequence[str], tgt: Sequence[str]) -> list[int]:
    """For each pair the row of another one, chosen at random, of which nearly always both sides are different."""
    order = list(range(len(src)))
    random.Random(len(order)).shuffle(order)
    result = [0] * len(order)
    for place, row in enumerate(order):
        following = (order[(place + step) % len(order)] for step in range(1, _TRIED + 1))
        result[row] = next((r for r in following if src[r] != src[row] and tgt[r] != tgt[row]), row)
    return result


def gains(own: Entropies, mismatched: Entropies) -> Floats:
    """The gain of each pair.

    Args:
        own: A and B.
        mismatched: A' and B'.
    """
    ratios = np.asarray(own, float) / np.maximum(np.asarray(mismatched, float), 1e-6)
    return np.asarray(1 - ratios.mean(0))


def unlikely(src: Sequence[str], tgt: Sequence[str], own: Entropies, mismatched: Entropies) -> list[str]:
    """For each pair of a text the reason why it is suspicious; empty if it is not.

    Args:
        src, tgt: all pairs.
        own: A and B.
        mismatched: A' and B', given the lines of the pairs `others`.
    """
    long = np.maximum([len(line) for line in src], [len(line) for line in tgt]) >= _LONG
    gain = gains(own, mismatched)
    usual, deviation = _usual(gain)
    limits = np.where(long, *_LIMITS)
    limits = np.maximum(limits * _limit(gain / limits), usual - _DEVIATIONS * max(deviation, _LEAST))
    asymmetry = np.abs(np.asarray(own.forward) - np.asarray(own.backward))
    usual, deviation = _usual(asymmetry)
    differ = np.array([s.strip() != t.strip() for s, t in zip(src, tgt, strict=True)])  # a name is its own translation
    in_another_language = differ & (asymmetry > max(_ASYMMETRY, usual + _DEVIATIONS * deviation))
    return [UNLIKELY if bad else "" for bad in ((gain < limits) | in_another_language).tolist()]


def _usual(values: Floats) -> tuple[float, float]:
    """The median, and the standard deviation by the median absolute one, which half of the values hardly change."""
    median = np.median(values)
    return float(median), _MAD * float(np.median(np.abs(values - median)))


def _limit(scaled: Floats) -> float:
    """Below which gains are suspicious: 1, or less where too many good pairs would be, of a text of a kind unknown.

    Half of the pairs that do not belong together have gains below 0, and of good pairs few have. So the share of such
    pairs is estimated, and from it how many of them are to be expected below each limit; all others are good.
    """
    count = len(scaled)
    bad = min(1.0, 2 * float((scaled < 0).sum()) / count)
    candidates = np.sort(scaled[(scaled >= 0) & (scaled < 1)])
    below = (np.arange(len(candidates)) + 1 + (scaled < 0).sum()) / count
    expected = bad * np.array([_MISMATCHED.cdf(gain) for gain in candidates.tolist()])
    allowed = _ACCUSED + _UNCERTAIN * bad + (bad / count) ** 0.5
    over = np.flatnonzero(below - expected > allowed)
    return float(candidates[over[0]]) if len(over) else 1.0
