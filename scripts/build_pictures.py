"""Draw the pictures of README.md and docs/: gradients over time, attention, and an overview of the architecture.

    python scripts/build_pictures.py

Gradients come from the project's cells, attention from the model that ships. Everything is seeded, takes about ten
seconds on a CPU, and gives the same bytes each time with the same versions of torch and matplotlib. Backgrounds are
transparent and colours are readable on white and on black.
"""

from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from numpy.typing import NDArray

from seq2seq.api.models import shipped_models
from seq2seq.folder.checkpoint import load_model
from seq2seq.network.cells import CELLS
from seq2seq.text.tokenizer import BOS, EOS
from seq2seq.translation.inference import TorchEngine

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"

GREY, DARK, LIGHT = "#747d87", "#1f2328", "#e4e8ed"
BLUE, TEAL, ORANGE, PURPLE, GREEN = "#2f6fb5", "#1f8a8a", "#d1752a", "#7d57b8", "#2e8b57"
COLOURS = {"rnn": ORANGE, "gru": TEAL, "lstm": BLUE}

STYLE: Any = {
    "svg.fonttype": "path",  # the same letters in every browser
    "svg.hashsalt": "seq2seq",  # the same picture gives the same bytes
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 11,
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


# ---- gradients over time ---------------------------------------------------------------------------------------------

SCALES = {0.5: "recurrent weights × 0.5", 1.0: "as initialised", 4.0: "recurrent weights × 4"}


def gradient_norms(
    cell: str, scale: float, steps: int = 100, hidden: int = 64, sentences: int = 16, seed: int = 1
) -> NDArray[np.float64]:
    """|d L / d state_t| for t = 1 .. steps, relative to the last step's: its geometric mean over sentences, (steps,).

    L is a random linear function of the last hidden state. Inputs are normal with variance one, as the model's
    embeddings are at the start of training. The recurrent weights U are `scale` times what the cell initialises.
    """
    torch.manual_seed(seed)
    layer = CELLS[cell](hidden, hidden).double()
    with torch.no_grad():
        layer.kernel.weight_hh_l0 *= scale
    x = torch.randn(sentences, steps, hidden, dtype=torch.float64)
    state = torch.zeros(sentences, layer.state_size, dtype=torch.float64, requires_grad=True)
    states = []
    for t in range(steps):
        _, state = layer(x[:, t : t + 1], state)
        states.append(state)
    loss = (state[:, :hidden] * torch.randn(sentences, hidden, dtype=torch.float64)).sum()
    norms = torch.stack([gradient.norm(dim=1) for gradient in torch.autograd.grad(loss, states)])  # (steps, sentences)
    mean: NDArray[np.float64] = norms.log().mean(1).exp().numpy()
    return mean / mean[-1]


def gradients(steps: int = 100, hidden: int = 64) -> Figure:
    """The gradient norms of each cell, one panel for each scale of the recurrent weights."""
    figure = Figure(figsize=(10, 3.7), layout="constrained")
    panels = figure.subplots(1, len(SCALES), sharey=True)
    back = np.arange(steps)[::-1]  # steps before the last
    for axes, (scale, title) in zip(panels, SCALES.items(), strict=True):
        for cell, colour in COLOURS.items():
            axes.plot(back, gradient_norms(cell, scale, steps, hidden), color=colour, label=cell, linewidth=2)
        axes.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
        axes.set(yscale="log", title=title, xlabel="steps before the last")
        axes.margins(x=0)
        axes.title.set_fontsize(12)
    panels[0].set_ylabel("gradient norm,\nrelative to the last step")
    panels[0].legend(frameon=False, loc="lower left")
    return figure


# ---- attention -------------------------------------------------------------------------------------------------------

SENTENCE = "I have never seen such a beautiful sunset.", "Ich habe noch nie einen so schönen Sonnenuntergang gesehen."


class Alignment(NamedTuple):
    """Attention weights (T, S) of a sentence pair, with its target and source tokens."""

    weights: NDArray[np.float32]
    target: list[str]
    source: list[str]


def align(src: str, tgt: str) -> Alignment:
    """The attention weights of the model that ships, with the decoder reading `tgt` (teacher forcing)."""
    bundle = load_model(shipped_models(trained=True)["en", "de"]).toward(("en", "de"))
    assert isinstance(bundle.engine, TorchEngine)
    [source], [target] = bundle.src_tokenizer.encode([src]), bundle.tgt_tokenizer.encode([tgt])
    read = [*bundle.lead, *source, EOS]
    weights = bundle.engine.attention(np.array(read), np.array([BOS, *target]))
    return Alignment(weights, bundle.tgt_tokenizer.pieces([*target, EOS]), bundle.src_tokenizer.pieces(read))


def attention(alignment: Alignment) -> Figure:
    """A heat map: a row for each target token, a column for each source token."""
    figure = Figure(figsize=(7, 5.6), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(alignment.weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(alignment.source)), alignment.source, rotation=45, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(alignment.target)), alignment.target)
    axes.set(xlabel="source token (English)", ylabel="target token (German)")
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), weight in np.ndenumerate(alignment.weights):
        if weight >= 0.1:
            axes.text(
                column, row, f"{weight:.2f}", ha="center", va="center", size=9, color="white" if weight > 0.5 else DARK
            )
    bar = figure.colorbar(drawn, shrink=0.6)
    bar.set_label("attention weight")
    bar.outline.set_visible(False)
    return figure


