"""The arithmetic of eight bits: as exact as eight bits are, for parts of any bound, and of one that nobody knows."""

import numpy as np
import pytest
from onnxruntime import InferenceSession

from seq2seq.onnx import runtime
from seq2seq.onnx.graph import FLOAT, Graph, Value, quantise

WIDTHS, BOUNDS, OUT = (40, 24), (1.0, 5.0), 50


def computed(int8: bool, bounds: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a graph makes of two parts, what it should be, and the weight."""
    draw = np.random.default_rng(0)
    parts = [draw.uniform(-b, b, (200, n)).astype(np.float32) for n, b in zip(WIDTHS, BOUNDS, strict=True)]
    weight = (draw.standard_normal((OUT, sum(WIDTHS))) * draw.uniform(0.1, 3, (OUT, 1))).astype(np.float32)
    bias = draw.standard_normal(OUT).astype(np.float32)
    g = Graph(int8)
    values = [Value(g.input(f"x{i}", FLOAT, "N", n), n, b) for i, (n, b) in enumerate(zip(WIDTHS, bounds, strict=True))]
    g.output("y", g.linear(values, weight, bias), FLOAT, "N", OUT)
    session = InferenceSession(g.serialised({}), runtime.options(1))
    [found] = session.run(None, {f"x{i}": part for i, part in enumerate(parts)})
    return found, np.concatenate(parts, axis=1) @ weight.T + bias, weight


def test_in_eight_bits_a_product_errs_by_what_rounding_costs() -> None:
    """A number that is rounded to a grid errs by its step over the root of 12 on average."""
    found, exact, weight = computed(True, BOUNDS)
    bounds = np.repeat(BOUNDS, WIDTHS)
    steps = np.abs(weight * bounds).max(1, keepdims=True) / 127  # of the weights times the bounds of their inputs
    of_weights = sum(WIDTHS) * steps[:, 0] ** 2 / 12 / 3  # inputs are even within their bounds: mean square 1 / 3
    of_inputs = ((weight * bounds) ** 2).sum(1) * (1 / 127) ** 2 / 12
    expected = np.sqrt(of_weights + of_inputs)
    assert np.sqrt(((found - exact) ** 2).mean(0)) == pytest.approx(expected, rel=0.25)


def test_otherwise_it_is_exact() -> None:
    """In a plain graph; in one of eight bits too, but for the weights, where nobody knows how large a part can be."""
    found, exact, _ = computed(False, BOUNDS)
    assert found == pytest.approx(exact, abs=1e-4)
    found, exact, weight = computed(True, (1.0, 0.0))
    step = np.abs(weight).max(0) / 127
    assert np.abs(found - exact).max() <= (step / 2 * np.repeat(BOUNDS, WIDTHS)).sum()


def test_a_weight_keeps_its_largest_number_in_every_column() -> None:
    weight = np.random.default_rng(1).standard_normal((30, 7)).astype(np.float32) * np.arange(7)
    whole, scales = quantise(weight)
    assert whole.dtype == np.int8
    assert (np.abs(whole).max(0) == [0, *[127] * 6]).all()
    assert np.abs(whole * scales - weight).max() <= scales.max() / 2 + 1e-6
