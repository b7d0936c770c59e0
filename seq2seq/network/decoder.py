"""The decoder: target embeddings and the source memory to the features from which the output layer makes logits.

    q_t = f_1([y_{t-1}; c], q_{t-1})               layer 1; c is an input only where the context is fixed
    c_t = context(q_t; memory)
    s_t = f_l([s_t of the layer below; c_t])       upper layers, residual (Wu et al. 2016)
    g_t = tanh(W [s_t; c_t; y_{t-1}])              deep output (Pascanu et al. 2014; Bahdanau et al. 2015)
        + l_t + tanh(U l_t)                        with `lexical`: l_t = tanh(sum_s a_ts x_s), where x are the source
                                                   embeddings, a the attention weights (Nguyen & Chiang 2018, section 4,
                                                   but with the output matrix of the other features)

The query of step t is layer 1's output at step t, as in RNMT+ (Chen et al. 2018), but does not depend on the context
vector of step t-1, which RNMT+'s first layer reads. So teacher forcing runs each layer over the whole sentence in one
call, without a loop over time (but for the scores of a context with coverage), and search advances by one token through
the same code. The decoder does not know ids or the output layer.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from seq2seq.network.attention import Context, Covered, EncoderOutput, SourceMemory
from seq2seq.network.cells import CELLS
from seq2seq.network.embedding import Dropout
from seq2seq.network.products import Linear


class State(NamedTuple):
    """What the next step needs, and the attention weights of the steps before.

    The W hypotheses of a sentence are consecutive rows and share the sentence's memory.
    """

    layers: tuple[Tensor, ...]  # (B * W, N) each
    memory: SourceMemory  # of B sentences
    weights: Tensor  # (B * W, T, S), of the last T tokens
    covered: Tensor | None = None  # (B * W, S), the sum of the weights so far; None: the context does not read it

    def select(self, rows: Tensor) -> "State":
        """The state of the hypotheses at `rows` (B', W'); the W' of a line belong to one sentence, and may repeat.

        The memory, by far the largest part, is copied only if the sentences change.
        """
        size, flat = len(self.memory.mask), rows.flatten()
        sentences = rows[:, 0] // (len(self.weights) // size)
        unchanged = len(sentences) == size and bool((sentences == torch.arange(size, device=rows.device)).all())
        return State(
            tuple(layer.index_select(0, flat) for layer in self.layers),
            self.memory if unchanged else self.memory.select(sentences),
            self.weights.index_select(0, flat),
            None if self.covered is None else self.covered.index_select(0, flat),
        )


class Decoder(nn.Module):
    """One or more recurrent layers around a context.

    Args:
        cell: a name in CELLS.
        context: built for queries of size `hidden`.
        embedding: E, the size of the target embeddings and of the features; with `lexical`, of the source embeddings.
        hidden: H.
        layers: the number of layers.
        lexical: whether the term l_t + tanh(U l_t) is part of the features.
        dropout: between the layers.
        readout_dropout: on the features.
    """

    def __init__(
        self,
        cell: str,
        context: Context,
        embedding: int,
        hidden: int,
        layers: int,
        lexical: bool,
        dropout: Dropout,
        readout_dropout: Dropout,
    ) -> None:
        super().__init__()
        self.context = context
        self.layers = nn.ModuleList([CELLS[cell](embedding + context.size * context.fixed, hidden)])
        self.layers.extend(CELLS[cell](hidden + context.size, hidden) for _ in range(1, layers))
        self.sizes = [CELLS[cell].states * hidden] * layers
        self.bridge = Linear(context.states, sum(self.sizes))
        self.readout = Linear(hidden + context.size + embedding, embedding)
        self.lexical = Linear(embedding, embedding) if lexical else None
        for linear in filter(None, (self.bridge, self.readout, self.lexical)):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        self.dropout, self.readout_dropout = dropout, readout_dropout

    def start(self, encoded: EncoderOutput) -> State:
        """The state before the first token: layer l has tanh(B_l final + b_l)."""
        layers = torch.tanh(self.bridge(encoded.final)).split(self.sizes, dim=-1)
        if self.lexical is None:
            encoded = encoded._replace(embeddings=encoded.embeddings[..., :0])  # not read, so not kept
        memory = self.context.prepare(encoded)
        size, slots = memory.mask.shape
        covered = memory.values.new_zeros(size, slots) if self.context.covers else None
        return State(layers, memory, memory.values.new_zeros(size, 0, slots), covered)

    def forward(self, y: Tensor, state: State) -> tuple[Tensor, State]:
        """Target embeddings y (B * W, T, E) to features (B * W, T, E) and the state after the last of the T tokens."""
        first, *upper = self.layers
        fixed = y.new_zeros(y.shape[0], y.shape[1], 0)
        if self.context.fixed:
            fixed, _ = self.attend(y, state.memory)
        s, after = first(torch.cat((y, fixed), dim=-1), state.layers[0])  # (B * W, T, H)
        states = [after]
        if state.covered is None:
            (c, weights), covered = self.attend(s, state.memory), None  # (B * W, T, D), (B * W, T, S)
        else:
            c, weights, covered = self.attend_covered(s, state.memory, state.covered)
        for layer, before in zip(upper, state.layers[1:], strict=True):
            below = self.dropout(s)
            output, after = layer(torch.cat((below, c), dim=-1), before)
            s = output + below
            states.append(after)
        g = torch.tanh(self.readout(torch.cat((s, c, y), dim=-1)))
        if self.lexical is not None:
            word = torch.tanh(self.mean_embedding(weights, state.memory))
            g = g + word + torch.tanh(self.lexical(word))
        return self.readout_dropout(g), State(tuple(states), state.memory, weights, covered)

    def attend(self, query: Tensor, memory: SourceMemory) -> tuple[Tensor, Tensor]:
        """Query (B * W, T, H) to context vectors (B * W, T, D) and attention weights (B * W, T, S).

        All W * T queries of a sentence are scored in one product.
        """
        rows, steps, size = query.shape
        c, weights = self.context(query.reshape(len(memory.mask), -1, size), memory)
        return c.reshape(rows, steps, c.shape[2]), weights.reshape(rows, steps, weights.shape[2])

    def attend_covered(self, query: Tensor, memory: SourceMemory, covered: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `attend`, with the coverage (B * W, S) before the first step; also returns that after the last."""
        assert isinstance(self.context, Covered)
        queries, before = (x.unflatten(0, (len(memory.mask), -1)) for x in (query, covered))
        c, weights, after = self.context.attend(queries, memory, before)
        return c.flatten(0, 1), weights.flatten(0, 1), after.flatten(0, 1)

    def mean_embedding(self, weights: Tensor, memory: SourceMemory) -> Tensor:
        """Attention weights (B * W, T, S) to the weighted mean of the source embeddings (B * W, T, E)."""
        rows, steps, slots = weights.shape
        mean = weights.reshape(len(memory.mask), -1, slots) @ memory.embeddings
        return mean.reshape(rows, steps, mean.shape[2])
