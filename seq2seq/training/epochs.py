"""The training pairs as token ids. What an epoch reads, its segmentation and batches are a function of the seed and its
number.

It does not know models, nor how many epochs there are.
"""

import hashlib
import json
import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.errors import WorkError
from seq2seq.processes import CAN_FORK
from seq2seq.text import batches
from seq2seq.text.directions import EpochRows
from seq2seq.text.mapped import Joined, Picked, side
from seq2seq.text.multilingual import Corpora
from seq2seq.text.ragged import Ragged, Selected
from seq2seq.text.sampling import Sampler
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.collation import Batch, collate

Ids = Ragged | Selected
Chunks = Iterator[tuple[Ragged, Ragged]]


class Mixture(NamedTuple):
    """How pairs of several directions, or of several weights, are read."""

    rows: EpochRows  # the pairs of an epoch
    languages: NDArray[np.int32] | None = None  # for each pair, the token of the target's language: its source's first


class Kept(NamedTuple):
    """What a text that is larger than memory keeps in files."""

    encoded: tuple[Ragged, Ragged] | None  # the ids of all pairs; None with subword sampling
    epoch: Callable[[int, Callable[[], Chunks]], tuple[Ragged, Ragged]]  # stores the ids of an epoch, once
    fingerprint: str  # of the text and the tokenizers


class TrainingData:
    """Token ids and batches of one epoch at a time; with subword sampling, every epoch has its own segmentation.

    Args:
        sampling: `tokenizer.sampling`, 0 for none.
        batch_tokens: padded tokens of a batch, on the longer side.
        mixture: of directions or weights; None: an epoch reads each pair once, without a language token.
        right_to_left: whether targets are reversed.
        kept: of mapped pairs; None: ids are in memory.
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
        kept: Kept | None = None,
    ) -> None:
        self.lines = side(pairs, 0), side(pairs, 1)
        self.samplers = Sampler(tokenizers[0], sampling), Sampler(tokenizers[1], sampling)
        self.sampling, self.seed, self.batch_tokens, self.mixture = sampling, seed, batch_tokens, mixture
        self.right_to_left = right_to_left
        self.epoch = -1  # the one that is loaded
        self.src: Ids = Ragged.of([])
        self.tgt: Ids = self.src
        self.plan = Ragged.of([])
        self.rows: NDArray[Any] = np.arange(len(pairs), dtype=np.int32)  # for each of these ids, its pair
        self.kept, self.encoded = kept, kept.encoded if kept else None  # all pairs, where all epochs have the same ids

    def load_epoch(self, epoch: int) -> Ragged:
        """Segment and order the pairs for an epoch, unless it is loaded; returns the rows of each batch."""
        if epoch != self.epoch:
            self.rows = self._rows(epoch)
            src, tgt = self._segment(epoch)
            self.src, self.tgt = src, tgt
            if self.mixture or self.right_to_left:
                places = np.arange(len(self.rows)) if self.sampling else self.rows
                languages = self.mixture.languages if self.mixture else None
                self.src = Selected(src, places, None if languages is None else languages[self.rows])
                self.tgt = Selected(tgt, places, backwards=self.right_to_left)
            order = np.random.default_rng((self.seed, epoch, 2))
            lengths = [side.lengths().astype(np.int32) + 1 for side in (self.src, self.tgt)]
            self.plan = batches.plan(np.stack(lengths, axis=1), self.batch_tokens, order)
            self.epoch = epoch
            self._segment_ahead(epoch + 1)
        return self.plan

    def _rows(self, epoch: int) -> NDArray[Any]:
        """The pairs of an epoch."""
        return self.mixture.rows(epoch) if self.mixture else self.rows

    def _segment(self, epoch: int, parent: int = 0) -> tuple[Ragged, Ragged]:
        """The ids, without language tokens: with sampling those of the epoch's pairs, otherwise of all pairs.

        Where `parent` is given, this process is to end with that one.
        """
        if self.encoded:
            return self.encoded
        if self.kept:
            return self.kept.epoch(epoch, lambda: self._chunks(epoch, parent))
        src, tgt = map(Ragged.joined, self._sampled(epoch))
        if not self.sampling:
            self.encoded = src, tgt
        return src, tgt

    def _sampled(self, epoch: int) -> list[Iterator[Ragged]]:
        """The ids of each side in chunks. They depend on the seed and the epoch alone."""
        rngs = [np.random.default_rng((self.seed, epoch, side)) for side in (0, 1)]
        rows = self._rows(epoch) if self.mixture and self.sampling else None
        return [
            sampler.samples(lines if rows is None else Picked(lines, rows), rng)
            for sampler, lines, rng in zip(self.samplers, self.lines, rngs, strict=True)
        ]

    def _chunks(self, epoch: int, parent: int) -> Chunks:
        """The ids of both sides in chunks."""
        for src, tgt in zip(*self._sampled(epoch), strict=True):
            if parent and os.getppid() != parent:
                os._exit(1)
            yield src, tgt

    def _segment_ahead(self, epoch: int) -> None:
        """Let another process sample the ids of an epoch into files, while this one trains."""
        if self.kept and self.sampling and CAN_FORK and not multiprocessing.current_process().daemon:
            fork = multiprocessing.get_context("fork")
            ahead = fork.Process(target=self._ahead, args=(epoch, os.getpid()), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which it does not use
                ahead.start()

    def _ahead(self, epoch: int, parent: int) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.nice(10)
        with suppress(WorkError):  # the training itself then says so
            self._segment(epoch, parent)

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
        for pairs in Joined([corpus.train, corpus.synthetic]), corpus.dev:
            digest.update(json.dumps(len(pairs)).encode())
            for pair in pairs:
                digest.update(json.dumps(pair).encode())
    for tokenizer in tokenizers:
        digest.update(tokenizer.model_bytes)
    return digest.hexdigest()