# ---- overview --------------------------------------------------------------------------------------------------------

EXAMPLE = "Where is the station?", "Wo ist der Bahnhof?"
STEP = 2  # the target position whose attention is drawn
WIDTH, HEIGHT = 13.0, 6.3
ROWS = {
    "source": 0.4,
    "encoder,\nleft to right": 1.2,
    "encoder,\nright to left": 1.85,
    f"attention\nof step {STEP + 1}": 3.15,
    "decoder,\nlayer 1": 4.15,
    "decoder,\nlayer 2": 4.9,
    "translation": 5.8,
}
SOURCE, FORWARD, BACKWARD, CONTEXT, QUERY, DECODER, TARGET = ROWS.values()
SHIFT = 0.13  # of the two directions of the encoder to the left and to the right, so that a token has an arrow to both
NARROW = 0.62  # width of their boxes
SIDE = 0.41  # from the middle of a box to where arrows begin at its side ...
TOP = 0.22  # ... and at its top
EQUATIONS = {
    r"$h_i = [\overrightarrow{h}_i;\ \overleftarrow{h}_i]$": "encoder states",
    r"$c_t = \sum_i a_{ti}\, h_i$": "context: weighted average of the states",
    r"$p_t = \mathrm{softmax}(g(s_t, c_t, y_{t-1}))$": "distribution over the next token",
}
# Beam search: the prefixes that are kept after each step, as their last token and the row of the prefix before.
BEAM = [
    [("Wo", 0)],
    [("ist", 0), ("befindet", 0)],
    [("der", 0), ("die", 0), ("sich", 1)],
    [("Bahnhof", 0), ("Bahnhof", 1), ("der", 2)],
]
BEAM_COLUMNS, BEAM_ROWS = (8.9, 10.1, 11.3, 12.45), (4.9, 4.25, 3.6)


def overview(alignment: Alignment) -> Figure:
    """Encoder, attention and decoder on the left, beam search on the right."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.axis("off")
    for title, y in ROWS.items():
        axes.text(0.1, y, title, va="center")
    _, *source = map(plain, alignment.source)  # without the token that names the target's language
    columns = [2.55 + 1.0 * i for i in range(len(source))]
    _encoder(axes, columns, source)
    _attention(axes, columns, alignment.weights[STEP, 1:].tolist())
    _decoder(axes, columns, [plain(token) for token in alignment.target])
    _beam_search(axes)
    for i, (equation, meaning) in enumerate(EQUATIONS.items()):
        axes.text(8.45, 2.45 - 0.86 * i, equation, va="center", size=13)
        axes.text(8.45, 2.07 - 0.86 * i, meaning, va="center", size=10)
    return figure


def _encoder(axes: Axes, columns: Sequence[float], tokens: Sequence[str]) -> None:
    """The states of both directions, each of which reads the tokens; behind them, the state h_i that they make."""
    for i, (x, token) in enumerate(zip(columns, tokens, strict=True), 1):
        shape = FancyBboxPatch((x - 0.4, FORWARD - 0.22), 0.8, BACKWARD - FORWARD + 0.44, boxstyle="round,pad=0.06")
        axes.add_patch(shape)
        shape.set(facecolor="none", edgecolor=GREY, linewidth=0.8, linestyle=":", zorder=0)
        _box(axes, x, SOURCE, token, LIGHT, DARK)
        _box(axes, x - SHIFT, FORWARD, _forward(i), BLUE, width=NARROW)
        _box(axes, x + SHIFT, BACKWARD, _backward(i), TEAL, width=NARROW)
        _arrow(axes, (x - SHIFT, SOURCE + TOP), (x - SHIFT, FORWARD - TOP))
        _arrow(axes, (x + 0.3, SOURCE + TOP), (x + 0.3, BACKWARD - TOP))
    side = NARROW / 2 + 0.01
    for left, right in pairwise(columns):
        _arrow(axes, (left - SHIFT + side, FORWARD), (right - SHIFT - side, FORWARD), BLUE)
        _arrow(axes, (right + SHIFT - side, BACKWARD), (left + SHIFT + side, BACKWARD), TEAL)


def _attention(axes: Axes, columns: Sequence[float], weights: Sequence[float]) -> None:
    """Lines from the encoder's states to the context of one step, as wide as their weights."""
    middle = columns[STEP]
    for x, weight in zip(columns, weights, strict=True):
        line = axes.plot((x, middle), (BACKWARD + 0.3, CONTEXT - TOP), color=ORANGE, linewidth=0.8 + 10 * weight)
        line[0].set(alpha=0.7, zorder=0)
    _box(axes, middle, CONTEXT, f"$c_{STEP + 1}$", ORANGE)
    _arrow(axes, (middle - 0.15, QUERY - TOP), (middle - 0.15, CONTEXT + TOP), ORANGE, dashed=True)
    _arrow(axes, (middle + 0.25, CONTEXT + TOP), (middle + 0.25, DECODER - TOP), ORANGE, bend=0.35)
    axes.text(middle - 0.25, (CONTEXT + QUERY) / 2, "query", ha="right", va="center", size=10)
    axes.text(middle + 0.5, (CONTEXT + QUERY) / 2, "context", va="center", size=10)


