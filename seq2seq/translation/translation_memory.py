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
        lengths = src.lengths()
        order = np.argsort(src.flat, kind="stable")  # by token, then by pair
        token = src.flat[order]
        pairs = np.repeat(np.arange(len(src), dtype=np.int32), lengths)[order]
        del order  # of many tokens, it is the largest
        is_first = np.ones(len(token), np.bool_)  # of a posting: a token and a pair that it occurs in
        is_first[1:] = (token[1:] != token[:-1]) | (pairs[1:] != pairs[:-1])
        first = np.flatnonzero(is_first)
        self.pairs = pairs[first]  # of each posting
        counts = np.diff(first, append=len(token))
        self.counts = counts.astype(np.min_scalar_type(counts.max(initial=0)))  # f_w of each posting
        self.begin = np.searchsorted(token[first], np.arange(int(token.max(initial=0)) + 2))  # of a token's postings
        self.damping = K1 * (1 - B + B * lengths / max(lengths.mean(), 1))  # of each pair

    def retrieve(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """The numbers of the MOST_PAIRS pairs, or of all, that score highest for these ids, best first."""
        totals = np.zeros(len(self.src))
        for token in sorted({token for token in ids if token < len(self.begin) - 1}):
            postings = slice(self.begin[token], self.begin[token + 1])
            pairs, counts = self.pairs[postings], self.counts[postings].astype(np.float64)
            rarity = np.log1p((len(self.src) - len(pairs) + 0.5) / (len(pairs) + 0.5))
            totals[pairs] += rarity * counts * (K1 + 1) / (counts + self.damping[pairs])
        return np.argsort(-totals, kind="stable")[:MOST_PAIRS]
