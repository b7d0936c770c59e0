"""The contexts of `seq2seq.network.attention` as nodes of the two ONNX graphs.

The encoder's graph returns the SourceMemory of each sentence (`export_memory`); the decoder's graph takes it as inputs
and computes one step of attention over it (`attention`). Axes: B sentences, W queries a sentence, N = B * W, P source
positions (padded, so that no sum depends on the batch), D encoder output, H query, A keys, E embedding.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from seq2seq.network.model import Model
from seq2seq.onnx import names
from seq2seq.onnx.copying import export_slots
from seq2seq.onnx.graph import FLOAT, Graph, Value, numbers
from seq2seq.onnx.layers import linear, to_array

POSITION_MULTIPLE = 4  # of P: ONNX Runtime's sums over positions are then in one order, whatever follows them


class EncoderOutput(NamedTuple):
    """What the encoder's graph computes of its sentences. Lengths are first, then the batch."""

    states: Value  # (S, B, D)
    final: str  # (B, D)
    embeddings: Value  # (S, B, E) of the source
    src: str  # (B, S) the source ids
    mask: str  # (B, S)
    real: str  # (S, B, 1), the mask


# ---- the encoder's graph ---------------------------------------------------------------------------------------------


def export_memory(g: Graph, model: Model, encoded: EncoderOutput) -> None:
    """Output what the decoder reads of each sentence."""
    if model.decoder.context.fixed:
        _export_fixed(g, model, encoded)
    else:
        _export_keys_and_values(g, model, encoded)


def _export_fixed(g: Graph, model: Model, encoded: EncoderOutput) -> None:
    """The context vector (B, 1, D), and in a lexical model the mean of the source embeddings (B, 1, E)."""
    final, embeddings, size = encoded.final, encoded.embeddings, encoded.states.width
    count = g("ReduceSum", g("Cast", encoded.real, to=FLOAT), numbers(0), keepdims=0)
    if model.config.context == "mean":
        final = g("Div", g("ReduceSum", encoded.states.name, numbers(0), keepdims=0), count)
    g.output(names.FIXED, g("Unsqueeze", final, numbers(1)), FLOAT, "B", 1, size)
    if model.config.lexical:
        real = g("Where", encoded.real, embeddings.name, np.array(0, np.float32))
        mean = g("Div", g("ReduceSum", real, numbers(0), keepdims=0), count)
        g.output(names.EMBEDDINGS, g("Unsqueeze", mean, numbers(1)), FLOAT, "B", 1, embeddings.width)


def _export_keys_and_values(g: Graph, model: Model, encoded: EncoderOutput) -> None:
    """Keys, values, what to add to scores (0, or -inf at padding), and in a lexical model the source embeddings.

    Also what to add to weights (0, or -inf at padding and EOS) before the position is chosen that a token comes from.
    """
    config, states, embeddings = model.config, encoded.states, encoded.embeddings
    context: Any = model.decoder.context
    length = g("Shape", encoded.mask, start=1, end=2)
    missing = g("Mod", g("Neg", length), numbers(POSITION_MULTIPLE))
    mask = g("Pad", encoded.mask, g("Concat", numbers(0, 0, 0), missing, axis=0))  # (B, P)
    before_others = g("Pad", g("Slice", mask, numbers(1), numbers(sys.maxsize), numbers(1)), numbers(0, 0, 0, 1))
    for name, allowed in ((names.BLOCKED, mask), (names.LINKED, before_others)):
        added = g("Where", allowed, np.array(0, np.float32), np.array(-np.inf, np.float32))
        g.output(name, g("Unsqueeze", added, numbers(1)), FLOAT, "B", 1, "P")
    padding = g("Concat", numbers(0, 0, 0, 0), missing, numbers(0), axis=0)
    values = g("Pad", g("Transpose", states.name, perm=[1, 0, 2]), padding)  # (B, P, D)
    if config.lexical:
        padded = g("Pad", g("Transpose", embeddings.name, perm=[1, 0, 2]), padding)
        g.output(names.EMBEDDINGS, padded, FLOAT, "B", "P", embeddings.width)
    if model.pointer is not None:
        export_slots(g, model.pointer, g("Pad", encoded.src, g("Concat", numbers(0, 0, 0), missing, axis=0)), mask)
    if context.covers:
        g.output(
            names.STATE + names.COVERED, g("Mul", g("Cast", mask, to=FLOAT), np.array(0, np.float32)), FLOAT, "B", "P"
        )
    project = partial(_project, g, states._replace(name=values), mask)
    keys = values if config.context == "dot" else project(context.key)
    if config.context == "multihead":
        heads, width = config.heads, config.attention // config.heads
        keys, values = (g("Reshape", x, numbers(0, 0, heads, width)) for x in (keys, project(context.value)))
        g.output(names.KEYS, g("Transpose", keys, perm=[0, 2, 3, 1]), FLOAT, "B", heads, width, "P")
        g.output(names.VALUES, g("Transpose", values, perm=[0, 2, 1, 3]), FLOAT, "B", heads, "P", width)
        return
    if config.context == "additive":
        g.output(names.KEYS, g("Unsqueeze", keys, numbers(1)), FLOAT, "B", 1, "P", config.attention)
    else:
        g.output(names.KEYS, g("Transpose", keys, perm=[0, 2, 1]), FLOAT, "B", config.hidden, "P")
    g.output(names.VALUES, values, FLOAT, "B", "P", states.width)


