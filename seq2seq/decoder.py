"""Target vectors and a memory of the source to the features that the output layer turns into logits.

    q_t = f_1([y_{t-1}; c], q_{t-1})               layer 1; the context joins its input where it is fixed
    c_t = context(q_t; memory)
    s_t = f_l([s_t of the layer below; c_t])       upper layers, residual (Wu et al. 2016)
    g_t = tanh(W [s_t; c_t; y_{t-1}])              deep output (Pascanu et al. 2014; Bahdanau et al. 2015)

The query of step t is layer 1's output at step t, as in GNMT v2 and RNMT+ (Chen et al. 2018), not the attention's
result of step t-1, so teacher forcing runs each layer over the whole sentence in one call and nothing loops over time;
search advances by one token through the same code.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from seq2seq.cells import CELLS
from seq2seq.context import CONTEXTS, Encoded, Memory
from seq2seq.embedding import Dropout


class State(NamedTuple):
    """All that the next step needs: each layer's state (B, N), the memory, and the last weights (B, T, S).

    `sentences` (B,) says which sentence each row is of: rows of one sentence share what is remembered of it.
    """

    layers: tuple[Tensor, ...]
    memory: Memory
    weights: Tensor
    sentences: Tensor

    def select(self, rows: Tensor) -> "State":
        """The state of these rows of the batch (repeats allowed), in this order.

        The memory, by far the largest part, is copied only where a row gets another sentence; in a beam search that is
        when a sentence leaves, not at every step.
        """
        sentences = self.sentences.index_select(0, rows)
        return State(
            tuple(layer.index_select(0, rows) for layer in self.layers),
            self.memory if torch.equal(sentences, self.sentences) else self.memory.select(rows),
            self.weights.index_select(0, rows),
            sentences,
        )


class Decoder(nn.Module):
    """One or more layers of a cell around a context."""

    def __init__(
        self,
        cell: str,
        context: str,
        embedding: int,
        states: int,
        hidden: int,
        layers: int,
        heads: int,
        width: int,
        dropout: Dropout,
        readout_dropout: Dropout,
    ) -> None:
        super().__init__()
        self.context = CONTEXTS[context](states, hidden, heads, width)
        self.layers = nn.ModuleList([CELLS[cell](embedding + self.context.size * self.context.fixed, hidden)])
        self.layers.extend(CELLS[cell](hidden + self.context.size, hidden) for _ in range(1, layers))
        self.sizes = [CELLS[cell].states * hidden] * layers
        self.bridge = nn.Linear(states, sum(self.sizes))
        self.readout = nn.Linear(hidden + self.context.size + embedding, embedding)
        for linear in (self.bridge, self.readout):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        self.dropout, self.readout_dropout = dropout, readout_dropout

    def start(self, encoded: Encoded) -> State:
        """The state before the first token: a bridge from the encoder's final state to every layer."""
        layers = torch.tanh(self.bridge(encoded.final)).split(self.sizes, dim=-1)
        memory = self.context.remember(encoded)
        size, slots = memory.mask.shape
        sentences = torch.arange(size, device=memory.mask.device)
        return State(layers, memory, memory.values.new_zeros(size, 0, slots), sentences)

    def forward(self, y: Tensor, state: State) -> tuple[Tensor, State]:
        """y (B, T, E) to features (B, T, E) and the state after the last of the T tokens."""
        first, *upper = self.layers
        fixed = y.new_zeros(y.shape[0], y.shape[1], 0)
        if self.context.fixed:
            fixed, _ = self.context(y, state.memory)
        s, after = first(torch.cat((y, fixed), dim=-1), state.layers[0])  # (B, T, H)
        states = [after]
        c, weights = self.context(s, state.memory)  # (B, T, D)
        for layer, before in zip(upper, state.layers[1:], strict=True):
            below = self.dropout(s)
            output, after = layer(torch.cat((below, c), dim=-1), before)
            s = output + below
            states.append(after)
        g = torch.tanh(self.readout(torch.cat((s, c, y), dim=-1)))
        return self.readout_dropout(g), State(tuple(states), state.memory, weights, state.sentences)
