"""A trained model as two ONNX graphs, for an engine without torch: the encoder once a sentence, the decoder a step.

    encoder   src (B, S), mask (B, S)
              -> state.l (B, N) of each layer, and what is remembered of a sentence
    decoder   tokens (B * W,), asked (B * W,), count (1,), state.l (B * W, N), what is remembered
              -> candidates, log_probs (B * W, C), of_asked, source (B * W, 1), next.state.l: a proposal of `search`

The equations are those of `encoder`, `context` and `decoder`, for one step. In eight bits (Devlin 2017) no activation
needs a text to calibrate it: all that a recurrent layer says lies between -1 and 1, and a context is a mean of such.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from torch import Tensor, nn

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint, files, layout
from seq2seq.network.cells import weights
from seq2seq.network.embedding import Embedding
from seq2seq.network.model import Model
from seq2seq.onnx.graph import BOOL, FLOAT, LONG, Array, Graph, Value, numbers
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.padding import POSITION_MULTIPLE

HELD: dict[str, Callable[[dict[str, Tensor]], dict[str, Tensor]]] = {
    "quarter": checkpoint.quantize,
    "half": lambda weights: {name: w.half() for name, w in weights.items()},
    "single": lambda weights: {name: w.float() for name, w in weights.items()},
}


def export(folder: Path, out: Path, form: str, weights: Mapping[str, Tensor] | None = None) -> None:
    """Write the trained model of a folder in another form, as a model folder of its own.

    Args:
        folder: holds the trained model.
        out: the new folder; what it held of a model goes.
        form: "onnx", "int8" (ONNX, with products of eight bits), "quarter", "half" or "single" (weights of 8, 16 or
            32 bits).
        weights: instead of the folder's own.

    Raises:
        InputError: the folder holds no trained model, or the weights are of another.
        WorkError: the disk is full.
    """
    if layout.is_exported(folder):
        raise InputError(f"{folder} holds an exported model; export the one it was made from")
    bundle = checkpoint.load_model(folder)
    assert isinstance(bundle.engine, TorchEngine)
    model, tokenizers = bundle.engine.models[0], (bundle.src_tokenizer, bundle.tgt_tokenizer)
    if weights is not None:
        checkpoint.load_weights(model, weights, f"the training state in {folder}")
    checkpoint.clear(out)
    for name in (*layout.tokenizer_files(folder), layout.CONFIG):
        files.publish(out, name, (folder / name).read_bytes())
    if form in HELD:
        checkpoint.save_weights(out, HELD[form](checkpoint.weights_of(model)), *tokenizers)
    else:
        about = {layout.TOKENIZER: layout.fingerprint(*tokenizers)}
        for name, graph in ((layout.ENCODER, encoder), (layout.DECODER, decoder)):
            files.publish(out, name, graph(model, form == "int8").serialised(about))


def encoder(model: Model, int8: bool) -> Graph:
    """The graph that reads the source."""
    g, network, d = Graph(int8), model.encoder, model.decoder
    src, mask = g.input("src", LONG, "B", "S"), g.input("mask", BOOL, "B", "S")
    real = g("Unsqueeze", g("Transpose", mask, perm=[1, 0]), numbers(2))  # (S, B, 1)
    words = g.embed(g("Transpose", src, perm=[1, 0]), table(model.src_embedding))
    x, final = words, ""
    layers: Any = network.layers
    for i, layer in enumerate(layers):
        sides = [read(g, model.config.cell, layer.forward_.kernel, x, real, reverse=False)]
        if layer.backward_ is not None:
            sides.append(read(g, model.config.cell, layer.backward_.kernel, x, real, reverse=True))
        states, end = (g("Concat", *parts, axis=-1) for parts in zip(*sides, strict=True))  # (S, B, D) and (B, D)
        final = g("Add", final, end) if i else end
        x = Value(g("Add", x.name, states) if i else states, network.size, i + 1)
    start = g("Tanh", linear(g, [Value(final, network.size, x.bound)], d.bridge))
    for i, result in enumerate(g.several(len(d.sizes), "Split", start, numbers(*d.sizes), axis=1)):
        g.output(f"state.{i}", result, FLOAT, "B", d.sizes[i])
    if not d.context.fixed:
        remember(g, model, x, words, mask)
        return g
    count = g("ReduceSum", g("Cast", real, to=FLOAT), numbers(0), keepdims=0)
    if model.config.context == "mean":
        final = g("Div", g("ReduceSum", x.name, numbers(0), keepdims=0), count)
    g.output("fixed", g("Unsqueeze", final, numbers(1)), FLOAT, "B", 1, network.size)
    if model.config.lexical:
        seen = g("Where", real, words.name, np.array(0, np.float32))
        word = g("Div", g("ReduceSum", seen, numbers(0), keepdims=0), count)
        g.output("words", g("Unsqueeze", word, numbers(1)), FLOAT, "B", 1, words.width)
    return g


def read(g: Graph, cell: str, kernel: nn.RNNBase, x: Value, real: str, reverse: bool) -> tuple[str, str]:
    """A layer over x (S, B, I) in one direction, each sentence within its own length: (S, B, H), and its end (B, H)."""
    size = kernel.hidden_size
    width = size * (2 if cell == "lstm" else 1)
    body = g.inner()
    before, now, there = (
        body.input("before", FLOAT, "B", width),
        body.input("x", FLOAT, "B", x.width),
        body.input("real", BOOL, "B", 1),
    )
    output, after = step(body, cell, kernel, [x._replace(name=now)], before)
    body.output("after", body("Where", there, after, before), FLOAT, "B", width)
    body.output("output", body("Where", there, output, np.array(0, np.float32)), FLOAT, "B", size)
    start = g("Expand", np.array(0, np.float32), g("Concat", g("Shape", real, start=1, end=2), numbers(width), axis=0))
    directions = {"scan_input_directions": [int(reverse)] * 2, "scan_output_directions": [int(reverse)]}
    end, states = g.several(2, "Scan", start, x.name, real, body=body.proto(), num_scan_inputs=2, **directions)
    return states, g("Slice", end, numbers(0), numbers(size), numbers(1))


def remember(g: Graph, model: Model, states: Value, words: Value, mask: str) -> None:
    """What the decoder reads of a sentence: of its states (S, B, D) and words (S, B, E), padded."""
    config, context = model.config, cast(Any, model.decoder.context)
    length = g("Shape", mask, start=1, end=2)
    missing = g("Mod", g("Neg", length), numbers(POSITION_MULTIPLE))
    wide = g("Pad", mask, g("Concat", numbers(0, 0, 0), missing, axis=0))
    nothing = g("Where", wide, np.array(0, np.float32), np.array(-np.inf, np.float32))
    g.output("blocked", g("Unsqueeze", nothing, numbers(1)), FLOAT, "B", 1, "P")
    around = g("Concat", numbers(0, 0, 0, 0), missing, numbers(0), axis=0)
    filled = g("Pad", g("Transpose", states.name, perm=[1, 0, 2]), around)
    if config.lexical:
        g.output("words", g("Pad", g("Transpose", words.name, perm=[1, 0, 2]), around), FLOAT, "B", "P", words.width)

    def projected(layer: nn.Linear) -> str:
        flat = g("Reshape", filled, numbers(-1, states.width))
        return g(
            "Reshape",
            linear(g, [states._replace(name=flat)], layer),
            g("Concat", g("Shape", wide), numbers(layer.out_features), axis=0),
        )

    keys, values = filled if config.context == "dot" else projected(context.key), filled
    if config.context == "multihead":
        heads, each = config.heads, config.attention // config.heads
        keys, values = (g("Reshape", x, numbers(0, 0, heads, each)) for x in (keys, projected(context.value)))
        g.output("keys", g("Transpose", keys, perm=[0, 2, 3, 1]), FLOAT, "B", heads, each, "P")
        g.output("values", g("Transpose", values, perm=[0, 2, 1, 3]), FLOAT, "B", heads, "P", each)
        return
    if config.context == "additive":
        g.output("keys", g("Unsqueeze", keys, numbers(1)), FLOAT, "B", 1, "P", config.attention)
    else:
        g.output("keys", g("Transpose", keys, perm=[0, 2, 1]), FLOAT, "B", config.hidden, "P")
    g.output("values", values, FLOAT, "B", "P", states.width)


def decoder(model: Model, int8: bool) -> Graph:
    """The graph of one step."""
    g, d, hidden = Graph(int8), model.decoder, model.config.hidden
    tokens, asked = (g.input(name, LONG, "N") for name in ("tokens", "asked"))
    count = g.input("count", LONG, 1)
    before = [g.input(f"state.{i}", FLOAT, "N", size) for i, size in enumerate(d.sizes)]
    attend = attention(g, model, tokens)
    y = g.embed(tokens, table(model.tgt_embedding)[: model.output.out_features])
    layers: Any = d.layers
    first, *upper = layers
    fixed = [attend(None).context] if d.context.fixed else []
    s, after = step(g, model.config.cell, first.kernel, [y, *fixed], before[0])
    states, query = [after], Value(s, hidden, 1)
    c, words, source = attend(query)
    for layer, state in zip(upper, before[1:], strict=True):
        s, after = step(g, model.config.cell, layer.kernel, [query, c], state)
        states.append(after)
        query = Value(g("Add", s, query.name), hidden, query.bound + 1)
    features = Value(g("Tanh", linear(g, [query, c, y], d.readout)), d.readout.out_features, 1)
    if d.lexical is not None:
        word = Value(g("Tanh", words), features.width, 1)
        more = g("Tanh", linear(g, [word], d.lexical))
        features = features._replace(name=g("Sum", features.name, word.name, more), bound=3)
    logits = linear(g, [features], model.output)
    log_p = g("LogSoftmax", logits, axis=1)
    most = g("Min", count, numbers(model.output.out_features))
    best, candidates = g.several(2, "TopK", log_p, most, axis=1)
    of_asked = g("GatherElements", log_p, g("Unsqueeze", asked, numbers(1)), axis=1)
    g.output("candidates", candidates, LONG, "N", "C")
    g.output("log_probs", best, FLOAT, "N", "C")
    g.output("of_asked", of_asked, FLOAT, "N", 1)
    g.output("source", source, LONG, "N", 1)
    for i, (result, size) in enumerate(zip(states, d.sizes, strict=True)):
        g.output(f"next.state.{i}", result, FLOAT, "N", size)
    return g


def step(g: Graph, cell: str, kernel: nn.RNNBase, inputs: list[Value], state: str) -> tuple[str, str]:
    """One step of a cell, by the equations in `cells`: output (N, H) and state (N, N)."""
    w, u, b, d = map(array_of, weights(kernel))
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
    h, c = g.several(2, "Split", state, numbers(size, size), axis=1)
    w, u, b = (np.concatenate([np.split(x, 4)[i] for i in (0, 1, 3, 2)]) for x in (w, u, b + d))  # i, f, o, g
    gates = g.linear([*inputs, Value(h, size, 1)], np.concatenate((w, u), 1), b)
    ifo, of_g = g.several(2, "Split", gates, numbers(3 * size, size), axis=1)
    i, f, o = g.several(3, "Split", g("Sigmoid", ifo), numbers(size, size, size), axis=1)
    c = g("Add", g("Mul", f, c), g("Mul", i, g("Tanh", of_g)))
    h = g("Mul", o, g("Tanh", c))
    return h, g("Concat", h, c, axis=1)


class Attended(NamedTuple):
    """What queries (N, H) get: the context (N, D), the words (N, E), the position that counts most (N, 1)."""

    context: Value
    words: str
    source: str


def attention(g: Graph, model: Model, tokens: str) -> Callable[[Value | None], Attended]:
    """Declares what is remembered of a sentence; the function that asks it."""
    config, size, layers = model.config, model.encoder.size, len(model.encoder.layers)
    context: Any = model.decoder.context
    rows = g("Shape", tokens)
    if context.fixed:

        def of_each(name: str, width: int) -> str:
            one = g.input(name, FLOAT, "B", 1, width)
            sentences = g("Shape", one, start=0, end=1)
            each = g("Concat", sentences, g("Div", rows, sentences), numbers(width), axis=0)
            return g("Reshape", g("Expand", one, each), numbers(-1, width))

        c = Value(of_each("fixed", size), size, layers)
        nowhere = g("Expand", np.array(0), g("Concat", rows, numbers(1), axis=0))
        known = Attended(c, of_each("words", config.embedding) if config.lexical else "", nowhere)
        return lambda query: known
    heads, width = config.heads, config.attention
    shapes: tuple[tuple[int | str, ...], tuple[int | str, ...]] = ("B", config.hidden, "P"), ("B", "P", size)
    if config.context == "additive":
        shapes = ("B", 1, "P", width), ("B", "P", size)
    elif config.context == "multihead":
        shapes = ("B", heads, width // heads, "P"), ("B", heads, "P", width // heads)
    keys, values = (g.input(name, FLOAT, *shape) for name, shape in zip(("keys", "values"), shapes, strict=True))
    blocked = g.input("blocked", FLOAT, "B", 1, "P")
    words = g.input("words", FLOAT, "B", "P", config.embedding) if config.lexical else ""
    sentences = g("Shape", blocked, start=0, end=1)

    def by_sentence(x: str, *shape: int) -> str:
        return g("Reshape", x, g("Concat", sentences, numbers(*shape), axis=0))

    def attended(c: Value, weights: str) -> Attended:
        word = words and g("Reshape", g("MatMul", weights, words), numbers(-1, config.embedding))
        return Attended(c, word, g("Reshape", g("ArgMax", weights, axis=-1), numbers(-1, 1)))

    def averaged(scores: str) -> Attended:
        weights = g("Softmax", g("Add", scores, blocked), axis=-1)  # (B, W, S)
        return attended(Value(g("Reshape", g("MatMul", weights, values), numbers(-1, size)), size, layers), weights)

    def dot(query: Value | None) -> Attended:
        assert query
        return averaged(g("MatMul", by_sentence(query.name, -1, query.width), keys))

    def additive(query: Value | None) -> Attended:
        assert query
        q = by_sentence(linear(g, [query], context.query), -1, 1, width)
        hidden = g("Tanh", g("Add", q, keys))  # (B, W, S, A)
        return averaged(g("Squeeze", g("MatMul", hidden, array_of(context.v.weight).T), numbers(3)))

    def multihead(query: Value | None) -> Attended:
        assert query
        scaled = array_of(context.query.weight) * np.float32((width // heads) ** -0.5)
        q = by_sentence(g.linear([query], scaled, np.zeros(width, np.float32)), -1, heads, width // heads)
        scores = g("MatMul", g("Transpose", q, perm=[0, 2, 1, 3]), keys)  # (B, heads, W, S)
        weights = g("Softmax", g("Add", scores, g("Unsqueeze", blocked, numbers(1))), axis=-1)
        c = g("Reshape", g("Transpose", g("MatMul", weights, values), perm=[0, 2, 1, 3]), numbers(-1, width))
        c = linear(g, [Value(c, width, 0)], context.output)
        each = g.several(heads, "Split", weights, axis=1, num_outputs=heads)
        mean = g("Mul", g("Sum", *each), np.array(1 / heads, np.float32))  # (B, 1, W, S)
        return attended(Value(c, width, 0), g("Squeeze", mean, numbers(1)))

    return {"additive": additive, "multihead": multihead}.get(config.context, dot)


def linear(g: Graph, parts: Sequence[Value], layer: nn.Linear) -> str:
    """A layer of the model over the parts side by side; of a table that is shared it has the first rows."""
    bias = np.zeros(layer.out_features, np.float32) if layer.bias is None else array_of(layer.bias)
    return g.linear(parts, array_of(layer.weight)[: layer.out_features], bias)


def table(embedding: Embedding) -> Array:
    """What an embedding gives for each id, (V, E)."""
    return array_of(embedding.table.weight) * np.float32(embedding.scale)


def array_of(x: Tensor) -> Array:
    """A weight as an array."""
    return x.detach().float().cpu().numpy()
