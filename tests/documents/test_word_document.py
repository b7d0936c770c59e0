"""DOCX: law 13, the segments and marks of what Word writes, and translations whose marks stand elsewhere.

The archive is equal byte for byte where nothing changed. Where a paragraph did, its runs are written anew, so that the
comparison is by character: each with the formatting of its run and the containers around it, everything else as
canonical XML.
"""

import io

import pytest
from archives import PICTURE, check_whole, in_reverse, members, shown, zipped
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from roundtrip import LEFT, PLAIN, RIGHT, identity, marked, segments, unmarked

from seq2seq.documents.document import translated
from seq2seq.documents.office import word_document
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SPACES = (
    f'xmlns:w="{W}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    ' xmlns:v="urn:schemas-microsoft-com:vml" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
    ' mc:Ignorable="w14"'
)
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES = f"""{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>
<Override PartName="/word/document.xml" ContentType="{OFFICE}.wordprocessingml.document.main+xml"/>
<Override PartName="/word/header1.xml" ContentType="{OFFICE}.wordprocessingml.header+xml"/>
<Override PartName="/word/footnotes.xml" ContentType="{OFFICE}.wordprocessingml.footnotes+xml"/>
<Override PartName="/word/comments.xml" ContentType="{OFFICE}.wordprocessingml.comments+xml"/>
<Override PartName="/word/styles.xml" ContentType="{OFFICE}.wordprocessingml.styles+xml"/>
<Override PartName="/word/charts/chart1.xml" ContentType="{OFFICE}.drawingml.chart+xml"/>
<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>
</Types>"""
RELS = f"""{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
 Target="word/document.xml"/></Relationships>"""


def r(text: str, properties: str = "", attributes: str = "") -> str:
    """A run."""
    inner = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r{attributes}>{inner}<w:t xml:space="preserve">{text}</w:t></w:r>'


