"""Marks in a translation: each once, pairs around the words they held, never empty, whatever the alignment."""

import re
import time
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.segments.keeping import Keeping, restore
from seq2seq.segments.pieces import is_piece
from seq2seq.segments.placing import place
from seq2seq.segments.reading import Reading, Sentence, read
from seq2seq.segments.segment import CLOSE, OPEN, Mark, Segment

KEEPING = Keeping("en", "en")


def sentence(text: str, pieces: int = 0) -> Sentence:
    [found] = read(Segment(text), Reading("en", KEEPING, split=False, pieces=pieces))
    assert isinstance(found, Sentence)
    return found


def placed(source: str, translation: str, words: list[tuple[str, str]], pieces: int = 0) -> str:
    """The translation of the source with its marks; `words` are aligned pairs of words, the first of their spelling."""
    s = sentence(source, pieces)
    links = [(s.text.index(a) + i, translation.index(b) + i) for a, b in words for i in range(min(len(a), len(b)))]
    return restore(Segment.of_parts(place(s, translation, links).parts)).text


@pytest.mark.parametrize(
    ("source", "translation", "words", "expected"),
    [
        ("a <b>big</b> dog", "ein großer Hund", "a-ein big-großer dog-Hund", "ein <b>großer</b> Hund"),
        ("a <b>big</b> dog", "Hund großer ein", "a-ein big-großer dog-Hund", "Hund <b>großer</b> ein"),
        ("go <b>here</b>, now", "geh hier, jetzt", "go-geh here-hier now-jetzt", "geh <b>hier</b>, jetzt"),
        ("a <b>big dog</b>.", "x Hund ein y.", "a-ein big-Hund dog-y", "x <b>Hund</b> ein y."),
        ("a <b>b <i>c</i></b> d", "w x y z", "a-w b-x c-y d-z", "w <b>x <i>y</i></b> z"),
        ("a <b>b</b> c", "x y z", "a-x c-z", "x <b>y</b> z"),
        ("the <b>cat</b> sits", "die Katze sitzt", "cat-die cat-Katze sits-sitzt", "die <b>Katze</b> sitzt"),
        ("see <b>cats</b> sit", "sehe die Katzen", "see-sehe cats-die cats-Katzen", "sehe <b>die Katzen</b>"),
        ("the <b>big cat</b>", "die große Katze", "big-die big-große cat-Katze", "die <b>große Katze</b>"),
        ("the <b>cat</b>", "Katze", "cat-Katze", "<b>Katze</b>"),
        ("<b>cat</b> sits", "die Katze sitzt", "cat-die cat-Katze sits-sitzt", "<b>die Katze</b> sitzt"),
        ("<b>a</b> <i>b</i> c", "x y z", "a-x a-y", "<b>x y</b> <i>z</i>"),
        ("say %s to me", "sag mir", "say-sag me-mir", "sag %s mir"),
        ("say (%s) to me", "sag mir", "say-sag me-mir", "sag %s mir"),
        ("hello %s!", "hallo!", "hello-hallo", "hallo %s!"),
        ("%s hello", "hallo", "hello-hallo", "%s hallo"),
        ("one<br/>two", "eins zwei", "one-eins two-zwei", "eins<br/>zwei"),
        ("a<wbr/>b<br/>c", "x y z", "a-z b-x c-y", "x<wbr/>y z<br/>"),  # marks between words keep their order
        ("good 😀, no", "gut, nein", "good-gut no-nein", "gut 😀, nein"),
    ],
)
def test_marks_follow_their_words(source: str, translation: str, words: str, expected: str) -> None:
    pairs = [(a, b) for a, _, b in (word.partition("-") for word in words.split())]
    assert placed(source, translation, pairs).replace("(", "").replace(")", "") == expected


def test_values_stand_where_their_pieces_are() -> None:
    assert placed("a %s b %d c", "x \ue011 y \ue010.", [], pieces=4) == "x %d y %s."
    assert placed("a %s b %d c", "x \ue011 y", [("a", "x")], pieces=4) == "x %s %d y"  # a piece is missing
    assert placed("a %s b", "\ue010 \ue010 \ue015 y", [], pieces=4).split() == ["%s", "y"]  # others do not count


def test_markup_around_a_value_stands_around_its_piece() -> None:
    """Whatever else is aligned to it."""
    assert placed("a <b>%s</b> c", "x \ue010 y", [("\ue010", "x"), ("c", "y")], pieces=4) == "x <b>%s</b> y"


