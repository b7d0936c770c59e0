"""The translation memory retrieves the pairs that BM25, written out, ranks first."""

import math
import random

import pytest

from seq2seq.text.ragged import Ragged
from seq2seq.translation import translation_memory
from seq2seq.translation.translation_memory import TranslationMemory


def memory_of(src: list[list[int]], tgt: list[list[int]]) -> TranslationMemory:
    return TranslationMemory(Ragged.of(src), Ragged.of(tgt))


def bm25(sources: list[list[int]], ids: list[int]) -> list[float]:
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


def test_it_retrieves_the_pairs_that_the_formula_ranks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    sources = [[rng.randrange(4, 40) for _ in range(rng.randrange(13))] for _ in range(200)]
    memory = memory_of(sources, sources)
    for most in (1, 7, 128):
        monkeypatch.setattr(translation_memory, "MOST_PAIRS", most)
        for _ in range(20):
            ids = [rng.randrange(4, 50) for _ in range(rng.randrange(9))]  # no source has an id from 40 on
            scores = bm25(sources, ids)
            pairs = memory.retrieve(ids).tolist()
            assert len(set(pairs)) == len(pairs) == most
            assert [scores[i] for i in pairs] == pytest.approx(sorted(scores, reverse=True)[:most])


def test_of_pairs_with_equal_scores_the_earlier_comes_first() -> None:
    memory = memory_of([[5, 6], [7], [5, 6], [6, 5], []], [[]] * 5)
    assert memory.retrieve([5, 6]).tolist() == [0, 2, 3, 1, 4]
    assert memory.retrieve([]).tolist() == memory.retrieve([99]).tolist() == [0, 1, 2, 3, 4]
    many = memory_of([[5, 6 + i % 3] for i in range(400)], [[]] * 400)
    assert many.retrieve([7]).tolist() == list(range(1, 384, 3))
    assert memory_of([[]], [[]]).retrieve([3]).tolist() == [0]
