"""Nearest-neighbour machine translation (kNN-MT, Khandelwal et al. 2021) with a translation memory.

    p(y)     = (1 - share) p_model(y) + share p_kNN(y)             share is the paper's lambda
    p_kNN(y) = sum of a_i over the entries i with v_i = y
    a        = softmax over i of -|g - k_i|^2 / T,  T = E / SHARPNESS

A datastore has an entry for each target token of the memory. Its value v_i is the token, its key k_i (E,) the features
from which the output layer predicts that token under teacher forcing; g (E,) are the features of a hypothesis. The
paper retrieves from all entries, this module from those of the pairs whose sources are most similar to the sentence
(Dai et al. 2023), so a memory needs no training and no file beside its text. The module does not know search.
"""

import math
from threading import Lock
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq.network.model import Model
from seq2seq.text import batches
from seq2seq.text.tokenizer import EOS
from seq2seq.translation.padding import pad_positions, pad_rows, smallest_columns
from seq2seq.translation.translation_memory import TranslationMemory

SHARPNESS = 8  # chosen on Multi30k
BATCH_TOKENS = 4096  # tokens of the memory for which keys are computed at once
CACHED_ENTRIES = 400_000  # entries whose keys are kept for later sentences; with 256 features, 400 MB


class Entries(NamedTuple):
    """The M entries of a datastore that are retrieved for one sentence."""

    keys: Tensor  # (M, E) k_i
    bias: Tensor  # (M,) -|k_i|^2
    values: Tensor  # (M,) v_i

    def probs(self, features: Tensor, vocabulary: int) -> Tensor:
        """p_kNN (W, V) of the token after features (W, E)."""
        similarity = 2 * (features @ self.keys.T) + self.bias  # (W, M), without -|g|^2, which cancels
        weights = torch.softmax(similarity * (SHARPNESS / features.shape[-1]), dim=-1)
        values = self.values.expand_as(weights)
        return weights.new_zeros(len(features), vocabulary).scatter_add_(1, values, weights)


class Retrieved(NamedTuple):
    """The entries that are retrieved for each of B sentences, and their share of the probability."""

    entries: tuple[Entries, ...]
    share: float

    def select(self, sentences: Tensor) -> "Retrieved":
        """The entries of sentences (B',)."""
        return Retrieved(tuple(self.entries[i] for i in sentences.tolist()), self.share)

    def interpolate(self, log_probs: Tensor, features: Tensor, counts: list[int]) -> Tensor:
        """log p (N, V), from the model's log_probs (N, V) after features (N, E).

        The N rows belong to the B sentences in their order, `counts` rows to each.
        """
        rows = zip(self.entries, features.split(counts), strict=True)
        probs = torch.cat([entries.probs(of_sentence, log_probs.shape[1]) for entries, of_sentence in rows])
        return torch.logaddexp(log_probs + math.log1p(-self.share), probs.log() + math.log(self.share))


class Datastore:
    """The keys and values of a translation memory for one model. Threads may share it.

    The keys of a pair are computed when it is first retrieved, and cached.
    """

    def __init__(self, model: Model, memory: TranslationMemory, share: float) -> None:
        self.model, self.memory, self.share = model, memory, share
        self.columns = smallest_columns(model.config)
        self.lock = Lock()  # guards the two below
        self.cache: dict[int, Tensor] = {}  # the keys (T, E) of a pair, by its number in the memory; the oldest first
        self.cached_entries = 0

    def retrieve(self, src: Tensor, mask: Tensor) -> Retrieved:
        """The entries for sentences src (B, S), mask (B, S), each of which ends with EOS."""
        pairs = [self.memory.retrieve(ids[real][:-1].tolist()).tolist() for ids, real in zip(src, mask, strict=True)]
        with self.lock:  # until the keys are out of the cache, since another thread's sentences may evict them
            self._compute_keys(sorted({pair for of_sentence in pairs for pair in of_sentence} - self.cache.keys()))
            keys = [torch.cat([self.cache[pair] for pair in of_sentence]) for of_sentence in pairs]
            while self.cached_entries > CACHED_ENTRIES:
                self.cached_entries -= len(self.cache.pop(next(iter(self.cache))))
        entries = []
        for k, of_sentence in zip(keys, pairs, strict=True):
            values = [y for pair in of_sentence for y in (*self.memory.tgt[pair], EOS)]
            entries.append(Entries(k, -k.square().sum(-1), torch.tensor(values, device=k.device)))
        return Retrieved(tuple(entries), self.share)

    def _compute_keys(self, pairs: list[int]) -> None:
        """Cache the keys of these pairs. The lock is held."""
        model = self.model
        sources, targets = ([side[pair] for pair in pairs] for side in (self.memory.src, self.memory.tgt))
        for rows in batches.plan_pairs(sources, targets, BATCH_TOKENS):
            src, src_mask, tgt_in, _, tgt_mask = (
                pad_rows(pad_positions(torch.from_numpy(side), self.columns)).to(model.output.weight.device)
                for side in batches.pad_pairs(sources, targets, rows)
            )
            features, _ = model.features(tgt_in, model.start(src, src_mask))
            for row, of_pair, real in zip(rows, features, tgt_mask, strict=False):  # without the rows of padding
                self.cache[pairs[row]] = keys = of_pair[real]
                self.cached_entries += len(keys)
