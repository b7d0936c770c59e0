"""ODT, ODS, ODP: law 13 (byte for byte, or canonical XML where a paragraph changed), segments, marks elsewhere."""

import io
from collections.abc import Iterable, Iterator

import pytest
from archives import PICTURE, check_whole, in_reverse, members, shown, zipped
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from roundtrip import LEFT, PLAIN, RIGHT, identity, marked

from seq2seq.documents.document import translated
from seq2seq.documents.office import open_document
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

ROOMS = {"office": "office", "text": "text", "table": "table", "draw": "drawing", "style": "style", "meta": "meta"}
ROOMS |= {"svg": "svg-compatible", "presentation": "presentation", "manifest": "manifest"}
SPACES = " ".join(f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{room}:1.0"' for short, room in ROOMS.items())
SPACES += ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
KIND = "application/vnd.oasis.opendocument.text"


def p(inner: str) -> str:
    return f'<text:p text:style-name="P1">{inner}</text:p>'


def odt(body: str, kind: str = "text", **parts: str) -> bytes:
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "Thumbnails/thumbnail.png": PICTURE,
            "Configurations2/images/": b"",
            "content.xml": f"{HEAD}<office:document-content {SPACES} office:version='1.3'><office:body>"
            f"<office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
            **{f"{name.replace('__', '/')}.xml": HEAD + data for name, data in parts.items()},
            "META-INF/manifest.xml": f"{HEAD}<manifest:manifest {SPACES}><manifest:file-entry manifest:full-path='/'"
            f" manifest:media-type='{KIND}'/><manifest:file-entry manifest:full-path='content.xml'"
            " manifest:media-type='text/xml'/></manifest:manifest>",
        }
    )


NOTE = (
    '<text:note text:id="n1" text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>'
    f"{p('The note')}</text:note-body></text:note>"
)
BOX = (
    '<draw:frame text:anchor-type="{}"><draw:text-box>' + p("In a box") + "</draw:text-box><svg:title>Box</svg:title>"
    "<svg:desc>A text box</svg:desc></draw:frame>"
)

# body -> its segments: < > around pairs, | for ALONE, ~ for BREAK, # for VALUE
BODIES = {
    p("Plain text."): ["Plain text."],
    p(""): [],
    p("..."): [],
    p(" around "): ["around"],
    '<text:h text:outline-level="1">A heading</text:h>': ["A heading"],
    p("a&lt;b &amp; c &#x1F642;"): ["a<b & c 🙂"],
    p('Some <text:span text:style-name="T1">bold</text:span> words'): ["Some <bold> words"],
    p('<text:span text:style-name="T1">All of it</text:span>'): ["All of it"],
    p('<text:span><text:a xlink:href="http://x/">link <text:span>in</text:span></text:a> it</text:span>'): [
        "<link <in>> it"
    ],
    p('A<text:s/><text:span text:style-name="T1">word</text:span><text:s text:c="3"/>more'): ["A <word> |more"],
    p('<text:s text:c="4"/>In <text:s/>it'): ["In |it"],
    p("One<text:tab/>two<text:line-break/>three"): ["One~two|three"],
    p(f"A claim{NOTE} and more"): ["A claim# and more", "The note"],
    p("Seen<office:annotation><dc:creator>Me</dc:creator><text:p>Why?</text:p></office:annotation> by all"): [
        "Seen| by all",
        "Why?",
    ],
    p("Before " + BOX.format("paragraph") + "after"): ["Before |after", "In a box", "Box", "A text box"],
    p("Before " + BOX.format("as-char") + " after"): ["Before # after", "In a box", "Box", "A text box"],
    p(
        '<text:bookmark-start text:name="b"/>Marked <text:bookmark text:name="c"/>words'
        '<text:bookmark-end text:name="b"/>'
    ): ["Marked |words"],
    p("Page <text:page-number>7</text:page-number> of <text:page-count>9</text:page-count>"): ["Page # of #"],
    "<text:tracked-changes><text:changed-region><text:deletion><office:change-info><dc:creator>Me</dc:creator>"
    f"</office:change-info>{p('Gone')}</text:deletion></text:changed-region></text:tracked-changes>"
    + p('Here<text:change text:change-id="c1"/> and there'): ["Here| and there"],
    f"<table:table><table:table-row><table:table-cell>{p('Cell')}</table:table-cell><table:table-cell"
    f' office:value-type="float" office:value="3">{p("3 m")}</table:table-cell></table:table-row></table:table>': [
        "Cell"
    ],
    f"<text:list><text:list-item>{p('One')}<text:list><text:list-item>{p('Two')}</text:list-item></text:list>"
    f"</text:list-item></text:list>": ["One", "Two"],
    f"<text:section>{p('In a section')}<unknown xmlns='urn:x'>not text</unknown></text:section>": ["In a section"],
    p("Some <!-- a comment --><?target data?>words<text:span/>"): ["Some ||words"],
    p("<text:ruby><text:ruby-base>漢字</text:ruby-base><text:ruby-text>かんじ</text:ruby-text></text:ruby>です"): [
        "<<漢字>|>です"
    ],
    p("x<text:span> <text:s/></text:span>y"): ["x< |>y"],
    "<text:table-of-content><text:table-of-content-source><text:index-title-template>Contents"
    "</text:index-title-template></text:table-of-content-source><text:index-body><text:index-title>"
    f"{p('Contents')}</text:index-title></text:index-body></text:table-of-content>": ["Contents", "Contents"],
}


