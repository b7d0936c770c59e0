"""Pairs that models of both directions find unlikely."""

import random

import numpy as np
import pytest

from seq2seq.text.adequacy import UNLIKELY, Entropies, gains, others, unlikely


def found(of_pairs: list[float], asymmetry: float = 0.0, tgt: str = "b") -> list[bool]:
    """Which pairs of these gains are suspicious; of the last the cross-entropies differ by `asymmetry`."""
    count = len(of_pairs)
    own = [5 * (1 - gain) for gain in of_pairs]
    forward, backward = [*own[:-1], own[-1] + asymmetry / 2], [*own[:-1], own[-1] - asymmetry / 2]
    tgts = [*["b"] * (count - 1), tgt]
    reasons = unlikely(["a"] * count, tgts, Entropies(forward, backward), Entropies([5.0] * count, [5.0] * count))
    assert set(reasons) <= {"", UNLIKELY}
    return [bool(reason) for reason in reasons]


def test_the_gain_is_the_share_that_the_other_side_tells() -> None:
    of_pairs = gains(Entropies([1.0, 5.0, 6.0], [2.0, 4.0, 4.0]), Entropies([4.0, 5.0, 5.0], [4.0, 4.0, 4.0]))
    assert of_pairs.tolist() == pytest.approx([0.625, 0.0, -0.1])


@pytest.mark.parametrize("bad", [0, 30, 100, 300, 900])
def test_bad_pairs_are_found_and_good_ones_left_alone(bad: int) -> None:
    """However many there are; a text without any has none accused."""
    draw = random.Random(2)
    good, shuffled = [draw.gauss(0.75, 0.12) for _ in range(900)], [draw.gauss(0, 0.1) for _ in range(bad)]
    reasons = found([*shuffled, *good])
    assert sum(reasons[bad:]) <= 4
    assert sum(reasons[:bad]) >= 0.9 * bad


@pytest.mark.parametrize(("bad", "least"), [(0, 0.0), (100, 0.75)])
def test_where_models_hardly_know_the_text_fewer_pairs_are_accused(bad: int, least: float) -> None:
    """Of such good pairs a tenth has a gain that bad ones have, too."""
    draw = random.Random(2)
    good, shuffled = [draw.gauss(0.34, 0.12) for _ in range(900)], [draw.gauss(0, 0.1) for _ in range(bad)]
    assert sum(gain < 0.2 for gain in good) > 90
    reasons = found([*shuffled, *good])
    assert sum(reasons[bad:]) <= (0.04 if bad else 0.015) * len(good)
    assert sum(reasons[:bad]) >= least * bad


def test_of_a_text_known_by_heart_related_sentences_are_found() -> None:
    draw = random.Random(2)
    good, related = [draw.uniform(0.93, 1.0) for _ in range(270)], [draw.uniform(0.3, 0.7) for _ in range(30)]
    assert found([*related, *good]) == [True] * 30 + [False] * 270


@pytest.mark.parametrize(
    ("asymmetry", "tgt", "suspicious"), [(4.0, "b", True), (2.0, "b", False), (4.0, "a", False), (-4.0, "b", True)]
)
def test_a_side_in_another_language_is_found(asymmetry: float, tgt: str, suspicious: bool) -> None:
    """One direction finds its side improbable, the other not; a name on both sides is not meant."""
    assert found([0.5] * 300, asymmetry, tgt) == [False] * 299 + [suspicious]


def test_equal_pairs_are_not_suspicious() -> None:
    assert not any(found([0.7] * 10))


def test_other_pairs_have_other_sides() -> None:
    """Also where a text repeats itself."""
    src, tgt = [str(i % 50) for i in range(400)], ["yes" if i % 3 else str(i) for i in range(400)]
    rows = others(src, tgt)
    assert sum(src[i] == src[row] or tgt[i] == tgt[row] for i, row in enumerate(rows)) <= 2
    assert len(set(np.diff(rows).tolist())) > 100
    assert others(["a"], ["b"]) == [0]