def _project(g: Graph, states: Value, mask: str, layer: nn.Linear) -> str:
    """A linear layer of states (B, P, D), mask (B, P): (B, P, A)."""
    flat = g("Reshape", states.name, numbers(-1, states.width))
    projected = linear(g, [states._replace(name=flat)], layer)
    return g("Reshape", projected, g("Concat", g("Shape", mask), numbers(layer.out_features), axis=0))


# ---- the decoder's graph ---------------------------------------------------------------------------------------------


class Attended(NamedTuple):
    """What attention computes for queries (N, H)."""

    context: Value  # (N, D) the context vector
    embedding: str  # (N, E) the mean of the source embeddings by attention weights; "": the model is not lexical
    source: str  # (N, 1) the source position before EOS with the largest weight; 0 where the context is fixed
    weights: str = ""  # (N, P) attention weights; "": the context is fixed
    covered: str = ""  # (N, P) the coverage after the step; "": the context does not read it


class MemoryInputs(NamedTuple):
    """The SourceMemory among the inputs of the decoder's graph, for contexts with a query."""

    keys: str
    values: str
    blocked: str  # (B, 1, P) what to add to scores: 0, or -inf at padding
    linked: str  # (B, 1, P) what to add to weights before the largest is looked for: 0, or -inf at padding and EOS
    embeddings: str  # (B, P, E), or ""
    covered: str  # (N, P) the coverage before the step, or ""
    sentences: str  # the number B


def attention(g: Graph, model: Model, tokens: str) -> Callable[[Value | None], Attended]:
    """Declare the SourceMemory as inputs of the decoder's graph; the function from a query (N, H) to its result.

    A fixed context ignores the query, which may be None. tokens (N,) give the number of queries.
    """
    rows = g("Shape", tokens)  # without use in most graphs, and kept so that an export has the same bytes as ever
    if model.decoder.context.fixed:
        attended = _fixed(g, model, rows)
        return lambda query: attended
    memory = _memory_inputs(g, model)
    attend = {"additive": _additive, "multihead": _multihead}.get(model.config.context, _dot)

    def attend_to_memory(query: Value | None) -> Attended:
        assert query
        return attend(g, model, memory, query)

    return attend_to_memory


def _fixed(g: Graph, model: Model, rows: str) -> Attended:
    """The context vector of each sentence, repeated for its W rows."""

    def repeated(name: str, width: int) -> str:
        one = g.input(name, FLOAT, "B", 1, width)
        sentences = g("Shape", one, start=0, end=1)
        shape = g("Concat", sentences, g("Div", rows, sentences), numbers(width), axis=0)
        return g("Reshape", g("Expand", one, shape), numbers(-1, width))

    config, size = model.config, model.encoder.size
    c = Value(repeated(names.FIXED, size), size, len(model.encoder.layers))
    source = g("Expand", np.array(0), g("Concat", rows, numbers(1), axis=0))
    return Attended(c, repeated(names.EMBEDDINGS, config.embedding) if config.lexical else "", source)


