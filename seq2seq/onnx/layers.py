"""The layers of a model as nodes of an ONNX graph: tables, linear layers, steps of cells, recurrent layers.

The equations are those of `seq2seq.network.cells`. This module does not know how layers make an encoder or a decoder.
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from seq2seq.network.cells import weights
from seq2seq.network.embedding import Embedding
from seq2seq.onnx.graph import BOOL, CODE, FLOAT, Array, Graph, Value, numbers


def to_array(x: Tensor) -> Array:
    """A weight as an array of float32."""
    return x.detach().float().cpu().numpy()


def table(embedding: Embedding) -> Array:
    """The vectors (V, E) that an embedding returns for each id."""
    return to_array(embedding.table.weight) * np.float32(embedding.scale)


def linear(g: Graph, parts: Sequence[Value], layer: nn.Linear) -> str:
    """A linear layer of the parts (N, K), concatenated: (N, M). Of a shared table it has the first M rows."""
    bias = np.zeros(layer.out_features, np.float32) if layer.bias is None else to_array(layer.bias)
    return g.linear(parts, to_array(layer.weight)[: layer.out_features], bias)


def step(g: Graph, cell: str, kernel: nn.RNNBase, inputs: list[Value], state: str) -> tuple[str, str]:
    """One step of a cell: the inputs, concatenated (N, I), and the state (N, N') to output (N, H), state (N, N')."""
    w, u, b, d = map(to_array, weights(kernel))
    size = kernel.hidden_size
    if cell == "rnn":
        h = g("Tanh", g.linear([*inputs, Value(state, size, 1)], np.concatenate((w, u), 1), b + d))
        return h, h
    if cell == "gru":
        of_x, of_h = g.linear(inputs, w, b), g.linear([Value(state, size, 1)], u, d)
        (x_rz, x_n), (h_rz, h_n) = (g.several(2, "Split", x, numbers(2 * size, size), axis=1) for x in (of_x, of_h))
        r, z = g.several(2, "Split", g("Sigmoid", g("Add", x_rz, h_rz)), numbers(size, size), axis=1)
        n = g("Tanh", g("Add", x_n, g("Mul", r, h_n)))
        h = g("Add", n, g("Mul", z, g("Sub", state, n)))
        return h, h
    h, c = g.parted(state, size, size)
    parts, kernels = [*inputs, Value(h, size, 1)], zip(*(np.split(x, 4) for x in (w, u, b + d)), strict=True)
    i, f, of_g, o = (g.linear(parts, np.concatenate((w, u), 1), b) for w, u, b in kernels)
    i, f, o = (g("Sigmoid", x) for x in (i, f, o))
    c = g("Add", g("Mul", f, c), g("Mul", i, g("Tanh", of_g)))
    h = g("Mul", o, g("Tanh", c))
    return h, g.joined(h, c)


def recurrent(g: Graph, cell: str, kernel: nn.RNNBase, x: Value, real: str, reverse: bool) -> tuple[str, str]:
    """A layer over x (S, B, I) in one direction: its outputs (S, B, H), and the last within each sentence (B, H).

    real (S, B, 1) is the mask. The state does not change at padding, where outputs are 0.
    """
    size = kernel.hidden_size
    width = size * (2 if cell == "lstm" else 1)
    body, coded = g.inner(), g.int8 and x.bound > 0
    before, now, here = (
        body.input("before", FLOAT, "B", width),
        body.input("x", CODE if coded else FLOAT, "B", x.width),
        body.input("real", BOOL, "B", 1),
    )
    if coded:
        body.codes[now] = now
    output, after = step(body, cell, kernel, [x._replace(name=now)], before)
    body.output("after", body("Where", here, after, before), FLOAT, "B", width)
    body.output("output", body("Where", here, output, np.array(0, np.float32)), FLOAT, "B", size)
    start = g("Expand", np.array(0, np.float32), g("Concat", g("Shape", real, start=1, end=2), numbers(width), axis=0))
    directions = {"scan_input_directions": [int(reverse)] * 2, "scan_output_directions": [int(reverse)]}
    steps = g.coded(x) if coded else x.name
    end, outputs = g.several(2, "Scan", start, steps, real, body=body.proto(), num_scan_inputs=2, **directions)
    return outputs, g("Slice", end, numbers(0), numbers(size), numbers(1))
