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
        ("a ", "8-year-old", "an "),
        ("a ", "11-year-old", "an "),
        ("an ", "12-year-old", "a "),
        ("an ", "80-year-old", "an "),
        ("a ", "Émigré", "an "),
        ("a ", "übermensch", "an "),
        ("a ", "NASA engineer", "a "),
        ("a ", "FBI agent", "an "),
        ("a ", "“owl”", "a "),
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
        ("Au ", "école", "À l'"),
        ("de la ", "eau", "de l'"),
        ("près du ", "homme", "près de l'"),
        ("à l'", "marché", "au "),
        ("près de l'", "hôpital", "près de l'"),
        ("près de l'", "hibou", "près du "),
        ("perdu ", "eau", "perdu "),
        ("L'", "«agent»", "L'"),
        ("qu'", "Tom", "que "),
        ("Le ", "ami", "L'"),
        ("près de la ", "école", "près de l'"),
        ("que ", "Ève", "qu'"),
        ("l'", "homme", "l'"),
        ("le ", "haricot", "le "),
        ("le ", "homme", "l'"),
        ("le ", "héroïsme", "l'"),
        ("une ", "école", "une "),
        ("sale ", "eau", "sale "),
        ("aujourd'", "hui", "aujourd'"),
        ("aujourd'", "demain", "aujourd'"),
        ("de l'", "œuf", "de l'"),
    ],
)
def test_french_elides_before_a_vowel(text: str, phrase: str, expected: str) -> None:
    assert before(text, phrase, "fr") == expected


def test_spanish_has_e_before_i_and_u_before_o() -> None:
    assert before("Paul y ", "Inés", "es") == "Paul e " and before("Paul y ", "hijo", "es") == "Paul e "
    assert before("agua y ", "hielo", "es") == "agua y " and before("Paul e ", "Tom", "es") == "Paul y "
    assert before("uno o ", "hora", "es") == "uno u " and before("uno u ", "dos", "es") == "uno o "
    assert before("muy ", "Inés", "es") == "muy "


def test_in_other_languages_nothing_changes() -> None:
    for language in ("de", "ja", ""):
        assert before("a ", "owl", language) == "a "
