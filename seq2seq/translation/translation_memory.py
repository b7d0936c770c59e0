"""A translation memory: sentence pairs, and retrieval of those whose source is most similar to a sentence (BM25).

    score = sum over the distinct tokens w of the sentence of log(1 + (N - n_w + 1/2) / (n_w + 1/2)) tf
    tf    = f_w (k1 + 1) / (f_w + k1 (1 - b + b length / mean length)),  k1 = 1.2,  b = 0.75

The token w occurs f_w times in the source of a pair, whose length is counted in tokens, and in n_w of all N sources
(Robertson & Zaragoza 2009, section 3.4). The module knows token ids, and no model.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seq2seq.text.ragged import Ragged

K1, B = 1.2, 0.75  # the usual values
MOST_PAIRS = 128  # that are retrieved for a sentence


class TranslationMemory:
    """One or more pairs of token ids, and an inverted index of their sources."""

    def __init__(self, src: Ragged, tgt: Ragged) -> None:
        self.src, self.tgt = src, tgt
        lengths, tokens = np.diff(src.offsets), src.flat.astype(np.int64)
        pair_of_token = np.repeat(np.arange(len(src)), lengths)
        postings, counts = np.unique(tokens * len(src) + pair_of_token, return_counts=True)  # by token, then by pair
        token, self.pairs = np.divmod(postings, len(src))
        self.begin = np.searchsorted(token, np.arange(tokens.max(initial=0) + 2))  # of each token's postings
        sources = np.diff(self.begin)[token]  # n_w
        rarity = np.log1p((len(src) - sources + 0.5) / (sources + 0.5))
        length = 1 - B + B * lengths[self.pairs] / max(lengths.mean(), 1)
        self.scores = rarity * counts * (K1 + 1) / (counts + K1 * length)

    def retrieve(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """The numbers of the MOST_PAIRS pairs, or of all, that score highest for these ids, best first."""
        totals = np.zeros(len(self.src))
        for token in sorted({token for token in ids if token < len(self.begin) - 1}):
            postings = slice(self.begin[token], self.begin[token + 1])
            totals[self.pairs[postings]] += self.scores[postings]
        return np.argsort(-totals, kind="stable")[:MOST_PAIRS]
