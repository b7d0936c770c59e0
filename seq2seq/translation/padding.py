"""Why the batch changes no bit of what is computed: rows come in fours, positions in sixteens.

What could change it is the order in which a kernel adds: a product of matrices takes rows by fours and the rest in
another way, and a sum over positions depends on their number until they fill a vector.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

ROW_MULTIPLE, POSITION_MULTIPLE = 4, 16  # multiples that a batch is filled up to


def pad_rows(rows: Tensor, multiple: int = ROW_MULTIPLE) -> Tensor:
    """Rows (N, ...) and the last one again, up to the next multiple."""
    return torch.cat((rows, rows[-1:].expand(-len(rows) % multiple, *rows.shape[1:])))


def pad_positions(x: Tensor) -> Tensor:
    """Ids or a mask (B, L), padded on to a multiple of POSITION_MULTIPLE: PAD is 0, and no token is there."""
    return F.pad(x, (0, -x.shape[1] % POSITION_MULTIPLE))
