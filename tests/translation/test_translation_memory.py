"""The translation memory: what it finds is what BM25, written out, ranks first."""

import math
import random

import pytest

from seq2seq.text.ragged import Ragged
from seq2seq.translation import translation_memory
from seq2seq.translation.translation_memory import TranslationMemory


def memory_of(src: list[list[int]], tgt: list[list[int]]) -> TranslationMemory:
    return TranslationMemory(Ragged.of(src), Ragged.of(tgt))


def slowly(sources: list[list[int]], ids: list[int]) -> list[float]:
    """The score of each source, by the formula of the module's docstring."""
    mean = sum(map(len, sources)) / len(sources)
    scores = []
    for source in sources:
        total = 0.0
        for w in set(ids):
            n = sum(w in other for other in sources)
            f = source.count(w)
            rarity = math.log(1 + (len(sources) - n + 0.5) / (n + 0.5))
            total += rarity * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * len(source) / mean))
        scores.append(total)
    return scores


def test_it_finds_what_the_formula_ranks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    sources = [[chance.randrange(4, 40) for _ in range(chance.randrange(13))] for _ in range(200)]
    found = memory_of(sources, sources)
    for most in (1, 7, 128):
        monkeypatch.setattr(translation_memory, "MOST", most)
        for _ in range(20):
            ids = [chance.randrange(4, 50) for _ in range(chance.randrange(9))]  # those from 40 on are nowhere
            scores = slowly(sources, ids)
            like = found.retrieve(ids).tolist()
            assert len(set(like)) == len(like) == most
            assert [scores[i] for i in like] == pytest.approx(sorted(scores, reverse=True)[:most])


def test_of_equals_the_earlier_comes_first() -> None:
    found = memory_of([[5, 6], [7], [5, 6], [6, 5], []], [[]] * 5)
    assert found.retrieve([5, 6]).tolist() == [0, 2, 3, 1, 4]
    assert found.retrieve([]).tolist() == found.retrieve([99]).tolist() == [0, 1, 2, 3, 4]
    many = memory_of([[5, 6 + i % 3] for i in range(400)], [[]] * 400)
    assert many.retrieve([7]).tolist() == list(range(1, 384, 3))
    assert memory_of([[]], [[]]).retrieve([3]).tolist() == [0]
