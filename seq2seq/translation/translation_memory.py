"""A translation memory: of many pairs of sentences those whose source is most like another, by the tokens they share.

    score = sum over the tokens w of the sentence of log(1 + (N - n_w + 1/2) / (n_w + 1/2)) f_w (k + 1) / (f_w + k l)
    l = 1 - b + b * length / mean length,  k = 1.2,  b = 0.75

BM25 (Robertson & Zaragoza 2009, section 3.4): a pair's source has w f_w times, n_w of the N sources have it. The memory
knows ids, and no model.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seq2seq.text.ragged import Ragged

SATURATION, LENGTH = 1.2, 0.75  # k and b, as everybody has them
MOST = 128  # pairs found for a sentence


class TranslationMemory:
    """Pairs of ids, one at least, and an index of the tokens of their sources."""

    def __init__(self, src: Ragged, tgt: Ragged) -> None:
        self.src, self.tgt = src, tgt
        lengths, tokens = np.diff(src.offsets), src.flat.astype(np.int64)
        of_pair = np.repeat(np.arange(len(src)), lengths)
        both, times = np.unique(tokens * len(src) + of_pair, return_counts=True)  # by token, then by pair
        token, self.pairs = np.divmod(both, len(src))
        self.begin = np.searchsorted(token, np.arange(tokens.max(initial=0) + 2))  # where each token's pairs stand
        sources = np.diff(self.begin)[token]
        rarity = np.log1p((len(src) - sources + 0.5) / (sources + 0.5))
        spread = 1 - LENGTH + LENGTH * lengths[self.pairs] / max(lengths.mean(), 1)
        self.scores = rarity * times * (SATURATION + 1) / (times + SATURATION * spread)

    def retrieve(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """The numbers of the MOST pairs, or all there are, whose source is most like these ids, the best first."""
        total = np.zeros(len(self.src))
        for token in sorted({token for token in ids if token < len(self.begin) - 1}):
            at = slice(self.begin[token], self.begin[token + 1])
            total[self.pairs[at]] += self.scores[at]
        return np.argsort(-total, kind="stable")[:MOST]
