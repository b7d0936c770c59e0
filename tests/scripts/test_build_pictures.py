"""The pictures of the pages: their gradients are those of the equations, and the same run gives the same bytes."""

import matplotlib
import numpy as np
import pytest
import torch

from scripts import build_pictures
from scripts.build_pictures import EXAMPLE, SENTENCE, STYLE, align, attention, gradient_norms, gradients, overview, save
from seq2seq.network.cells import CELLS, RNN

SMALL = {"steps": 20, "hidden": 8, "sentences": 4}


def test_norms_are_those_of_the_product_of_jacobians(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a plain layer, d h_t / d h_{t-1} = diag(1 - h_t^2) U."""
    layers: list[RNN] = []

    def keep(inputs: int, hidden: int) -> RNN:
        layers.append(RNN(inputs, hidden))
        return layers[-1]

    monkeypatch.setitem(build_pictures.CELLS, "rnn", keep)
    norms = gradient_norms("rnn", 2.0, steps=5, hidden=3, sentences=1, seed=7)
    monkeypatch.undo()
    torch.manual_seed(7)
    RNN(3, 3)  # draws what the first layer drew
    x, v = torch.randn(1, 5, 3, dtype=torch.float64)[0], torch.randn(1, 3, dtype=torch.float64)[0]
    w, u = layers[0].kernel.weight_ih_l0.detach(), layers[0].kernel.weight_hh_l0.detach()
    h, states = torch.zeros(3, dtype=torch.float64), []
    for t in range(5):
        h = torch.tanh(w @ x[t] + u @ h)
        states.append(h)
    gradient, expected = v, [v.norm()]
    for h in states[:0:-1]:
        gradient = u.T @ ((1 - h.square()) * gradient)
        expected.insert(0, gradient.norm())
    assert norms == pytest.approx([(norm / expected[-1]).item() for norm in expected], rel=1e-9)


def test_small_recurrent_weights_vanish_and_large_ones_explode() -> None:
    first = {(cell, scale): gradient_norms(cell, scale, **SMALL)[0] for cell in CELLS for scale in (0.5, 1.0, 4.0)}
    for scale in (0.5, 1.0):
        assert first["rnn", scale] < first["gru", scale] < first["lstm", scale] < 0.1
    assert first["rnn", 4.0] > 10 > first["lstm", 4.0]


@pytest.mark.parametrize("cell", CELLS)
def test_the_last_step_is_the_unit(cell: str) -> None:
    norms = gradient_norms(cell, 1.0, **SMALL)
    assert norms.shape == (20,)
    assert norms[-1] == 1.0
    assert np.all(norms > 0)


def test_the_same_run_gives_the_same_bytes(tmp_path) -> None:
    with matplotlib.rc_context(STYLE):
        for name in ("a.svg", "b.svg"):
            save(gradients(steps=10, hidden=4), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_attention_is_that_of_the_model_that_ships(tmp_path) -> None:
    alignment = align(*SENTENCE)
    assert alignment.weights.shape == (len(alignment.target), len(alignment.source))
    assert alignment.weights.sum(1) == pytest.approx(1.0, abs=1e-5)
    row = alignment.weights[alignment.target.index("▁gesehen")]
    assert alignment.source[row.argmax()] == "▁seen"
    with matplotlib.rc_context(STYLE):
        save(attention(alignment), tmp_path / "attention.svg")
        save(overview(align(*EXAMPLE)), tmp_path / "overview.svg")
    assert (tmp_path / "attention.svg").stat().st_size > 10_000
    assert (tmp_path / "overview.svg").stat().st_size > 10_000
