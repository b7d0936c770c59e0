"""Pairs that models of both directions find unlikely."""

import random

import pytest

from seq2seq.text.adequacy import UNLIKELY, dual_cross_entropies, unlikely


def test_the_score_is_that_of_the_paper() -> None:
    """High where both cross-entropies are, and where they differ."""
    assert dual_cross_entropies([1.0, 4.0, 1.0, 5.0], [1.0, 4.0, 4.0, 1.0]) == [1.0, 4.0, 5.5, 7.0]


@pytest.mark.parametrize(("level", "spread"), [(2.5, 1.5), (6.0, 1.0), (0.01, 0.01)])
@pytest.mark.parametrize("bad", [0, 100, 300])
def test_what_is_high_depends_on_the_text(level: float, spread: float, bad: int) -> None:
    """Bad pairs are found among good ones that are more or less probable as a whole, also if they are many."""
    draw = random.Random(2)
    good = [draw.gauss(level, spread) for _ in range(900)]
    reasons = unlikely([*good, *(draw.gauss(level + 6, 0.5) for _ in range(bad))])
    assert sum(map(bool, reasons[:900])) <= 18
    assert reasons[900:] == [UNLIKELY] * bad


def test_equal_scores_are_not_suspicious() -> None:
    assert unlikely([3.0] * 10) == [""] * 10
