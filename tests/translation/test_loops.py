"""Loops: what is one, and that a line with one is translated again without."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq.translation.loops import LEAST, LONGEST, completes, looping, may_loop, weights_of

WEIGHTS = np.array([6, 3, 0, 2, 12])
LINES = st.lists(st.lists(st.integers(0, 2), max_size=12) | st.lists(st.integers(0, 4), max_size=40), max_size=4)


def loops(line: Sequence[int], least: int = LEAST) -> bool:
    """The definition, by looking at every run of every period."""
    return any(
        all(line[i] == line[i - period] for i in range(start + period, end)) and sum(WEIGHTS[line[start:end]]) >= least
        for period in range(1, LONGEST + 1)
        for start in range(len(line))
        for end in range(start + 2 * period, len(line) + 1)
    )


@given(LINES, st.sampled_from([6, 12, LEAST, 27]))
def test_loops_are_runs_of_at_least_two_periods_and_a_weight(lines: list[list[int]], least: int) -> None:
    assert looping(lines, WEIGHTS, least).tolist() == [loops(line, least) for line in lines]


@given(st.lists(st.integers(0, 4), max_size=40))
def test_the_fast_test_misses_no_loop_of_more_than_two_tokens(line: list[int]) -> None:
    assert may_loop(line) or not loops(line)


@given(st.lists(st.lists(st.integers(0, 2), min_size=9, max_size=9), min_size=6, max_size=6))
def test_a_token_is_barred_if_it_completes_a_loop(lines: list[list[int]]) -> None:
    prefixes = np.array(lines).reshape(2, 3, 9)
    tokens = np.broadcast_to(np.arange(5), (2, 3, 5))
    barred = completes(prefixes, tokens, WEIGHTS).reshape(6, 5)
    for line, row in zip(lines, barred.tolist(), strict=True):
        if not loops(line):
            assert row == [loops([*line, token]) for token in range(5)]


def test_a_long_period_is_no_loop() -> None:
    line = [*range(LONGEST + 1)] * 2
    weights = np.full(LONGEST + 1, 6)
    assert not looping([line], weights)[0]
    assert looping([line[1:-1], [*range(LONGEST)] * 2], weights).tolist() == [False, True]


@pytest.mark.parametrize(
    ("piece", "weight"),
    [
        (" die", 6),
        (" ", 6),
        (" ,", 0),
        (".", 0),
        ("en", 2),
        ("", 0),
        ("\u3042\u308b", 4),
        (" 3", 6),
        ("-F", 1),
        ("13", 6),
    ],
)
def test_weights_of_tokens(piece: str, weight: int) -> None:
    assert weights_of([piece.encode(), b"\xe3"]).tolist() == [weight, 0]
