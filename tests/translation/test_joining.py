"""Translations of the parts of a sentence as one sentence."""

import pytest

from seq2seq.translation.joining import inner_begin, inner_end, marks_in


def cost(word: str) -> float:
    return {"hat": 1, "Hat": 2, "Hunde": 1, "hunde": 2, "Ich": 2, "ich": 1}.get(word, 1)


@pytest.mark.parametrize(
    ("text", "source", "language", "expected"),
    [
        ("Ich habe 3 Katzen.", "I have 3 cats,", "de", "Ich habe 3 Katzen,"),
        ("Ich habe 3 Katzen!", "I have 3 cats and ", "de", "Ich habe 3 Katzen"),
        ("3匹の猫。", "3 cats, ", "ja", "3匹の猫、"),
        ("三只猫。", "3 cats; ", "zh", "三只猫；"),
        ("I have 3 cats.", "3匹の猫、", "en", "I have 3 cats,"),
        ("猫です。", "cats: ", "ja", "猫です："),
        # The end of a sentence, or of what is in brackets, and a translation without words.
        ("Wer ist da?", "Who is there? ", "de", "Wer ist da?"),
        ("(3 Katzen.)", "(3 cats)", "de", "(3 Katzen.)"),
        ("...", "so,", "de", "..."),
    ],
)
def test_the_end_of_a_part(text: str, source: str, language: str, expected: str) -> None:
    assert inner_end(text, source, language) == expected


@pytest.mark.parametrize(
    ("text", "before", "source", "expected"),
    [
        ("Hat 2", "3 cats, ", "has 2", "hat 2"),
        ("Hunde 2", "3 cats, ", "dogs 2", "Hunde 2"),
        ("Hat 2", "3 cats. ", "has 2", "Hat 2"),
        ("Hat 2", "3 cats, ", "Hat 2", "Hat 2"),
        ("2 Hat", "3 cats, ", "2 has", "2 Hat"),
        ("Unbekannt", "so, ", "unknown", "unbekannt"),
    ],
)
def test_the_beginning_of_a_part(text: str, before: str, source: str, expected: str) -> None:
    assert inner_begin(text, before, source, cost) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [("?!", "ja", "？！"), ("。", "en", "."), (": ", "zh-Hant", "： "), (".", "th", "."), ("...)", "de", "...)")],
)
def test_marks_are_those_of_the_language(text: str, language: str, expected: str) -> None:
    assert marks_in(text, language) == expected
