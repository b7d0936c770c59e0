"""Wanted and avoided phrases in a search: the best of all texts that hold them, alone and in a batch."""

import itertools
import re
from collections.abc import Sequence

import numpy as np
import pytest
from test_required import probability, random_table
from test_search import BOS, EOS, NAMES, Table, TableModel, TableState, texts

from seq2seq.translation.constraints import Vocabulary
from seq2seq.translation.phrase_text import Avoided, SourceTerm, Wanted, Wish
from seq2seq.translation.phrases import Phrases, Spelling
from seq2seq.translation.search import Hypothesis, Request, SearchConfig, search

LENGTH = 4  # tokens of the longest text

Wished = tuple[tuple[tuple[str, int], ...], tuple[str, ...]]  # phrases with how often they are wanted, phrases to avoid
NO_WISH: Wished = ((), ())


def spelling(alphabet: Sequence[str]) -> Spelling:
    """Tokens with these texts. There are no usual tokens of a phrase: it is written by the longest that fit."""
    return Spelling([*(piece.encode() for piece in alphabet), b"", b""], lambda text: [], EOS)


def searched(
    tables: Sequence[Table], wishes: Sequence[Wished], alphabet: Sequence[str], beam: int, sample: float = 0.0
) -> list[list[Hypothesis]]:
    requests = [
        Request(LENGTH + 1, (), (), Wish(tuple((Wanted(text, False), n) for text, n in wanted), Avoided(avoided)))
        for wanted, avoided in wishes
    ]
    wanted = dict.fromkeys(phrase for request in requests for phrase, _ in request.wish.wanted)
    phrases = Phrases(spelling(alphabet), list(wanted), list({request.wish.avoided: 0 for request in requests}))
    state = TableState(list(tables), [[""] for _ in tables])
    rngs = [np.random.default_rng(i) for i in range(len(tables))] if sample else []
    config = SearchConfig(beam=beam, length_penalty=0.0, sample=sample)
    return search(TableModel(), state, requests, config, BOS, EOS, rngs, Vocabulary((), phrases))


def written(names: str, alphabet: Sequence[str]) -> str:
    return "".join(alphabet[NAMES.index(name)] for name in names)


def count(phrase: str, text: str) -> int:
    """How often a phrase stands in a text; Japanese has no boundaries of words."""
    letters = "[a-z]"
    before = rf"(?<!{letters})" if re.match(letters, phrase) else ""
    after = rf"(?!{letters})" if re.match(letters, phrase[-1]) else ""
    return len(re.findall(f"(?={before}{re.escape(phrase)}{after})", text))


def fits(names: str, wish: Wished, alphabet: Sequence[str]) -> bool:
    text = written(names, alphabet)
    wanted, avoided = wish
    return all(count(p, text) >= n for p, n in wanted) and not any(count(p, text) for p in avoided)


# The texts of the tokens a, b, c, and what is wished of a translation; tokens can write each phrase in any place.
LETTERS, PIECES, WORDS, JAPANESE = ("a", "b", " "), ("a", "b", " a"), ("b", " ", "ab"), ("猫", "犬", "a")
CASES: list[tuple[Sequence[str], Wished]] = [
    (LETTERS, ((("ab", 1),), ())),
    (LETTERS, ((("a", 1), ("b", 1)), ())),
    (LETTERS, ((("b", 2),), ())),
    (LETTERS, ((), ("ab",))),
    (LETTERS, ((), ("a", "b"))),
    (LETTERS, ((("ab", 1),), ("b",))),
    (LETTERS, ((("a b", 1), ("b", 1)), ("a a",))),
    (PIECES, ((("ab", 1),), ())),
    (PIECES, ((("a", 2),), ())),
    (PIECES, ((("ab", 1), ("a", 1)), ())),
    (PIECES, ((), ("ab", "b"))),
    (WORDS, ((("ab", 1),), ())),
    (WORDS, ((("b", 1), ("ab", 1)), ())),
    (WORDS, ((("bab", 1),), ("b",))),
    (JAPANESE, ((("猫犬", 1),), ())),
    (JAPANESE, ((("犬", 2),), ())),
    (JAPANESE, ((), ("犬",))),
    (("猫", " ", "a"), ((("a", 1),), ("a猫",))),
]


