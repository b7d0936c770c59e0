"""Tokens that a translation must hold: each once, no others of their kind, and nothing changes without them."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from test_search import BOS, EOS, NAMES, UNIFORM, A, B, C, Table, TableModel, TableState, texts

from seq2seq.translation.constraints import Vocabulary
from seq2seq.translation.search import Hypothesis, Request, SearchConfig, search

RESERVED = [B, C]


def search_requiring(
    required: Sequence[Sequence[int]], limit: int, tables: Sequence[Table], beam: int, sample: float = 0.0
) -> list[list[Hypothesis]]:
    requests = [Request(limit, (), tokens) for tokens in required]
    state = TableState(list(tables), [[""] for _ in tables])
    rngs = [np.random.default_rng(i) for i in range(len(tables))] if sample else []
    config = SearchConfig(beam=beam, sample=sample, length_penalty=0.0)
    return search(TableModel(), state, requests, config, BOS, EOS, rngs, Vocabulary(RESERVED))


def random_table(seed: int, length: int) -> Table:
    rng = np.random.default_rng(seed)
    prefixes = ["".join(p) for n in range(length) for p in itertools.product(NAMES[:3], repeat=n)]
    return {p: " ".join(str(x) for x in rng.dirichlet([0.5] * 4) * 100) for p in prefixes}


def probability(table: Table, text: str) -> float:
    total = 1.0
    for i, name in enumerate(text + "."):
        total *= float(table.get(text[:i], UNIFORM).split()[NAMES.index(name)]) / 100
    return total


@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize("required", [[], [B], [C], [B, C]])
def test_each_is_held_once_and_no_other_of_their_kind(beam: int, required: list[int]) -> None:
    tables = [random_table(seed, 5) for seed in range(12)]
    for sample in (0.0, 1.0) if beam == 1 else (0.0,):
        for hypotheses in search_requiring([required] * len(tables), 6, tables, beam, sample):
            assert hypotheses
            for hypothesis in hypotheses:
                assert sorted(token for token in hypothesis.tokens if token in RESERVED) == sorted(required)


def test_a_wide_beam_finds_the_most_probable() -> None:
    """Of the sentences that hold the token once; the rule against going on after the end may miss others."""
    found = 0
    for seed in range(30):
        table = random_table(seed, 4)
        [hypotheses] = search_requiring([[B]], 5, [table], 400)
        every = ["".join(p) for n in range(5) for p in itertools.product("ab", repeat=n) if p.count("b") == 1]
        best = max(every, key=lambda text: probability(table, text))
        assert set(texts(hypotheses)) <= set(every)
        assert np.exp(hypotheses[0].log_prob) == pytest.approx(probability(table, texts(hypotheses)[0]))
        found += texts(hypotheses)[0] == best
    assert found >= 20


def test_the_first_that_is_lacking_comes_where_a_hypothesis_would_end() -> None:
    table = {"": "90 4 3 3", "a": "10 1 1 88", "ab": "1 1 1 97", "b": "30 30 30 10"}
    for beam in (1, 3):
        [[best, *_]] = search_requiring([[B]], 9, [table], beam)
        assert texts([best]) == ["ab"]


def test_there_is_room_for_all_of_them() -> None:
    table = {"": "97 1 1 1", **{"a" * n: "97 1 1 1" for n in range(1, 9)}}
    [[best]] = search_requiring([[C, B]], 4, [table], 1)
    assert texts([best]) == ["acb"]
    [[shortest]] = search_requiring([[C, B]], 1, [table], 1)
    assert texts([shortest]) == ["cb"]


def test_the_beam_is_shared_by_the_number_of_tokens_held() -> None:
    """After two steps aa, ab, ac are the most probable, and lead to nothing; bc, behind them, holds both tokens."""
    table = {"": "90 5 5 0", "a": "90 5 5 0", "b": "15 0 85 0", "bc": "5 0 0 95"}
    table |= {"ab": "98 1 1 0", "ac": "98 1 1 0", "aa": "98 1 1 0"}
    [[best, *_]] = search_requiring([[B, C]], 9, [table], 3)
    assert texts([best]) == ["bc"]


def test_a_sentence_is_translated_as_it_is_alone() -> None:
    tables = [random_table(seed, 4) for seed in range(9)]
    required = [[], [B], [C, B], [C], [], [B], [], [C], [B, C]]
    together = search_requiring(required, 5, tables, 3)
    assert together == [search_requiring([r], 5, [t], 3)[0] for r, t in zip(required, tables, strict=True)]


def test_without_required_tokens_the_others_are_found_as_ever() -> None:
    tables = [random_table(seed, 4) for seed in range(9)]
    state = TableState(tables, [[""] for _ in tables])
    config = SearchConfig(beam=3, length_penalty=0.0)
    plain = search(TableModel(), state, [Request(5)] * 9, config, BOS, EOS)
    same = search(TableModel(), state, [Request(5)] * 9, config, BOS, EOS, (), Vocabulary())
    assert same == plain
    barred = search_requiring([[]] * 9, 5, tables, 3)
    assert all(set(h.tokens) <= {A} for hypotheses in barred for h in hypotheses)
