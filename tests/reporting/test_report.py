"""The page about a model: its figures are those of the text, its pictures those of the model, and any text is text."""

import re
from typing import Any

import numpy as np
import pytest
from reversal_task import Learnt, reversals

from seq2seq.folder.checkpoint import load_model
from seq2seq.reporting.report import Look, Part, by_frequency, by_length, examples, heat, looks, page
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
    """Of sources, translations and references."""
    return Part("test", [Pair(s, r) for s, _, r in triples], [t for _, t, _ in triples], [Score("BLEU", 12.341, "sig")])


def texts(svg: str) -> list[str]:
    """What a picture says."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_words_are_counted_by_how_often_training_saw_them() -> None:
    """`cat` is seen ten times and said once of twice, `dog` once and said, `emu` never and not said."""
    measured = part(("a", "the cat dog", "cat cat dog"), ("b", "the the", "emu"))
    shown = texts(by_frequency(measured, ["cat"] * 10 + ["dog"]))
    for label in ("never", "1 words", "0.0", "1 or 2", "100.0", "10 to 99", "2 words", "50.0"):
        assert label in shown
    assert "3 to 9" not in shown


def test_sentences_are_grouped_by_their_length() -> None:
    long = " ".join("abcdefgh")
    measured = part(("a b c", "x y z w", "x y z w"), (long, long, long), (long, "nothing", long))
    shown = texts(by_length(measured))
    assert [s for s in shown if "sentences" in s] == ["1 sentences", "2 sentences"]
    assert {"1 to 5", "6 to 10", "100.0"} <= set(shown)


def test_examples_go_from_the_worst_to_the_best() -> None:
    measured = part(*((str(i), "abcdefghijklmnopqrst"[: i + 1], "abcdefghijklmnopqrst") for i in range(20)))
    found = examples(measured)
    for some, sources in (
        (found["Worst"], range(6)),
        (found["Middling"], range(7, 13)),
        (found["Best"], range(14, 20)),
    ):
        assert [example.source for example in some] == [str(i) for i in sources]
    assert [e.chrf for e in found["Best"]] == sentence_scores(
        [e.translation for e in found["Best"]], ["abcdefghijklmnopqrst"] * 6
    )


def test_any_text_is_text_and_the_same_figures_give_the_same_page() -> None:
    evil = "<script>alert(1)</script> $x^2$ & 猫 \x07"
    measured = part((evil, evil, evil), ("a", "b", "c"))
    look = Look([evil, "$"], ["猫", "</s>"], np.eye(2, dtype=np.float32))
    arguments: Any = (evil, {"model": evil}, {"data": {"where": evil}}, METRICS, [measured], [evil], [look])
    found = page(*arguments)
    assert "<script>" not in found
    assert "12.34" in found
    assert found == page(*arguments)
    assert not re.search(r"<(script|link|img|iframe)\b", found), "the page needs nothing from elsewhere"


def test_a_page_without_metrics_or_looks_has_no_room_for_them() -> None:
    measured = part(("a", "b", "c"))
    full = page("t", {}, {}, METRICS, [measured], ["c"], [Look(["a"], ["b"], np.ones((1, 1), np.float32))])
    bare = page("t", {}, {}, [], [measured], ["c"], [])
    for title in ("How it learnt", "Where it looks"):
        assert title in full
        assert title not in bare


def test_the_heat_names_every_piece() -> None:
    shown = texts(heat(Look(["▁a", "b"], ["▁x", "y", "</s>"], np.ones((3, 2), np.float32))))
    assert shown == ["▁a", "b", "▁x", "y", "&lt;/s&gt;"]


def test_attention_is_where_search_looked(learnt: Learnt) -> None:
    """Each row is a distribution, and its largest weight is the source that search noted for the token."""
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


def test_looks_are_of_sentences_that_fit_on_a_page(learnt: Learnt) -> None:
    bundle = load_model(learnt.folder)
    pairs = [Pair("1", "1"), Pair("1 " * 40, "1"), *(Pair(f"{i} 2 3 4 5 6", "6 5 4 3 2") for i in range(8))]
    said = LineTranslator(bundle, bundle.search).translate([pair.src for pair in pairs])
    found = looks(bundle, Part("test", pairs, said, []))
    assert ["".join(look.source).replace("▁", " ").strip() for look in found] == [
        f"{i} 2 3 4 5 6</s>" for i in range(4)
    ]
    assert all(look.weights.shape == (len(look.said), len(look.source)) for look in found)
