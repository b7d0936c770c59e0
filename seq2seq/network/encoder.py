"""The encoder: source embeddings to states, by recurrent layers in one direction or in two.

Sentences are padded on the right. A forward layer cannot see the padding; a backward layer is the same layer on each
sentence reversed within its own length. That equals packed sequences (Schuster & Paliwal 1997 on each sentence alone)
and stays on the fast kernels. The encoder does not know ids or contexts.
"""

import torch
from torch import Tensor, nn

from seq2seq.network.attention import EncoderOutput
from seq2seq.network.cells import CELLS
from seq2seq.network.embedding import Dropout


class Layer(nn.Module):
    """One recurrent layer, with one cell per direction; `hidden` has one size per direction."""

    def __init__(self, cell: str, inputs: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.forward_ = CELLS[cell](inputs, hidden[0])
        self.backward_ = CELLS[cell](inputs, hidden[1]) if len(hidden) == 2 else None

    def forward(self, x: Tensor, order: Tensor) -> Tensor:
        """x (B, S, I) and the order of `reversal` (B, S, 1) to states (B, S, D), the directions concatenated."""
        states, _ = self.forward_(x, x.new_zeros(x.shape[0], self.forward_.state_size))
        if self.backward_ is None:
            return states  # type: ignore[no-any-return]
        x = x.gather(1, order.expand(-1, -1, x.shape[2]))
        back, _ = self.backward_(x, x.new_zeros(x.shape[0], self.backward_.state_size))
        return torch.cat((states, back.gather(1, order.expand(-1, -1, back.shape[2]))), dim=-1)


class Encoder(nn.Module):
    """Recurrent layers, with residual connections from the second on (Wu et al. 2016)."""

    def __init__(self, cell: str, inputs: int, hidden: tuple[int, ...], layers: int, dropout: Dropout) -> None:
        super().__init__()
        self.hidden, self.size = hidden, sum(hidden)
        self.layers = nn.ModuleList(Layer(cell, inputs if i == 0 else self.size, hidden) for i in range(layers))
        self.dropout = dropout

    def forward(self, embeddings: Tensor, mask: Tensor) -> EncoderOutput:
        """Embeddings (B, S, E), mask (B, S) to states (B, S, D) and the final state (B, D); D = sum(hidden).

        The final state is the top layer's state where each direction has read the whole sentence: the forward half at
        the last real token, the backward half at the first. States and embeddings are set to zero at padding. Each
        sentence needs at least one real token.
        """
        lengths = mask.sum(1)
        order = reversal(lengths, mask.shape[1])
        first, *upper = self.layers
        x = first(embeddings, order)  # (B, S, D)
        for layer in upper:
            x = self.dropout(x)
            x = x + layer(x, order)
        last = x[torch.arange(len(x), device=x.device), lengths - 1]  # (B, D)
        final = torch.cat((last[:, : self.hidden[0]], x[:, 0, self.hidden[0] :]), dim=-1)
        real = mask[..., None]
        return EncoderOutput(x * real, final, mask, embeddings * real)


def reversal(lengths: Tensor, width: int) -> Tensor:
    """Positions (B, S, 1) that reverse each sentence within its own length and leave its padding in place."""
    position = torch.arange(width, device=lengths.device)[None]  # (1, S)
    return torch.where(position < lengths[:, None], lengths[:, None] - 1 - position, position)[..., None]
