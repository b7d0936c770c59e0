"""The training pairs as token ids. What an epoch reads, its segmentation and batches are a function of the seed and its
number.

It does not know models, nor how many epochs there are.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.text import batches
from seq2seq.text.directions import EpochRows
from seq2seq.text.multilingual import Corpora
from seq2seq.text.ragged import Ragged
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Sampler, Tokenizer
from seq2seq.training.collation import Batch, collate


class Mixture(NamedTuple):
    """How pairs of several directions, or of several weights, are read."""

    rows: EpochRows  # the pairs of an epoch
    languages: NDArray[np.int32] | None = None  # for each pair, the token of the target's language: its source's first


class TrainingData:
    """Token ids and batches of one epoch at a time; with subword sampling, every epoch has its own segmentation.

    Args:
        sampling: `tokenizer.sampling`, 0 for none.
        batch_tokens: padded tokens of a batch, on the longer side.
        mixture: of directions or weights; None: an epoch reads each pair once, without a language token.
        right_to_left: whether targets are reversed.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        tokenizers: tuple[Tokenizer, Tokenizer],
        sampling: float,
        seed: int,
        batch_tokens: int,
        mixture: Mixture | None = None,
        right_to_left: bool = False,
    ) -> None:
        self.lines = [pair.src for pair in pairs], [pair.tgt for pair in pairs]
        self.samplers = Sampler(tokenizers[0], sampling), Sampler(tokenizers[1], sampling)
        self.sampling, self.seed, self.batch_tokens, self.mixture = sampling, seed, batch_tokens, mixture
        self.right_to_left = right_to_left
        self.epoch = -1  # the one that is loaded
        self.src, self.tgt, self.plan = Ragged.of([]), Ragged.of([]), list[list[int]]()
        self.rows = np.arange(len(pairs))  # for each of these ids, its pair
        self.encoded: tuple[Ragged, Ragged] | None = None  # all pairs, where all epochs have one segmentation

    def load_epoch(self, epoch: int) -> list[list[int]]:
        """Segment and order the pairs for an epoch, unless it is loaded; returns the rows of each batch."""
        if epoch != self.epoch:
            if self.mixture:
                self.rows = self.mixture.rows(epoch)
            self.src, self.tgt = self._segment(epoch)
            if self.mixture and self.mixture.languages is not None:
                self.src = self.src.prefixed(self.mixture.languages[self.rows])
            order = np.random.default_rng((self.seed, epoch, 2))
            self.plan = batches.plan_pairs(self.src, self.tgt, self.batch_tokens, order)
            self.epoch = epoch
        return self.plan

    def _segment(self, epoch: int) -> tuple[Ragged, Ragged]:
        """The ids of the epoch's pairs, without language tokens."""
        if self.encoded is None:
            rngs = [np.random.default_rng((self.seed, epoch, side)) for side in (0, 1)]
            rows = self.rows.tolist() if self.sampling else range(len(self.lines[0]))
            src, tgt = (
                sampler.sample([lines[row] for row in rows], rng)
                for sampler, lines, rng in zip(self.samplers, self.lines, rngs, strict=True)
            )
            tgt = tgt.reversed() if self.right_to_left else tgt
            if self.sampling:
                return src, tgt
            self.encoded = src, tgt
        src, tgt = self.encoded
        return (src.take(self.rows), tgt.take(self.rows)) if self.mixture else self.encoded

    def batch(self, rows: list[int]) -> Batch:
        """The padded batch of these rows of the loaded epoch."""
        return collate(self.src, self.tgt, rows)

    def text(self, row: int) -> tuple[str, str]:
        """The source and the target of a row of the loaded epoch."""
        src, tgt = self.lines
        return src[self.rows[row]], tgt[self.rows[row]]


def fingerprint(corpora: Corpora, tokenizers: tuple[Tokenizer, Tokenizer]) -> str:
    """SHA-256 of the training pairs with their weights and the dev pairs of each direction, and of the tokenizers."""
    digest = hashlib.sha256()
    for corpus in corpora.values():
        digest.update(np.array(corpus.weights, np.float64).tobytes())
        for pairs in [*corpus.train, *corpus.synthetic], corpus.dev:
            digest.update(json.dumps(len(pairs)).encode())
            for pair in pairs:
                digest.update(json.dumps(pair).encode())
    for tokenizer in tokenizers:
        digest.update(tokenizer.model_bytes)
    return digest.hexdigest()
