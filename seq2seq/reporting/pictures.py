"""Pictures as SVG elements, drawn by matplotlib: learning curves, bars, attention maps.

Knows numbers and labels; knows neither models nor corpora nor the page.
"""

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "seq2seq",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


class Bar(NamedTuple):
    """One bar: its value is written above it, its name and a note below it."""

    name: str
    value: float
    note: str


def draw_curves(metrics: Sequence[Mapping[str, Any]]) -> str:
    """Losses and validation scores over the updates, from the lines of metrics.jsonl."""
    figure, (losses, scores) = _new_figure(9.5, 3.2, 2)
    steps = [m["step"] for m in metrics]
    losses.plot(steps, [m["train_loss"] for m in metrics], marker=".", label="train")
    losses.plot(steps, [m["dev_loss"] for m in metrics], marker=".", label="dev")
    losses.set(xlabel="updates", ylabel="nats per token", title="Loss")
    scores.plot(steps, [m["dev_bleu"] for m in metrics], marker=".", label="BLEU")
    if all("dev_chrf" in m for m in metrics):
        scores.plot(steps, [m["dev_chrf"] for m in metrics], marker=".", label="chrF")
    scores.set(xlabel="updates", title="Scores on dev (greedy search)")
    for axes in (losses, scores):
        axes.legend(frameon=False)
    return _svg(figure)


def draw_bars(bars: Sequence[Bar], title: str, xlabel: str) -> str:
    """Bars side by side."""
    figure, (axes,) = _new_figure(4.7, 3.2, 1)
    drawn = axes.bar([f"{bar.name}\n{bar.note}" for bar in bars], [bar.value for bar in bars])
    axes.bar_label(drawn, [f"{bar.value:.1f}" for bar in bars])
    axes.tick_params(axis="x", labelsize=7, length=0)
    axes.set_yticks([])
    axes.margins(y=0.12)
    axes.spines["left"].set_visible(False)
    axes.set(xlabel=xlabel, title=title)
    return _svg(figure)


def draw_attention(source: Sequence[str], target: Sequence[str], weights: NDArray[np.float32]) -> str:
    """Attention weights (T, S) in [0, 1] as a heat map: a row per target piece, a column per source piece."""
    figure, (axes,) = _new_figure(1.6 + 0.34 * len(source), 1.0 + 0.28 * len(target), 1)
    figure.set_layout_engine("none")  # pieces may be longer than the figure is wide; it grows
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(source)), [_escape(piece) for piece in source], rotation=60, ha="left")
    axes.set_yticks(range(len(target)), [_escape(piece) for piece in target])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return _svg(figure)


def _new_figure(width: float, height: float, count: int) -> tuple[Figure, Sequence[Axes]]:
    """An empty figure, its size in inches, and its `count` axes side by side."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(1, count, squeeze=False)[0]


def _svg(figure: Figure) -> str:
    """The figure as an SVG element, with all text escaped."""
    written = io.StringIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # only measured here; the browser has it
        figure.savefig(written, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return written.getvalue().partition("<svg")[2].join(("<svg", ""))


def _escape(piece: str) -> str:
    """A piece as text for matplotlib, which reads a dollar sign as the start of a formula."""
    return piece.replace("$", r"\$")
