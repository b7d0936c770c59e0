"""One HTML page about a trained model: its scores, how it learnt, where it fails, and where it looks.

Pictures are SVG inside the page, which needs nothing from elsewhere. How often a word of the references is said, by how
often training saw it, and the score by length are what compare-mt shows of a system (Neubig et al. 2019).
"""

import io
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import jinja2
import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seq2seq.text.scoring import Score, score, sentence_scores
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import BOS, EOS
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.translator import Bundle

SEEN = {"never": 0, "1 or 2": 2, "3 to 9": 9, "10 to 99": 99, "100 or more": math.inf}  # times, at most
LENGTHS = {"1 to 5": 5, "6 to 10": 10, "11 to 15": 15, "16 to 25": 25, "26 or more": math.inf}  # words, at most
LOOKS, FEWEST, MOST = 4, 5, 20  # sentences whose attention is shown, and their pieces
SHOWN = 6  # examples: so many of the worst, of the middling and of the best

STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "seq2seq",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


class Part(NamedTuple):
    """A part of the corpus, translated."""

    name: str
    pairs: Sequence[Pair]
    translations: Sequence[str]
    scores: Sequence[Score]


class Look(NamedTuple):
    """Where the model looked: weights (T, S) over the pieces of a source, for each piece it said."""

    source: Sequence[str]
    said: Sequence[str]
    weights: NDArray[np.float32]


class Example(NamedTuple):
    """A sentence, what the model made of it, and how well, by chrF."""

    source: str
    translation: str
    reference: str
    chrf: float


def page(
    title: str,
    facts: Mapping[str, str],
    settings: Mapping[str, Mapping[str, Any]],
    metrics: Sequence[Mapping[str, Any]],
    parts: Sequence[Part],
    train: Iterable[str],
    looks: Sequence[Look],
) -> str:
    """The page.

    Args:
        title: what it is about.
        facts: what there is to know of the model, by name.
        settings: the resolved ones, by section.
        metrics: what training wrote down at each validation.
        parts: what was translated; the first is the one that is looked at closely.
        train: the target side of the training text.
        looks: sentences, and where the model looked.
    """
    first = parts[0]
    pictures = {"lengths": by_length(first), "words": by_frequency(first, train)}
    if metrics:
        pictures["curves"] = curves(metrics)
    template = files("seq2seq.reporting").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(
        title=title,
        facts=facts,
        settings=settings,
        parts=parts,
        first=first,
        examples=examples(first),
        pictures={name: Markup(svg) for name, svg in pictures.items()},  # matplotlib escapes
        looks=[Markup(heat(look)) for look in looks],
    )


