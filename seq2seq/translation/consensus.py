"""Minimum Bayes risk decoding: the hypothesis that is most similar to the others, on average.

    expected(y) = sum over the hypotheses z of q(z) u(y, z)

The utility u is BLEU or chrF of the sentence y with z as its reference. Samples have equal shares q (Eikema & Aziz
2020). The hypotheses of a search have shares in proportion to their probabilities (Kumar & Byrne 2004), with rescorers
to exp(log p + sum of w_i log p_i); they sum to 1. All N * N utilities of N different hypotheses of L tokens are
computed, in time O(N * N * L); their n-grams are counted once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.text.utility import utilities

_DIGITS = 9  # after the point; expectations that differ by less are equal

Floats = NDArray[np.float64]


class Consensus(NamedTuple):
    """What is expected of a translation."""

    metric: str  # the utility: one of `seq2seq.text.utility.UTILITIES`
    tokenize: str  # how BLEU finds words

    def ranked(self, texts: Sequence[str], shares: Floats) -> list[tuple[int, float]]:
        """The place of each different text and its expected utility, 0 to 100, best first; equal ones in their order.

        Args:
            texts: of the hypotheses; equal ones add their shares up, and the first stands for all.
            shares: of the hypotheses, which sum to 1.
        """
        first = dict[str, int]()
        for place, text in enumerate(texts):
            first.setdefault(text, place)
        of_texts = dict.fromkeys(first, 0.0)
        for text, share in zip(texts, shares.tolist(), strict=True):
            of_texts[text] += share
        weighted = utilities(list(first), self.metric, self.tokenize) * np.array(list(of_texts.values()))
        expected = weighted.sum(1).round(_DIGITS)
        places = list(first.values())
        return [(places[i], float(expected[i])) for i in np.argsort(-expected, kind="stable")]
