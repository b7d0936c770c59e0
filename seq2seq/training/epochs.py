"""The training pairs as ids, epoch by epoch: each epoch's segmentation and batches are a function of its number."""

import hashlib
import json

import numpy as np

from seq2seq.text import batches
from seq2seq.text.corpus import Corpus
from seq2seq.text.ragged import Ragged
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Sampler, Tokenizer
from seq2seq.training.collation import Batch, collate


class TrainingData:
    """The training pairs as ids, segmented anew each epoch where sampling is on, and their order."""

    def __init__(
        self, pairs: list[Pair], tokenizers: tuple[Tokenizer, Tokenizer], sampling: float, seed: int, budget: int
    ) -> None:
        self.lines = [pair.src for pair in pairs], [pair.tgt for pair in pairs]
        self.samplers = Sampler(tokenizers[0], sampling), Sampler(tokenizers[1], sampling)
        self.sampling, self.seed, self.budget = sampling, seed, budget
        self.number = -1  # of the epoch that is held
        self.src, self.tgt, self.plan = Ragged.of([]), Ragged.of([]), list[list[int]]()

    def epoch(self, number: int) -> list[list[int]]:
        """The rows of each batch of an epoch: a function of the seed and the epoch's number."""
        if number != self.number:
            if self.sampling or not self.plan:
                rngs = [np.random.default_rng((self.seed, number, side)) for side in (0, 1)]
                self.src, self.tgt = (
                    sampler.sample(lines, rng)
                    for sampler, lines, rng in zip(self.samplers, self.lines, rngs, strict=True)
                )
            order = np.random.default_rng((self.seed, number, 2))
            self.plan = batches.plan_pairs(self.src, self.tgt, self.budget, order)
            self.number = number
        return self.plan

    def batch(self, rows: list[int]) -> Batch:
        """The padded batch of these rows of the epoch that is held."""
        return collate(self.src, self.tgt, rows)


def fingerprint(corpus: Corpus, tokenizers: tuple[Tokenizer, Tokenizer]) -> str:
    """SHA-256 of all that is trained and validated on, and of what segments it."""
    digest = hashlib.sha256()
    for pairs in [*corpus.train, *corpus.synthetic], corpus.dev:
        digest.update(json.dumps(len(pairs)).encode())
        for pair in pairs:
            digest.update(json.dumps(pair).encode())
    for tokenizer in tokenizers:
        digest.update(tokenizer.model_bytes)
    return digest.hexdigest()
