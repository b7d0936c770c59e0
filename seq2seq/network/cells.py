"""Recurrent cells as layers over time, and their initialisation.

A layer maps `(x (B, T, I), state (B, N)) -> (output (B, T, H), state (B, N))`. The state is one tensor for every cell:
N = H for `rnn` and `gru`, N = 2H for `lstm`, whose state is [h; c]; so no other module needs to know the cell. Reading
a sequence in pieces, with the state passed on, equals reading it at once. A layer does not know padding: it reads left
to right, so that later positions cannot affect a position. A single step calls torch's cell: the fused kernel would
copy its weights to a new layout first, which takes longer than the step.

    rnn   h' = tanh(W x + b + U h + d)                                              Elman (1990)
    gru   r, z = sigmoid(W x + b + U h + d),  n = tanh(W x + b + r * (U h + d))      Cho et al. (2014), in the form
          h' = (1 - z) * n + z * h                                                  that cuDNN and torch compute
    lstm  i, f, o = sigmoid(W x + b + U h + d),  g = tanh(W x + b + U h + d)         Hochreiter & Schmidhuber (1997),
          c' = f * c + i * g,  h' = o * tanh(c')                                    Gers et al. (2000)
"""

from typing import Any

import torch
from torch import Tensor, nn

from seq2seq.network.products import rounds
from seq2seq.network.unrolled import unrolled_gru


class RNN(nn.Module):
    """The simple recurrent network (Elman 1990), on torch's fused kernel."""

    states = 1  # vectors of size H in the state

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.state_size = self.states * hidden
        self.kernel = nn.RNN(inputs, hidden, batch_first=True)
        initialise(self.kernel)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, T, I), state (B, H) to output (B, T, H), state (B, H)."""
        if x.shape[1] == 1:
            h = torch.rnn_tanh_cell(x[:, 0], state, *weights(self.kernel))
            return h[:, None], h
        output, h = fused(self.kernel, x, state[None])
        return output, h[0]


class GRU(nn.Module):
    """The gated recurrent unit, on torch's kernel; in training in bfloat16 on a CPU, on `unrolled_gru`."""

    states = 1  # vectors of size H in the state

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.state_size = self.states * hidden
        self.kernel = nn.GRU(inputs, hidden, batch_first=True)
        initialise(self.kernel)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, T, I), state (B, H) to output (B, T, H), state (B, H)."""
        if x.shape[1] == 1:
            h = torch.gru_cell(x[:, 0], state, *weights(self.kernel))
            return h[:, None], h
        if rounds(x):
            output = unrolled_gru(x, state, weights(self.kernel))
            return output, output[:, -1]
        output, h = fused(self.kernel, x, state[None])
        return output, h[0]


class LSTM(nn.Module):
    """Long short-term memory, on torch's fused kernel."""

    states = 2  # vectors of size H in the state

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.state_size = self.states * hidden
        self.kernel = nn.LSTM(inputs, hidden, batch_first=True)
        initialise(self.kernel)
        with torch.no_grad():  # an open forget gate lets the gradient through from the start (Jozefowicz et al. 2015)
            self.kernel.bias_ih_l0[hidden : 2 * hidden] = 1.0  # type: ignore[operator]

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, T, I), state (B, 2H) as [h; c] to output (B, T, H), state (B, 2H)."""
        h, c = state[None].chunk(2, dim=-1)
        if x.shape[1] == 1:
            h, c = torch.lstm_cell(x[:, 0], (h[0], c[0]), *weights(self.kernel))
            return h[:, None], torch.cat((h, c), dim=-1)
        output, (h, c) = fused(self.kernel, x, h.contiguous(), c.contiguous())
        return output, torch.cat((h[0], c[0]), dim=-1)


CELLS: dict[str, type[RNN] | type[GRU] | type[LSTM]] = {"rnn": RNN, "gru": GRU, "lstm": LSTM}


def fused(kernel: nn.RNNBase, x: Tensor, *state: Tensor) -> Any:
    """What torch's fused kernel returns for x (B, T, I) and a state of one or two vectors; on a GPU in float32.

    There autocast to bfloat16 would give cuDNN float16, in which small gradients vanish. The products of float32 are in
    TF32 then.
    """
    if x.is_cuda:
        with torch.autocast("cuda", enabled=False):
            x, *vectors = (tensor.to(kernel.weight_ih_l0.dtype) for tensor in (x, *state))  # type: ignore[arg-type]
            return kernel(x, tuple(vectors) if vectors[1:] else vectors[0])
    return kernel(x, state if state[1:] else state[0])


def weights(kernel: nn.RNNBase) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """W (input), U (recurrent), b and d of the equations above, gates stacked in torch's order."""
    return kernel.weight_ih_l0, kernel.weight_hh_l0, kernel.bias_ih_l0, kernel.bias_hh_l0  # type: ignore[return-value]


def initialise(kernel: nn.RNNBase) -> None:
    """Set each gate's recurrent block orthogonal (Saxe et al. 2014), its input block Xavier-uniform, biases to zero."""
    for name, weight in kernel.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(weight)
            continue
        fill = nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_
        for block in weight.data.split(kernel.hidden_size):
            fill(block)
