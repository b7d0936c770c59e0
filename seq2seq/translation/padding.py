"""Products whose results do not depend on the rest of the batch: the shapes that batches are padded to, and MKL's mode.

A sum of floating-point numbers depends on the order of its terms, and a kernel chooses the order by the shape of its
arrays. Three things keep the order, and with it every bit of a sentence's result, the same in every batch:

- Rows come in multiples of 4, the block of a matrix product; rows that remain would be added in another order.
- Positions come in multiples of 16, the numbers in a vector register, for the same reason. There are so many of them
  that no batched product is small enough for torch's other kernel.
- MKL, which computes the products, runs in its strict reproducible mode. Without it, products of 4, 8 and 12 rows
  differ from larger ones on Intel processors with AVX-512 but without bfloat16; it costs at most 3% of the speed.
"""

import os

import torch
from torch import Tensor
from torch.nn import functional as F

from seq2seq.network.model import ModelConfig

ROW_MULTIPLE, POSITION_MULTIPLE = 4, 16
SMALL_PRODUCT = 400  # rows * positions * columns below which torch.bmm takes another kernel
MKL_MODE = "MKL_CBWR", "AUTO,STRICT"  # conditional numerical reproducibility, for any number of rows and threads


def pad_rows(rows: Tensor, multiple: int = ROW_MULTIPLE) -> Tensor:
    """Rows (N, ...), the last one repeated up to the next multiple."""
    return torch.cat((rows, rows[-1:].expand(-len(rows) % multiple, *rows.shape[1:])))


def pad_positions(x: Tensor, columns: int) -> Tensor:
    """Ids or a mask (B, L), with zeros on the right (PAD, no real token).

    The new length is a multiple of POSITION_MULTIPLE, large enough for products of a single row with so many columns.
    """
    length = max(x.shape[1], -(-SMALL_PRODUCT // columns))
    return F.pad(x, (0, length + -length % POSITION_MULTIPLE - x.shape[1]))


def smallest_columns(config: ModelConfig) -> int:
    """The smallest number of columns of a batched product of this model: its products with the source's positions."""
    values = config.attention // config.heads if config.context == "multihead" else sum(config.encoder_hidden)
    return min(values, config.hidden, config.embedding)


def use_strict_products() -> None:
    """Set MKL's strict mode in this process, unless the environment names a mode.

    MKL reads the mode from the environment at its first product. So a program that has computed products before is left
    as it is, and has to set MKL_CBWR itself.
    """
    name, mode = MKL_MODE
    if name not in os.environ:
        os.environ[name] = mode
        torch.ones(32, 32) @ torch.ones(32, 32)
        del os.environ[name]
