"""Encoded pairs to padded batches under a token budget.

`epoch` says which pairs go together and in which order, `collate` makes one batch of tensors. An epoch is a function of
the lengths and the generator alone: whoever makes the generator from (seed, epoch number) can make the same epoch again
and go on at any batch.

This module does not know text or models, nor how many epochs there are.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from seq2seq.tokenizer import BOS, EOS, PAD

Ids = Sequence[Sequence[int]]  # encoded sentences, without BOS and EOS


class Batch(NamedTuple):
    """Pairs of sentences, padded on the right. T counts BOS in `tgt_in` and EOS in `tgt_out`, S counts EOS."""

    src: Tensor  # (B, S)
    src_mask: Tensor  # (B, S), True = real token
    tgt_in: Tensor  # (B, T)
    tgt_out: Tensor  # (B, T)
    tgt_mask: Tensor  # (B, T)
    rows: list[int]  # B, where the pairs stand in the lists they came from

    def twice(self) -> "Batch":
        """The batch, and behind it the same batch again."""
        return self._each(lambda x: torch.cat((x, x)), self.rows * 2)

    def halves(self) -> list["Batch"]:
        """The pairs in two batches; a single pair stays in one."""
        cut = (len(self.rows) + 1) // 2
        first = self._each(lambda x: x[:cut], self.rows[:cut])
        return [first, self._each(lambda x: x[cut:], self.rows[cut:])] if len(self.rows) > 1 else [first]

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on another device."""
        return self._each(lambda x: x.to(device, non_blocking=True), self.rows)

    def _each(self, change: Callable[[Tensor], Tensor], rows: list[int]) -> "Batch":
        src, src_mask, tgt_in, tgt_out, tgt_mask = map(change, self[:5])
        return Batch(src, src_mask, tgt_in, tgt_out, tgt_mask, rows)


def epoch(src: Ids, tgt: Ids, budget: int, rng: np.random.Generator | None = None) -> list[list[int]]:
    """The rows of every batch of one epoch, as `plan` has them."""
    lengths = [np.fromiter(map(len, side), np.int64, len(side)) + 1 for side in (src, tgt)]
    return plan(np.stack(lengths, axis=1), budget, rng)


def plan(lengths: ArrayLike, budget: int, rng: np.random.Generator | None = None) -> list[list[int]]:
    """Rows to batches with B * S <= budget and B * T <= budget; a longer sentence has a batch of its own.

    Rows are sorted by the longer side, then by how much longer it is. With `rng` equals meet at random and the batches
    are shuffled; without, batches run from short to long.

    Args:
        lengths: (N, 2), source and target; or (N, 1), one side.
        budget: padded tokens of one side of a batch.
        rng: what shuffles.
    """
    lengths = np.asarray(lengths, np.int64)
    if not len(lengths):
        return []
    longer = lengths.max(axis=1)
    lead = lengths[:, 0] - lengths[:, -1]
    snake = np.where(longer % 2, lead, -lead)  # up for one length and down for the next, so that neighbours are alike
    ties = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    order = np.lexsort((ties, snake, longer))
    batches: list[list[int]] = []
    for row, length in zip(order.tolist(), longer[order].tolist(), strict=True):  # lengths never fall
        if not batches or (len(batches[-1]) + 1) * length > budget:
            batches.append([])
        batches[-1].append(row)
    return batches if rng is None else [batches[i] for i in rng.permutation(len(batches))]


def collate(src: Ids, tgt: Ids, rows: Sequence[int], multiple: int = 1) -> Batch:
    """The pairs at these rows as one batch, S and T multiples of `multiple`."""
    sources, src_mask = pad([[*src[i], EOS] for i in rows], multiple)
    tgt_in, tgt_mask = pad([[BOS, *tgt[i]] for i in rows], multiple)
    tgt_out, _ = pad([[*tgt[i], EOS] for i in rows], multiple)
    return Batch(sources, src_mask, tgt_in, tgt_out, tgt_mask, list(rows))


def pad(sentences: Ids, multiple: int = 1) -> tuple[Tensor, Tensor]:
    """Ids (B, L), padded on the right to the longest and on to a multiple of `multiple`, and their mask."""
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
    longest = int(lengths.max(initial=0))
    mask = np.arange(longest + -longest % multiple) < lengths[:, None]
    ids = np.full(mask.shape, PAD, np.int64)
    ids[mask] = np.fromiter(chain.from_iterable(sentences), np.int64, int(lengths.sum()))
    return torch.from_numpy(ids), torch.from_numpy(mask)
