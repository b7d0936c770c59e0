"""PPTX: law 13, and what python-pptx, an independent reader, sees."""

import io

import pytest
from archives import canonical, check_whole, in_reverse, members, shown, zipped
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches
from roundtrip import LEFT, PLAIN, RIGHT, identity, marked, segments

from seq2seq.documents.document import translated
from seq2seq.documents.office import presentation
from seq2seq.errors import InputError

A = "http://schemas.openxmlformats.org/drawingml/2006/main"
SLIDE = "application/vnd.openxmlformats-officedocument.presentationml"


def pptx(*slides: str) -> bytes:
    types = "".join(
        f'<Override PartName="/ppt/slides/slide{n}.xml" ContentType="{SLIDE}.slide+xml"/>'
        for n in range(1, len(slides) + 1)
    )
    spaces = f"xmlns:a='{A}' xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main'"
    return zipped(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override'
            f' PartName="/ppt/presentation.xml" ContentType="{SLIDE}.presentation.main+xml"/>{types}</Types>',
            "ppt/presentation.xml": "<p:presentation xmlns:p='urn:p'/>",
            **{
                f"ppt/slides/slide{n}.xml": f"<p:sld {spaces}><p:cSld><p:txBody>{slide}</p:txBody></p:cSld></p:sld>"
                for n, slide in reversed(list(enumerate(slides, 1)))
            },
        }
    )


def p(inner: str, end: str = "<a:endParaRPr lang='en-US'/>") -> str:
    return f"<a:p><a:pPr lvl='1'/>{inner}{end}</a:p>"


def r(text: str, attributes: str = "lang='en-US'", inner: str = "") -> str:
    return f"<a:r><a:rPr {attributes}>{inner}</a:rPr><a:t>{text}</a:t></a:r>"


LINK = "<a:hlinkClick xmlns:r='urn:r' r:id='rId2'/>"
BODIES = {
    p(r("Plain")): ["Plain"],
    p(""): [],
    p(r("Pl") + r("ain", "lang='de-DE' dirty='0' err='1'")): ["Plain"],
    p(r("Some ") + r("bold", "b='1'") + r(" words")): ["Some <bold> words"],
    p(r("Go over ") + r("there", "lang='en-US'", LINK)): ["Go over <there>"],
    p(r("One") + "<a:br><a:rPr lang='en-US'/></a:br>" + r("two")): ["One|two"],
    p(r("Slide ") + "<a:fld id='{1}' type='slidenum'><a:rPr/><a:t>4</a:t></a:fld>" + r(" of nine")): [
        "Slide # of nine"
    ],
    p(r(" &amp; ") + r("日本", "sz='900'"), ""): ["& <日本>"],
    f"<a:tbl><a:tr><a:tc><a:txBody>{p(r('Cell'))}</a:txBody></a:tc></a:tr></a:tbl>": ["Cell"],
    "<p:pic><p:nvPicPr><p:cNvPr id='1' name='Picture 1' descr='A cat'/></p:nvPicPr></p:pic>": ["A cat"],
}


def merged(data: bytes) -> list[object]:
    """What the slide shows, each character with its formatting but for its language."""
    found = list[object]()
    for element in __import__("lxml.etree").etree.fromstring(canonical(data)).iter():
        look = {k: v for k, v in element.attrib.items() if k not in ("lang", "dirty", "err")}
        if element.tag == f"{{{A}}}t":
            run = element.getparent()
            style = {k: v for k, v in run[0].attrib.items() if k not in ("lang", "dirty", "err")}
            found.extend((letter, style, len(run[0])) for letter in element.text or "")
        elif element.tag not in (f"{{{A}}}r", f"{{{A}}}rPr"):
            found.append((element.tag, look))
    return found


@pytest.mark.parametrize(("body", "expected"), BODIES.items())
def test_segments_and_law_13(body: str, expected: list[str]) -> None:
    assert [shown(segment) for segment in check_whole(presentation, pptx(body), merged)] == expected


def test_slides_come_by_their_numbers() -> None:
    slides = [p(r(f"Slide {n}")) for n in range(1, 13)]
    assert [s.text for s in segments(presentation, pptx(*slides))] == [f"Slide {n}" for n in range(1, 13)]


def test_the_end_of_a_paragraph_stays_its_end() -> None:
    document = pptx(p(r("one ") + r("two", "b='1'")))
    after = members(b"".join(translated(presentation.events(io.BytesIO(document), PLAIN), in_reverse)))
    text = after["ppt/slides/slide1.xml"].decode().replace('"', "'")
    assert "<a:rPr b='1'/><a:t>TWO</a:t></a:r><a:r><a:rPr lang='en-US'/><a:t>ONE </a:t></a:r><a:endP" in text


def test_python_pptx_sees_each_text_marked() -> None:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "A title"
    frame = slide.placeholders[1].text_frame
    frame.text = "First point"
    run = frame.add_paragraph().add_run()
    run.text, run.font.bold = "Second point", True
    table = slide.shapes.add_table(1, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "Left", "Right"
    data = CategoryChartData()
    data.categories = ["East"]
    data.add_series("Sales", (1,))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.PIE, Inches(1), Inches(1), Inches(4), Inches(2), data).chart
    chart.chart_title.text_frame.text = "A chart"
    slide.notes_slide.notes_text_frame.text = "A note"
    out = io.BytesIO()
    deck.save(out)

    def texts(document: bytes) -> list[str]:
        slide = Presentation(io.BytesIO(document)).slides[0]
        found = [p.text for shape in slide.shapes if shape.has_text_frame for p in shape.text_frame.paragraphs]
        tables = [shape.table for shape in slide.shapes if shape.has_table]
        found += [cell.text for table in tables for row in table.rows for cell in row.cells]
        found += [shape.chart.chart_title.text_frame.text for shape in slide.shapes if shape.has_chart]
        return [*found, slide.notes_slide.notes_text_frame.text]

    assert identity(presentation, out.getvalue()) == out.getvalue()
    assert texts(marked(presentation, out.getvalue())) == [f"{LEFT}{text}{RIGHT}" for text in texts(out.getvalue())]
    assert texts(out.getvalue()) == ["A title", "First point", "Second point", "Left", "Right", "A chart", "A note"]


def test_what_is_no_presentation_is_an_error_of_one_line() -> None:
    for broken in (b"", b"PK\3\4" + bytes(80), zipped({"a": "x"}), pptx("<a:p>")):
        with pytest.raises(InputError, match=r"^[^\n]+$"):
            identity(presentation, broken)
