"""The training pairs as token ids. Segmentation and batches of an epoch are a function of the seed and its number.

It does not know models, nor how many epochs there are.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seq2seq.text import batches
from seq2seq.text.corpus import Corpus
from seq2seq.text.ragged import Ragged
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Sampler, Tokenizer
from seq2seq.training.collation import Batch, collate


class TrainingData:
    """Token ids and batches of one epoch at a time; with subword sampling, every epoch has its own segmentation.

    Args:
        sampling: `tokenizer.sampling`, 0 for none.
        batch_tokens: padded tokens of a batch, on the longer side.
        weights: how many times an epoch each of the first pairs occurs; the others, and all if empty, occur once.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        tokenizers: tuple[Tokenizer, Tokenizer],
        sampling: float,
        seed: int,
        batch_tokens: int,
        weights: Sequence[float] = (),
    ) -> None:
        self.lines = [pair.src for pair in pairs], [pair.tgt for pair in pairs]
        self.samplers = Sampler(tokenizers[0], sampling), Sampler(tokenizers[1], sampling)
        self.sampling, self.seed, self.batch_tokens = sampling, seed, batch_tokens
        self.weights = np.array([*weights, *[1.0] * (len(pairs) - len(weights))]) if weights else None
        self.epoch = -1  # the one that is loaded
        self.src, self.tgt, self.plan = Ragged.of([]), Ragged.of([]), list[list[int]]()

    def load_epoch(self, epoch: int) -> list[list[int]]:
        """Segment and order the pairs for an epoch, unless it is loaded; returns the rows of each batch."""
        if epoch != self.epoch:
            if self.sampling or not self.plan:
                rngs = [np.random.default_rng((self.seed, epoch, side)) for side in (0, 1)]
                self.src, self.tgt = (
                    sampler.sample(lines, rng)
                    for sampler, lines, rng in zip(self.samplers, self.lines, rngs, strict=True)
                )
            order = np.random.default_rng((self.seed, epoch, 2))
            rows = None if self.weights is None else rows_of_epoch(self.weights, self.seed, epoch)
            self.plan = batches.plan_pairs(self.src, self.tgt, self.batch_tokens, order, rows)
            self.epoch = epoch
        return self.plan

    def batch(self, rows: list[int]) -> Batch:
        """The padded batch of these rows of the loaded epoch."""
        return collate(self.src, self.tgt, rows)


def rows_of_epoch(weights: NDArray[np.float64], seed: int, epoch: int) -> NDArray[np.int64]:
    """The rows that an epoch trains on, each as often as it occurs there.

    The rows of one weight are taken from an endless row of passes over them, each in its own random order; an epoch
    takes the next share of it. So a pair of weight 0.5 occurs in every second epoch, or twice in four. The result
    depends on the arguments alone.
    """
    chosen = []
    for group, weight in enumerate(np.unique(weights)):
        rows = np.flatnonzero(weights == weight)
        start, stop = (round(number * weight * len(rows)) for number in (epoch, epoch + 1))
        for number in range(start // len(rows), -(-stop // len(rows))):
            order = np.random.default_rng((seed, number, 4, group)).permutation(rows)
            first = number * len(rows)
            chosen.append(order[max(0, start - first) : stop - first])
    return np.concatenate(chosen)


def fingerprint(corpus: Corpus, tokenizers: tuple[Tokenizer, Tokenizer]) -> str:
    """SHA-256 of the training pairs and their weights, the dev pairs and the tokenizers."""
    digest = hashlib.sha256(np.array(corpus.weights, np.float64).tobytes())
    for pairs in [*corpus.train, *corpus.synthetic], corpus.dev:
        digest.update(json.dumps(len(pairs)).encode())
        for pair in pairs:
            digest.update(json.dumps(pair).encode())
    for tokenizer in tokenizers:
        digest.update(tokenizer.model_bytes)
    return digest.hexdigest()
