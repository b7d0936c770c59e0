"""Training pairs as a model reads them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from seq2seq.segments.pairs import pair_texts, shared_names
from seq2seq.text.preparation import LONGEST, TextConfig, longest_of, prepared, reading, varied
from seq2seq.text.sources import Pair

PLAIN = TextConfig(names=0.0, lowercase=0.0, unpunctuated=0.0)
HOW = reading(PLAIN, "en", "de", 4)


@pytest.mark.parametrize(
    ("src", "tgt", "texts"),
    [
        ("I have 3 cats.", "Ich habe 3 Katzen.", ("I have \ue010 cats.", "Ich habe \ue010 Katzen.")),
        ("It is 3.50 or 4.", "Es ist 4 oder 3,50.", ("It is \ue010 or \ue011.", "Es ist \ue011 oder \ue010.")),
        ("I have 3 cats.", "Ich habe drei Katzen.", ("I have 3 cats.", "Ich habe drei Katzen.")),
        ("%s of %s", "%s von %s", ("\ue010 of \ue011", "\ue010 von \ue011")),
        ("%s of %s", "%s", ("\ue010 of %s", "\ue010")),
        ("a <b>b</b> c", "x <b>y</b> z", ("a b c", "x y z")),
        ("a <b>b</b> c", "x y", ("a <b>b</b> c", "x y")),
        ("On May 5, 2024 it rained.", "Am 5. Mai 2024 regnete es.", ("On \ue010 it rained.", "Am \ue010 regnete es.")),
        ("“Hi”  you…", "„Hallo“  du…", ('"Hi" you...', "„Hallo“  du…")),
        ("1 2 3 4 5 6", "1 2 3 4 5 6", ("\ue010 \ue011 \ue012 \ue013 5 6", "\ue010 \ue011 \ue012 \ue013 5 6")),
    ],
)
def test_what_stands_on_both_sides_is_the_same_piece(src: str, tgt: str, texts: tuple[str, str]) -> None:
    assert pair_texts(src, tgt, HOW) == texts
    assert prepared([Pair(src, tgt)], HOW) == [texts]


def test_a_date_is_the_same_piece_however_it_is_written() -> None:
    how = reading(PLAIN, "de", "en", 4)
    for tgt in ("October 11th", "the 11th of October", "October 11"):
        texts = pair_texts("Heute ist der 11. Oktober.", f"Today is {tgt}.", how)
        assert texts == ("Heute ist der \ue010.", f"Today is {'the ' if 'the' in tgt else ''}\ue010.")


def test_without_pieces_pairs_are_normalised_alone() -> None:
    how = replace(HOW, pieces=0)
    assert pair_texts("I have 3 <b>cats</b>…", "Ich habe 3 <b>Katzen</b>…", how) == (
        "I have 3 <b>cats</b>...",
        "Ich habe 3 <b>Katzen</b>…",
    )
    assert pair_texts("3…", "3…", replace(how, normalisation=0)) == ("3…", "3…")


def test_names_on_both_sides() -> None:
    assert shared_names("Tom saw Ann in Rome. Tom left.", "Tom sah Ann in Rom. Er ging.") == ["Tom", "Ann"]
    pairs = [Pair("I saw Tom today.", "Ich sah heute Tom.")] * 400
    count = sum(pair.src == "I saw \ue010 today." for pair in varied(pairs, HOW, replace(PLAIN, names=0.3), 1))
    assert 80 < count < 160


def test_variation_is_of_the_shares_that_are_set() -> None:
    pairs = [Pair("I saw Tom.", "Ich sah Tom.")] * 400
    assert varied(pairs, HOW, PLAIN, 1) == pairs
    small = varied(pairs, HOW, replace(PLAIN, lowercase=0.25), 1)
    assert 60 < small.count(Pair("i saw tom.", "Ich sah Tom.")) < 140
    unpunctuated = varied(pairs, HOW, replace(PLAIN, unpunctuated=0.25), 1)
    assert 60 < unpunctuated.count(Pair("I saw Tom", "Ich sah Tom")) < 140


def test_variation_depends_on_the_seed_alone() -> None:
    pairs = [Pair(f"I saw Tom {i}.", f"Ich sah Tom {i}.") for i in range(200)]
    config = TextConfig()
    assert varied(pairs, HOW, config, 1) == varied(pairs, HOW, config, 1) != varied(pairs, HOW, config, 2)


def test_the_longest_sentence_follows_from_the_training_text() -> None:
    assert longest_of(np.full(1000, 80)) == 100
    assert longest_of(np.full(1000, 3)) == 30
    assert longest_of(np.full(1000, 900)) == longest_of(np.zeros(0)) == LONGEST


@pytest.mark.parametrize("cuts", [[0], [0, 1, 2, 17], [0, 10, 20, 30]])
def test_pairs_are_varied_in_pieces_as_at_once(cuts: list[int]) -> None:
    pairs = [Pair(f"Tom and Mary saw {i} cats.", f"Tom und Mary sahen {i} Katzen.") for i in range(35)]
    config = TextConfig(names=0.3, lowercase=0.3, unpunctuated=0.3)
    plain, pieces = prepared(pairs, HOW), list[Pair]()
    for number, (start, end) in enumerate(pairwise([*cuts, len(pairs)])):
        known = plain[start:end] if number % 2 else None
        pieces += varied(pairs[start:end], HOW, config, 1, 2, start, known)
    assert pieces == varied(pairs, HOW, config, 1, 2)
    assert len({pair.src for pair in pieces}) > 4
