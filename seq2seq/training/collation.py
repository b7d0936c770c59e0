"""Sentence pairs as one batch of tensors for teacher forcing. It does not choose which pairs go into a batch."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq.text.batches import Ids, pad_pairs


class Batch(NamedTuple):
    """Sentence pairs, padded as `seq2seq.text.batches.Arrays`."""

    src: Tensor  # (B, S)
    src_mask: Tensor  # (B, S), True = real token
    tgt_in: Tensor  # (B, T)
    tgt_out: Tensor  # (B, T)
    tgt_mask: Tensor  # (B, T)
    rows: list[int]  # B, positions of the pairs in the training data

    def duplicate(self) -> "Batch":
        """The batch concatenated with itself, (2 B, ...)."""
        return self._map(lambda x: torch.cat((x, x)), self.rows * 2)

    def split(self) -> list["Batch"]:
        """The first and the second half of the pairs as two batches; a single pair as one."""
        cut = (len(self.rows) + 1) // 2
        first = self._map(lambda x: x[:cut], self.rows[:cut])
        return [first, self._map(lambda x: x[cut:], self.rows[cut:])] if len(self.rows) > 1 else [first]

    def pinned(self) -> "Batch":
        """The batch in memory that is locked to its place, from which a GPU copies while this process goes on."""
        return self._map(Tensor.pin_memory, self.rows)

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on another device; to a GPU the copy goes on while this process does."""
        batch = self.pinned() if torch.device(device).type == "cuda" and self.src.device.type == "cpu" else self
        return batch._map(lambda x: x.to(device, non_blocking=True), self.rows)

    def _map(self, change: Callable[[Tensor], Tensor], rows: list[int]) -> "Batch":
        src, src_mask, tgt_in, tgt_out, tgt_mask = map(change, self[:5])
        return Batch(src, src_mask, tgt_in, tgt_out, tgt_mask, rows)


def collate(src: Ids, tgt: Ids, rows: Sequence[int]) -> Batch:
    """The pairs at these rows as one batch."""
    sources, src_mask, tgt_in, tgt_out, tgt_mask = map(torch.from_numpy, pad_pairs(src, tgt, rows))
    return Batch(sources, src_mask, tgt_in, tgt_out, tgt_mask, list(rows))
