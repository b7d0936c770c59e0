"""Nearest-neighbour translation with an exported model: the equations of `seq2seq.translation.nearest_neighbour`.

The graphs propose the best tokens of the model; the best of the interpolation are among these and the values of the
entries, so only the probabilities of the values are interpolated.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.text import batches
from seq2seq.text.batches import Arrays
from seq2seq.translation.beam import Ids, LogProbs, Mask
from seq2seq.translation.datastore import FLOOR, SHARPNESS, Datastore
from seq2seq.translation.search import Proposal
from seq2seq.translation.translation_memory import TranslationMemory

Floats = NDArray[np.float32]
TeacherForced = Callable[[Arrays], Floats]  # a batch of pairs -> the features (B, T, E) after each target token


class Entries(NamedTuple):
    """The M entries of a datastore that are retrieved for one sentence, ordered by value, of which U differ."""

    keys: Floats  # (M, E) k_i
    bias: Floats  # (M,) -|k_i|^2
    tokens: Ids  # (U,) the values, ascending
    first: Ids  # (U,) the first entry with each
    floor: np.float32  # d^2

    @classmethod
    def of(cls, keys: Floats, values: Ids) -> "Entries":
        """The entries with these keys (M, E) and values (M,)."""
        order = np.argsort(values, kind="stable")
        keys = keys[order]
        tokens, first = np.unique(values[order], return_index=True)
        spread = 2 * np.square(keys - keys.mean(0)).sum(1).mean()
        return cls(keys, -np.square(keys).sum(1), tokens, first, np.float32(FLOOR * spread))

    def probs(self, features: Floats) -> tuple[Floats, Floats]:
        """p_kNN (W, U) of the tokens after features (W, E), and a_0 (W, 1)."""
        products = np.einsum("we,me->wm", features, self.keys)  # on one thread, and the same for any W
        none = np.square(features).sum(1, keepdims=True) - self.floor  # -d^2, as the others without -|g|^2
        similarity = np.concatenate((none, 2 * products + self.bias), axis=1)
        similarity *= np.float32(SHARPNESS / features.shape[1])
        weights = np.exp(similarity - similarity.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        of_tokens: Floats = np.add.reduceat(weights[:, 1:], self.first, axis=1)
        return of_tokens, weights[:, :1]


class Retrieved(NamedTuple):
    """The entries that are retrieved for each of B sentences, and their share of the probability."""

    entries: tuple[Entries, ...]
    share: float
    known: Ids  # (B, U) the different values of each sentence's entries, padded

    @classmethod
    def of(cls, entries: Sequence[Entries], share: float) -> "Retrieved":
        """What is retrieved for each of B sentences."""
        return cls(tuple(entries), share, batches.pad([each.tokens.tolist() for each in entries])[0])

    def select(self, sentences: Ids) -> "Retrieved":
        """The entries of sentences (B',)."""
        return Retrieved(tuple(self.entries[i] for i in sentences.tolist()), self.share, self.known[sentences])

    def interpolate(self, proposal: Proposal, of_known: Floats, features: Floats, targets: Ids) -> Proposal:
        """The proposal of the interpolation.

        Args:
            proposal: the model's.
            of_known: (B, W, U) the model's log p of `known`.
            features: (B, W, E) that these follow from.
            targets: (B, W) the tokens of `target_log_probs`.
        """
        sentences = zip(self.entries, *proposal[:3], of_known, features, targets, strict=True)
        of_sentences = [self._interpolated(*sentence) for sentence in sentences]
        best, of_best, of_targets = map(np.stack, zip(*of_sentences, strict=True))
        return Proposal(best, of_best, of_targets, proposal.source)

    def _interpolated(
        self,
        entries: Entries,
        best: Ids,
        of_best: LogProbs,
        of_targets: LogProbs,
        of_known: Floats,
        features: Floats,
        targets: Ids,
    ) -> tuple[Ids, LogProbs, LogProbs]:
        """The best tokens (W, C) of one sentence, and log p of these and of the targets (W,)."""
        known, (probs, none) = entries.tokens, entries.probs(features)
        remaining = np.log(np.float32(1 - self.share) + np.float32(self.share) * none)  # (W, 1)
        with np.errstate(divide="ignore"):  # far neighbours have the probability 0
            of_neighbours = np.log(probs) + np.float32(math.log(self.share))
        of_known = np.logaddexp(of_known[:, : len(known)] + remaining, of_neighbours)
        others = np.where(np.isin(best, known), -np.inf, of_best + remaining)
        tokens = np.concatenate((best, np.broadcast_to(known, of_known.shape)), axis=1)
        merged = np.concatenate((others, of_known), axis=1).astype(np.float32)
        order = np.argsort(-merged, axis=1, kind="stable")[:, : best.shape[1]]
        at = np.searchsorted(known, targets).clip(max=len(known) - 1)
        of_known_targets = np.take_along_axis(of_known, at[:, None], axis=1)[:, 0]
        return (
            np.take_along_axis(tokens, order, axis=1),
            np.take_along_axis(merged, order, axis=1),
            np.where(known[at] == targets, of_known_targets, of_targets + remaining[:, 0]),
        )


class OnnxDatastore(Datastore[Floats]):
    """The datastore of an exported model, which retrieves for batches of sentences."""

    def __init__(self, teacher_forced: TeacherForced, memory: TranslationMemory, share: float) -> None:
        super().__init__(memory)
        self.teacher_forced, self.share = teacher_forced, share

    def retrieve(self, src: Ids, mask: Mask) -> Retrieved:
        """The entries for sentences src (B, S), mask (B, S), each of which ends with EOS."""
        found = self.entries_of(ids[real][:-1].tolist() for ids, real in zip(src, mask, strict=True))
        return Retrieved.of([Entries.of(np.concatenate(keys), values) for keys, values in found], self.share)

    def keys_of(self, pairs: Arrays) -> Iterator[Floats]:
        """See `Datastore`."""
        return (of_pair[real] for of_pair, real in zip(self.teacher_forced(pairs), pairs.tgt_mask, strict=True))
