"""Plain text: lines, and hard-wrapped paragraphs.

With every segment marked, paragraphs are wrapped anew; so what `marked` gives is compared without its white space.
"""

import io
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from roundtrip import LEFT, PLAIN, RIGHT, identity, marked, segments, unmarked

from seq2seq.documents.document import translated
from seq2seq.documents.plain import lines, paragraphs
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

WRAPPED = """\
It was the best of times, it was the worst of times, it was the age of
wisdom, it was the age of foolishness, it was the epoch of belief, it
was the epoch of incredulity.
"""
AWKWARD = [
    "",
    "\n",
    " ",
    "one line without an end",
    "one line\n",
    "Windows\r\nlines\r\n",
    "mixed\nline\r\nends\rhere",
    "\n\n\nblank lines around\n\n\n",
    "  white space around  \t\n\u00a0no-break\u00a0\n\u3000ideographic\u3000\n",
    "-----\n*****\n\n=====\n12\n",
    "\ufeffmark\n",
    WRAPPED,
    WRAPPED.replace("\n", "\r\n"),
    "    " + WRAPPED,
    "> On Monday, somebody wrote a line that is long enough to wrap\n> and another.\n>> A quotation in it.\n>\n> \n",
    "- an item which is so long that it was wrapped after these words\n  and goes on\n- next\n1. one\n2) two\n• x\n",
    "Roses are red,\nViolets are blue,\nSugar is sweet.\n",
    "Name      Age   City\nAnna       12   Paris\nJohn\t13\tRome\n",
    "  $ cp -a  source   target      # copies\n",
    "a\x0bb\x0cc\x85d\u2028e\n",
    "trailing spaces of a long line that was wrapped by hand in the end   \nand goes on here   \n",
    "-\n- \n*\n>\n1.  --\n> 2)\n3. 4. x\n",
    "漢字の長い行はここで折り返されています。この行はとても長いので、\nここに続きます。\n",
    "a\u00ad\nb trans-\nlation of a word at the end of a line that was long enough\n",
    "x" * 200_000,
    "word " * 50_000 + "\n",
    "é" * 70_000 + "\r\n" + "\U0001f600" * 20_000,
]
FORMATS = [lines, paragraphs]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]


def texts(form: ModuleType, document: str) -> list[str]:
    return [segment.text for segment in segments(form, document.encode())]


def changed(form: ModuleType, document: str, words: dict[str, str]) -> str:
    """The document with the segments that `words` holds replaced."""
    events = form.events(io.BytesIO(document.encode()), PLAIN)
    return b"".join(translated(events, lambda s: (Segment(words.get(x.text, x.text)) for x in s))).decode()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("document", AWKWARD, ids=range(len(AWKWARD)))
@pytest.mark.parametrize("form", FORMATS)
def test_identity(form: ModuleType, document: str, encoding: str) -> None:
    assert identity(form, document.encode(encoding)) == document.encode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("document", AWKWARD, ids=range(len(AWKWARD)))
def test_lines_differ_in_nothing_but_segments(document: str, encoding: str) -> None:
    result = marked(lines, document.encode(encoding)).decode(encoding)
    assert unmarked(result) == document.encode(encoding).decode(encoding)
    for line in io.StringIO(result, newline=""):
        core = line.strip().removeprefix("\ufeff")
        assert (core.startswith(LEFT) and core.endswith(RIGHT)) == any(c.isalnum() for c in core)


@pytest.mark.parametrize("document", AWKWARD, ids=range(len(AWKWARD)))
def test_paragraphs_differ_in_white_space_at_most(document: str) -> None:
    result = marked(paragraphs, document.encode()).decode()
    assert result.count(LEFT) == result.count(RIGHT) == len(texts(paragraphs, document))
    plain = (unmarked(result), document.replace("\u00ad\nb", "b"))
    assert len({"".join(text.replace(">", "").split()) for text in plain}) == 1  # more lines, each with a sign


@given(st.text(st.sampled_from("ab1.-> \t\r\n*漢，\u00a0\ufeff"), max_size=200))
def test_identity_of_any_text(document: str) -> None:
    for form in FORMATS:
        assert identity(form, document.encode()) == document.encode()
        marked(form, document.encode())


@given(st.binary(max_size=60), st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"a\r\nb\n"]))
def test_any_bytes_come_back_or_are_an_error_with_a_line(data: bytes, start: bytes) -> None:
    for form in FORMATS:
        try:
            assert identity(form, start + data) == start + data
        except InputError as error:
            assert str(error).startswith("line ")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"one\ntwo\nthr\xe9e\n", "line 3: not UTF-8"),
        (b"one\r\ntwo \xc3", "line 2: not UTF-8"),
        (b"a line\n" * 20_000 + b"\xff", "line 20001: not UTF-8"),
        (b"one\0", "line 1: a NUL character"),
        ("one\ntwo".encode("utf-16-le"), "line 1: a NUL character"),
        (b"\xff\xfea\0\n\0b", "line 2: not UTF-16"),
    ],
)
def test_text_in_another_character_set_is_an_error(document: bytes, message: str) -> None:
    for form in FORMATS:
        with pytest.raises(InputError, match=message):
            identity(form, document)


