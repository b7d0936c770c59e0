"""The mixture of `seq2seq.network.copying` as nodes of the two ONNX graphs.

Axes: B sentences, W queries a sentence, N = B * W, P padded source positions, V target vocabulary.
"""

import numpy as np

from seq2seq.network.copying import NONE, Pointer
from seq2seq.onnx import names
from seq2seq.onnx.graph import FLOAT, LONG, Graph, numbers
from seq2seq.onnx.layers import to_array


def export_slots(g: Graph, pointer: Pointer, src: str, mask: str) -> None:
    """Output of the encoder's graph, from ids and mask (B, P), what may be copied of each sentence."""
    lowest, end = np.array(pointer.special), np.array(pointer.vocabulary)
    known = g("And", g("Not", g("Less", src, lowest)), g("Less", src, end))
    tokens = g("Where", g("And", mask, known), src, np.array(NONE))
    same = g("Equal", g("Unsqueeze", tokens, numbers(2)), g("Unsqueeze", tokens, numbers(1)))  # (B, P, P)
    g.output(names.COPIED, tokens, LONG, "B", "P")
    g.output(names.FIRST, g("ArgMax", g("Cast", same, to=FLOAT), axis=2, keepdims=0), LONG, "B", "P")


def mixed(g: Graph, pointer: Pointer, features: str, log_softmax: str, weights: str) -> str:
    """log p (N, V) in the decoder's graph, from features (N, E), log-softmax (N, V) and attention weights (N, P)."""
    shape, zero = g("Shape", weights), np.array(0, np.float32)
    tokens, first = (_of_rows(g, g.input(name, LONG, "B", "P"), shape) for name in (names.COPIED, names.FIRST))
    empty = g("Mul", weights, zero)
    masses = g("GatherElements", g("ScatterElements", empty, first, weights, axis=1, reduction="add"), first, axis=1)
    copied = g("Greater", tokens, np.array(NONE))
    log_masses, log_rest = (g("Log", g("Where", copied, *each)) for each in ((masses, zero), (zero, masses)))  # (N, P)
    # A sum of products, not a matrix product, whose order of summation could depend on the number of rows.
    z = g("ReduceSum", g("Mul", features, to_array(pointer.gate.weight)), numbers(1))
    z = g("Add", z, to_array(pointer.gate.bias))
    gate = g("LogSoftmax", g("Concat", z, g("Mul", z, zero), axis=1), axis=1)  # log g and log(1 - g)
    log_g, pointed = g.several(2, "Split", gate, numbers(1, 1), axis=1)
    generated = _log_add(g, log_g, g("Add", pointed, g("ReduceMax", log_rest, numbers(1))))
    log_probs = g("Add", log_softmax, generated)
    here = _log_add(g, g("GatherElements", log_probs, tokens, axis=1), g("Add", pointed, log_masses))
    return g("ScatterElements", log_probs, tokens, here, axis=1)


def _of_rows(g: Graph, x: str, shape: str) -> str:
    """x (B, P), repeated for the W rows of each sentence: (N, P), of this shape."""
    sentences, positions = g("Shape", x, start=0, end=1), g("Shape", x, start=1, end=2)
    repeats = g("Div", g("Slice", shape, numbers(0), numbers(1)), sentences)
    wide = g("Concat", sentences, repeats, positions, axis=0)
    return g("Reshape", g("Expand", g("Unsqueeze", x, numbers(1)), wide), shape)


def _log_add(g: Graph, a: str, b: str) -> str:
    """log(exp a + exp b) of a (N, M), which is finite, and b (N, M), which may be -inf.

    It is computed by LogSoftmax: ONNX Runtime's other functions give a number other bits at the end of an array.
    """
    both = g("Concat", *(g("Unsqueeze", x, numbers(2)) for x in (a, b)), axis=2)
    shares = g("LogSoftmax", both, axis=2)
    return g("Sub", g("Max", a, b), g("ReduceMax", shares, numbers(2), keepdims=0))
