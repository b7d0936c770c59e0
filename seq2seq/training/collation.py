"""Pairs of sentences as one batch of tensors, for teacher forcing. It does not know which pairs go together."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq.text.batches import Ids, pad_pairs


class Batch(NamedTuple):
    """Pairs of sentences, as `seq2seq.text.batches.Arrays` has them."""

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


def collate(src: Ids, tgt: Ids, rows: Sequence[int]) -> Batch:
    """The pairs at these rows as one batch."""
    sources, src_mask, tgt_in, tgt_out, tgt_mask = map(torch.from_numpy, pad_pairs(src, tgt, rows))
    return Batch(sources, src_mask, tgt_in, tgt_out, tgt_mask, list(rows))