@pytest.mark.parametrize(("pieces", "wish"), CASES)
def test_a_wide_beam_finds_the_best_of_all_texts_that_hold_the_phrases(pieces: Sequence[str], wish: Wished) -> None:
    every = ["".join(p) for n in range(LENGTH + 1) for p in itertools.product(NAMES[:3], repeat=n)]
    fitting = [names for names in every if fits(names, wish, pieces)]
    assert 0 < len(fitting) < len(every)
    tables = [random_table(seed, LENGTH) for seed in range(8)]
    for table, hypotheses in zip(tables, searched(tables, [wish] * len(tables), pieces, 200), strict=True):
        best = max(fitting, key=lambda names: probability(table, names))
        assert texts(hypotheses)[0] == best
        assert np.exp(hypotheses[0].log_prob) == pytest.approx(probability(table, best))
        assert all(fits(names, wish, pieces) for names in texts(hypotheses))


@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize(("pieces", "wish"), CASES)
def test_a_narrow_beam_holds_the_phrases_too(pieces: Sequence[str], wish: Wished, beam: int) -> None:
    tables = [random_table(seed, LENGTH) for seed in range(12)]
    for sample in (0.0, 1.0) if beam == 1 else (0.0,):
        for hypotheses in searched(tables, [wish] * len(tables), pieces, beam, sample):
            assert hypotheses
            assert all(fits(names, wish, pieces) for names in texts(hypotheses))


@pytest.mark.parametrize("beam", [1, 3])
def test_a_sentence_is_translated_as_it_is_alone(beam: int) -> None:
    wishes = [NO_WISH, *(wish for pieces, wish in CASES if pieces == LETTERS), NO_WISH]
    tables = [random_table(seed, LENGTH) for seed in range(len(wishes))]
    together = searched(tables, wishes, LETTERS, beam)
    alone = [searched([t], [w], LETTERS, beam)[0] for t, w in zip(tables, wishes, strict=True)]
    assert together == alone


def test_a_sentence_without_phrases_is_translated_as_ever() -> None:
    tables = [random_table(seed, LENGTH) for seed in range(8)]
    wishes = [NO_WISH if i % 2 else CASES[5][1] for i in range(8)]
    mixed = searched(tables, wishes, LETTERS, 3)
    state, config = TableState(tables, [[""] for _ in tables]), SearchConfig(beam=3, length_penalty=0.0)
    plain = search(TableModel(), state, [Request(LENGTH + 1)] * 8, config, BOS, EOS)
    assert mixed[1::2] == plain[1::2]
    assert mixed[::2] != plain[::2]


def test_what_translates_a_term_otherwise_is_ranked_behind() -> None:
    """The first token is aligned to position 1: "a b" is more probable than "b", but its "a" translates the term."""
    table = {"": "60 30 0 10", "a": "0 0 100 0", "ac": "0 100 0 0", "acb": "0 0 0 100", "b": "0 0 0 100"}
    phrases = Phrases(spelling(LETTERS), [Wanted("b", False)], [Avoided()])
    for places, expected in (((), ["acb", "b"]), ((2,), ["acb", "b"]), ((1,), ["b", "acb"])):
        requests = [Request(9, (), (), Wish(((Wanted("b", False), 1),), Avoided(), (SourceTerm("b", places),)))]
        config = SearchConfig(beam=3, length_penalty=0.0)
        state = TableState([table], [[""]])
        [found] = search(TableModel(), state, requests, config, BOS, EOS, (), Vocabulary((), phrases))
        assert texts(found)[:2] == expected
        assert {names: np.exp(h.log_prob) for names, h in zip(texts(found), found, strict=True)} == pytest.approx(
            {"acb": 0.6, "b": 0.3}
        )
