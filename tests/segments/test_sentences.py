"""Law 14: sentences and the white space between them are the whole text."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq.segments.sentences import sentences


def divided(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in sentences(text, language)]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["Where is it?", "I lost it!", "Please call."]),
        ("en", ["Mr. Smith met Dr. Brown.", "He left."]),
        ("en", ["Dr. No is a film.", "A. B. Smith said so."]),
        ("en", ["It cost 3.50 dollars, e.g. at 5.30 p.m. on Monday."]),
        ("en", ["He said: “Stop.”", "Then he left."]),
        ("de", ["Am 3. Mai kam er z. B. um 17.30 Uhr.", "Dann ging er."]),
        ("fr", ["M. Dupont est là.", "Il part."]),
        ("es", ["¿Dónde está?", "¡Aquí!"]),
        ("ja", ["私は学生です。", "彼は先生です。"]),
    ],
)
def test_sentences_of_many_languages(language: str, expected: list[str]) -> None:
    text = ("" if language == "ja" else " ").join(expected)
    assert divided(text, language) == expected


@given(
    st.lists(
        st.sampled_from(
            [
                "A b. ",
                "C?",
                " ",
                "\n",
                "\n\n",
                "d",
                "Mr. E",
                "\u00a0",
                "\u2029",
                "。",
                "…",
                "1. ",
                "(F.) ",
                "’",
                "（あ。）",
                "@g. ",
            ]
        )
    ).map("".join)
)
def test_nothing_but_white_space_is_between_sentences(text: str) -> None:
    spans = sentences(text, "en")
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    gaps = [text[a:b] for a, b in pairwise([0, *(place for span in spans for place in span), len(text)])][::2]
    assert all(not gap.strip() for gap in gaps)
    assert all(part == part.strip() for part in divided(text))


@pytest.mark.parametrize("length", [9_900, 9_999, 10_000, 10_001, 10_240, 10_241, 20_000, 300_000])
@pytest.mark.parametrize("gap", [" ", "\n", "\n\n", "\u2029"])
def test_long_texts_are_divided_as_short_ones_are(length: int, gap: str) -> None:
    """sentencex reads texts above 10 KB in parts."""
    sentence = "This is a sentence."
    count = length // len(sentence + gap)
    assert divided(gap.join([sentence] * count)) == [sentence] * count


def test_a_text_without_an_end_is_one_sentence() -> None:
    assert divided("word " * 40_000) == [("word " * 40_000).strip()]
    assert divided("") == divided(" \n") == []


def test_an_unknown_language_is_divided_as_english_is() -> None:
    for language in ("xx-YY", "?", ""):
        assert divided("Ask Mr. Hill. Go on.", language) == ["Ask Mr. Hill.", "Go on."]


def hard_lines() -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("hard_sentences.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            language = line[2:]
        elif not line.startswith("##"):
            lines.setdefault(language, []).append(line)
    return lines


@pytest.mark.parametrize(
    ("language", "least"), [("en", 50), ("de", 48), ("fr", 50), ("es", 50), ("nl", 49), ("ja", 49)]
)
def test_hard_sentences(language: str, least: int) -> None:
    """The number of 50 lines per language, written by hand, that are divided exactly as stated."""
    lines = hard_lines()[language]
    results = [divided(line.replace(" | ", " ").replace("|", ""), language) for line in lines]
    pairs = zip(lines, results, strict=True)
    wrong = [f"{line}\n  {' | '.join(r)}" for line, r in pairs if r != [part.strip() for part in line.split("|")]]
    assert len(lines) == 50
    assert len(lines) - len(wrong) >= least, "\n".join(["", *wrong])
