"""The report: its figures are those of the text, its attention maps those of the model, and any text is escaped."""

import re
from typing import Any

import numpy as np
import pytest
from reversal_task import Learnt, reversals

from seq2seq.folder.checkpoint import load_model
from seq2seq.reporting.pictures import Bar, draw_attention, draw_bars
from seq2seq.reporting.report import (
    AttentionMap,
    Page,
    Part,
    attention_maps,
    bleu_by_length,
    recall_by_frequency,
    render_page,
    select_examples,
)
from seq2seq.text.scoring import Score, sentence_scores
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import BOS, EOS
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import Request, SearchConfig, search
from seq2seq.translation.translator import LineTranslator

METRICS = [
    {"step": 10 * i, "train_loss": 3 / i, "dev_loss": 4 / i, "dev_bleu": 5.0 * i, "dev_chrf": 9.0 * i}
    for i in range(1, 4)
]


def part(*triples: tuple[str, str, str]) -> Part:
    """A part of these sources, translations and references."""
    return Part("test", [Pair(s, r) for s, _, r in triples], [t for _, t, _ in triples], [Score("BLEU", 12.341, "sig")])


def texts(svg: str) -> list[str]:
    """The text elements of a picture."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_recall_is_of_words_grouped_by_their_frequency_in_training() -> None:
    """`cat`, ten times in training, is translated once of twice; `dog`, once, is translated; `emu`, never, is not."""
    bars = recall_by_frequency(
        part(("a", "the cat dog", "cat cat dog"), ("b", "the the", "emu")), ["cat"] * 10 + ["dog"]
    )
    assert bars == [("never", 0.0, "1 words"), ("1 or 2", 100.0, "1 words"), ("10 to 99", 50.0, "2 words")]


def test_bleu_is_of_sentences_grouped_by_source_length() -> None:
    long = " ".join("abcdefgh")
    short, longer = bleu_by_length(part(("a b c", "x y z w", "x y z w"), (long, long, long), (long, "nothing", long)))
    assert (short.name, short.note, longer.name, longer.note) == ("1 to 5", "1 sentences", "6 to 10", "2 sentences")
    assert short.value == pytest.approx(100)
    assert 0 < longer.value < 100


def test_words_of_text_without_spaces_are_those_that_bleu_counts() -> None:
    """Characters of Chinese: four of the reference's six are in the translation, and the source has six."""
    measured = part(("今天天气好", "他去学校过。", "她去学校了。"))
    [bar] = recall_by_frequency(measured, ["去学校"], "zh")[:1]
    assert bar == ("never", 0.0, "2 words")
    assert recall_by_frequency(measured, ["去学校"], "zh")[1] == ("1 or 2", 100.0, "3 words")
    [length] = bleu_by_length(measured, "zh", "zh")
    assert length.name == "1 to 5" and length.value > 20
    html = render_page(Page("t", {}, {}, [], ("zh", "")), [measured], ["去学校"], [])
    assert "characters in the source" in html and "Recall of reference characters, %" in html


def test_bars_show_name_note_and_value() -> None:
    shown = texts(draw_bars([Bar("one", 12.34, "5 words"), Bar("two", 0.0, "6 words")], "Title", "label"))
    assert {"one", "5 words", "12.3", "two", "6 words", "0.0", "Title", "label"} == set(shown)


def test_examples_are_the_lowest_the_median_and_the_highest() -> None:
    whole = "abcdefghijklmnopqrst"
    examples = select_examples(part(*((str(i), whole[: i + 1], whole) for i in range(20))))
    for name, sources in (("Lowest", range(6)), ("Median", range(7, 13)), ("Highest", range(14, 20))):
        assert [example.source for example in examples[f"{name} chrF"]] == [str(i) for i in sources]
    best = examples["Highest chrF"]
    assert [e.chrf for e in best] == sentence_scores([e.translation for e in best], [whole] * 6)


def test_any_text_is_escaped_and_the_same_figures_give_the_same_page() -> None:
    evil = "<script>alert(1)</script> $x^2$ & 猫 \x07"
    measured = part((evil, evil, evil), ("a", "b", "c"))
    shown = AttentionMap([evil, "$"], ["猫", "</s>"], np.eye(2, dtype=np.float32))
    page = Page(evil, {"model": evil}, {"data": {"where": evil}}, METRICS, ("", ""))
    arguments: Any = (page, [measured], [evil], [shown])
    html = render_page(*arguments)
    assert "<script>" not in html
    assert "12.34" in html
    assert html == render_page(*arguments)
    assert not re.search(r"<(script|link|img|iframe)\b", html), "the page needs no other file"


def test_a_page_without_metrics_or_attention_has_no_heading_for_them() -> None:
    measured, shown = part(("a", "b", "c")), AttentionMap(["a"], ["b"], np.ones((1, 1), np.float32))
    full = render_page(Page("t", {}, {}, METRICS, ("en", "de")), [measured], ["c"], [shown])
    bare = render_page(Page("t", {}, {}, [], ("en", "de")), [measured], ["c"], [])
    for title in ("Learning curves", "Attention"):
        assert title in full
        assert title not in bare


def test_an_attention_map_names_every_piece() -> None:
    shown = texts(draw_attention(["▁a", "b"], ["▁x", "y", "</s>"], np.ones((3, 2), np.float32)))
    assert shown == ["▁a", "b", "▁x", "y", "&lt;/s&gt;"]


def test_attention_agrees_with_the_alignment_of_search(learnt: Learnt) -> None:
    """Each row is a distribution, and its largest weight is at the source position that search noted for the token."""
    bundle = load_model(learnt.folder)
    assert isinstance(bundle.engine, TorchEngine)
    for pair in reversals(5, seed=7):
        [src] = bundle.src_tokenizer.encode([pair.src])
        ids = np.array([[*src, EOS]])
        state = bundle.engine.start(ids, np.ones_like(ids, np.bool_))
        [[best, *_]] = search(bundle.engine.propose, state, [Request(20)], SearchConfig(beam=2), BOS, EOS)
        weights = bundle.engine.attention(ids[0], np.array([BOS, *best.tokens]))
        assert weights.shape == (len(best.tokens) + 1, len(src) + 1)
        assert weights.sum(1) == pytest.approx(1, abs=1e-5)
        assert weights.argmax(1)[:-1].tolist() == best.sources


def test_attention_maps_are_of_sentences_that_fit_on_the_page(learnt: Learnt) -> None:
    bundle = load_model(learnt.folder)
    pairs = [Pair("1", "1"), Pair("1 " * 40, "1"), *(Pair(f"{i} 2 3 4 5 6", "6 5 4 3 2") for i in range(8))]
    translations = LineTranslator(bundle, bundle.search).translate([pair.src for pair in pairs])
    maps = attention_maps(bundle, Part("test", pairs, translations, []))
    assert ["".join(shown.source).replace("▁", " ").strip() for shown in maps] == [
        f"{i} 2 3 4 5 6</s>" for i in range(4)
    ]
    assert all(shown.weights.shape == (len(shown.target), len(shown.source)) for shown in maps)