@pytest.mark.parametrize(("body", "expected"), BODIES.items())
def test_segments_and_law_13(body: str, expected: list[str]) -> None:
    found = check_whole(open_document, odt(body), squeezed)
    assert [shown(segment) for segment in found] == expected
    assert all(segment.balanced() for segment in found)


def squeezed(data: bytes) -> list[tuple[object, ...]]:
    """The tree, with its texts where what is around them makes no difference; one s element is a space."""
    text = (
        data.decode()
        .replace(LEFT, "")
        .replace(RIGHT, "")
        .replace("<text:s/>", " ")
        .replace('text:s text:c="3"', 'text:s text:c="2"')
    )
    root = etree.fromstring(text.encode())
    return [
        (e.tag, dict(e.attrib), " ".join((e.text or "").split()), " ".join((e.tail or "").split())) for e in root.iter()
    ]


def test_all_of_them_in_one_document() -> None:
    found = check_whole(open_document, odt("".join(BODIES)), squeezed)
    assert [shown(segment) for segment in found] == [text for texts in BODIES.values() for text in texts]


@pytest.mark.parametrize("body", BODIES)
def test_marks_in_another_order_lose_nothing(body: str) -> None:
    document = odt(body)

    def contents(data: bytes) -> list[str]:
        root = etree.fromstring(members(data)["content.xml"])
        letters = [letter.lower() for letter in "".join(root.itertext()) if letter.strip()]
        return sorted(
            [f"{e.tag} {sorted(e.attrib.items())}" for e in root.iter("*") if "}s" not in str(e.tag)] + letters
        )

    assert contents(b"".join(translated(open_document.events(io.BytesIO(document), PLAIN), in_reverse))) == contents(
        document
    )


def translate(body: str, *translations: list[str | int]) -> str:
    """The body with translations: texts, and numbers of the segment's own marks."""
    waiting = iter(translations)

    def changed(segments: Iterable[Segment]) -> Iterator[Segment]:
        for segment in segments:
            yield Segment.of_parts([segment.marks[x] if isinstance(x, int) else x for x in next(waiting)])

    written = b"".join(translated(open_document.events(io.BytesIO(odt(body)), PLAIN), changed))
    text = members(written)["content.xml"].decode()
    assert text.startswith(HEAD + "<office:document-content ")
    return text.partition("<office:text>")[2].partition("</office:text>")[0]


def test_elements_move_with_what_they_hold() -> None:
    body = p(f"Eins <text:span>zwei{NOTE}</text:span> drei.")
    after = translate(body, ["Three ", 1, " one ", 0, "two", 2, "."], ["A & note"])
    assert after == p(f"Three {NOTE.replace('The', 'A &amp;')} one <text:span>two</text:span>.")


def test_spaces_that_part_words_are_text() -> None:
    assert translate(p('a<text:s text:c="3"/>b'), ["c d ", 0, "e"]) == p('c d <text:s text:c="2"/>e')


