"""Matrix products in eight bits have the error of rounding, for parts of any bound and of an unknown bound."""

import numpy as np
import pytest
from onnxruntime import InferenceSession

from seq2seq.onnx import runtime
from seq2seq.onnx.graph import FLOAT, Graph, Value, quantise

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
