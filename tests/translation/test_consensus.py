"""Consensus is minimum Bayes risk by its definition: sacreBLEU's scores of all pairs; equal ones keep their order."""

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest
from reversal_task import reversals, silent, untrained
from sacrebleu.metrics import CHRF

from seq2seq.segments.segment import Segment
from seq2seq.text import utility
from seq2seq.text.scoring import sentence_bleu
from seq2seq.text.utility import UTILITIES, matches, utilities
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.consensus import Consensus
from seq2seq.translation.rescoring import Rescoring
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator

TEXTS = [
    "A cat sleeps.",
    "a cat sleeps here",
    "",
    "x",
    "  ",
    "A cat A cat A cat",
    "The man, the man sings today.",
    "猫が寝る。",
    "A cat sleeps . ",
    "...",
    "A cat sleeps.  ",
]
LINES = [pair.src for pair in reversals(6, seed=3)] + [""]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return untrained({"hidden": 16})


def defined(texts: list[str], metric: str, tokenize: str = "13a") -> np.ndarray:
    """The scores of all pairs, one by one."""
    score = (sentence_bleu(tokenize) if metric == "bleu" else CHRF()).sentence_score
    return np.array([[score(hyp, [ref]).score for ref in texts] for hyp in texts])


@pytest.mark.parametrize(("metric", "tokenize"), list(itertools.product(UTILITIES, ("13a", "char", "zh"))))
def test_utilities_are_sacrebleus_scores_of_sentences(
    metric: str, tokenize: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(1)
    texts = TEXTS + [" ".join(draw.choices(["a", "cat", "sleeps", "."], k=draw.randint(1, 9))) for _ in range(12)]
    assert utilities(texts, metric, tokenize) == pytest.approx(defined(texts, metric, tokenize), abs=1e-9)
    monkeypatch.setattr(utility, "_COLUMNS", 3)
    assert utilities(texts, metric, tokenize) == pytest.approx(defined(texts, metric, tokenize), abs=1e-9)


def test_matches_are_the_smaller_counts() -> None:
    counted = [Counter("aab"), Counter("aaab"), Counter("bbc"), Counter()]
    assert matches(counted).tolist() == [[sum((a & b).values()) for b in counted] for a in counted]


@pytest.mark.parametrize("metric", UTILITIES)
def test_the_most_expected_comes_first_and_equal_ones_keep_their_order(metric: str) -> None:
    shares = np.array([0.1, 0.05, 0.0, 0.05, 0.1, 0.2, 0.1, 0.1, 0.05, 0.05, 0.2])
    expected = defined(TEXTS, metric) @ shares
    order = sorted(range(len(TEXTS)), key=lambda i: (-round(expected[i], 9), i))
    ranked = Consensus(metric, "13a").ranked(TEXTS, shares)
    assert [place for place, _ in ranked] == order
    assert [value for _, value in ranked] == pytest.approx([expected[i] for i in order])
    equal = ["A cat sleeps.", "A cat sleeps. ", "A cat sleeps.  "]
    assert [place for place, _ in Consensus(metric, "13a").ranked(equal, np.array([0.2, 0.3, 0.5]))] == [0, 1, 2]


def test_equal_texts_count_together() -> None:
    texts, shares = ["a b", "c d", "a b", "c e"], np.array([0.3, 0.3, 0.2, 0.2])
    ranked = Consensus("chrf", "13a").ranked(texts, shares)
    assert [place for place, _ in ranked] == [0, 1, 3]
    assert ranked[0][1] == pytest.approx(defined(texts, "chrf")[0] @ shares)


@pytest.mark.parametrize(("metric", "sample"), list(itertools.product(UTILITIES, (0.0, 1.0))))
def test_hypotheses_are_chosen_by_their_definition(bundle: Bundle, metric: str, sample: float) -> None:
    """Over the n best with shares by probability, and over samples with equal shares."""
    config = SearchConfig(beam=9, sample=sample, length_penalty=0.0, word_reward=1.0, max_ratio=1.0, max_extra=2)
    plain = LineTranslator(bundle, config)
    units = [unit for line in LINES for unit in next(plain.steps(Segment(line)))]
    lists = plain.search(units)
    chosen = Rescoring(bundle, config, [], 0.0, Consensus(metric, "13a"))(units, plain.search(units))
    for hypotheses, ranked in zip(lists, chosen, strict=True):
        texts = [bundle.tgt_tokenizer.decode(h.tokens) for h in hypotheses]
        shares = [1 / len(texts) if sample else math.exp(h.log_prob) for h in hypotheses]
        values = defined(texts, metric) @ np.array(shares) / sum(shares)
        expected = dict(zip(texts, values, strict=True))
        order = sorted(expected, key=lambda text: -round(expected[text], 9))
        assert [bundle.tgt_tokenizer.decode(h.tokens) for h in ranked] == order
        assert [h.score for h in ranked] == pytest.approx([expected[text] for text in order])


@pytest.mark.parametrize("sample", [0.0, 1.0])
def test_batches_change_no_choice(bundle: Bundle, sample: float) -> None:
    config = SearchConfig(beam=3, sample=sample, max_ratio=1.0, max_extra=2)
    choose = Rescoring(bundle, config, [], 0.0, Consensus("chrf", "13a"))
    results = [list(LineTranslator(bundle, config, n, choose=choose).stream(LINES, silent)) for n in (1, 4096)]
    assert results[0] == results[1]
    assert [bool(candidates) for candidates in results[0]] == [bool(line) for line in LINES]
