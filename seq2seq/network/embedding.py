"""Token embeddings, and three kinds of dropout: of units, variational (one mask per sentence), of whole words.

This module does not know padding, or which language a token is from.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Dropout on (B, T, D); `variational` uses one mask per sentence for all steps (Gal & Ghahramani 2016)."""

    def __init__(self, p: float, variational: bool = False) -> None:
        super().__init__()
        self.p, self.variational = p, variational

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, D) to the same shape; the identity in evaluation mode."""
        if not self.training or self.p == 0.0:
            return x
        if not self.variational:
            return F.dropout(x, self.p)
        return x * F.dropout(x.new_ones(x.shape[0], 1, x.shape[2]), self.p)


class Embedding(nn.Module):
    """An embedding table, followed by dropout of whole words (Sennrich & Zhang 2019) and of units."""

    def __init__(self, vocabulary: int, size: int, dropout: Dropout, word_dropout: float) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, size)
        nn.init.normal_(self.table.weight, std=size**-0.5)  # a tied output layer: logits of variance mean(g * g)
        self.scale = size**0.5  # embeddings of variance 1 (Vaswani et al. 2017, 3.4)
        self.dropout, self.word_dropout = dropout, word_dropout

    def forward(self, ids: Tensor) -> Tensor:
        """Ids (B, T) to embeddings (B, T, E)."""
        x = self.table(ids) * self.scale
        if self.training and self.word_dropout > 0.0:
            x = x * F.dropout(torch.ones_like(x[..., :1]), self.word_dropout)
        return self.dropout(x)  # type: ignore[no-any-return]
