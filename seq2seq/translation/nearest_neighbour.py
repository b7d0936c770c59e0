"""Nearest-neighbour translation: what a model would have said next in sentences like this one, of a translation memory.

    p(y) = (1 - share) * p of the model + share * sum over the places i where y_i = y of a_i
    a    = softmax over i of -|g - g_i|^2 / T,  T = E / SHARPNESS

g (E,) are the features that the output layer reads; g_i are what they are, by teacher forcing, where a pair of the
memory says y_i (Khandelwal et al. 2021, over all i). The places are those of the pairs whose sources are most like the
sentence (Dai et al. 2023), so a memory needs no training and no file beside its text.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq.network.model import Model
from seq2seq.text import batches
from seq2seq.text.tokenizer import EOS
from seq2seq.translation.padding import pad_positions, pad_rows
from seq2seq.translation.translation_memory import TranslationMemory

SHARPNESS = 8  # chosen on Multi30k
BUDGET = 4096  # tokens of the memory read at once
HELD = 1_000_000  # places whose features are kept for the next sentences; of 256 numbers, 1 GB


class Neighbours(NamedTuple):
    """The places of a memory that one sentence looks at, M of them."""

    keys: Tensor  # (M, E) the features g_i
    bias: Tensor  # (M,) -|g_i|^2
    tokens: Tensor  # (M,) y_i

    def says(self, features: Tensor, vocabulary: int) -> Tensor:
        """p (W, V) of what follows features (W, E)."""
        nearness = 2 * (features @ self.keys.T) + self.bias  # (W, M), and -|g|^2 cancels
        weights = torch.softmax(nearness * (SHARPNESS / features.shape[-1]), dim=-1)
        tokens = self.tokens.expand_as(weights)
        return weights.new_zeros(len(features), vocabulary).scatter_add_(1, tokens, weights)


class Sight(NamedTuple):
    """What each of B sentences looks at, for a share of what a model says."""

    neighbours: tuple[Neighbours, ...]
    share: float

    def select(self, sentences: Tensor) -> "Sight":
        """That of sentences (B',)."""
        return Sight(tuple(self.neighbours[i] for i in sentences.tolist()), self.share)

    def mix(self, log_p: Tensor, features: Tensor, counts: list[int]) -> Tensor:
        """log p (N, V) of model and memory together, where after features (N, E) the model alone says log_p (N, V).

        Of the N rows so many are of each sentence.
        """
        rows = zip(self.neighbours, features.split(counts), strict=True)
        said = torch.cat([near.says(each, log_p.shape[1]) for near, each in rows])
        return torch.logaddexp(log_p + math.log1p(-self.share), said.log() + math.log(self.share))


class Datastore:
    """A model's features at the places of a translation memory, each computed when a sentence first looks at it."""

    def __init__(self, model: Model, memory: TranslationMemory, share: float) -> None:
        self.model, self.memory, self.share = model, memory, share
        self.held: dict[int, Tensor] = {}  # features (T, E) of the memory's pairs, those read last at the end
        self.places = 0

    def of(self, src: Tensor, mask: Tensor) -> Sight:
        """What sentences src (B, S), mask (B, S) look at; each ends with EOS."""
        found = [self.memory.retrieve(ids[real][:-1].tolist()).tolist() for ids, real in zip(src, mask, strict=True)]
        self._read(sorted({pair for pairs in found for pair in pairs} - self.held.keys()))
        neighbours = []
        for pairs in found:
            keys = torch.cat([self.held[pair] for pair in pairs])
            tokens = torch.tensor([y for pair in pairs for y in (*self.memory.tgt[pair], EOS)], device=keys.device)
            neighbours.append(Neighbours(keys, -keys.square().sum(-1), tokens))
        while self.places > HELD:
            self.places -= len(self.held.pop(next(iter(self.held))))
        return Sight(tuple(neighbours), self.share)

    def _read(self, pairs: list[int]) -> None:
        """Compute the features of these pairs, by teacher forcing."""
        model = self.model
        sources, targets = ([side[pair] for pair in pairs] for side in (self.memory.src, self.memory.tgt))
        for rows in batches.plan_pairs(sources, targets, BUDGET):
            src, src_mask, before, _, mask = (
                pad_rows(pad_positions(torch.from_numpy(side))).to(model.output.weight.device)
                for side in batches.pad_pairs(sources, targets, rows)
            )
            features, _ = model.features(before, model.start(src, src_mask))
            for row, said, real in zip(rows, features, mask, strict=False):
                self.held[pairs[row]] = kept = said[real]
                self.places += len(kept)