def test_lines_may_become_longer() -> None:
    assert changed(lines, " a \r\nb", {"a": "one\ntwo", "b": "é"}) == " one two \r\né"


def test_a_paragraph_is_joined_and_wrapped_again() -> None:
    (text,) = texts(paragraphs, WRAPPED)
    assert text == WRAPPED.replace("\n", " ").strip()
    assert changed(paragraphs, WRAPPED, {text: text + " "}) == WRAPPED
    result = changed(paragraphs, "\n" + WRAPPED + "\nNext.\n", {text: text.replace("best", "very best")})
    assert result == (
        "\nIt was the very best of times, it was the worst of times, it was the\n"
        "age of wisdom, it was the age of foolishness, it was the epoch of\n"
        "belief, it was the epoch of incredulity.\n\nNext.\n"
    )


def test_indents_bullets_and_quotations_are_kept() -> None:
    document = (
        "  The first line has an indent and is followed by another one, which\r\nhas none.\r\n"
        "- The first item of the list, which is so long that it has two lines,\r\n  this being the second.\r\n"
        "12. Second.\r\n"
        "> A quotation in an answer, which was wrapped by a program, and which\r\n> goes on.\r\n> > No.\r\n"
    )
    found = texts(paragraphs, document)
    assert found == [
        "The first line has an indent and is followed by another one, which has none.",
        "The first item of the list, which is so long that it has two lines, this being the second.",
        "Second.",
        "A quotation in an answer, which was wrapped by a program, and which goes on.",
        "No.",
    ]
    result = changed(paragraphs, document, {text: text.replace("which", "and which really") for text in found})
    assert result == (
        "  The first line has an indent and is followed by another one, and\r\nwhich really has none.\r\n"
        "- The first item of the list, and which really is so long that it has\r\n"
        "  two lines, this being the second.\r\n"
        "12. Second.\r\n"
        "> A quotation in an answer, and which really was wrapped by a\r\n"
        "> program, and and which really goes on.\r\n> > No.\r\n"
    )


def test_an_indented_line_begins_a_paragraph_where_the_lines_before_have_none() -> None:
    first = "   The first paragraph begins with an indent as it is usual in\nbooks, and it has two lines.\n"
    document = first + first.replace("first", "second")
    assert texts(paragraphs, document) == [
        f"The {number} paragraph begins with an indent as it is usual in books, and it has two lines."
        for number in ("first", "second")
    ]


def test_what_is_laid_out_by_hand_is_translated_line_by_line() -> None:
    assert texts(paragraphs, "Roses are red,\nViolets are blue.\n") == ["Roses are red,", "Violets are blue."]
    long = "a line that nobody wrapped " * 7
    assert texts(paragraphs, f"{long}\n{long}\n") == [long.strip(), long.strip()]


def test_the_columns_of_a_table_stay_where_they_are() -> None:
    table = "Name     Town      Age\nJohn     Rome       12\nx\ty\n"
    assert texts(paragraphs, table) == ["Name", "Town", "Age", "John", "Rome", "12", "x", "y"]
    result = changed(paragraphs, table, {"Name": "Nom", "Town": "Ville", "Rome": "Città di Roma", "x": "xxx"})
    assert result == "Nom      Ville     Age\nJohn     Città di Roma  12\nxxx\ty\n"


def test_words_divided_at_a_line_end_are_joined() -> None:
    start = "These words are here to make the line longer than forty characters"
    assert texts(paragraphs, f"{start} well-\nknown\n") == [f"{start} well-known"]
    assert texts(paragraphs, f"{start} Haus-\nund Hof\n") == [f"{start} Haus- und Hof"]
    assert texts(paragraphs, f"{start} com\u00ad\nputer\n") == [f"{start} computer"]
    chinese = "这是一个很长的句子" * 3  # 54 columns
    assert texts(paragraphs, f"{chinese}\n{chinese}\n") == [chinese * 2]


def test_a_wrapped_line_does_not_become_a_list_item() -> None:
    document = "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj\nkkkk llll\n"
    (text,) = texts(paragraphs, document)
    result = changed(paragraphs, document, {text: text.replace("kkkk", "- kkkk") + " x" * 30})
    assert all(not line.startswith("- ") for line in result.split("\n"))
    assert " ".join(result.split()) == text.replace("kkkk", "- kkkk") + " x" * 30
