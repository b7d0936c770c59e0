"""Ids' vectors to states: one or more recurrent layers, each reading in one direction or in two.

Sentences are right-padded. The layer that reads left to right cannot see the padding; the one that reads right to left
is the same layer over each sentence reversed within its own length. That equals packing (Schuster & Paliwal 1997 over
each sentence alone) and stays on the fast kernels. The encoder knows neither ids nor contexts.
"""

import torch
from torch import Tensor, nn

from seq2seq.network.attention import Encoded
from seq2seq.network.cells import CELLS
from seq2seq.network.embedding import Dropout


class Layer(nn.Module):
    """One layer of a cell, in each direction."""

    def __init__(self, cell: str, inputs: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.forward_ = CELLS[cell](inputs, hidden[0])
        self.backward_ = CELLS[cell](inputs, hidden[1]) if len(hidden) == 2 else None

    def forward(self, x: Tensor, turned: Tensor) -> Tensor:
        """x (B, S, I) and the reversal of each sentence (B, S, 1) to states (B, S, D), the directions side by side."""
        states, _ = self.forward_(x, x.new_zeros(x.shape[0], self.forward_.state_size))
        if self.backward_ is None:
            return states  # type: ignore[no-any-return]
        x = x.gather(1, turned.expand(-1, -1, x.shape[2]))
        back, _ = self.backward_(x, x.new_zeros(x.shape[0], self.backward_.state_size))
        return torch.cat((states, back.gather(1, turned.expand(-1, -1, back.shape[2]))), dim=-1)


class Encoder(nn.Module):
    """Layers of a cell, residual from the second on (Wu et al. 2016); `hidden` gives a size for each direction."""

    def __init__(self, cell: str, inputs: int, hidden: tuple[int, ...], layers: int, dropout: Dropout) -> None:
        super().__init__()
        self.hidden, self.size = hidden, sum(hidden)
        self.layers = nn.ModuleList(Layer(cell, inputs if i == 0 else self.size, hidden) for i in range(layers))
        self.dropout = dropout

    def forward(self, words: Tensor, mask: Tensor) -> Encoded:
        """words (B, S, E), mask (B, S) to states (B, S, D) and the final state (B, D), D the directions' sizes in all.

        The final state is the last layer's, where each direction has read the whole sentence: the forward half at the
        last real token, the backward half at the first. States and words are zero at padding. A sentence has at least
        one token.
        """
        lengths = mask.sum(1)
        turned = reversal(lengths, mask.shape[1])
        first, *upper = self.layers
        x = first(words, turned)  # (B, S, D)
        for layer in upper:
            x = self.dropout(x)
            x = x + layer(x, turned)
        last = x[torch.arange(len(x), device=x.device), lengths - 1]  # (B, D)
        final = torch.cat((last[:, : self.hidden[0]], x[:, 0, self.hidden[0] :]), dim=-1)
        real = mask[..., None]
        return Encoded(x * real, final, mask, words * real)


def reversal(lengths: Tensor, width: int) -> Tensor:
    """Positions (B, S, 1) that turn each sentence round within its own length and leave its padding where it is."""
    at = torch.arange(width, device=lengths.device)[None]  # (1, S)
    return torch.where(at < lengths[:, None], lengths[:, None] - 1 - at, at)[..., None]