def _memory_inputs(g: Graph, model: Model) -> MemoryInputs:
    config, heads, width = model.config, model.config.heads, model.config.attention
    key_shape: tuple[int | str, ...] = "B", config.hidden, "P"
    value_shape: tuple[int | str, ...] = "B", "P", model.encoder.size
    if config.context == "additive":
        key_shape = "B", 1, "P", width
    elif config.context == "multihead":
        key_shape, value_shape = ("B", heads, width // heads, "P"), ("B", heads, "P", width // heads)
    keys, values = g.input(names.KEYS, FLOAT, *key_shape), g.input(names.VALUES, FLOAT, *value_shape)
    blocked, linked = (g.input(name, FLOAT, "B", 1, "P") for name in (names.BLOCKED, names.LINKED))
    embeddings = g.input(names.EMBEDDINGS, FLOAT, "B", "P", config.embedding) if config.lexical else ""
    covered = g.input(names.STATE + names.COVERED, FLOAT, "N", "P") if config.coverage else ""
    return MemoryInputs(keys, values, blocked, linked, embeddings, covered, g("Shape", blocked, start=0, end=1))


def _dot(g: Graph, model: Model, memory: MemoryInputs, query: Value) -> Attended:
    """Scores q . k, of `dot` and of `general`, whose keys are projected."""
    return _average(g, model, memory, g("MatMul", _by_sentence(g, memory, query.name, -1, query.width), memory.keys))


def _additive(g: Graph, model: Model, memory: MemoryInputs, query: Value) -> Attended:
    """Scores v . tanh(W q + k), with coverage v . tanh(W q + k + w C)."""
    context: Any = model.decoder.context
    q = _by_sentence(g, memory, linear(g, [query], context.query), -1, 1, model.config.attention)
    hidden = g("Add", q, memory.keys)  # (B, W, P, A)
    if memory.covered:
        positions = g("Concat", g("Shape", memory.blocked, start=2, end=3), numbers(1), axis=0)
        covered = g("Reshape", memory.covered, g("Concat", memory.sentences, numbers(-1), positions, axis=0))
        hidden = g("Add", hidden, g("Mul", covered, to_array(context.cover.weight)[:, 0]))
    hidden = g("Tanh", hidden)
    scores = g("Squeeze", g("MatMul", hidden, to_array(context.v.weight).T), numbers(3))
    return _average(g, model, memory, scores)


def _multihead(g: Graph, model: Model, memory: MemoryInputs, query: Value) -> Attended:
    """Scores (W_n q) . k_n / sqrt(A / N) of each head n; the weights are the mean of the N heads'."""
    context: Any = model.decoder.context
    heads, width = model.config.heads, model.config.attention
    scaled = to_array(context.query.weight) * np.float32((width // heads) ** -0.5)
    q = _by_sentence(g, memory, g.linear([query], scaled, np.zeros(width, np.float32)), -1, heads, width // heads)
    scores = g("MatMul", g("Transpose", q, perm=[0, 2, 1, 3]), memory.keys)  # (B, heads, W, P)
    weights = g("Softmax", g("Add", scores, g("Unsqueeze", memory.blocked, numbers(1))), axis=-1)
    c = g("Reshape", g("Transpose", g("MatMul", weights, memory.values), perm=[0, 2, 1, 3]), numbers(-1, width))
    c = linear(g, [Value(c, width, 0)], context.output)
    of_heads = g.several(heads, "Split", weights, axis=1, num_outputs=heads)
    mean = g("Mul", g("Sum", *of_heads), np.array(1 / heads, np.float32))  # (B, 1, W, P)
    return _attended(g, model, memory, Value(c, width, 0), g("Squeeze", mean, numbers(1)))


def _by_sentence(g: Graph, memory: MemoryInputs, x: str, *shape: int) -> str:
    """x (N, ...) as (B, *shape)."""
    return g("Reshape", x, g("Concat", memory.sentences, numbers(*shape), axis=0))


def _average(g: Graph, model: Model, memory: MemoryInputs, scores: str) -> Attended:
    """The values, averaged by the softmax of scores (B, W, P)."""
    size = model.encoder.size
    weights = g("Softmax", g("Add", scores, memory.blocked), axis=-1)
    c = g("Reshape", g("MatMul", weights, memory.values), numbers(-1, size))
    return _attended(g, model, memory, Value(c, size, len(model.encoder.layers)), weights)


def _attended(g: Graph, model: Model, memory: MemoryInputs, c: Value, weights: str) -> Attended:
    """The context vector, with what attention weights (B, W, P) say about source embeddings and positions."""
    embedding = ""
    if memory.embeddings:
        embedding = g("Reshape", g("MatMul", weights, memory.embeddings), numbers(-1, model.config.embedding))
    source = g("Reshape", g("ArgMax", g("Add", weights, memory.linked), axis=-1), numbers(-1, 1))
    if not (memory.covered or model.config.copy):
        return Attended(c, embedding, source)
    of_rows = g("Reshape", weights, g("Concat", numbers(-1), g("Shape", memory.blocked, start=2, end=3), axis=0))
    return Attended(c, embedding, source, of_rows, g("Add", memory.covered, of_rows) if memory.covered else "")