ENDS = st.sampled_from(["<b>", "</b>", "<i>", "</i>", "<br/>", "%s", "%d", "😀"])
SOURCES = st.lists(ENDS | st.sampled_from(["one", "two", "three,", "four"]), min_size=1, max_size=9).map(" ".join)


@given(SOURCES, st.lists(st.sampled_from(["x", "yy", "z!", ",", "\ue010", "\ue011"]), max_size=6), st.data())
@settings(max_examples=600, deadline=None)
def test_each_mark_stands_once_and_pairs_are_balanced(source: str, target: list[str], data: st.DataObject) -> None:
    pieces = data.draw(st.sampled_from([0, 1, 8]))
    text = " ".join(target)
    for s in read(Segment(source), Reading("en", KEEPING, pieces=pieces)):
        if not isinstance(s, Sentence):
            continue
        links = [(data.draw(st.integers(0, len(s.text) - 1)), i) for i in range(len(text)) if data.draw(st.booleans())]
        result = Segment.of_parts(place(s, text, links).parts)
        marks = [p for p in s.parts if isinstance(p, Mark)]
        assert Counter(m.code for m in result.marks) == Counter(m.code for m in marks)
        assert not any(map(is_piece, result.text))
        if Segment("", tuple(marks)).balanced():
            assert result.balanced()
            codes = [m.code for m in result.marks if m.kind in (OPEN, CLOSE)]
            assert_nested(codes)


