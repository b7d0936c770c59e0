"""Dev and test share no sentence with train or with each other, whatever the order of the pairs."""

import random

import pytest

from seq2seq.text.partition import SHARES, keys, partition
from seq2seq.text.sources import Pair

DRAW = random.Random(5)
PAIRS = [Pair(f"Sentence {DRAW.randrange(150)}.", f"Satz {DRAW.randrange(150)}!") for _ in range(200)]
PAIRS += [Pair(f"Only one {i}", f"Nur eins {i}") for i in range(40)]


def sentences(parts: list[str], *names: str) -> set[object]:
    return {key for part, pair in zip(parts, PAIRS, strict=True) if part in names for key in keys(pair)}


@pytest.mark.parametrize("sizes", [{"dev": 5, "test": 7}, {"dev": 60, "test": 30}, {"dev": 0}])
def test_no_sentence_is_in_two_parts(sizes: dict[str, int]) -> None:
    held = [PAIRS[0]]
    parts = partition(PAIRS, sizes, held)
    assert {name: parts.count(name) for name in sizes} == sizes
    train = sentences(parts, "train")
    assert train
    assert not train & (sentences(parts, "dev", "test") | set(keys(PAIRS[0])))
    assert not sentences(parts, "dev") & sentences(parts, "test")
    outside = sentences(parts, "dev", "test") | set(keys(PAIRS[0]))
    left_out = [pair for part, pair in zip(parts, PAIRS, strict=True) if part == SHARES]
    assert all(set(keys(pair)) & outside for pair in left_out), "nothing else is left out"


def test_pairs_that_cost_train_nothing_come_first() -> None:
    parts = partition(PAIRS, {"dev": 20, "test": 20})
    assert SHARES not in parts
    assert set(parts) == {"train", "dev", "test"}


def test_only_fit_pairs_are_chosen() -> None:
    fit = [i % 3 > 0 for i in range(len(PAIRS))]
    parts = partition(PAIRS, {"dev": 20, "test": 10}, (), fit)
    assert parts.count("dev") == 20 and parts.count("test") == 10
    assert all(fit[i] for i, part in enumerate(parts) if part in ("dev", "test"))
    assert not sentences(parts, "train") & sentences(parts, "dev", "test")


def test_the_order_does_not_matter() -> None:
    shuffled = random.Random(1).sample(PAIRS, len(PAIRS))
    one, other = (sorted(zip(partition(pairs, {"dev": 50}), pairs, strict=True)) for pairs in (PAIRS, shuffled))
    assert [pair for part, pair in one if part == "dev"] == [pair for part, pair in other if part == "dev"]


def test_sentences_are_compared_by_letters_and_digits() -> None:
    assert keys(Pair("It's  5!", "?!")) == keys(Pair("its 5", "?!")) == ((0, "its5"), (1, "?!"))
