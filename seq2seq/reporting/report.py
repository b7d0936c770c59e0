"""One HTML page about a trained model: scores, learning curves, an error analysis and attention maps.

The page is one file, with its pictures inside as SVG. BLEU by source length and the recall of reference words by
training frequency are analyses of compare-mt (Neubig et al. 2019). Nothing is translated here.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from seq2seq.reporting.pictures import Bar, draw_attention, draw_bars, draw_curves
from seq2seq.text.scoring import CHARACTERWISE, DEFAULT, Score, score, segmenter, sentence_scores, tokenizer_for
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import BOS, EOS
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine

# Groups of words by occurrences in the training text, and of sentences by words in the source: name and upper bound.
FREQUENCIES = {"never": 0, "1 or 2": 2, "3 to 9": 9, "10 to 99": 99, "100 or more": math.inf}
LENGTHS = {"1 to 5": 5, "6 to 10": 10, "11 to 15": 15, "16 to 25": 25, "26 or more": math.inf}
MAPS, SHORTEST, LONGEST = 4, 5, 20  # attention maps, and the pieces of their source sentences
EXAMPLES = 6  # sentences in each table of examples


class Page(NamedTuple):
    """What a page says about the model itself."""

    title: str
    facts: Mapping[str, str]  # by name
    settings: Mapping[str, Mapping[str, Any]]  # the resolved ones, by section
    metrics: Sequence[Mapping[str, Any]]  # the lines of metrics.jsonl, one per validation
    languages: tuple[str, str]  # source and target


class Part(NamedTuple):
    """A translated part of the corpus."""

    name: str
    pairs: Sequence[Pair]
    translations: Sequence[str]
    scores: Sequence[Score]


class AttentionMap(NamedTuple):
    """The attention weights (T, S) of a translation, with the pieces of its target and its source."""

    source: Sequence[str]
    target: Sequence[str]
    weights: NDArray[np.float32]


class Example(NamedTuple):
    """A sentence, its translation, and the translation's chrF against the reference."""

    source: str
    translation: str
    reference: str
    chrf: float


def render_page(page: Page, parts: Sequence[Part], train: Iterable[str], maps: Sequence[AttentionMap]) -> str:
    """The page as HTML.

    Args:
        page: what it says about the model.
        parts: each with its scores; the first one is analysed.
        train: the target side of the training text.
        maps: attention maps to show.
    """
    first = parts[0]
    src, tgt = (
        tokenizer_for(language, (pair[side] for pair in first.pairs)) for side, language in enumerate(page.languages)
    )
    unit, recalled = ("characters" if name in CHARACTERWISE else "words" for name in (src, tgt))
    pictures = {
        "lengths": draw_bars(bleu_by_length(first, src, tgt), "BLEU by source length", f"{unit} in the source"),
        "words": draw_bars(
            recall_by_frequency(first, train, tgt),
            f"Recall of reference {recalled}, %",
            "occurrences in the training text",
        ),
    }
    if page.metrics:
        pictures["curves"] = draw_curves(page.metrics)
    template = files("seq2seq.reporting").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(
        title=page.title,
        facts=page.facts,
        settings=page.settings,
        parts=parts,
        first=first,
        examples=select_examples(first),
        pictures={name: Markup(svg) for name, svg in pictures.items()},  # matplotlib escapes
        maps=[Markup(draw_attention(*fields)) for fields in maps],
    )


def select_examples(part: Part) -> dict[str, list[Example]]:
    """The translations of lowest, median and highest chrF of a part, each list in ascending order."""
    chrfs = sentence_scores(part.translations, [pair.tgt for pair in part.pairs])
    ranked = sorted(
        (
            Example(pair.src, translation, pair.tgt, chrf)
            for pair, translation, chrf in zip(part.pairs, part.translations, chrfs, strict=True)
        ),
        key=lambda example: example.chrf,
    )
    middle = max(0, len(ranked) // 2 - EXAMPLES // 2)
    return {
        "Lowest chrF": ranked[:EXAMPLES],
        "Median chrF": ranked[middle : middle + EXAMPLES],
        "Highest chrF": ranked[-EXAMPLES:],
    }


def bleu_by_length(part: Part, src: str = DEFAULT, tgt: str = DEFAULT) -> list[Bar]:
    """BLEU of the sentences in each group of LENGTHS that is not empty.

    `src` and `tgt` are the tokenizers that find the words of the sources and the translations.
    """
    words = segmenter(src)
    groups: dict[str, list[int]] = {name: [] for name in LENGTHS}
    for i, pair in enumerate(part.pairs):
        groups[_group(len(words(pair.src)), LENGTHS)].append(i)
    bars = []
    for name, rows in groups.items():
        if rows:
            references = [part.pairs[i].tgt for i in rows]
            [bleu] = score([part.translations[i] for i in rows], [references], ("bleu",), tgt)
            bars.append(Bar(name, bleu.value, f"{len(rows)} sentences"))
    return bars


def recall_by_frequency(part: Part, train: Iterable[str], tokenize: str = DEFAULT) -> list[Bar]:
    """Per cent of the reference words that their translations contain, in each group of FREQUENCIES.

    Words are those that the tokenizer `tokenize` finds, without punctuation. A word that is n times in a reference
    counts as recalled min(n, times in the translation) times.
    """
    segment = segmenter(tokenize)

    def words(line: str) -> list[str]:
        return re.findall(r"\w+", " ".join(segment(line)))

    frequencies = Counter(word for line in train for word in words(line))
    recalled, total = Counter[str](), Counter[str]()
    for pair, translation in zip(part.pairs, part.translations, strict=True):
        translated = Counter(words(translation))
        for word, count in Counter(words(pair.tgt)).items():
            name = _group(frequencies[word], FREQUENCIES)
            total[name] += count
            recalled[name] += min(count, translated[word])
    return [
        Bar(name, 100 * recalled[name] / total[name], f"{total[name]} words") for name in FREQUENCIES if total[name]
    ]


def attention_maps(bundle: Bundle, part: Part) -> list[AttentionMap]:
    """Attention maps of the first sentences of a part that fit on the page.

    None for an exported model, or for one with a fixed context.
    """
    maps: list[AttentionMap] = []
    if not (isinstance(bundle.engine, TorchEngine) and bundle.engine.aligns):
        return maps
    for pair, translation in zip(part.pairs, part.translations, strict=True):
        [src], [tgt] = bundle.src_tokenizer.encode([pair.src]), bundle.tgt_tokenizer.encode([translation])
        tgt = tgt[::-1] if bundle.right_to_left else tgt
        if len(maps) < MAPS and SHORTEST <= len(src) <= LONGEST:
            src = [*bundle.lead, *src, EOS]
            weights = bundle.engine.attention(np.array(src), np.array([BOS, *tgt]))
            pieces = bundle.src_tokenizer.pieces(src), bundle.tgt_tokenizer.pieces([*tgt, EOS])
            maps.append(AttentionMap(*pieces, weights))
    return maps


def _group(number: int, bounds: Mapping[str, float]) -> str:
    """The name of the first bound that is not below the number."""
    return next(name for name, bound in bounds.items() if number <= bound)
