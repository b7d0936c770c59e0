"""A trained model in another form: as two ONNX graphs, for an engine without torch, or with smaller weights.

The encoder's graph runs once for each batch of sentences, the decoder's once for each step of search; `names` lists
their inputs and outputs. The equations are those of `seq2seq.network.encoder` and `seq2seq.network.decoder`. In eight
bits (Devlin 2017) no text is needed to calibrate activations: outputs of recurrent layers lie between -1 and 1, and
context vectors are weighted means of them.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint, files, layout
from seq2seq.network.model import Model
from seq2seq.onnx import names
from seq2seq.onnx.attention import EncoderOutput, attention, export_memory
from seq2seq.onnx.copying import mixed
from seq2seq.onnx.graph import BOOL, FLOAT, LONG, Graph, Value, numbers
from seq2seq.onnx.layers import linear, recurrent, step, table
from seq2seq.translation.inference import TorchEngine

CONVERSIONS: dict[str, Callable[[dict[str, Tensor]], dict[str, Tensor]]] = {
    "quarter": checkpoint.quantize,
    "half": lambda weights: {name: w.half() for name, w in weights.items()},
    "single": lambda weights: {name: w.float() for name, w in weights.items()},
}


def export(folder: Path, out: Path, form: str, weights: Mapping[str, Tensor] | None = None) -> None:
    """Write the trained model of a folder in another form, as a model folder of its own.

    Args:
        folder: the trained model.
        out: the new folder; files of another model in it are removed.
        form: "onnx", "int8" (ONNX, with products of eight bits), "quarter", "half" or "single" (weights of 8, 16 or
            32 bits).
        weights: to be exported instead of the folder's.

    Raises:
        InputError: the folder holds no trained model, or the weights do not fit it.
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
    if form in CONVERSIONS:
        checkpoint.save_weights(out, CONVERSIONS[form](checkpoint.weights_of(model)), *tokenizers)
    else:
        about = {layout.TOKENIZER: layout.fingerprint(*tokenizers)}
        for name, graph in ((layout.ENCODER, encoder), (layout.DECODER, decoder)):
            files.publish(out, name, graph(model, form == "int8").serialised(about))


def encoder(model: Model, int8: bool) -> Graph:
    """The graph that reads B source sentences. Its inputs and outputs are listed in `names`."""
    g, network, d = Graph(int8), model.encoder, model.decoder
    src, mask = g.input(names.SRC, LONG, "B", "S"), g.input(names.MASK, BOOL, "B", "S")
    real = g("Unsqueeze", g("Transpose", mask, perm=[1, 0]), numbers(2))  # (S, B, 1)
    embeddings = g.embed(g("Transpose", src, perm=[1, 0]), table(model.src_embedding))  # (S, B, E)
    x, final = embeddings, ""
    layers: Any = network.layers
    for i, layer in enumerate(layers):
        sides = [recurrent(g, model.config.cell, layer.forward_.kernel, x, real, reverse=False)]
        if layer.backward_ is not None:
            sides.append(recurrent(g, model.config.cell, layer.backward_.kernel, x, real, reverse=True))
        states, end = (g("Concat", *parts, axis=-1) for parts in zip(*sides, strict=True))  # (S, B, D) and (B, D)
        final = g("Add", final, end) if i else end
        x = Value(g("Add", x.name, states) if i else states, network.size, i + 1)
    start = g("Tanh", linear(g, [Value(final, network.size, x.bound)], d.bridge))
    vectors = {name: size for i in range(len(d.sizes)) for name, size in _vectors(model, i).items()}
    of_vectors = g.several(len(vectors), "Split", start, numbers(*vectors.values()), axis=1)
    for (name, size), result in zip(vectors.items(), of_vectors, strict=True):
        g.output(name, result, FLOAT, "B", size)
    export_memory(g, model, EncoderOutput(x, final, embeddings, src, mask, real))
    return g


def _vectors(model: Model, layer: int) -> dict[str, int]:
    """The names and sizes of the vectors that the state of a decoder layer consists of."""
    size, hidden = model.decoder.sizes[layer], model.config.hidden
    name = f"{names.STATE}{layer}"
    return {name: size} if size == hidden else {f"{name}.{k}": hidden for k in range(size // hidden)}


def decoder(model: Model, int8: bool) -> Graph:
    """The graph of one step of N = B * W hypotheses. Its inputs and outputs are listed in `names`."""
    g, d, hidden = Graph(int8), model.decoder, model.config.hidden
    tokens, target = (g.input(name, LONG, "N") for name in (names.TOKENS, names.TARGET))
    count, others = g.input(names.COUNT, LONG, 1), g.input(names.OTHERS, LONG, "N", "U")
    vectors = [_vectors(model, i) for i in range(len(d.sizes))]
    before = [g.joined(*(g.input(name, FLOAT, "N", size) for name, size in each.items())) for each in vectors]
    attend = attention(g, model, tokens)
    y = g.embed(tokens, table(model.tgt_embedding)[: model.output.out_features], as_codes=True)
    layers: Any = d.layers
    first, *upper = layers
    fixed = [attend(None).context] if d.context.fixed else []
    s, after = step(g, model.config.cell, first.kernel, [y, *fixed], before[0])
    states, query = [after], Value(s, hidden, 1)
    attended = attend(query)
    c = attended.context
    for layer, state in zip(upper, before[1:], strict=True):
        s, after = step(g, model.config.cell, layer.kernel, [query, c], state)
        states.append(after)
        query = Value(g("Add", s, query.name), hidden, query.bound + 1)
    features = Value(g("Tanh", linear(g, [query, c, y], d.readout)), d.readout.out_features, 1)
    if d.lexical is not None:
        lexical = Value(g("Tanh", attended.embedding), features.width, 1)
        transformed = g("Tanh", linear(g, [lexical], d.lexical))
        features = features._replace(name=g("Sum", features.name, lexical.name, transformed), bound=3)
    log_probs = g("LogSoftmax", linear(g, [features], model.output), axis=1)
    if model.pointer is not None:
        log_probs = mixed(g, model.pointer, features.name, log_probs, attended.weights)
    top = g("Min", count, numbers(model.output.out_features))
    best, candidates = g.several(2, "TopK", log_probs, top, axis=1)
    target_log_probs = g("GatherElements", log_probs, g("Unsqueeze", target, numbers(1)), axis=1)
    g.output(names.CANDIDATES, candidates, LONG, "N", "C")
    g.output(names.LOG_PROBS, best, FLOAT, "N", "C")
    g.output(names.TARGET_LOG_PROBS, target_log_probs, FLOAT, "N", 1)
    g.output(names.SOURCE, attended.source, LONG, "N", 1)
    for after, each in zip(states, vectors, strict=True):
        for part, (name, size) in zip(g.parted(after, *each.values()), each.items(), strict=True):
            g.output(names.NEXT + name, part, FLOAT, "N", size)
    g.output(names.FEATURES, features.name, FLOAT, "N", features.width)
    g.output(names.OTHER_LOG_PROBS, g("GatherElements", log_probs, others, axis=1), FLOAT, "N", "U")
    if attended.covered:
        g.output(names.NEXT + names.STATE + names.COVERED, attended.covered, FLOAT, "N", "P")
    return g
