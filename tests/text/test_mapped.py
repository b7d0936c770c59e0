"""Mapped pairs are the pairs; views are the sequences they stand for; repetitions are found as a set finds them."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seq2seq.text import cleaning
from seq2seq.text.cleaning import cleaned, held_out, scan, shared_pairs
from seq2seq.text.corpus import DataConfig
from seq2seq.text.mapped import (
    Joined,
    MappedPairs,
    Origin,
    Picked,
    characters,
    digest,
    distinct,
    repetitions,
    side,
    swapped,
    take,
)
from seq2seq.text.sources import Pair

PAIRS = [Pair(f"é {i % 7}", f"日本 {i}\ud800"[: 3 + i % 5]) for i in range(23)] + [Pair("", "x"), Pair("y", "")]
SLICES = [slice(None), slice(3, 9), slice(None, None, 4), slice(20, 3, -3), slice(5, 5), slice(-4, None)]


def mapped(pairs: list[Pair]) -> MappedPairs:
    sides = [text.encode("utf-8", "surrogatepass") for pair in pairs for text in pair]
    ends = np.cumsum([0, *map(len, sides)])
    origin = Origin(Path("none"), "key", print, quiet=True)
    return MappedPairs(np.frombuffer(b"".join(sides), np.uint8), ends, np.arange(len(pairs)), origin)


def test_mapped_pairs_are_the_pairs() -> None:
    rows = np.array([3, 24, 4, 5, 6, 0, 3])
    for given, pairs in ((mapped(PAIRS), PAIRS), (mapped(PAIRS).take(rows), [PAIRS[row] for row in rows])):
        assert list(given) == [given[i] for i in range(len(given))] == pairs
        assert [given[part] for part in SLICES] == [pairs[part] for part in SLICES]
        assert given[-1] == pairs[-1]
        with pytest.raises(IndexError):
            given[len(pairs)]
        for number in (0, 1):
            lines = side(given, number)
            assert list(lines) == side(pairs, number) == [lines[i] for i in range(len(lines))]
            assert [lines[part] for part in SLICES] == [list(lines)[part] for part in SLICES]
        assert list(swapped(given)) == swapped(pairs)
        assert list(side(swapped(given), 0)) == side(pairs, 1)
        assert list(take(swapped(given), rows[:2] % 7)) == take(list(swapped(pairs)), rows[:2] % 7)
        assert characters(given) == characters(pairs)


def test_the_key_names_the_pairs_and_their_order() -> None:
    pairs = mapped(PAIRS)
    keys = [pairs.key, pairs.swapped().key, pairs.take(np.arange(5)).key, pairs.take(np.arange(5)[::-1]).key]
    assert len(set(keys)) == len(keys)
    assert mapped(PAIRS).key == pairs.key


def test_joined_and_picked_are_the_lists_they_stand_for() -> None:
    parts: list[list[int]] = [[1, 2, 3], [], [4], [5, 6, 7, 8], []]
    whole = list(itertools.chain.from_iterable(parts))
    joined = Joined(parts)
    assert list(joined) == whole == [joined[i] for i in range(len(joined))]
    places = [None, *range(-9, 10)]
    for start, stop, step in itertools.product(places, places, [None, 1, 2, 3, 7, -1, -2]):
        assert joined[start:stop:step] == whole[start:stop:step], (start, stop, step)
    assert joined[-1] == 8
    assert list(Picked(whole, np.array([4, 0, 4]))) == Picked(whole, np.array([4, 0, 4]))[:] == [5, 1, 5]


@pytest.mark.parametrize("bits", [0, 1, 64])  # of the digests: with none, all are equal
def test_repetitions_are_those_that_a_set_finds(bits: int) -> None:
    items = [str(i * i % 17) for i in range(60)]
    digests = np.array([digest(item) & (2**bits - 1) for item in items], np.uint64)
    seen = set[str]()
    expected = [item in seen or bool(seen.add(item)) for item in items]  # type: ignore[func-returns-value]
    assert repetitions(items, digests).tolist() == expected
    assert sum(expected) > 40


@pytest.mark.parametrize("hashes", [lambda text: digest(text), lambda text: 7], ids=["different", "equal"])
def test_cleaning_and_holding_out_do_not_depend_on_the_hashes_being_different(
    hashes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [Pair(f"sentence {i % 31}", f"Satz {i % 43}") for i in range(200)] + [Pair("", "leer")] * 3
    config = DataConfig()
    expected = cleaned(pairs, scan(pairs, config), config)
    held = held_out(side(pairs, 0), 0.1, np.zeros(0, np.uint64))
    shared = shared_pairs(pairs, scan(pairs, config).digests, [*pairs[:3], Pair("a", "b")])
    assert len(expected.rows) == len(set(pairs[:200])) and shared == set(pairs[:3])
    assert 0 < held.sum() <= 20 and len({pairs[i].src for i in np.flatnonzero(held)}) > 1
    monkeypatch.setattr(cleaning, "digest", hashes)
    for given in (pairs, mapped(pairs)):
        again = cleaned(given, scan(given, config), config)
        assert again.rows.tolist() == expected.rows.tolist() and again.counts == expected.counts
        assert shared_pairs(given, scan(given, config).digests, [*pairs[:3], Pair("a", "b")]) == shared
        order = np.array([hashes(pair.src) % 5 * 0 for pair in pairs], np.uint64)
        assert held_out(side(given, 0), 0.1, order).tolist() == held.tolist()


def test_distinct_lines_of_a_map_are_those_of_a_list() -> None:
    lines = [Joined([side(pairs, 0), side(pairs, 1)]) for pairs in (PAIRS, mapped(PAIRS))]
    assert list(distinct(lines[1])) == list(distinct(lines[0])) == list(dict.fromkeys(lines[0]))
