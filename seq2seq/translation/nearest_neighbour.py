"""Nearest-neighbour machine translation (kNN-MT, Khandelwal et al. 2021) with a translation memory.

    p(y)     = (1 - share + share a_0) p_model(y) + share p_kNN(y)             share is the paper's lambda
    p_kNN(y) = sum of a_i over the entries i with v_i = y
    a        = softmax over i of -|g - k_i|^2 / T, and for i = 0 of -d^2 / T,  T = E / SHARPNESS

The paper has no a_0. It is what the model keeps where no entry is near, without which a memory of a few pairs, or of
other text, would say something at each token. d^2 is FLOOR times the mean squared distance between two of the keys.

A datastore has an entry for each target token of the memory. Its value v_i is the token, its key k_i (E,) the features
from which the output layer predicts that token under teacher forcing; g (E,) are the features of a hypothesis. The
paper retrieves from all entries, this module from those of the pairs whose sources are most similar to the sentence
(Dai et al. 2023), so a memory needs no training and no file beside its text. The module does not know search.
"""

import math
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq.network.model import Model
from seq2seq.text.batches import Arrays
from seq2seq.translation.datastore import FLOOR, SHARPNESS, Datastore
from seq2seq.translation.padding import pad_positions, pad_rows, smallest_columns
from seq2seq.translation.translation_memory import TranslationMemory


class Entries(NamedTuple):
    """The M entries of a datastore that are retrieved for one sentence."""

    keys: Tensor  # (M, E) k_i
    bias: Tensor  # (M,) -|k_i|^2
    values: Tensor  # (M,) v_i
    floor: Tensor  # () d^2

    @classmethod
    def of(cls, keys: Tensor, values: Tensor) -> "Entries":
        """The entries with these keys (M, E) and values (M,)."""
        spread = 2 * (keys - keys.mean(0)).square().sum(-1).mean()
        return cls(keys, -keys.square().sum(-1), values, FLOOR * spread)

    def probs(self, features: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
        """p_kNN (W, V) of the token after features (W, E), and a_0 (W, 1)."""
        products = 2 * (features @ self.keys.T) + self.bias  # (W, M), without -|g|^2, which cancels
        none = features.square().sum(-1, keepdim=True) - self.floor
        similarity = torch.cat((none, products), dim=-1) * (SHARPNESS / features.shape[-1])
        none, weights = torch.softmax(similarity, dim=-1).split((1, len(self.keys)), dim=-1)
        values = self.values.expand_as(weights)
        return weights.new_zeros(len(features), vocabulary).scatter_add_(1, values, weights), none


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
        found = [entries.probs(of_sentence, log_probs.shape[1]) for entries, of_sentence in rows]
        probs, none = map(torch.cat, zip(*found, strict=True))
        remaining = (1 - self.share + self.share * none).log()
        return torch.logaddexp(log_probs + remaining, probs.log() + math.log(self.share))


class TorchDatastore(Datastore[Tensor]):
    """The datastore of a trained model, which retrieves for batches of sentences."""

    def __init__(self, model: Model, memory: TranslationMemory, share: float) -> None:
        super().__init__(memory)
        self.model, self.share = model, share
        self.columns = smallest_columns(model.config)

    def retrieve(self, src: Tensor, mask: Tensor) -> Retrieved:
        """The entries for sentences src (B, S), mask (B, S), each of which ends with EOS."""
        sentences = (ids[real][:-1].tolist() for ids, real in zip(src, mask, strict=True))
        entries = []
        for of_pairs, values in self.entries_of(sentences):
            keys = torch.cat(of_pairs)
            entries.append(Entries.of(keys, torch.from_numpy(values).to(keys.device)))
        return Retrieved(tuple(entries), self.share)

    def keys_of(self, pairs: Arrays) -> Iterator[Tensor]:
        """See `Datastore`; by teacher forcing."""
        model = self.model
        src, src_mask, tgt_in, _, tgt_mask = (
            pad_rows(pad_positions(torch.from_numpy(side), self.columns)).to(model.output.weight.device)
            for side in pairs
        )
        features, _ = model.features(tgt_in, model.start(src, src_mask))
        return (of_pair[real] for of_pair, real in islice(zip(features, tgt_mask, strict=True), len(pairs.src)))