def examples(part: Part) -> dict[str, list[Example]]:
    """The worst translations of a part, the middling ones and the best, each worst first."""
    found = sentence_scores(part.translations, [pair.tgt for pair in part.pairs])
    ranked = sorted(
        (
            Example(pair.src, said, pair.tgt, chrf)
            for pair, said, chrf in zip(part.pairs, part.translations, found, strict=True)
        ),
        key=lambda example: example.chrf,
    )
    middle = max(0, len(ranked) // 2 - SHOWN // 2)
    return {"Worst": ranked[:SHOWN], "Middling": ranked[middle : middle + SHOWN], "Best": ranked[-SHOWN:]}


def looks(bundle: Bundle, part: Part) -> list[Look]:
    """Where a trained model looked in the first sentences of a part that fit on a page; of an exported one, none."""
    found: list[Look] = []
    if not (isinstance(bundle.engine, TorchEngine) and bundle.engine.aligns):
        return found
    for pair, said in zip(part.pairs, part.translations, strict=True):
        [src], [tgt] = bundle.src_tokenizer.encode([pair.src]), bundle.tgt_tokenizer.encode([said])
        if len(found) < LOOKS and FEWEST <= len(src) <= MOST:
            weights = bundle.engine.attention(np.array([*src, EOS]), np.array([BOS, *tgt]))
            names = bundle.src_tokenizer.pieces([*src, EOS]), bundle.tgt_tokenizer.pieces([*tgt, EOS])
            found.append(Look(*names, weights))
    return found


# ---- pictures --------------------------------------------------------------------------------------------------------


def curves(metrics: Sequence[Mapping[str, Any]]) -> str:
    """The losses and the dev scores over the updates."""
    figure, (losses, scores) = picture(9.5, 3.2, 2)
    steps = [m["step"] for m in metrics]
    losses.plot(steps, [m["train_loss"] for m in metrics], marker=".", label="train")
    losses.plot(steps, [m["dev_loss"] for m in metrics], marker=".", label="dev")
    losses.set(xlabel="updates", ylabel="nats a token", title="Loss")
    scores.plot(steps, [m["dev_bleu"] for m in metrics], marker=".", label="BLEU")
    if all("dev_chrf" in m for m in metrics):
        scores.plot(steps, [m["dev_chrf"] for m in metrics], marker=".", label="chrF")
    scores.set(xlabel="updates", title="Greedy translations of dev")
    for axes in (losses, scores):
        axes.legend(frameon=False)
    return svg(figure)


def by_length(part: Part) -> str:
    """BLEU of the sentences of each length."""
    groups: dict[str, list[int]] = {name: [] for name in LENGTHS}
    for i, pair in enumerate(part.pairs):
        groups[bucket(len(pair.src.split()), LENGTHS)].append(i)
    groups = {name: rows for name, rows in groups.items() if rows}
    values = [
        score([part.translations[i] for i in rows], [[part.pairs[i].tgt for i in rows]], ("bleu",))[0].value
        for rows in groups.values()
    ]
    figure, (axes,) = picture(4.7, 3.2, 1)
    bars(axes, list(groups), values, [f"{len(rows)} sentences" for rows in groups.values()])
    axes.set(xlabel="words in the source", title="BLEU by length")
    return svg(figure)


def by_frequency(part: Part, train: Iterable[str]) -> str:
    """How many words of the references are in the translations, by how often training saw them."""
    seen = Counter(word for line in train for word in words(line))
    there, wanted = Counter[str](), Counter[str]()
    for pair, said in zip(part.pairs, part.translations, strict=True):
        found = Counter(words(said))
        for word, count in Counter(words(pair.tgt)).items():
            name = bucket(seen[word], SEEN)
            wanted[name] += count
            there[name] += min(count, found[word])
    names = [name for name in SEEN if wanted[name]]
    figure, (axes,) = picture(4.7, 3.2, 1)
    bars(axes, names, [100 * there[n] / wanted[n] for n in names], [f"{wanted[n]} words" for n in names])
    axes.set(xlabel="times in the training text", title="Words of the references said, %")
    return svg(figure)


def heat(look: Look) -> str:
    """The weights of one sentence, a row for each piece said."""
    figure, (axes,) = picture(1.6 + 0.34 * len(look.source), 1.0 + 0.28 * len(look.said), 1)
    figure.set_layout_engine("none")  # pieces may be longer than the figure is wide; it grows
    axes.imshow(look.weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(look.source)), [plain(p) for p in look.source], rotation=60, ha="left")
    axes.set_yticks(range(len(look.said)), [plain(p) for p in look.said])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return svg(figure)


def picture(width: float, height: float, count: int) -> tuple[Figure, Sequence[Axes]]:
    """An empty figure of so many inches, and its axes side by side."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(1, count, squeeze=False)[0]


def bars(axes: Axes, names: Sequence[str], values: Sequence[float], notes: Sequence[str]) -> None:
    """A bar for each name, its value above it and a note below."""
    drawn = axes.bar([f"{name}\n{note}" for name, note in zip(names, notes, strict=True)], values)
    axes.bar_label(drawn, [f"{value:.1f}" for value in values])
    axes.tick_params(axis="x", labelsize=7, length=0)
    axes.set_yticks([])
    axes.margins(y=0.12)
    axes.spines["left"].set_visible(False)


def svg(figure: Figure) -> str:
    """The figure as an SVG element."""
    written = io.StringIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # only measured here; the browser has it
        figure.savefig(written, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return written.getvalue().partition("<svg")[2].join(("<svg", ""))


def bucket(number: float, most: Mapping[str, float]) -> str:
    """The name of the first bound that the number keeps."""
    return next(name for name, bound in most.items() if number <= bound)


def words(text: str) -> list[str]:
    """Words, without punctuation."""
    return re.findall(r"\w+", text)


def plain(piece: str) -> str:
    """A piece as matplotlib is to show it: a dollar sign would begin a formula."""
    return piece.replace("$", r"\$")
