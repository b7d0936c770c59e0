"""Padding to batch shapes for which no result depends on the rest of the batch.

A sum of floating-point numbers depends on the order of its terms, and a kernel chooses the order by the shape of its
arrays: a matrix product computes blocks of four rows in one order and the rows that remain in another; a sum over
positions fills vector registers of sixteen numbers, and adds the positions that remain in another order. With rows in
multiples of 4 and positions in multiples of 16 nothing remains, so a sentence gets the same bits in every batch. This
was measured on an AMD processor; on an Intel one (AVX-512, MKL 2024.2) products of 4, 8 and 12 rows still differ.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

ROW_MULTIPLE, POSITION_MULTIPLE = 4, 16


def pad_rows(rows: Tensor, multiple: int = ROW_MULTIPLE) -> Tensor:
    """Rows (N, ...), the last one repeated up to the next multiple."""
    return torch.cat((rows, rows[-1:].expand(-len(rows) % multiple, *rows.shape[1:])))


def pad_positions(x: Tensor) -> Tensor:
    """Ids or a mask (B, L), with zeros on the right (PAD, no real token) up to a multiple of POSITION_MULTIPLE."""
    return F.pad(x, (0, -x.shape[1] % POSITION_MULTIPLE))
