"""Android's strings.xml: texts are replaced in place, and all else stays byte for byte."""

import io
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roundtrip import LEFT, PLAIN, RIGHT, identity, marked, segments, unmarked

from seq2seq.documents.document import translated
from seq2seq.documents.messages import android
from seq2seq.errors import InputError
from seq2seq.segments.segment import CLOSE, OPEN, VALUE, Segment

XLIFF = ' xmlns:xliff="urn:oasis:names:tc:xliff:document:1.2"'


def resources(content: str, attributes: str = "") -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>\n<resources{attributes}>\n{content}\n</resources>\n'.encode()


def string(text: str, attributes: str = "") -> bytes:
    return resources(f'    <string name="a"{attributes}>{text}</string>', XLIFF)


DOCUMENTS = {
    "string": string("Hello"),
    "several": resources('<string name="a">One</string>\n<!-- Two -->\n<string name="b">Two</string><skip/>'),
    "not to translate": string("Hello", ' translatable="false"'),
    "array": resources('<string-array name="a">\n<item>One</item><item>@string/b</item>\n<item/></string-array>'),
    "array not to translate": resources('<string-array translatable="false" name="a"><item>One</item></string-array>'),
    "plurals": resources(
        '<plurals name="a"><item quantity="one">%d day</item><item quantity="other">%d days</item></plurals>'
    ),
    "other resources": resources(
        '<color name="c">#fff</color><integer name="i">1</integer><array><item>x</item></array>'
    ),
    "item": resources('<item type="string" name="a">Hello</item><item type="id" name="b">x</item>'),
    "references": string("@string/other") + b"<!-- x -->",
    "attribute reference": string("?attr/other"),
    "at": string("\\@home and \\?"),
    "apostrophe": string('It\\\'s \\"here\\"'),
    "quoted": string('"It\'s  here "'),
    "quoted in part": string('Say "  hello  " now'),
    "newline": string("\\nOne\\nTwo\\t\\u00e9\\n"),
    "smiley": string("Hi \\ud83d\\ude00 you"),
    "spaces": string("\n      A long\n        line   here\n    "),
    "kept space": string("Name:\\u0020"),
    "backslash": string("C:\\\\dir \\# \\x"),
    "inline": string("Press <b>the <i>big</i></b> key"),
    "xliff": string('Hello <xliff:g id="n" example="Ann">%1$s</xliff:g>, you have <b>%2$d</b> mails'),
    "escaped markup": string("Press &lt;b>OK&lt;/b> &amp;amp; go"),
    "CDATA": string('<![CDATA[<b>It\\\'s</b> & <a href=\\"x\\">more</a>]]>'),
    "tags with bare quotes": string('<![CDATA[See <a href="//a.b/c d">the "help"</a> <i class=\\"x\\">now</i>]]>'),
    "escaped tags with bare quotes": string('See &lt;a href="%1$s">our rules&lt;/a>.'),
    "CDATA in part": string("A <![CDATA[<b>]]> b"),
    "entity": b'<!DOCTYPE resources [<!ENTITY app "My App">]>\n' + string("Open &app; now").partition(b"\n")[2],
    "comment inside": string("A <!-- x --> word"),
    "placeholders alone": string("%1$s") + b"\n\n",
    "no words": string("...") + b"  ",
    "empty": string(""),
    "no strings": resources(""),
    "no end": string("Hello").rstrip(),
    "CRLF": string("A\n  B").replace(b"\n", b"\r\n"),
    "tools": resources(
        '<string name="a" tools:ignore="x">Hi</string>', ' xmlns:tools="http://schemas.android.com/tools"'
    ),
    "Latin-1": string("Grüße").decode().replace("utf-8", "ISO-8859-1").encode("latin-1"),
    "UTF-16": string("Grüße, it\\'s").decode().replace("utf-8", "UTF-16").encode("utf-16"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_identity_is_byte_for_byte(name: str) -> None:
    assert identity(android, DOCUMENTS[name]) == DOCUMENTS[name]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_marked_changes_texts_alone(name: str) -> None:
    before, after = DOCUMENTS[name], marked(android, DOCUMENTS[name])
    encoding = "utf-16" if name == "UTF-16" else "latin-1" if name == "Latin-1" else "utf-8"
    found = [s.text for s in segments(android, before)]
    assert [s.text for s in segments(android, after)] == [f"{LEFT}{text}{RIGHT}" for text in found]
    again = unmarked(after.decode(encoding).replace(f"&#{ord(LEFT)};", LEFT).replace(f"&#{ord(RIGHT)};", RIGHT))
    assert [s.text for s in segments(android, again.encode(encoding))] == found
    if name not in (
        "spaces",
        "quoted in part",
        "newline",
        "smiley",
        "kept space",
        "backslash",
        "at",
        "CRLF",
        "escaped markup",
        "tags with bare quotes",
        "escaped tags with bare quotes",
        "CDATA in part",
        "comment inside",
    ):
        assert again == before.decode(encoding)
    if name != "entity":
        old, new = (ElementTree.fromstring(content) for content in (before, after))
        for one, other in zip(old.iter(), new.iter(), strict=True):
            assert (one.tag, one.attrib) == (other.tag, other.attrib)


def test_strings_that_a_parser_finds_are_marked_and_nothing_else() -> None:
    content = b"".join(
        document.partition(b"<resources")[2].partition(b">")[2].rpartition(b"</resources>")[0]
        for name, document in DOCUMENTS.items()
        if name not in ("entity", "Latin-1", "UTF-16", "tools")
    )
    after = marked(android, resources(content.decode(), XLIFF)).decode()
    root = ElementTree.fromstring(after)
    for element in root.iter():
        if (
            element.tag in ("color", "integer", "array")
            or element.get("translatable") == "false"
            or element.get("type") == "id"
        ):
            assert LEFT not in "".join(element.itertext())
        elif element.tag == "string" and any(c.isalnum() for c in "".join(element.itertext())):
            text = "".join(element.itertext()).strip()
            assert text[0] in "@?" or text.count(LEFT) == text.count(RIGHT) == 1


TEXTS = {
    "array": ["One"],
    "plurals": ["%d day", "%d days"],
    "item": ["Hello"],
    "references": [],
    "attribute reference": [],
    "at": ["@home and ?"],
    "apostrophe": ['It\'s "here"'],
    "quoted": ["It's  here"],
    "quoted in part": ["Say   hello   now"],
    "newline": ["One\nTwo\té"],
    "smiley": ["Hi \U0001f600 you"],
    "spaces": ["A long line here"],
    "kept space": ["Name:"],
    "backslash": ["C:\\dir # x"],
    "escaped markup": ["Press <b>OK</b> &amp; go"],
    "CDATA": ['<b>It\'s</b> & <a href="x">more</a>'],
    "tags with bare quotes": ['See <a href="//a.b/c d">the help</a> <i class="x">now</i>'],
    "escaped tags with bare quotes": ['See <a href="%1$s">our rules</a>.'],
    "entity": ["Open  now"],
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    assert [s.text for s in segments(android, DOCUMENTS[name])] == TEXTS[name]


WRITTEN = {
    "at": f"{LEFT}@home and ?{RIGHT}",
    "apostrophe": f'{LEFT}It\\\'s \\"here\\"{RIGHT}',
    "quoted": f'"{LEFT}It\'s  here{RIGHT} "',
    "quoted in part": f"{LEFT}Say \\u0020 hello \\u0020 now{RIGHT}",
    "newline": f"\\n{LEFT}One\\nTwo\\té{RIGHT}\\n",
    "kept space": f"{LEFT}Name:{RIGHT}\\u0020",
    "backslash": f"{LEFT}C:\\\\dir # x{RIGHT}",
    "CDATA": f'<![CDATA[{LEFT}<b>It\\\'s</b> & <a href=\\"x\\">more</a>{RIGHT}]]>',
    "tags with bare quotes": f'<![CDATA[{LEFT}See <a href="//a.b/c d">the help</a> <i class="x">now</i>{RIGHT}]]>',
    "escaped tags with bare quotes": f'{LEFT}See &lt;a href="%1$s"&gt;our rules&lt;/a&gt;.{RIGHT}',
    "inline": f"{LEFT}Press <b>the <i>big</i></b> key{RIGHT}",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_translations_are_escaped(name: str) -> None:
    assert f">{WRITTEN[name]}</string>" in marked(android, DOCUMENTS[name]).decode()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("@home", "\\@home"),
        ("?", "\\?"),
        ("a @b", "a @b"),
        ("a  b", "a \\u0020b"),
        (" a ", "\\u0020a\\u0020"),
        ("<&>", "&lt;&amp;&gt;"),
    ],
)
def test_escapes_of_what_has_a_meaning(text: str, escaped: str) -> None:
    events = android.events(io.BytesIO(string("x")), PLAIN)
    assert b"".join(translated(events, lambda source: (Segment(text) for _ in source))) == string(escaped)
    if any(char.isalnum() for char in text):
        assert [s.text for s in segments(android, string(escaped))] == [text.strip()]


def test_marks() -> None:
    (found,) = segments(android, DOCUMENTS["xliff"])
    assert found.text == "Hello , you have %2$d mails"
    assert [(mark.kind, mark.position) for mark in found.marks] == [(VALUE, 6), (OPEN, 17), (CLOSE, 21)]


def test_marks_in_another_order_are_written_from_their_codes() -> None:
    def turned(source: Iterator[Segment]) -> Iterator[Segment]:
        for found in source:
            value, start, end = found.marks
            yield Segment.of_parts([start, "Zwei", end, " '", value, "'"])

    result = b"".join(translated(android.events(io.BytesIO(DOCUMENTS["xliff"]), PLAIN), turned))  # type: ignore[arg-type]
    assert b'><b>Zwei</b> \\\'<xliff:g id="n" example="Ann">%1$s</xliff:g>\\\'</string>' in result


def test_a_space_before_a_value_is_a_plain_space() -> None:
    def turned(source: Iterator[Segment]) -> Iterator[Segment]:
        for found in source:
            yield Segment.of_parts(["Eins ", *found.marks[1:], "zwei ", found.marks[0]])

    result = b"".join(translated(android.events(io.BytesIO(DOCUMENTS["xliff"]), PLAIN), turned))  # type: ignore[arg-type]
    assert b">Eins <b></b>zwei <xliff:g" in result


@settings(max_examples=200)
@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20), st.booleans())
def test_any_translation_is_read_back(text: str, quoted: bool) -> None:
    events = android.events(io.BytesIO(string('"x"' if quoted else "x")), PLAIN)
    document = b"".join(translated(events, lambda source: (Segment(f"a{text}b ") for _ in source)))
    assert [s.text for s in segments(android, document)] == [
        f"a{text}b".replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: not well-formed XML: no element found"),
        (DOCUMENTS["string"][:80], "not well-formed XML: "),
        (b"<html/>", "line 1: the root element is <html>; Android has <resources>"),
        (string("a \\u12x4"), "line 3: .u12x4 in a text"),
        (string("a \\ud83d b"), "line 3: half a character"),
        (DOCUMENTS["Latin-1"].replace(b"ISO-8859-1", b"utf-8"), "line 3: not well-formed XML"),
    ],
)
def test_what_is_broken_is_one_line_that_says_where(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        identity(android, content)
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(DOCUMENTS)), st.integers(0, 300), st.integers(0, 9), st.binary(max_size=3))
def test_mutated_files_are_read_or_refused(name: str, place: int, size: int, inserted: bytes) -> None:
    content = DOCUMENTS[name][:place] + inserted + DOCUMENTS[name][place + size :]
    try:
        assert identity(android, content) == content
        marked(android, content)
    except InputError:
        return
