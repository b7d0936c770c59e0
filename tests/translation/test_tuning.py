"""Tuned weights score on dev what translating with them scores, no less than no rescoring, and as a search by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from reversal_task import DIRECTION, reversals, untrained

from seq2seq.text.scoring import Objective, score
from seq2seq.translation import tuning
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.rescoring import Rescorer, Rescoring
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator
from seq2seq.translation.tuning import Dev, Tuned, crossings, tune

LINES = [pair.src for pair in reversals(14, seed=3)] + [""]
CONFIG = SearchConfig(beam=6, length_penalty=0.0, max_ratio=1.0, max_extra=4)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return untrained({"hidden": 16})


@pytest.fixture(scope="module")
def rescorers(bundle: Bundle) -> list[Rescorer]:
    channel, other = untrained({"hidden": 24}), untrained({"hidden": 32})
    channel = channel._replace(src=DIRECTION[1], tgt=DIRECTION[0])
    return [Rescorer.of("channel", channel, 0.1, bundle), Rescorer.of("other", other, 0.2, bundle)]


@pytest.fixture(scope="module")
def refs(bundle: Bundle) -> list[str]:
    """Translations that are no model's first choice."""
    lists = LineTranslator(bundle, CONFIG).stream(LINES, lambda message: None)
    return [found[min(len(found) - 1, 1 + i % 4)].text if found else "" for i, found in enumerate(lists)]


def dev(bundle: Bundle, rescorers: list[Rescorer], refs: list[str], metric: str = "chrf", penalty: float = 0.0) -> Dev:
    config = replace(CONFIG, length_penalty=penalty)
    translator, rescoring = LineTranslator(bundle, config), Rescoring(bundle, config, rescorers)
    return Dev(translator, rescoring, LINES, refs, Objective(metric, "13a"))


def translated(bundle: Bundle, rescorers: list[Rescorer], weights: np.ndarray) -> list[str]:
    """The translations by weights, with the rescorers of weight 0 left out."""
    used = [r._replace(weight=float(w)) for r, w in zip(rescorers, weights[1:], strict=True) if w]
    choose = Rescoring(bundle, CONFIG, used, float(weights[0])) if used or weights[0] else None
    return LineTranslator(bundle, CONFIG, choose=choose).translate(LINES)


def test_tuned_weights_score_what_translating_with_them_does(
    bundle: Bundle, rescorers: list[Rescorer], refs: list[str]
) -> None:
    results = [tune(dev(bundle, rescorers, refs), np.array([0.0, 1.0, 1.0])) for _ in range(2)]
    found: Tuned = results[0]
    assert found.weights.tolist() == results[1].weights.tolist()  # deterministic
    assert found.texts == translated(bundle, rescorers, found.weights)
    [after] = score(found.texts, [refs], ["chrf"])
    [before] = score(LineTranslator(bundle, CONFIG).translate(LINES), [refs], ["chrf"])
    assert (found.value, found.before) == pytest.approx((after.value, before.value))
    assert found.value > found.before


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_weight_is_as_good_as_the_best_of_many(
    bundle: Bundle, rescorers: list[Rescorer], refs: list[str], number: int
) -> None:
    """No weight on a fine grid is better than the one that the exact search finds."""
    text, weights = dev(bundle, rescorers, refs), np.array([0.3, 0.2, 0.1])
    low, high = (-2.0, 2.0) if number == 0 else (0.0, 2.0)
    best = weights.copy()
    best[number] = text.best_along(weights, number, low, high)
    assert low <= best[number] <= high
    for w in np.linspace(low, high, 101)[1:]:
        other = weights.copy()
        other[number] = w
        assert text.value(other) <= text.value(best) + 1e-9


def test_a_model_of_weight_0_adds_nothing(bundle: Bundle, rescorers: list[Rescorer], refs: list[str]) -> None:
    text = dev(bundle, rescorers, refs)
    for weights in (np.zeros(3), np.array([0.0, 0.3, 0.0]), np.array([0.0, 0.0, 1e-9])):
        assert [text.translation(i, weights)[0] for i in range(len(LINES))] == translated(bundle, rescorers, weights)
    assert any((~table.origins[:, 0]).any() for tables in text.tables for table in tables)


def test_the_length_has_no_weight_where_it_changes_nothing(
    bundle: Bundle, rescorers: list[Rescorer], refs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "ROUNDS", 1)
    assert tune(dev(bundle, rescorers, refs, "ter", penalty=1.0), np.zeros(3)).weights[0] == 0


@pytest.mark.parametrize(("seed", "low"), list(itertools.product(range(6), (-2.0, 0.0))))
def test_the_largest_line_changes_where_the_crossings_are(seed: int, low: float) -> None:
    rng = np.random.default_rng(seed)
    totals, slopes = rng.normal(size=7), rng.normal(size=7)
    totals[3], slopes[3] = totals[2], slopes[2]
    found = crossings(totals, slopes, low, 3.0)
    grid = np.linspace(low, 3.0, 5001)
    best = (totals + grid[:, None] * slopes).argmax(1)
    changes = grid[1:][np.diff(best) != 0]
    assert found == pytest.approx(changes, abs=2e-3)


def test_lines_that_meet_in_one_point_change_there_once() -> None:
    assert crossings(np.array([0.0, -1.0, -2.0]), np.array([0.0, 1.0, 2.0]), 0.0, 3.0) == [1.0]