def char(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def field(code: str, result: str) -> str:
    start = f'{char("begin")}<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
    return f"{start}{char('separate')}{result}{char('end')}"


def p(inner: str) -> str:
    return f'<w:p w:rsidR="00A1"><w:pPr/>{inner}</w:p>'


def docx(body: str, **parts: str) -> bytes:
    """A document with this body; other parts by name, `/` as `__`."""
    return zipped(
        {
            "[Content_Types].xml": TYPES,
            "_rels/.rels": RELS,
            "word/document.xml": f"{HEAD}<w:document {SPACES}><w:body>{body}<w:sectPr/></w:body></w:document>",
            "word/styles.xml": f"<w:styles {SPACES}><w:style><w:name w:val='Not text'/></w:style></w:styles>",
            "word/media/image1.png": PICTURE,
            **{name.replace("__", "/") + ".xml": HEAD + data for name, data in parts.items()},
        }
    )


B, ITALIC, NOTE = (
    "<w:b/>",
    "<w:i/>",
    '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:footnoteReference w:id="2"/></w:r>',
)
BOX = (
    '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor>'
    '<wp:docPr id="1" name="Box 1" descr="A box"/>'
    f"<w:txbxContent>{p(r('In a box'))}</w:txbxContent></wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict>"
    f"<v:shape alt='A box'><v:textbox><w:txbxContent>{p(r('In a box'))}</w:txbxContent></v:textbox></v:shape></w:pict>"
    "</mc:Fallback></mc:AlternateContent></w:r>"
)
PICTURE_RUN = (
    '<w:r><w:drawing><wp:inline><wp:docPr id="3" name="Picture 3" descr="A cat" title="Cat"/></wp:inline></w:drawing>'
    "</w:r>"
)

# body -> its segments: < > around pairs, | for ALONE, ~ for BREAK, # for VALUE
BODIES = {
    p(r("Plain text.")): ["Plain text."],
    p(""): [],
    p(r(" ... ") + r("–")): [],
    p(
        r("Hel", attributes=' w:rsidR="1"')
        + '<w:proofErr w:type="spellStart"/>'
        + r("lo", '<w:lang w:val="en-GB"/>')
        + r(" world", "<w:noProof/>")
    ): ["Hello world"],
    p(r("All bold", B)): ["All bold"],
    p(r("Some ") + r("bold", B) + r(" and ") + r("both", B + ITALIC) + r(" words.")): ["Some <bold> and <both> words."],
    p(r("Bold", B) + r(", then not much else here")): ["<Bold>, then not much else here"],
    p(r("Mostly bold text, ", B) + r("but")): ["Mostly bold text, <but>"],
    p(r(" around ")): ["around"],
    p("<w:r><w:t>a&lt;b &amp; c</w:t></w:r>"): ["a<b & c"],
    p("<w:r><w:tab/><w:t>One</w:t><w:br/><w:t>two</w:t><w:tab/></w:r>"): ["One|two"],
    p("<w:r><w:t>X</w:t><w:noBreakHyphen/><w:t>ray</w:t><w:softHyphen/><w:t>ed</w:t></w:r>"): ["X\u2011ray|ed"],
    p(r("A claim") + NOTE + r(" and more.")): ["A claim# and more."],
    p(r("See ") + f'<w:hyperlink r:id="rId9">{r("this ", "<w:u/>")}{r("page", B + "<w:u/>")}</w:hyperlink>' + r(".")): [
        "See <this <page>>."
    ],
    p(f'<w:hyperlink r:id="rId9">{r("Only a link", ITALIC)}</w:hyperlink>'): ["Only a link"],
    p(r("Page ") + field("PAGE", r("12")) + r(" of ") + field("NUMPAGES", r("20"))): ["Page # of #"],
    p(r("Go ") + field('HYPERLINK "http://x.example/"', r("there")) + r(" now")): ["Go <there> now"],
    p(
        char("begin")
        + "<w:r><w:instrText>TOC</w:instrText></w:r>"
        + char("separate")
        + f'<w:hyperlink w:anchor="_Toc1">{r("First chapter")}<w:r><w:tab/></w:r>'
        + f"{field('PAGEREF _Toc1', r('3'))}</w:hyperlink>"
    )
    + p(f'<w:hyperlink w:anchor="_Toc2">{r("Second chapter")}</w:hyperlink>')
    + p(char("end")): ["First chapter~#", "Second chapter"],
    p(
        r("New ")
        + f'<w:ins w:id="1" w:author="A">{r("and inserted ")}</w:ins>'
        + '<w:del w:id="2" w:author="A"><w:r><w:delText>gone</w:delText></w:r></w:del>'
        + r("text")
    ): ["New <and inserted >|text"],
    p(r("Seen") + r("hidden", "<w:vanish/>") + r(" too")): ["Seen| too"],
    p(
        '<w:bookmarkStart w:id="0" w:name="x"/>'
        + r("Marked ")
        + '<w:commentRangeStart w:id="1"/>'
        + r("and noted")
        + '<w:commentRangeEnd w:id="1"/><w:r><w:commentReference w:id="1"/></w:r><w:bookmarkEnd w:id="0"/>'
    ): ["Marked |and noted"],
    p(r("Before ") + BOX + r("after")): ["Before |after", "A box", "In a box", "A box", "In a box"],
    p(r("A ") + PICTURE_RUN + r(" here")): ["A # here", "Cat", "A cat"],
    f"<w:tbl><w:tblPr><w:tblCaption w:val='Caption'/></w:tblPr><w:tr><w:tc>{p(r('Cell'))}</w:tc></w:tr></w:tbl>": [
        "Caption",
        "Cell",
    ],
    f"<w:sdt><w:sdtPr><w:alias w:val='Name'/></w:sdtPr><w:sdtContent>{p(r('Controlled'))}</w:sdtContent></w:sdt>": [
        "Controlled"
    ],
    p(
        r("I am ")
        + f"<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>{r('free', ITALIC)}</w:sdtContent></w:sdt>"
        + f"<w:sdt><w:sdtPr><w:date/></w:sdtPr><w:sdtContent>{r('1 May')}</w:sdtContent></w:sdt>"
    ): ["I am <free>#"],
    p(
        r("Sum ")
        + "<m:oMath><m:r><m:t>x+y</m:t></m:r></m:oMath>"
        + r(" is ")
        + "<w:fldSimple w:instr='DATE'>"
        + r("today")
        + "</w:fldSimple>"
    ): ["Sum # is #"],
    p("<!-- a comment --><w:smartTag><w:smartTagPr/>" + r("Paris") + "</w:smartTag>" + r(" 日本語 🙂")): [
        "<Paris> 日本語 🙂"
    ],
    p(r("a", B) + "<w:r><w:rPr><w:b/></w:rPr><w:br/></w:r>" + r("b", B) + r(" and the longer rest")): [
        "<a|b> and the longer rest"
    ],
    p("<w:unknown/>" + r("Kept") + "<w:r><w:unknown/></w:r>" + r("unknown")): ["Kept|unknown"],
}


def characters(data: bytes) -> list[object]:
    """What a paragraph shows, in order; an independent reading."""
    found = list[object]()

    def read(element: etree._Element, path: tuple[str, ...]) -> None:
        tag = str(element.tag).replace(f"{{{W}}}", "")
        if tag == "r":
            look = [etree.tostring(x, method="c14n") for x in element.iterfind(f"{{{W}}}rPr")]
            for child in element:
                if child.tag == f"{{{W}}}t":
                    found.extend((path, look, letter) for letter in child.text or "")
                elif child.tag != f"{{{W}}}rPr":
                    read(child, (*path, "r"))
        elif tag != "proofErr":
            found.append((path, tag, dict(element.attrib), (element.text or "").strip()))
            for child in element:
                read(child, (*path, tag))
            found.append(("end", path, tag))

    read(etree.fromstring(unmarked(data.decode()).encode(), etree.XMLParser(remove_comments=True)), ())
    return found


def without_languages(data: bytes) -> list[object]:
    """As `characters`; runs that differ in language and proofing only look the same."""
    root = etree.fromstring(data)
    for element in list(root.iter(f"{{{W}}}lang", f"{{{W}}}noProof")):
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
        if not len(parent):
            above = parent.getparent()
            assert above is not None
            above.remove(parent)
    return characters(etree.tostring(root, encoding="utf-8"))


@pytest.mark.parametrize(("body", "expected"), BODIES.items())
def test_segments_and_law_13(body: str, expected: list[str]) -> None:
    found = check_whole(word_document, docx(body), without_languages)
    assert [shown(segment) for segment in found] == expected
    assert all(segment.balanced() for segment in found)


def test_all_of_them_in_one_document() -> None:
    found = check_whole(word_document, docx("".join(BODIES)), without_languages)
    assert [shown(segment) for segment in found] == [text for texts in BODIES.values() for text in texts]


@pytest.mark.parametrize("body", BODIES)
def test_marks_in_another_order_lose_nothing(body: str) -> None:
    document = docx(body)
    written = members(b"".join(translated(word_document.events(io.BytesIO(document), PLAIN), in_reverse)))
    assert flat(written["word/document.xml"]) == flat(members(document)["word/document.xml"])


def flat(data: bytes) -> list[str]:
    """Every element that is no run, and every character, without what is around it."""
    root = etree.fromstring(data)
    skipped = {
        f"{{{W}}}{name}" for name in ["r", "rPr", "t", "b", "i", "u", "lang", "noProof", "proofErr", "vertAlign"]
    }
    elements = [f"{e.tag} {sorted(e.attrib.items())}".lower() for e in root.iter("*") if e.tag not in skipped]
    return sorted([*elements, *(letter.lower() for letter in "".join(root.itertext()) if letter.strip())])


def texts(data: bytes) -> str:
    return unmarked("".join(etree.fromstring(data).itertext()))


def translate(body: str, *parts: list[str | int]) -> str:
    """The body with translations: texts, and numbers of the segment's own marks."""
    document = docx(body)
    waiting = iter(parts)

    def changed(segment: Segment) -> Segment:
        return Segment.of_parts([segment.marks[x] if isinstance(x, int) else x for x in next(waiting)])

    written = b"".join(translated(word_document.events(io.BytesIO(document), PLAIN), lambda s: map(changed, s)))
    text = members(written)["word/document.xml"].decode()
    assert text.startswith(HEAD + "<w:document ")
    return text.partition("<w:body>")[2].partition("<w:sectPr/>")[0]


def test_words_are_put_into_runs_of_their_formatting() -> None:
    body = p(r("Some ") + r("bold", B) + r(" words.") + r("!", "<w:lang/>"))
    assert translate(body, [0, "Fette", 1, " Wörter."]) == p(
        r("Fette", B).replace(' xml:space="preserve"', "") + r(" Wörter.")
    )


def test_a_link_moves_with_its_formatting() -> None:
    link = f'<w:hyperlink r:id="rId9">{r("this", "<w:u/>")}</w:hyperlink>'
    moved = translate(p(r("See ") + link), [0, "dies", 1, " siehe"])
    assert moved == p(
        f'<w:hyperlink r:id="rId9"><w:r><w:rPr><w:u/></w:rPr><w:t>dies</w:t></w:r></w:hyperlink>{r(" siehe")}'
    )


def test_a_field_moves_with_its_codes() -> None:
    number = field("PAGE", r("12", B).replace(' xml:space="preserve"', ""))
    assert translate(p(r("Page ") + number), [0, " Seite"]) == p(number + r(" Seite"))
    link = field('HYPERLINK "x"', r("there ", ITALIC))
    assert translate(p(r("Go ") + link), [0, "dort ", 1, " geh"]) == p(link.replace("there", "dort") + r(" geh"))


def test_hyphens_that_do_not_break_stay_elements() -> None:
    body = p("<w:r><w:t>X</w:t><w:noBreakHyphen/><w:t>ray</w:t></w:r>")
    assert translate(body, ["x\u2011y"]) == p("<w:r><w:t>x</w:t><w:noBreakHyphen/><w:t>y</w:t></w:r>")


def test_what_xml_cannot_hold_is_not_written() -> None:
    assert translate(p(r("a")), ["b\x00\x0b\ud800\ufffe c"]) == p("<w:r><w:t>b c</w:t></w:r>")


def test_the_other_parts() -> None:
    parts = {
        "word__header1": f"<w:hdr {SPACES}>{p(r('Head'))}</w:hdr>",
        "word__footnotes": f"<w:footnotes {SPACES}><w:footnote w:id='2'>"
        f"{p('<w:r><w:footnoteRef/></w:r>' + r(' A note'))}</w:footnote></w:footnotes>",
        "word__comments": f"<w:comments {SPACES}><w:comment w:author='Me'>{p(r('Why?'))}</w:comment></w:comments>",
        "word__charts__chart1": "<c:chartSpace xmlns:c='urn:c' xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'>"
        "<a:p><a:r><a:t>Growth</a:t></a:r></a:p><c:v>East</c:v></c:chartSpace>",
        "docProps__core": "<cp:coreProperties xmlns:cp='urn:cp' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        "<dc:title>My title</dc:title><dc:creator>Me</dc:creator></cp:coreProperties>",
    }
    found = check_whole(word_document, docx(p(r("Body")), **parts), texts)
    assert [s.text for s in found] == ["Body", "Head", "A note", "Why?", "Growth", "My title"]


def test_the_strict_namespace_and_other_encodings() -> None:
    document = members(docx(p(r("Grün ") + r("fett", B))))
    strict = document["word/document.xml"].replace(W.encode(), b"http://purl.oclc.org/ooxml/wordprocessingml/main")
    assert [shown(s) for s in check_whole(word_document, zipped({**document, "word/document.xml": strict}), texts)] == [
        "Grün <fett>"
    ]
    for encoding in ("ISO-8859-1", "UTF-16"):
        text = document["word/document.xml"].decode().replace("UTF-8", encoding)
        other = zipped({**document, "word/document.xml": text.encode(encoding)})
        assert identity(word_document, other) == other
        written = members(marked(word_document, other))["word/document.xml"]
        assert written.decode(encoding).startswith(HEAD.replace("UTF-8", encoding))
        assert "".join(etree.fromstring(written).itertext()) == f"{LEFT}Grün fett{RIGHT}"


def test_a_document_of_python_docx_is_read_by_it_again() -> None:
    """Every text that an independent reader sees is marked, and nothing else is."""
    document = Document()
    document.add_heading("A heading", 1)
    paragraph = document.add_paragraph("Some ", style="List Bullet")
    paragraph.add_run("bold").bold = True
    paragraph.add_run(" and\tmore\ntext")
    table = document.add_table(2, 2)
    for index, cell in enumerate(table._cells):
        cell.text = f"Cell {index}"
    document.sections[0].footer.paragraphs[0].text = "A footer"
    document.core_properties.title = "The title"
    out = io.BytesIO()
    document.save(out)
    assert identity(word_document, out.getvalue()) == out.getvalue()
    after = Document(io.BytesIO(marked(word_document, out.getvalue())))

    def seen(of: object) -> list[str]:
        found = [x.text for x in of.paragraphs] + [x.text for x in of.tables[0]._cells]  # type: ignore[attr-defined]
        return [*found, of.sections[0].footer.paragraphs[0].text, of.core_properties.title]  # type: ignore[attr-defined]

    assert seen(after) == [f"{LEFT}{text}{RIGHT}" for text in seen(document)]
    assert [run.text for run in after.paragraphs[1].runs if run.bold] == ["bold"]


def test_what_is_no_word_document_is_an_error_of_one_line() -> None:
    document = docx(p(r("Text")))
    types = TYPES.replace("document.main", "other")
    for broken, message in [
        (b"", "not a whole zip archive"),
        (b"plain text", "not a whole zip archive"),
        (document[:-30], "not a whole zip archive"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "password"),
        (zipped({"a.txt": "x"}), "no Word document"),
        (zipped({**members(document), "[Content_Types].xml": types}), "no Word document"),
        (zipped({**members(document), "word/document.xml": "<w:document><w:p>"}), "word/document.xml: line 1: "),
        (
            zipped({**members(document), "word/document.xml": HEAD + f"<w:document xmlns:w='{W}'>\n<w:p></w:r>"}),
            "line 3: ",
        ),
        (zipped({**members(document), "word/document.xml": HEAD.encode() + b"<a>\xff</a>"}), "line 2: "),
        (
            zipped({**members(document), "word/document.xml": "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"}),
            "declares entities",
        ),
        (zipped({**members(document), "word/document.xml": b"<a>" * 3000 + b"</a>" * 3000}), "word/document.xml: "),
        (docx(p("<w:ins>" * 220 + r("deep") + "</w:ins>" * 220)), "in each other"),
        (docx(p(r("x" * (33 << 20)))), "times its size"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            identity(word_document, broken)
        assert "\n" not in str(caught.value)


DOCUMENT = docx("".join(BODIES))


@given(
    st.lists(st.tuples(st.integers(0, len(DOCUMENT) - 1), st.integers(0, 255)), min_size=1, max_size=8), st.booleans()
)
def test_any_damage_is_an_input_error_or_none(changes: list[tuple[int, int]], cut: bool) -> None:
    broken = bytearray(DOCUMENT)
    for at, value in changes:
        broken[at] = value
    if cut:
        del broken[changes[0][0] :]
    try:
        marked(word_document, bytes(broken))
    except InputError as error:
        assert "\n" not in str(error)


XML = members(DOCUMENT)["word/document.xml"]


@given(
    st.lists(st.tuples(st.integers(0, len(XML) - 1), st.sampled_from(b"<>/&;\"' \x00\xffaw:")), min_size=1, max_size=3)
)
def test_any_damage_of_the_text_is_an_input_error_or_none(changes: list[tuple[int, int]]) -> None:
    broken = bytearray(XML)
    for at, value in changes:
        broken[at] = value
    try:
        marked(word_document, zipped({"[Content_Types].xml": TYPES, "word/document.xml": bytes(broken)}))
    except InputError as error:
        assert "\n" not in str(error)


def test_what_is_deep_in_each_other_is_no_matter() -> None:
    deep = r("Text")
    for _ in range(1000):
        deep = field("HYPERLINK", deep)
    few = field("HYPERLINK", r("all ") + field("HYPERLINK", r("this")))
    assert [shown(s) for s in check_whole(word_document, docx(p(r("See ") + few)), texts)] == ["See <all <this>>"]
    properties = "<w:a>" * 240 + "</w:a>" * 240
    assert [shown(s) for s in check_whole(word_document, docx(p(r("See ") + deep)), texts)] == ["See #"]
    assert [s.text for s in check_whole(word_document, docx(p(r("Text", properties))), texts)] == ["Text"]


def test_a_stream_that_cannot_be_rewound() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.inner = io.BytesIO(DOCUMENT)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            return self.inner.readinto(buffer)

    assert b"".join(translated(word_document.events(io.BufferedReader(Pipe()), PLAIN), iter)) == DOCUMENT
    assert len(segments(word_document, DOCUMENT)) == sum(map(len, BODIES.values()))
