"""Slips are found by where they begin, in any order of the lines; well-aligned text has none."""

import pytest

from seq2seq.text.alignment import Slip, slips, tokens
from seq2seq.text.corpus import DataConfig, load_split
from seq2seq.text.sources import Pair

COUNT = 1000


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    """Real sentences: the test part of the corpus that ships."""
    return load_split(DataConfig(), "test")


def slipped(pairs: list[Pair], start: int, by: int, stop: int | None = None) -> tuple[list[str], list[str]]:
    """The sides, of which the target has lost `by` lines at `start` (the source, if negative), up to `stop`."""
    sides = [pair.src for pair in pairs], [pair.tgt for pair in pairs]
    loser, other = (sides[1], sides[0]) if by > 0 else (sides[0], sides[1])
    stop = len(pairs) if stop is None else stop
    lost = loser[:start] + loser[start + abs(by) : stop] + loser[start : start + abs(by)] + loser[stop:]
    return (other, lost) if by > 0 else (lost, other)


@pytest.mark.parametrize("order", ["as it is", "by text", "by length"])
@pytest.mark.parametrize(("start", "by", "stop"), [(0, 5, None), (400, -2, 700)])
def test_a_slip_is_found_where_it_begins(pairs: list[Pair], order: str, start: int, by: int, stop: int | None) -> None:
    if order != "as it is":
        pairs = sorted(pairs, key=lambda pair: pair.src if order == "by text" else f"{len(pair.src):5}")
    [slip] = slips(*slipped(pairs, start, by, stop), most=COUNT)
    assert slip.shift == -by
    assert abs(slip.start - start) <= 8
    assert abs(slip.stop - (stop or len(pairs))) <= 8


@pytest.mark.parametrize("order", ["as it is", "by text"])
def test_aligned_text_has_no_slip(pairs: list[Pair], order: str) -> None:
    pairs = sorted(pairs) if order == "by text" else pairs
    assert slips(*slipped(pairs, 0, 0), most=COUNT) == []


def test_windows_of_a_long_text_are_compared(pairs: list[Pair]) -> None:
    many = [Pair(f"{pair.src} {i}", f"{pair.tgt} {i}") for i in range(4) for pair in pairs]
    [slip] = slips(*slipped(many, 2000, 1), most=2000)
    assert isinstance(slip, Slip)
    assert slip.shift == -1 and 1800 <= slip.start <= 2400 and slip.stop > 3900


def test_few_lines_have_no_slip() -> None:
    assert slips(["a"] * 30, ["b"] * 30, most=COUNT) == []


def test_text_without_spaces_is_compared_by_pairs_of_characters() -> None:
    assert tokens("Der 3. Hund!") == ["der", "3", "hund"]
    assert tokens("猫は寝る。 a") == ["猫は", "は寝", "寝る", "a"]
