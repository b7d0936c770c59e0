"""Text as models read it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq.segments.normalisation import normalise, tidy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Die T\u0075\u0308r", "Die Tür"),
        ("a\u00a0b\u2003c\td", "a b c d"),
        ("a   b", "a b"),
        ("sof\u00adt", "soft"),
        ("ze\u200bro \ufeffbom", "zero bom"),
        ("\u202eright\u202c \u2066left\u2069", "right left"),
        ("“a” „b“ «c» ‘d’ it’s", '"a" "b" "c" \'d\' it\'s'),
        ("a—b a–b a‑b −1", "a–b a–b a-b -1"),
        ("wait…", "wait..."),
        ("the ﬁrst oﬃce ﬂoor", "the first office floor"),
        ("ＡＢｃ １２", "ABc 12"),
        ("ﾊﾟｰﾃｨｰの ｶﾞﾗｽ｡", "パーティーの ガラス。"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("a\u200cb", "ab"),
        ("가", "가"),
        ("x\x00y\x07", "xy"),
        ("Plain 'text' - \"as\" it stands.", "Plain 'text' - \"as\" it stands."),
    ],
)
def test_one_form_of_each_thing(text: str, expected: str) -> None:
    assert normalise(text).text == expected


@given(st.text())
def test_it_is_composed_visible_and_normalised_once(text: str) -> None:
    result, origins = normalise(text)
    assert normalise(result).text == result
    assert unicodedata.is_normalized("NFC", result)
    assert "  " not in result
    assert len(origins) == len(result) + 1
    assert list(origins) == sorted(origins)
    assert origins[-1] == len(text)


@given(st.text())
def test_version_0_is_text_as_it_stands(text: str) -> None:
    assert normalise(text, 0) == (text, range(len(text) + 1))
    assert tidy(text, 0) == text


def test_the_target_keeps_its_quotes_and_dashes() -> None:
    assert tidy("„Tu\u0308r“ – a\u00a0b\u00ad…") == "„Tür“ – a b…"