def test_headers_and_the_title() -> None:
    parts = {
        "styles": f"<office:document-styles {SPACES}><office:master-styles><style:master-page><style:header>{p('Head')}"
        "</style:header></style:master-page></office:master-styles></office:document-styles>",
        "meta": f"<office:document-meta {SPACES}><office:meta><dc:title>My title</dc:title><dc:creator>Me</dc:creator>"
        "</office:meta></office:document-meta>",
    }
    assert [s.text for s in check_whole(open_document, odt(p("Body"), **parts))] == ["Body", "Head", "My title"]


def test_sheets_and_slides() -> None:
    cells = "".join(
        f"<table:table-cell {attributes}>{p(text)}</table:table-cell>"
        for attributes, text in [
            ("office:value-type='string'", "Name"),
            ("office:value-type='date' office:date-value='2020-01-01'", "1 May"),
            ("office:value-type='string' table:formula='of:=A1'", "Name"),
        ]
    )
    sheet = odt(f"<table:table table:name='S'><table:table-row>{cells}</table:table-row></table:table>", "spreadsheet")
    assert [s.text for s in check_whole(open_document, sheet)] == ["Name"]
    notes = f"<presentation:notes>{p('A note')}</presentation:notes>"
    slide = f"<draw:page draw:name='page1'>{BOX.format('page')}{notes}</draw:page>"
    found = check_whole(open_document, odt(slide, "presentation"))
    assert [s.text for s in found] == ["In a box", "Box", "A text box", "A note"]


def test_each_paragraph_is_marked() -> None:
    document = odt(
        p("Plain")
        + p("Some <text:span>bold</text:span> words")
        + "<text:list><text:list-item>"
        + p("Item")
        + "</text:list-item></text:list>"
    )
    tree = etree.fromstring(members(marked(open_document, document))["content.xml"])
    texts = ["".join(element.itertext()) for element in tree.iter("{urn:oasis:names:tc:opendocument:xmlns:text:1.0}p")]
    assert texts == [f"{LEFT}{x}{RIGHT}" for x in ("Plain", "Some bold words", "Item")]


def test_the_mimetype_stays_first_and_stored() -> None:
    written = marked(open_document, odt(p("Text")))
    assert written[30:].startswith(b"mimetypeapplication/vnd.oasis.opendocument.text")


def test_a_manifest_may_be_missing_or_broken() -> None:
    for manifest in ({}, {"META-INF/manifest.xml": "<manifest:manifest/>"}):
        document = zipped({"content.xml": members(odt(p("Text")))["content.xml"], **manifest})
        assert [s.text for s in check_whole(open_document, document)] == ["Text"]


def test_what_is_no_open_document_is_an_error_of_one_line() -> None:
    document = members(odt(p("Text")))
    secret = document["META-INF/manifest.xml"].replace(
        b"/></m", b"><manifest:encryption-data/></manifest:file-entry></m"
    )
    for broken, message in [
        (b"\x89PNG", "not a whole zip archive"),
        (zipped({"a.txt": "x"}), "no OpenDocument file"),
        (zipped({**document, "mimetype": "application/epub+zip"}), "no OpenDocument file"),
        (zipped({**document, "META-INF/manifest.xml": secret}), "encrypted"),
        (zipped({**document, "content.xml": ""}), "content.xml: line 1: "),
        (odt(p("<text:span>" * 220 + "x" + "</text:span>" * 220)), "in each other"),
        (odt("<text:section>" * 220 + p("x") + "</text:section>" * 220), "in each other"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            identity(open_document, broken)
        assert "\n" not in str(caught.value)


XML = members(odt("".join(BODIES)))["content.xml"]


@given(
    st.lists(st.tuples(st.integers(0, len(XML) - 1), st.sampled_from(b"<>/&;\"' \x00\xffaw:")), min_size=1, max_size=3)
)
def test_any_damage_is_an_input_error_or_none(changes: list[tuple[int, int]]) -> None:
    broken = bytearray(XML)
    for at, value in changes:
        broken[at] = value
    try:
        marked(open_document, zipped({"mimetype": KIND, "content.xml": bytes(broken)}))
    except InputError as error:
        assert "\n" not in str(error)
