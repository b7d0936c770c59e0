"""Matrix products in eight bits have the error of rounding, for parts of any bound and of an unknown bound."""

import numpy as np
import pytest
from onnxruntime import InferenceSession

from seq2seq.onnx import runtime
from seq2seq.onnx.graph import FLOAT, LONG, Graph, Value, quantise

WIDTHS, BOUNDS, OUT = (40, 24), (1.0, 5.0), 50


def computed(int8: bool, bounds: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A graph's product of two parts with a weight, the exact product, and the weight."""
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-b, b, (200, n)).astype(np.float32) for n, b in zip(WIDTHS, BOUNDS, strict=True)]
    weight = (rng.standard_normal((OUT, sum(WIDTHS))) * rng.uniform(0.1, 3, (OUT, 1))).astype(np.float32)
    bias = rng.standard_normal(OUT).astype(np.float32)
    g = Graph(int8)
    values = [Value(g.input(f"x{i}", FLOAT, "N", n), n, b) for i, (n, b) in enumerate(zip(WIDTHS, bounds, strict=True))]
    g.output("y", g.linear(values, weight, bias), FLOAT, "N", OUT)
    session = InferenceSession(g.serialised({}), runtime.options(1))
    [product] = session.run(None, {f"x{i}": part for i, part in enumerate(parts)})
    return product, np.concatenate(parts, axis=1) @ weight.T + bias, weight


def test_a_product_in_eight_bits_has_the_error_of_rounding() -> None:
    """Rounding to a grid has a root mean square error of its step over the root of 12."""
    product, exact, weight = computed(True, BOUNDS)
    bounds = np.repeat(BOUNDS, WIDTHS)
    steps = np.abs(weight * bounds).max(1, keepdims=True) / 127  # of weights times the bounds of their inputs
    of_weights = sum(WIDTHS) * steps[:, 0] ** 2 / 12 / 3  # inputs are uniform within their bounds: mean square 1 / 3
    of_inputs = ((weight * bounds) ** 2).sum(1) * (1 / 127) ** 2 / 12
    expected = np.sqrt(of_weights + of_inputs)
    assert np.sqrt(((product - exact) ** 2).mean(0)) == pytest.approx(expected, rel=0.25)


def test_without_eight_bits_or_without_a_bound_activations_are_not_rounded() -> None:
    """In a graph of eight bits, the weights are rounded even where a part has no known bound."""
    product, exact, _ = computed(False, BOUNDS)
    assert product == pytest.approx(exact, abs=1e-4)
    product, exact, weight = computed(True, (1.0, 0.0))
    step = np.abs(weight).max(0) / 127
    assert np.abs(product - exact).max() <= (step / 2 * np.repeat(BOUNDS, WIDTHS)).sum()


def test_the_largest_weight_of_each_column_is_127_when_quantised() -> None:
    weight = np.random.default_rng(1).standard_normal((30, 7)).astype(np.float32) * np.arange(7)
    quantised, scales = quantise(weight)
    assert quantised.dtype == np.int8
    assert (np.abs(quantised).max(0) == [0, *[127] * 6]).all()
    assert np.abs(quantised * scales - weight).max() <= scales.max() / 2 + 1e-6


def run(g: Graph, **inputs: np.ndarray) -> list[np.ndarray]:
    return InferenceSession(g.serialised({}), runtime.options(1)).run(None, inputs)


def test_looking_up_codes_is_coding_what_is_looked_up() -> None:
    """To the bit: the codes of a table are those of its vectors, also where they are beside those of another part."""
    rng = np.random.default_rng(2)
    table, weight = (rng.standard_normal((40, n)).astype(np.float32) for n in (24, 24 + WIDTHS[0]))
    ids, x = np.arange(40), rng.uniform(-1, 1, (40, WIDTHS[0])).astype(np.float32)
    products = []
    for as_codes in (False, True):
        g = Graph(int8=True)
        parts = [
            g.embed(g.input("ids", LONG, "N"), table, as_codes),
            Value(g.input("x", FLOAT, "N", x.shape[1]), 40, 1),
        ]
        g.output("y", g.linear(parts, weight, np.zeros(40, np.float32)), FLOAT, "N", 40)
        products += run(g, ids=ids, x=x)
    assert (products[0] == products[1]).all()
    assert np.abs(products[0] - np.concatenate([table, x], 1) @ weight.T).max() < 1


def test_what_was_joined_is_parted_without_a_node() -> None:
    g = Graph(int8=False)
    whole = g.joined(*(g.input(name, FLOAT, "N", 3) for name in "ab"))
    for name, part in zip("cd", g.parted(whole, 3, 3), strict=True):
        g.output(name, part, FLOAT, "N", 3)
    assert [node.op_type for node in g.proto().node] == ["Identity"] * 2
    for name, part in zip("efg", g.parted(whole, 2, 2, 2), strict=True):  # other parts are cut out
        g.output(name, part, FLOAT, "N", 2)
    a, b = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    c, d, *others = run(g, a=a, b=b)
    assert (c == a).all() and (d == b).all()
    assert (np.concatenate(others, 1) == np.concatenate([a, b], 1)).all()


def test_a_graph_has_no_node_that_nothing_reads() -> None:
    g = Graph(int8=False)
    x = g.input("x", FLOAT, "N", 3)
    g("Tanh", g("Add", x, np.ones(3, np.float32)))
    g.output("y", g("Exp", x), FLOAT, "N", 3)
    proto = g.proto()
    assert [node.op_type for node in proto.node] == ["Exp"] and not proto.initializer
