"""Names that a model cannot know are kept as they are written, and nothing else is."""

import time
import unicodedata

import pytest

from seq2seq.segments.keeping import Keeping, keep, restore
from seq2seq.segments.names import NAME, Names, capitalised
from seq2seq.segments.segment import CLOSE, OPEN, VALUE, Mark, Segment

WORDS = frozenset(["the", "is", "in", "boston", "tom", "and", "ünlü", "he", "said", "by", "river", "where"])
EVERYWHERE, INSIDE = Names(WORDS, True, True, "a"), Names(WORDS, True, False, "b")


def kept(text: str | list[str | Mark], names: Names = EVERYWHERE) -> list[str]:
    """What is kept of a text."""
    segment = keep(Segment(text) if isinstance(text, str) else Segment.of_parts(text), Keeping("en", "de", names=names))
    values = [mark for mark in segment.marks if mark.kind == VALUE]
    return [str(mark.code) for mark in values]


def test_a_capital_tells_a_word_and_punctuation_the_first_of_a_sentence() -> None:
    text = "Gunamos is in Boston. Rimul? “Ünlü!” he said: Lakur-Kaben of A_b C3 iPod X. EU"
    words = [(text[begin:end], first) for begin, end, first in capitalised(text)]
    assert [word for word, _ in words] == NAME.findall(text)
    assert [word for word, first in words if first] == ["Gunamos", "Rimul", "Ünlü", "Lakur", "EU"]
    assert next(capitalised("Rimul is", first=False)) == (0, 5, False)


@pytest.mark.parametrize(
    ("text", "everywhere", "inside"),
    [
        ("Gunamos is in Boston.", ["Gunamos"], []),
        ("Tom and Rimul, by Lakur's river", ["Rimul", "Lakur"], ["Rimul", "Lakur"]),
        ("He said: Rimul Lakur is in the Vantor river", ["Rimul Lakur", "Vantor"], ["Lakur", "Vantor"]),
        ("Where is Rimul  Lakur, Kaben?", ["Rimul  Lakur", "Kaben"], ["Rimul  Lakur", "Kaben"]),
        ("TOM IS IN THE GARNIX", ["GARNIX"], ["GARNIX"]),
        ("the rimul is in boston", [], []),
        (
            "**Rimul** is by https://Lakur.com/Kaben, Tom",
            ["Rimul", "https://Lakur.com/Kaben"],
            ["https://Lakur.com/Kaben"],
        ),
        ("He is in 3 Rimul", ["3", "Rimul"], ["3", "Rimul"]),
        ("I know Škadu, Łorim and Œrim", ["Škadu", "Łorim", "Œrim"], ["Škadu", "Łorim", "Œrim"]),
        ("Tom knows O'Rimul and O’Tom", ["O'Rimul"], ["O'Rimul"]),
        (
            "Tom-Rimul, Rimul-Tom-Lakur and Lakur-O'Tom",
            ["Tom-Rimul", "Rimul-Tom-Lakur", "Lakur-O'Tom"],
            ["Tom-Rimul", "Rimul-Tom-Lakur", "Lakur-O'Tom"],
        ),
        ("Tom met Rimul-Tom Lakur, X-Rimul and Tom-Boston", ["Rimul-Tom Lakur", "Rimul"], ["Rimul-Tom Lakur", "Rimul"]),
    ],
)
def test_unknown_words_with_a_capital_are_kept(text: str, everywhere: list[str], inside: list[str]) -> None:
    assert kept(text) == everywhere
    assert kept(text, INSIDE) == inside
    segment = keep(Segment(text), Keeping("en", "de", names=EVERYWHERE))
    assert restore(segment).text == text
    assert not list(keep(Segment(text), Keeping("en", "de", nothing=True, names=EVERYWHERE)).marks)


def test_marks_of_the_document_do_not_begin_a_sentence() -> None:
    bold = [Mark(0, OPEN, "<b>"), Mark(0, CLOSE, "</b>")]
    assert kept(["Tom and ", bold[0], "Rimul", bold[1], " said"], INSIDE) == ["Rimul"]
    for before in ([], ["Tom said. "], ["Tom", bold[0], " said!", bold[1], " "]):
        assert kept([*before, bold[0], "Rimul", bold[1], " said"], INSIDE) == []
        assert kept([*before, bold[0], "Rimul", bold[1], " said"]) == ["Rimul"]


def test_composed_and_decomposed_letters_are_the_same() -> None:
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, "He is Rümüs, Ünlü said")
        assert kept(text) == [unicodedata.normalize(form, "Rümüs")]


def test_the_users_patterns_win() -> None:
    segment = keep(Segment("Tom is in Rimul"), Keeping("en", "de", ("in R[a-z]+",), names=EVERYWHERE))
    assert [str(mark.code) for mark in segment.marks] == ["in Rimul"]


@pytest.mark.parametrize("unit", ["Rimul ", "Rimul 7 ", "Rimul, %s ", "A"])
def test_time_grows_with_the_length_alone(unit: str) -> None:
    begin = time.process_time()
    keep(Segment(unit * 20_000), Keeping("en", "de", names=EVERYWHERE))
    assert time.process_time() - begin < 5


def test_more_words_are_no_names() -> None:
    more = INSIDE.with_words(["rimul"])
    assert kept("Tom and Rimul, by Lakur's river", more) == ["Lakur"]
    assert more.key != INSIDE.key != INSIDE.with_words(["lakur"]).key != more.key
    assert more == INSIDE.with_words(["rimul"])
