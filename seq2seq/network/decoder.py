"""Target vectors and a memory of the source to the features that the output layer turns into logits.

    q_t = f_1([y_{t-1}; c], q_{t-1})               layer 1; the context joins its input where it is fixed
    c_t = context(q_t; memory)
    s_t = f_l([s_t of the layer below; c_t])       upper layers, residual (Wu et al. 2016)
    g_t = tanh(W [s_t; c_t; y_{t-1}])              deep output (Pascanu et al. 2014; Bahdanau et al. 2015)
        + l_t + tanh(U l_t)                        where it is lexical: l_t = tanh(a_t . x), the source's word vectors
                                                   weighted as its states are (Nguyen & Chiang 2018, section 4)

The query of step t is layer 1's output at step t, as in GNMT v2 and RNMT+ (Chen et al. 2018), not the attention's
result of step t-1, so teacher forcing runs each layer over the whole sentence in one call and nothing loops over time;
search advances by one token through the same code.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from seq2seq.network.attention import CONTEXTS, Encoded, SourceMemory
from seq2seq.network.cells import CELLS
from seq2seq.network.embedding import Dropout


class State(NamedTuple):
    """All that the next step needs: each layer's state (B * W, N), the memory of B sentences, and the last weights.

    W hypotheses of a sentence stand side by side and share its memory; the weights are (B * W, T, S).
    """

    layers: tuple[Tensor, ...]
    memory: SourceMemory
    weights: Tensor

    def select(self, rows: Tensor) -> "State":
        """The state of rows (B', W'): those of each sentence that stays, all of that sentence, repeats allowed.

        The memory, by far the largest part, is copied only where a sentence leaves.
        """
        size, flat = len(self.memory.mask), rows.flatten()
        sentences = rows[:, 0] // (len(self.weights) // size)
        everyone = len(sentences) == size and bool((sentences == torch.arange(size, device=rows.device)).all())
        return State(
            tuple(layer.index_select(0, flat) for layer in self.layers),
            self.memory if everyone else self.memory.select(sentences),
            self.weights.index_select(0, flat),
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
        lexical: bool,
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
        self.lexical = nn.Linear(embedding, embedding) if lexical else None
        for linear in filter(None, (self.bridge, self.readout, self.lexical)):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        self.dropout, self.readout_dropout = dropout, readout_dropout

    def start(self, encoded: Encoded) -> State:
        """The state before the first token: a bridge from the encoder's final state to every layer."""
        layers = torch.tanh(self.bridge(encoded.final)).split(self.sizes, dim=-1)
        if self.lexical is None:
            encoded = encoded._replace(words=encoded.words[..., :0])  # nobody looks at them
        memory = self.context.prepare(encoded)
        size, slots = memory.mask.shape
        return State(layers, memory, memory.values.new_zeros(size, 0, slots))

    def forward(self, y: Tensor, state: State) -> tuple[Tensor, State]:
        """y (B * W, T, E) to features (B * W, T, E) and the state after the last of the T tokens."""
        first, *upper = self.layers
        fixed = y.new_zeros(y.shape[0], y.shape[1], 0)
        if self.context.fixed:
            fixed, _ = self.attend(y, state.memory)
        s, after = first(torch.cat((y, fixed), dim=-1), state.layers[0])  # (B * W, T, H)
        states = [after]
        c, weights = self.attend(s, state.memory)  # (B * W, T, D), (B * W, T, S)
        for layer, before in zip(upper, state.layers[1:], strict=True):
            below = self.dropout(s)
            output, after = layer(torch.cat((below, c), dim=-1), before)
            s = output + below
            states.append(after)
        g = torch.tanh(self.readout(torch.cat((s, c, y), dim=-1)))
        if self.lexical is not None:
            word = torch.tanh(self.words(weights, state.memory))
            g = g + word + torch.tanh(self.lexical(word))
        return self.readout_dropout(g), State(tuple(states), state.memory, weights)

    def attend(self, query: Tensor, memory: SourceMemory) -> tuple[Tensor, Tensor]:
        """Query (B * W, T, H) to context (B * W, T, D) and weights (B * W, T, S); a sentence's W * T at once."""
        rows, steps, size = query.shape
        c, weights = self.context(query.reshape(len(memory.mask), -1, size), memory)
        return c.reshape(rows, steps, c.shape[2]), weights.reshape(rows, steps, weights.shape[2])

    def words(self, weights: Tensor, memory: SourceMemory) -> Tensor:
        """Weights (B * W, T, S) to the mean of the source's word vectors that they make, (B * W, T, E)."""
        rows, steps, slots = weights.shape
        mean = weights.reshape(len(memory.mask), -1, slots) @ memory.words
        return mean.reshape(rows, steps, mean.shape[2])
