"""Products with a weight matrix. In training in bfloat16 on a CPU the number of rows is rounded up.

oneDNN compiles a kernel for each shape of a product. On processors with AMX this takes milliseconds, longer than the
product itself, and almost every batch has a number of tokens of its own. With rows of zeros up to a multiple of ROWS
there are few shapes, whose kernels are kept, and they are simpler. Products in float32 stay as they are.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROWS = 32  # two tiles of AMX


class Linear(nn.Linear):
    """An affine map of (..., I) to (..., O)."""

    def forward(self, x: Tensor) -> Tensor:
        """x (..., I) to x W^T + b (..., O)."""
        if not rounds(x):
            return F.linear(x, self.weight, self.bias)
        rows = x.flatten(0, -2)
        y: Tensor = F.linear(filled(rows), self.weight, self.bias)[: len(rows)].unflatten(0, x.shape[:-1])
        return y


def rounds(x: Tensor) -> bool:
    """Whether the rows of products with x are rounded up."""
    return not x.is_cuda and torch.is_grad_enabled() and torch.is_autocast_enabled("cpu")


def filled(x: Tensor) -> Tensor:
    """Rows x (N, I) in bfloat16, with rows of zeros up to a multiple of ROWS."""
    return F.pad(x.bfloat16(), (0, 0, 0, -len(x) % ROWS))
