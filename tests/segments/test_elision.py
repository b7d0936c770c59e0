"""The word before a phrase, by the sound that the phrase begins with."""

import pytest

from seq2seq.segments.elision import before


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("I have a ", "owl", "I have an "),
        ("An ", "dog", "A "),
        ("in a ", "hour", "in an "),
        *[("an ", word, "a ") for word in ("European", "one-way street", "unit", "user", "utility", "house", "U-boat")],
        *[("a ", word, "an ") for word in ("honest man", "MP3", "uninstaller", "umbrella", "HTML page", "X")],
        ("a ", "Apple", "an "),
        ("an ", "PC", "a "),
        ("vitamin A, ", "owl", "vitamin A, "),
        ("Panama ", "owl", "Panama "),
        ("", "owl", ""),
    ],
)
def test_english_has_an_before_a_vowel(text: str, phrase: str, expected: str) -> None:
    assert before(text, phrase, "en") == before(text, phrase, "en-GB") == expected


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("J'ai besoin d'", "flotte", "J'ai besoin de "),
        ("L’", "chat", "Le "),
        ("qu'", "Tom", "que "),
        ("Le ", "ami", "L'"),
        ("près de la ", "école", "près de l'"),
        ("que ", "Ève", "qu'"),
        ("l'", "homme", "l'"),
        ("le ", "haricot", "le "),
        ("une ", "école", "une "),
        ("sale ", "eau", "sale "),
        ("aujourd'", "hui", "aujourd'"),
        ("aujourd'", "demain", "aujourd'"),
        ("de l'", "œuf", "de l'"),
    ],
)
def test_french_elides_before_a_vowel(text: str, phrase: str, expected: str) -> None:
    assert before(text, phrase, "fr") == expected


def test_in_other_languages_nothing_changes() -> None:
    for language in ("de", "ja", ""):
        assert before("a ", "owl", language) == "a "
