"""Text in capitals and titles, and single words in capitals."""

import pytest

from seq2seq.segments.case import CAPITALS, MIXED, TITLE, WORD, calm, case_of, small, written_as

KNOWN = {"the": 0.87, "not": 0.869, "is": 0.86, "of": 0.86, "who": 0.891, "very": 0.88, "Berlin": 0.89, "USA": 0.91}


def cost(word: str) -> float:
    """Of a word that the model knows in this form less than 1; else by its letters, more for capitals."""
    return KNOWN.get(word, len(word) / 2 + sum(map(str.isupper, word)))


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("THE END", CAPITALS),
        ("THE END OF 1999!", CAPITALS),
        ("DIE STRAßE IST LANG.", CAPITALS),
        ("I", MIXED),
        ("THE eND", MIXED),
        # Letters of scripts without case are no capitals.
        ("NHKを見た。", MIXED),
        ("TOKYO DISNEYLAND へ", MIXED),
        ("ΑΘΗΝΑ", CAPITALS),
        ("The End of the World", MIXED),
        ("The Lord Of The Rings", TITLE),
        ("House", WORD),
        # A sentence, a word that the model knows with a capital, or with others within.
        ("House.", MIXED),
        ("Berlin", MIXED),
        ("McDonald", MIXED),
        ("Big House", MIXED),
        ("house", MIXED),
        ("", MIXED),
    ],
)
def test_the_case_of_a_sentence(text: str, case: str) -> None:
    assert case_of(text, cost) == case


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am NOT happy.", "I am not happy."),
        ("VERY good, VERY!", "Very good, very!"),
        ("in BERLIN and in the USA", "in Berlin and in the USA"),
        # No word of these letters is known, or as an abbreviation they are known better.
        ("the FBI, NATO and USA", "the FBI, NATO and USA"),
        ("the WHO", "the WHO"),
        ("it IS so", "it IS so"),
        ("McDonald VERYs", "McDonald VERYs"),
        ("", ""),
    ],
)
def test_single_words_in_capitals(text: str, expected: str) -> None:
    assert calm(text, cost) == expected
    assert len(expected) == len(text)


def test_a_sentence_in_capitals_is_read_small_and_written_as_it_was() -> None:
    assert small("THE USA IS NOT BERLIN", cost) == "The USA is not Berlin"
    assert written_as(CAPITALS, "Die USA sind nicht in v2.0 da", ["v2.0"]) == "DIE USA SIND NICHT IN v2.0 DA"
    assert written_as(TITLE, "der Herr der Ringe mit iPhone", ()) == "Der Herr Der Ringe Mit iPhone"
    assert written_as(MIXED, "so", ()) == "so"


def test_a_word_alone_is_read_small_and_written_with_a_capital() -> None:
    assert small("House", cost) == "house"
    assert written_as(WORD, "à la maison", ()) == "À la maison"
    assert written_as(WORD, "iPhone", ()) == "iPhone"
    assert small("HOUSE", cost) == "house"
    assert small("BERLIN", cost) == "Berlin"