def assert_nested(codes: list[str]) -> None:
    opened: list[str] = []
    for code in codes:
        if code.startswith("</"):
            assert opened.pop() == code.replace("/", "")
        else:
            opened.append(code)


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2, max_size=6), st.data())
@settings(max_examples=300, deadline=None)
def test_a_pair_that_held_words_is_never_empty(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    start = len(" ".join([*words[:first], ""]))
    end = len(" ".join(words[: last + 1]))
    source = Segment(" ".join(words), (Mark(start, OPEN, "x"), Mark(end, CLOSE, "x")))
    text = " ".join(data.draw(st.lists(st.sampled_from(["u", "v", "w"]), min_size=1, max_size=6)))
    for s in read(source, Reading("en", KEEPING)):
        if isinstance(s, Sentence) and s.inner:
            links = [(data.draw(st.integers(0, len(s.text) - 1)), i) for i in range(len(text))]
            parts = place(s, text, links).parts
            ends = [i for i, part in enumerate(parts) if isinstance(part, Mark)]
            assert any(isinstance(p, str) and p.strip() for a, b in pairwise(ends) for p in parts[a:b])


def test_the_time_does_not_grow_with_the_cube_of_the_number_of_pairs() -> None:
    """It took a minute."""
    source = sentence("<b>a</b> " * 400 + "b")
    begin = time.thread_time()
    parts = place(source, "u " * 1000, [(2 * i, 2 * i) for i in range(0, 400, 2)]).parts
    assert sum(isinstance(part, Mark) for part in parts) == 800
    assert time.thread_time() - begin < 5


@pytest.mark.parametrize(
    ("source", "translation", "expected"),
    [
        ("It rained on March 5.", "Es regnete auf \ue010.", "Es regnete am 5. März."),
        ("It rained on March 5.", "Es regnete \ue010.", "Es regnete am 5. März."),
        ("It rained on March 5.", "\ue010 regnete es.", "Am 5. März regnete es."),
        ("it rained on March 5", "\ue010 regnete es", "am 5. März regnete es"),
        ("On March 5 it rained.", "Auf der \ue010 regnete es.", "Am 5. März regnete es."),
        ("It rained on March 5.", "Es regnete on \ue010.", "Es regnete am 5. März."),
        ("It rained on March 5.", "Es regnete am\ue010.", "Es regnete am 5. März."),
        ("It rained at 5 pm.", "Es regnete um \ue010 Uhr.", "Es regnete um 17:00 Uhr."),
        ("It rained since March 5.", "Es regnet seit \ue010.", "Es regnet seit 5. März."),
        ("Since March 5 it rains.", "Der \ue010 ist Regen.", "Der 5. März ist Regen."),
        ("He looked for it in May 2020.", "Sie hat in der im \ue010 es.", "Sie hat in im Mai 2020 es."),
        ("He said: on March 5 and 7 of us", "Er: in \ue010 und \ue011", "Er: am 5. März und 7"),
    ],
)
def test_a_date_has_its_word_before_it(source: str, translation: str, expected: str) -> None:
    """It takes the place of what the model wrote, and begins a sentence with a capital."""
    [found] = read(Segment(source), Reading("en", Keeping("en", "de"), split=False, pieces=4))
    assert isinstance(found, Sentence)
    assert restore(Segment.of_parts(place(found, translation, []).parts)).text == expected


@pytest.mark.parametrize("with_word", [True, False])
@pytest.mark.parametrize(
    ("source", "translation", "expected"),
    [
        ("We met on <b>5 May</b>.", "Wir trafen uns auf \ue010.", "Wir trafen uns am <b>5. Mai</b>."),
        ("We met on <b>5 May</b>.", "Wir trafen uns \ue010.", "Wir trafen uns am <b>5. Mai</b>."),
        ("On <b>5 May</b> we met.", "Auf \ue010 trafen wir uns.", "Am <b>5. Mai</b> trafen wir uns."),
        ("On <b>5 May</b> we met.", "\ue010 trafen wir uns.", "Am <b>5. Mai</b> trafen wir uns."),
        ("We met on <i><b>5 May</b></i>.", "Wir trafen uns on \ue010.", "Wir trafen uns am <i><b>5. Mai</b></i>."),
        ("We met <b>on 5 May</b>.", "Wir trafen uns auf \ue010.", "Wir trafen uns <b>am 5. Mai</b>."),
        ("We met at <b>3 p.m.</b>!", "Wir trafen uns um \ue010!", "Wir trafen uns um <b>15:00</b>!"),
        ("We met since <b>5 May</b>!", "Wir trafen uns seit \ue010!", "Wir trafen uns seit <b>5. Mai</b>!"),
    ],
)
def test_the_word_of_a_date_stands_before_the_tag_as_in_the_source(
    source: str, translation: str, expected: str, with_word: bool
) -> None:
    """Wherever the alignment puts the tag: before the date, or before the word that the model wrote."""
    [found] = read(Segment(source), Reading("en", Keeping("en", "de"), split=False, pieces=4))
    assert isinstance(found, Sentence)
    piece, at = translation.index("\ue010"), found.text.index("\ue010")
    written = re.search(r"(auf|on|um) $", translation[:piece], re.IGNORECASE) if with_word else None
    links = [(at, i) for i in range(written.start() if written else piece, piece + 1)]
    assert restore(Segment.of_parts(place(found, translation, links).parts)).text == expected


def test_a_range_begins_a_sentence_with_a_capital_where_the_source_has_no_case() -> None:
    [found] = read(Segment("9時から18時まで働く"), Reading("ja", Keeping("ja", "en"), split=False, pieces=4))
    assert isinstance(found, Sentence)
    assert restore(Segment.of_parts(place(found, "\ue010 I work", []).parts)).text == "From 9:00 to 18:00 I work"


def test_a_month_begins_a_sentence_with_a_capital() -> None:
    reading = Reading("en", Keeping("en", "fr"), split=False, pieces=4)
    for source, expected in (("March 2020 was cold", "Mars 2020 était froid"), ("in March 2020", "en mars 2020")):
        [found] = read(Segment(source), reading)
        assert isinstance(found, Sentence)
        written = "\ue010" + expected[expected.index(" 2020") + 5 :]
        assert restore(Segment.of_parts(place(found, written, []).parts)).text == expected


@pytest.mark.parametrize(
    ("source", "tgt", "written", "expected"),
    [
        ("Es regnete um 15:30 Uhr.", "en", "It rained at \ue010 o'clock.", "It rained at 15:30."),
        ("Es regnete um 15:30 Uhr.", "fr", "Il pleuvait à \ue010 heures.", "Il pleuvait à 15:30."),
        ("Es regnete um 9 Uhr.", "fr", "Il pleuvait à \ue010 heures.", "Il pleuvait à 9 heures."),
    ],
)
def test_the_word_for_the_hour_is_not_written_twice(source: str, tgt: str, written: str, expected: str) -> None:
    [found] = read(Segment(source), Reading("de", Keeping("de", tgt), split=False, pieces=4))
    assert isinstance(found, Sentence)
    assert restore(Segment.of_parts(place(found, written, []).parts)).text == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("\ue010日に雨が降った", "3月5日に雨が降った"),
        ("\ue010年雨が降った", "3月5日雨が降った"),
        ("\ue010日本に雨が降った", "3月5日日本に雨が降った"),
        ("\ue010人々が来た", "3月5日人々が来た"),
        ("雨は\ue010", "雨は3月5日"),
    ],
)
def test_what_counts_numbers_is_not_written_behind_a_date(written: str, expected: str) -> None:
    [found] = read(Segment("It rained on March 5"), Reading("en", Keeping("en", "ja"), split=False, pieces=4))
    assert isinstance(found, Sentence)
    assert restore(Segment.of_parts(place(found, written, []).parts)).text == expected
