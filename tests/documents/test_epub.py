"""EPUB: law 13 (byte for byte, or canonical XML up to white space where a paragraph changed), segments and marks."""

import io

import pytest
from archives import PICTURE, check_whole, in_reverse, members, shown, zipped
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from roundtrip import LEFT, PLAIN, identity, marked, segments, unmarked

from seq2seq.documents.document import translated
from seq2seq.documents.office import epub
from seq2seq.errors import InputError

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
OLD = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n'
CONTAINER = f"""{HEAD}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
OPF = f"""{HEAD}<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The book</dc:title><dc:creator>Me</dc:creator>
<dc:description>What it is about</dc:description><dc:description>&lt;p>Escaped&lt;/p></dc:description></metadata>
<manifest>
<item id="c1" href="text/chapter%201.xhtml" media-type="application/xhtml+xml"/>
<item id="p1" href="image.png" media-type="image/png"/>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="scripted nav"/>
<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
<item id="x" href="unused.xhtml" media-type="application/xhtml+xml"/><item id="y" href="away.xhtml"
 media-type="application/xhtml+xml"/></manifest><spine toc="ncx"><itemref idref="c1"/><itemref idref="y"/>
<itemref idref="c1"/></spine></package>"""
NCX = f"""{HEAD}<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">
<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><docTitle><text>Title</text></docTitle>
<docAuthor><text>Me</text></docAuthor>
<navMap><navPoint id="n"><navLabel><text>Chapter</text></navLabel><content src="text/chapter%201.xhtml"/>
</navPoint></navMap></ncx>"""


def page(body: str, doctype: str = "<!DOCTYPE html>\n") -> str:
    return (
        f'{HEAD}{doctype}<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head>'
        f'<link rel="stylesheet" href="a.css" title="no text"/><style>p {{color: red}}</style></head>\n'
        f"<body>{body}</body></html>"
    )


def book(body: str, doctype: str = "<!DOCTYPE html>\n", **others: str) -> bytes:
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "OEBPS/image.png": PICTURE,
            "OEBPS/text/chapter 1.xhtml": page(body, doctype),
            "OEBPS/unused.xhtml": page("<p>Unused</p>"),
            "OEBPS/book.opf": OPF.replace("The book", "?").replace("What it is about", "..."),
            **others,
        }
    )


BODIES = {
    "<p>Plain text.</p>": ["Plain text."],
    "": [],
    "<p>—</p><p/><hr/>": [],
    "<p>\n  Text that\n  was <b>wrapped</b>\n</p>": ["Text that was <wrapped>"],
    "<p>Some <b> odd </b> spaces</p>": ["Some <odd >spaces"],
    "<h1>A <i>heading</i></h1>": ["A <heading>"],
    "<p><span class='x'><i>All of it</i></span></p>": ["All of it"],
    "Bare <b>text</b><p>paragraph</p>and <i>more</i> text<div>block</div>": [
        "Bare <text>",
        "paragraph",
        "and <more> text",
        "block",
    ],
    "<ul><li>One<ul><li>Two</li></ul></li><li><p>Three</p></li></ul>": ["One", "Two", "Three"],
    "<p>a&lt;b &amp; c &#8212; d</p>": ["a<b & c — d"],
    "<p>One<br/>two</p>": ["One|two"],
    "<p>An <img src='image.png' alt='A picture' title='Its title'/> here</p>": ["An # here", "A picture", "Its title"],
    "<p><a href='#n'>Note<sup>1</sup></a> and <a id='p1'></a>text</p>": ["<Note<1>> and |text"],
    "<p>The <code>x = 1</code> and <span translate='no'>Name</span> stay</p>": ["The # and # stay"],
    "<p translate='no'>Nothing</p><div class='a notranslate'><p>here</p></div>": [],
    "one<div translate='no'>Name</div>two": ["one", "two"],
    "<pre>line one\n  line two</pre>": ["line one\n  line two"],
    "<pre><code>x = 1</code></pre><script>var x;</script>": [],
    "<a href='x'><div>Block in a <b>link</b></div></a>": ["Block in a <link>"],
    "<p>Sum <math xmlns='http://www.w3.org/1998/Math/MathML'><mi>x</mi></math> is <svg xmlns='http://www.w3.org/2000/svg'>"
    "<text>no</text></svg></p>": ["Sum # is #"],
    "<p>Some<!-- comment --> <?target data?>words</p>": ["Some| |words"],
    "<table><caption>Cap</caption><tr><th>Head</th><td>Cell <em>two</em></td></tr></table>": [
        "Cap",
        "Head",
        "Cell <two>",
    ],
    "<p><ruby>漢<rt>かん</rt></ruby>字</p>": ["<漢|>字"],
    "<p><![CDATA[a < b]]> is <b><![CDATA[so]]></b></p>": ["a < b is <so>"],
    "<p><span epub:type='pagebreak' id='p3'/>After <custom>it</custom></p>": ["After <it>"],
    "<figure><img src='a.png' alt='Alt'/><figcaption>Caption</figcaption></figure>": ["Alt", "Caption"],
}


def squeezed(data: bytes) -> list[tuple[object, ...]]:
    """The tree with its texts; white space at the borders of elements may have moved to the other side."""
    root = etree.fromstring(unmarked(data.decode()).encode(), etree.XMLParser(resolve_entities=False))
    return [
        (
            e.tag if isinstance(e.tag, str) else "",
            dict(e.attrib),
            *("".join((t or "").split()) for t in (e.text, e.tail)),
        )
        for e in root.iter()
    ]


@pytest.mark.parametrize("doctype", ["", "<!DOCTYPE html>\n", OLD])
@pytest.mark.parametrize(("body", "expected"), BODIES.items())
def test_segments_and_law_13(body: str, expected: list[str], doctype: str) -> None:
    found = check_whole(epub, book(body, doctype), squeezed)
    assert [shown(segment) for segment in found] == expected
    assert all(segment.balanced() for segment in found)
    after = members(marked(epub, book(body, doctype)))["OEBPS/text/chapter 1.xhtml"].decode()
    assert after.startswith(f"{HEAD}{doctype}<html xmlns=")


@pytest.mark.parametrize("body", BODIES)
def test_marks_in_another_order_lose_nothing(body: str) -> None:
    document = book(body)

    def contents(data: bytes) -> list[str]:
        root = etree.fromstring(members(data)["OEBPS/text/chapter 1.xhtml"])
        letters = [letter.lower() for letter in "".join(root.itertext()) if letter.strip()]
        return sorted([f"{e.tag} {sorted(e.attrib)}" for e in root.iter()] + letters)

    assert contents(b"".join(translated(epub.events(io.BytesIO(document), PLAIN), in_reverse))) == contents(document)


def test_the_table_of_contents_and_the_title() -> None:
    nav = page("<nav epub:type='toc'><ol><li><a href='text/chapter%201.xhtml'>Chapter</a></li></ol></nav>")
    others = {"OEBPS/nav.xhtml": nav, "OEBPS/toc.ncx": NCX, "OEBPS/book.opf": OPF}
    found = check_whole(epub, book("<p>Text</p>", **others), squeezed)
    assert [s.text for s in found] == ["The book", "What it is about", "Chapter", "Title", "Chapter", "Text"]


def test_named_entities_of_an_old_document() -> None:
    body = "<p title='Caf&eacute;'>Un caf&eacute;&nbsp;<b>noir</b></p>"
    document = book(body, OLD)
    assert [shown(s) for s in check_whole(epub, document, lambda data: None)] == ["Café", "Un café\xa0<noir>"]
    after = etree.fromstring(members(marked(epub, document))["OEBPS/text/chapter 1.xhtml"])
    paragraph = after[1][0]
    assert unmarked("".join(paragraph.itertext())) == "Un café\xa0noir"
    assert unmarked(paragraph.get("title", "")) == "Café"


def test_what_no_segment_is_in_keeps_its_bytes() -> None:
    document = members(marked(epub, book("<p>Text</p>")))
    assert document["OEBPS/unused.xhtml"] == page("<p>Unused</p>").encode()
    assert LEFT not in document["OEBPS/book.opf"].decode()


def test_what_is_no_book_is_an_error_of_one_line() -> None:
    whole = members(book("<p>Text</p>"))
    secret = "<encryption><CipherReference URI='OEBPS/text/chapter%201.xhtml'/></encryption>"
    for broken, message in [
        (b"%PDF-1.7", "not a whole zip archive"),
        (zipped({"a.txt": "x"}), "no EPUB book"),
        (zipped({**whole, "META-INF/container.xml": "<container/>"}), "names no package"),
        (zipped({k: v for k, v in whole.items() if k != "OEBPS/book.opf"}), "OEBPS/book.opf: is missing"),
        (zipped({**whole, "META-INF/encryption.xml": secret}), "is encrypted"),
        (book("<p>" + "<b>" * 220 + "deep" + "</b>" * 220 + "</p>"), "elements in each other"),
        (book("<div>" * 220 + "deep" + "</div>" * 220), "elements in each other"),
        (book("<div>" * 9999 + "</div>" * 9999), "chapter 1.xhtml: line 4: "),
        (book("<p>a<br>b</p>"), "chapter 1.xhtml: line 4: "),
        (book("<p>&nbsp;</p>", ""), "chapter 1.xhtml: line 3: "),
        (book("<p>&a;</p>", "<!DOCTYPE html [<!ENTITY a SYSTEM '/etc/passwd'>]>"), "line 3: Entity 'a' not defined"),
        (book("<p>&a;</p>", "<!DOCTYPE html [<!ENTITY a 'x'>]>"), "declares entities"),
        (book("<p/>", "<!DOCTYPE html [<!ENTITY % a SYSTEM '/etc/passwd'>%a;]>"), "chapter 1.xhtml: "),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            identity(epub, broken)
        assert "\n" not in str(caught.value)


XML = page("".join(BODIES), OLD).encode()


@given(
    st.lists(st.tuples(st.integers(0, len(XML) - 1), st.sampled_from(b"<>/&;\"' \x00\xffaw:")), min_size=1, max_size=3)
)
def test_any_damage_is_an_input_error_or_none(changes: list[tuple[int, int]]) -> None:
    broken = bytearray(XML)
    for at, value in changes:
        broken[at] = value
    whole = members(book(""))
    try:
        marked(epub, zipped({**whole, "OEBPS/text/chapter 1.xhtml": bytes(broken)}))
    except InputError as error:
        assert "\n" not in str(error)
    assert segments(epub, book("")) == []
