"""Lists of ids in one array equal the lists that were put in."""

from itertools import pairwise

import numpy as np
import pytest

from seq2seq.text.ragged import Ragged, Selected

LISTS = [[4, 5, 6], [], [7], [], [300, 70_000, 2**31 - 1], []]


def test_the_lists_come_back() -> None:
    ragged = Ragged.of(LISTS)
    assert len(ragged) == len(LISTS)
    assert list(ragged) == LISTS
    assert [ragged[i - len(LISTS)] for i in range(len(LISTS))] == LISTS
    assert ragged[1:5:2] == LISTS[1:5:2]
    assert all(type(i) is int for ids in ragged for i in ids)
    for outside in (len(LISTS), -len(LISTS) - 1):
        with pytest.raises(IndexError):
            ragged[outside]


@pytest.mark.parametrize("cuts", [[], [3], [0, 2, 2, 5], [1, 6]])
def test_joined_parts_equal_the_whole(cuts: list[int]) -> None:
    ends = [0, *cuts, len(LISTS)]
    joined = Ragged.joined(Ragged.of(LISTS[a:b]) for a, b in pairwise(ends))
    whole = Ragged.of(LISTS)
    assert list(joined) == LISTS
    assert np.array_equal(joined.flat, whole.flat)
    assert np.array_equal(joined.offsets, whole.offsets)


def test_no_lists() -> None:
    assert list(Ragged.of([])) == list(Ragged.joined([])) == []


def test_an_id_takes_four_bytes() -> None:
    assert Ragged.of(LISTS).flat.nbytes == 4 * sum(map(len, LISTS))


def test_lists_are_taken_in_any_order_and_as_often_as_asked() -> None:
    rows = [4, 0, 0, 5, 2, 1]
    assert list(Ragged.of(LISTS).take(np.array(rows))) == [LISTS[row] for row in rows]
    assert list(Ragged.of(LISTS).take(np.array([], np.int64))) == []


def test_an_id_before_each_list() -> None:
    ids = list(range(10, 10 + len(LISTS)))
    prefixed = Ragged.of(LISTS).prefixed(np.array(ids, np.int32))
    assert list(prefixed) == [[i, *each] for i, each in zip(ids, LISTS, strict=True)]


@pytest.mark.parametrize("lead", [None, [9, 8, 9, 7]])
def test_selected_lists_are_those_that_are_taken(lead: list[int] | None) -> None:
    ragged, rows = Ragged.of(LISTS), np.array([4, 0, 0, 1])
    selected = Selected(ragged, rows, None if lead is None else np.array(lead, np.int32))
    expected = [[*([] if lead is None else lead[i : i + 1]), *LISTS[row]] for i, row in enumerate(rows)]
    assert list(selected) == expected and selected[1:3] == expected[1:3]
    assert selected.lengths().tolist() == list(map(len, expected))


def test_equal_lists_are_equal() -> None:
    assert Ragged.of(LISTS) == Ragged.of(LISTS) != Ragged.of(LISTS[1:])
    assert Ragged.of([[1], [2]]) != Ragged.of([[1, 2], []])
