"""The training pairs as token ids. Segmentation and batches of an epoch are a function of the seed and its number.

It does not know models, nor how many epochs there are.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

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
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        tokenizers: tuple[Tokenizer, Tokenizer],
        sampling: float,
        seed: int,
        batch_tokens: int,
    ) -> None:
        self.lines = [pair.src for pair in pairs], [pair.tgt for pair in pairs]
        self.samplers = Sampler(tokenizers[0], sampling), Sampler(tokenizers[1], sampling)
        self.sampling, self.seed, self.batch_tokens = sampling, seed, batch_tokens
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
            self.plan = batches.plan_pairs(self.src, self.tgt, self.batch_tokens, order)
            self.epoch = epoch
        return self.plan

    def batch(self, rows: list[int]) -> Batch:
        """The padded batch of these rows of the loaded epoch."""
        return collate(self.src, self.tgt, rows)


def fingerprint(corpus: Corpus, tokenizers: tuple[Tokenizer, Tokenizer]) -> str:
    """SHA-256 of the training pairs, the dev pairs and the tokenizers."""
    digest = hashlib.sha256()
    for pairs in [*corpus.train, *corpus.synthetic], corpus.dev:
        digest.update(json.dumps(len(pairs)).encode())
        for pair in pairs:
            digest.update(json.dumps(pair).encode())
    for tokenizer in tokenizers:
        digest.update(tokenizer.model_bytes)
    return digest.hexdigest()
