"""Segments as sentences for a model: nothing is lost on the way in or out."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seq2seq.segments.keeping import Keeping, restore
from seq2seq.segments.pairs import prefix_text
from seq2seq.segments.pieces import piece
from seq2seq.segments.placing import place
from seq2seq.segments.reading import Part, Reading, Sentence, read
from seq2seq.segments.segment import ALONE, BREAK, CLOSE, OPEN, VALUE, Mark, Segment

KEEPING = Keeping("en", "en")
READINGS = [
    Reading("en", keeping, split, 0, pieces)
    for keeping in (KEEPING, Keeping("en", "en", (r"c\w",)), Keeping(nothing=True))
    for split in (True, False)
    for pieces in (0, 2, 16)
]
MARKS = [
    "%s",
    "{a}",
    "<b>",
    "</b>",
    "<br/>",
    "<i x='y'>",
    "</i>",
    "&amp;",
    "https://a.de/b?c",
    "12",
    "3.50",
    "😀",
    "`x y`",
]
WORDS = [
    "A. ",
    "B? ",
    "word",
    " and ",
    ", ",
    "  ",
    "\t",
    "\u00a0",
    "\u200b",
    "é",
    "e\u0301",
    "你好",
    "\ue010",
    "- ",
    "* ",
    "**",
]
THINGS = st.sampled_from([*MARKS, *WORDS])
TEXTS = st.lists(THINGS | st.text(max_size=3), max_size=12).map("".join)


def unchanged(parts: list[Part]) -> Segment:
    """What comes back if each sentence is translated by itself."""
    result: list[str | Mark] = []
    for part in parts:
        if isinstance(part, Sentence):
            result += place(part, part.text, [(i, i) for i in range(len(part.text))]).parts
        else:
            result.append(part)
    return restore(Segment.of_parts(result))


def plain_digits(text: str, like: str) -> str:
    """The text with those digits of other scripts as plain ones which `like`, as long as it, has as plain ones."""
    if len(text) != len(like):
        return text
    plain = [str(unicodedata.decimal(letter, letter)) for letter in text]
    return "".join(b if b == digit else a for a, b, digit in zip(text, like, plain, strict=True))


@given(reading=st.sampled_from(READINGS), text=TEXTS)
@example(reading=READINGS[0], text="\U00011730")  # an Ahom digit
@settings(max_examples=300, deadline=None)
def test_nothing_is_lost_on_the_way_in(reading: Reading, text: str) -> None:
    parts = read(Segment(text), reading)
    source = [inner for part in parts for inner in (part.parts if isinstance(part, Sentence) else [part])]
    result = restore(Segment.of_parts([p for p in source if not isinstance(p, Sentence)])).text
    assert result == plain_digits(text, result)


@given(reading=st.sampled_from(READINGS), text=TEXTS)
@example(reading=Reading("en", KEEPING), text="\u1bb0 km")  # a Sundanese digit
@settings(max_examples=300, deadline=None)
def test_a_translation_that_changes_nothing_gives_everything_back(reading: Reading, text: str) -> None:
    """White space beside a mark may change, and markup inside of a word stands around it; nothing else."""
    result = unchanged(read(Segment(text), reading)).text
    text = plain_digits(text, result)
    assert sorted("".join(result.split())) == sorted("".join(text.split()))
    if not any(isinstance(part, Sentence) and part.inner for part in read(Segment(text), reading)):
        assert result == text


SIXTEEN = Reading("en", KEEPING, pieces=16)


def shown(text: str | Segment, reading: Reading = SIXTEEN) -> list[object]:
    """The parts with sentences as lists of their text, and marks as their codes."""
    parts = read(Segment(text) if isinstance(text, str) else text, reading)
    return [[p.text] if isinstance(p, Sentence) else p if isinstance(p, str) else (p.code,) for p in parts]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("  ", ["  "]),
        ("12345", [("12345",)]),
        ("-", ["-"]),
        ("I am.  You are! ", [["I am."], "  ", ["You are!"], " "]),
        ("- I am %s.", [("- ",), ["I am \ue010."]]),
        ("1. I am. So. 2. Go on.", [("1. ",), ["I am."], " ", ["So."], " ", ["\ue010. Go on."]]),
        ("**I am. So.**", [("**",), ["I am."], " ", ["So."], ("**",)]),
        ("I <b>am</b>.", [["I am."]]),
        ("Hi 😀", [["Hi"], " ", ("😀",)]),
        ("One.<br>Two.", [["One."], ("<br>",), ["Two."]]),
        ("It is 3.50. %d of %s.", [["It is \ue010."], " ", ["\ue010 of \ue011."]]),
        ("Am 3. Mai", [["Am \ue010. Mai"]]),
        ("Ja. (Nein.)", [["Ja."], " ", "(", ["Nein."], ")"]),
        ("[Doch]", ["[", ["Doch"], "]"]),
        ("（はい）", ["（", ["はい"], "）"]),
        ("(**Ja %s**)", ["(", ["Ja \ue010"], ")"]),
        ("(ja) und (nein)", [["(ja) und (nein)"]]),
        ("( a )", [["( a )"]]),
        ("()", ["(", ")"]),
    ],
)
def test_sentences_and_what_stands_between_them(text: str, parts: list[object]) -> None:
    assert shown(text, Reading("de", KEEPING, pieces=16)) == parts


def test_a_pair_that_holds_several_sentences_stands_outside_of_them() -> None:
    segment = Segment("Hi. Go on.", (Mark(0, OPEN, 1), Mark(7, CLOSE, 1), Mark(10, ALONE, 2)))
    assert shown(segment) == [(1,), ["Hi."], " ", ["Go on."], (2,)]  # the CLOSE is in the second
    around = Segment("Hi. Go on.", (Mark(0, OPEN, 1), Mark(10, CLOSE, 1), Mark(10, ALONE, 2)))
    assert shown(around) == [(1,), ["Hi."], " ", ["Go on."], (1,), (2,)]


def test_a_break_divides_also_where_sentences_are_not() -> None:
    tab = Mark(0, BREAK, "tab")
    segment = Segment.of_parts([Mark(0, OPEN, 1), "Name", tab, "Mary", Mark(0, CLOSE, 1), tab, tab, "here"])
    for split in (False, True):
        parts = read(segment, Reading("en", Keeping("en", "de"), split))
        assert [p.text if isinstance(p, Sentence) else getattr(p, "code", p) for p in parts] == [
            *(1, "Name", "tab", "Mary", 1, "tab", "tab", "here")
        ]


def test_values_beyond_the_pieces_are_marks() -> None:
    [sentence] = read(Segment("a %s b %d c"), Reading("en", KEEPING, pieces=1))
    assert isinstance(sentence, Sentence)
    assert sentence.text == "a \ue010 b c"
    assert [(inner.position, inner.mark.code, inner.mark.kind) for inner in sentence.inner] == [(5, "%d", VALUE)]


def test_origins_lead_back_to_the_source() -> None:
    reading = Reading("en", KEEPING, pieces=4)
    text = "So.  Cafe\u0301\u00a0 is\u200b <b>good</b>."
    sentence = read(Segment(text), reading)[-1]
    assert isinstance(sentence, Sentence)
    assert sentence.text == "Café is good."
    without = text.replace("<b>", "").replace("</b>", "")
    assert [without[i] for i in sentence.origins[:-1]] == list("Cafe\u00a0is good.")


@pytest.mark.parametrize(
    ("source", "prefix", "expected"),
    [
        ("He has 5 dogs and 7 cats.", "Er hat 5 ", "Er hat {0} "),
        ("He has 5 dogs and 7 cats.", "Es sind 7 Katzen, 5 ", "Es sind {1} Katzen, {0} "),
        ("He has 5 dogs and 5 cats.", "Er hat 5 und 5, 5", "Er hat {0} und {1}, 5"),
        ("He has 12 dogs.", "Er hat 1", "Er hat 1"),
        ("He has 1.5 dogs.", "Er hat 1,5 ", "Er hat {0} "),
        ("See {name}.", "Siehe <b>{name}</b> 5", "Siehe <b>{0}</b> 5"),
        ("See <b>my {name}</b>.", "Siehe <b>{name}</b><i>", "Siehe {0}<i>"),
        ("The <b>cat</b> sleeps.", "Die <b>Kat", "Die Kat"),
    ],
)
def test_a_prefix_has_the_pieces_of_its_values(source: str, prefix: str, expected: str) -> None:
    """What stands in the prefix is not lacking in the rest of the translation."""
    reading = Reading("en", Keeping("en", "de"), pieces=8)
    [sentence] = [part for part in read(Segment(source), reading) if isinstance(part, Sentence)]
    others = [inner.mark for inner in sentence.inner]
    text, marks = prefix_text(prefix, sentence.values, others, reading)
    assert text == expected.format(*map(piece, range(8)))
    assert {mark for _, mark in marks} == {mark for mark in others if str(mark.code) in prefix}


def test_the_markup_of_a_prefix_comes_with_its_places() -> None:
    reading = Reading("en", Keeping("en", "de"), pieces=8)
    [sentence] = [p for p in read(Segment("See <b>my {name}</b>."), reading) if isinstance(p, Sentence)]
    opened, closed = [inner.mark for inner in sentence.inner]
    assert prefix_text("Siehe <b>{name}</b><i>", sentence.values, [opened, closed], reading) == (
        f"Siehe {piece(0)}<i>",
        [(6, opened), (7, closed)],
    )
