"""XML as tokens: their bytes are the document, whatever the size of its parts, and what expat reads is in them."""

import io
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq.documents.messages import xml_bytes as xml
from seq2seq.documents.messages.xml_bytes import COMMENT, END, OTHER, REFERENCE, START, TEXT

DOCUMENT = """<?xml version="1.0"?>
<!-- before --><!DOCTYPE a [ <!ENTITY e "x"> ]>
<a x = '1>2' xmlns:p="urn:p">é&amp;&#65;<![CDATA[<b>]]>\r\n<p:b/><c ></c
>&e;<?pi x?><!-- in --> </a> <!-- after -->
"""


def test_tokens() -> None:
    found = [(t.kind, t.name, t.text, t.raw.decode()) for t in xml.Reader(io.BytesIO(DOCUMENT.encode()))]
    inside = found[[kind for kind, *_ in found].index(START) :]
    assert inside[:13] == [
        (START, "a", "", "<a x = '1>2' xmlns:p=\"urn:p\">"),
        (TEXT, "", "é&A<b>\n", "é&amp;&#65;<![CDATA[<b>]]>\r\n"),
        (START, "urn:p b", "", "<p:b/>"),
        (END, "urn:p b", "", ""),
        (START, "c", "", "<c >"),
        (END, "c", "", "</c\n>"),
        (REFERENCE, "", "", "&e;"),
        (COMMENT, "", "", "<?pi x?>"),
        (COMMENT, "", "", "<!-- in -->"),
        (TEXT, "", " ", " "),
        (END, "a", "", "</a>"),
        (OTHER, "", "", " "),
        (COMMENT, "", "", "<!-- after -->"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("length", [1, 65_400, 65_536, 70_000, 200_000])
def test_the_bytes_of_the_tokens_are_the_document(encoding: str, length: int) -> None:
    filler = "x é\n" * (length // 4)
    for content in (
        DOCUMENT,
        DOCUMENT.replace("in", filler),
        DOCUMENT.replace("é", filler),
        DOCUMENT.replace("1>2", filler),
        DOCUMENT.replace("before", filler),
    ):
        document = content.encode(encoding)
        reader = xml.Reader(io.BytesIO(document))
        tokens = list(reader)
        assert xml.raw(tokens) == document
        assert reader.encoding == {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
        names = [t.local for t in tokens if t.kind == START]
        assert names == ["a", "b", "c"]
        assert all(t.raw.decode(reader.encoding)[0] == "<" for t in tokens if t.kind == START)


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=40))
def test_escaped_text_is_read_back(text: str) -> None:
    valid = "".join(
        c if c in "\t\n\r" or c >= " " else "\ufffd" for c in text.replace("\ufffe", "").replace("\uffff", "")
    )
    for encoding in ("utf-8", "ascii"):
        document = b"<a>%s</a>" % xml.escaped(valid, encoding)
        assert (ElementTree.fromstring(document).text or "") == valid
        as_cdata = ElementTree.fromstring(b"<a>%s</a>" % xml.cdata(valid.replace("\r", ""), encoding))
        assert (as_cdata.text or "") == valid.replace("\r", "")


def test_control_characters_become_replacement_characters() -> None:
    assert xml.escaped("a\0b\ud800\x1b", "utf-8") == "a\ufffdb\ufffd\ufffd".encode()


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("<a>", '<a s="v">'),
        ("<a/>", '<a s="v"/>'),
        ("<a  s = 'u'  b='s=\"1\"'>", "<a  s = 'v'  b='s=\"1\"'>"),
        ("<a b='s=1'\n\ts=\"u\"/>", "<a b='s=1'\n\ts=\"v\"/>"),
        ('<a xs="1" s1="2">', '<a s="v" xs="1" s1="2">'),
    ],
)
def test_an_attribute_is_set(tag: str, expected: str) -> None:
    assert xml.with_attribute(tag, "s", "v") == expected
