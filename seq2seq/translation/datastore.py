"""The keys of a translation memory's pairs, computed when a pair is first retrieved, and cached.

The equations are in `nearest_neighbour`. This module knows neither what computes a model nor search.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Generic, TypeVar

import numpy as np

from seq2seq.text import batches
from seq2seq.text.batches import Arrays
from seq2seq.text.tokenizer import EOS
from seq2seq.translation.beam import Ids
from seq2seq.translation.translation_memory import TranslationMemory

SHARPNESS = 8  # E / T, chosen on Multi30k
FLOOR = 0.35  # d^2 as a share of the mean squared distance between two keys; chosen with the model that ships
BATCH_TOKENS = 4096  # tokens of the memory for which keys are computed at once
CACHED_ENTRIES = 400_000  # entries whose keys are kept for later sentences; with 256 features, 400 MB

Keys = TypeVar("Keys")  # of a pair (T, E), as an engine holds them


class Datastore(ABC, Generic[Keys]):
    """The keys and values of a translation memory for one model. Threads may share it."""

    def __init__(self, memory: TranslationMemory) -> None:
        self.memory = memory
        self.lock = Lock()  # guards the two below
        self.cache: dict[int, Keys] = {}  # the keys of a pair, by its number in the memory; the oldest first
        self.cached_entries = 0

    @abstractmethod
    def keys_of(self, pairs: Arrays) -> Iterable[Keys]:
        """The features after each target token of each of the pairs, padding left out."""

    def entries_of(self, sentences: Iterable[Sequence[int]]) -> list[tuple[list[Keys], Ids]]:
        """What is retrieved for each sentence, given without EOS: the keys of each pair, and the values (M,) of all."""
        pairs = [self.memory.retrieve(ids).tolist() for ids in sentences]
        with self.lock:  # until the keys are out of the cache, since another thread's sentences may evict them
            self._compute(sorted({pair for of_sentence in pairs for pair in of_sentence} - self.cache.keys()))
            keys = [[self.cache[pair] for pair in of_sentence] for of_sentence in pairs]
            while self.cached_entries > CACHED_ENTRIES:
                oldest = next(iter(self.cache))
                del self.cache[oldest]
                self.cached_entries -= len(self.memory.tgt[oldest]) + 1
        values = [[y for pair in of_sentence for y in (*self.memory.tgt[pair], EOS)] for of_sentence in pairs]
        return [(of_pairs, np.array(of_sentence)) for of_pairs, of_sentence in zip(keys, values, strict=True)]

    def _compute(self, pairs: list[int]) -> None:
        """Cache the keys of these pairs. The lock is held."""
        sources, targets = ([side[pair] for pair in pairs] for side in (self.memory.src, self.memory.tgt))
        for rows in batches.plan_pairs(sources, targets, BATCH_TOKENS):
            for row, keys in zip(rows, self.keys_of(batches.pad_pairs(sources, targets, rows)), strict=True):
                self.cache[pairs[row]] = keys
                self.cached_entries += len(targets[row]) + 1