def _decoder(axes: Axes, columns: Sequence[float], tokens: Sequence[str]) -> None:
    """Both layers' states: the first come from the encoder's final state, and each step reads the token before it."""
    for i, (x, token) in enumerate(zip(columns, tokens, strict=True), 1):
        _box(axes, x, QUERY, f"$q_{i}$", PURPLE)
        _box(axes, x, DECODER, f"$s_{i}$", PURPLE)
        _box(axes, x, TARGET, token, LIGHT, DARK)
        _arrow(axes, (x, QUERY + TOP), (x, DECODER - TOP))
        _arrow(axes, (x, DECODER + TOP), (x, TARGET - TOP))
    for y, (left, right) in product((QUERY, DECODER), pairwise(columns)):
        _arrow(axes, (left + SIDE, y), (right - SIDE, y), PURPLE)
    before = 2 * columns[0] - columns[1]
    _box(axes, before, TARGET, "<s>", LIGHT, DARK)
    for left, right in zip((before, *columns), columns, strict=False):
        _arrow(axes, (left + 0.36, TARGET - TOP), (right - 0.37, QUERY + TOP), dashed=True)
    _box(axes, before - 0.02, CONTEXT + 0.2, _forward(len(columns)), BLUE, width=NARROW)
    _box(axes, before - 0.02, CONTEXT - 0.3, _backward(1), TEAL, width=NARROW)
    axes.text(before + 0.4, CONTEXT - 0.05, "initial\nstate", va="center", size=10)
    for y in (QUERY, DECODER):
        _arrow(axes, (before - 0.02, CONTEXT + 0.2 + TOP), (columns[0] - SIDE, y), bend=-0.3)


def _forward(i: int) -> str:
    return rf"$\overrightarrow{{h}}_{i}$"


def _backward(i: int) -> str:
    return rf"$\overleftarrow{{h}}_{i}$"


def _beam_search(axes: Axes) -> None:
    axes.text(8.45, TARGET, "beam search keeps the best\nprefixes at each step, here 3", va="center")
    for i, (x, prefixes) in enumerate(zip(BEAM_COLUMNS, BEAM, strict=True)):
        for row, (token, parent) in enumerate(prefixes):
            best = row == 0
            _box(axes, x, BEAM_ROWS[row], token, GREEN if best else LIGHT, "white" if best else DARK, 0.9)
            if i:
                start = (BEAM_COLUMNS[i - 1] + 0.47, BEAM_ROWS[parent])
                _arrow(axes, start, (x - 0.47, BEAM_ROWS[row]), GREEN if best else GREY)


def plain(token: str) -> str:
    """A token without the mark of a word's beginning."""
    return token.removeprefix("▁")


def _box(axes: Axes, x: float, y: float, text: str, colour: str, ink: str = "white", width: float = 0.8) -> None:
    shape = FancyBboxPatch(
        (x - width / 2 + 0.08, y - 0.12), width - 0.16, 0.24, boxstyle="round,pad=0.08", facecolor=colour, linewidth=0
    )
    axes.add_patch(shape)
    axes.text(x, y, text, ha="center", va="center_baseline", color=ink)


Point = tuple[float, float]


def _arrow(axes: Axes, start: Point, end: Point, colour: str = GREY, dashed: bool = False, bend: float = 0.0) -> None:
    arrow = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=10, shrinkA=0, shrinkB=0, color=colour)
    arrow.set(linewidth=1.3, linestyle="--" if dashed else "-", connectionstyle=f"arc3,rad={bend}")
    axes.add_patch(arrow)


# ---- files -----------------------------------------------------------------------------------------------------------


def save(figure: Figure, path: Path) -> None:
    """Write a picture."""
    figure.savefig(path, transparent=True, metadata={"Date": None})


def main() -> int:
    """Draw all pictures."""
    torch.set_num_threads(1)
    PICTURES.mkdir(exist_ok=True)
    with matplotlib.rc_context(STYLE):
        save(gradients(), PICTURES / "gradients.svg")
        save(attention(align(*SENTENCE)), PICTURES / "attention.svg")
        save(overview(align(*EXAMPLE)), PICTURES / "overview.svg")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
