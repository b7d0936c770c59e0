"""Markdown: documents come back to the byte; what is written is read by markdown-it-py as the same blocks and marks."""

import io

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from roundtrip import LEFT, RIGHT, identity, marked, put, segments, unmarked

from seq2seq.documents.document import DocumentOptions
from seq2seq.documents.web import markdown
from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark, Segment

DOCUMENTS = [
    "",
    "\n\n",
    "Hello",
    "Hello *you* and **you**, _both_ of __you__ ~~three~~.\n",
    "# Title #\n\n## Another `x` title\n###\n#hash\n",
    "Setext *title*\n==============\nover two\nlines\n---\ntext\n",
    "Hard\nwrapped   text\n  with indents.\n\nNext\tone.\n",
    "One  \ntwo\\\nthree\n",
    "> A quote\n> of *two* lines\nand a lazy one\n>\n> > nested\n",
    "- one\n- two\n  continued\n\n  second paragraph\n\n      code\n* other\n  1. deep\n  2) deeper\n",
    "1. one\n2. two\n10) ten\n",
    "- [ ] to do\n- [x] done *well*\n",
    "> [!NOTE]\n> A note\n> of two lines\n",
    "```python\ndef no(): pass\n```\n\n~~~\nno\n~~~\n\n    no code\n\nyes\n",
    "```\nnever closed\n",
    "| a | b *c* |\n|---|:--:|\n| d \\| e | `f \\| g` |\n| h |\n\nx | y\n- | -\nz | w\n",
    "> | a | a |\n> |---|---|\n> | a | b |\n",
    "See [the docs](a/b_c.md \"The *title*\") and <http://x.y/z_w> and ![an alt](i.png 'A title') here.\n",
    "A [full][ref], a [collapsed][], a [shortcut], [no link] and ![image][ref].\n\n[ref]: /a 'Title'\n"
    "[collapsed]: <b c>\n[shortcut]: /c\n",
    "Badges [![Build status](https://x/y.svg)](https://z) [![Docs](d.svg)](e)\n",
    "Inline <b>HTML</b>, <kbd>Ctrl</kbd>, a<br>b <!-- c -->, </i> <i> and <img src=x alt=y>.\n",
    "<div align=center>\n\n*Inside*\n\n<p>A <b>paragraph</b></p>\n</div>\n",
    "<!-- a\n\ncomment -->\n\ntext\n\n<script>\nno\n\nno\n</script>\n",
    "> <p>no\n> <b>HTML</b>\n",
    "A note[^1] and[^two].\n\n[^1]: The note\n    goes on.\n[^two]: Two *marks*.\n\n        code\n",
    "---\ntitle: A title\ntags: [a, b]\n---\n\nText\n",
    "***\n- - -\n\n___\ntext\n",
    "Escapes: \\*no\\* \\_no\\_ 1\\. \\# &amp; &copy; &lt;b&gt; &#65; \\\\ \\<x> 2 * 3 * 4 a_b_c\n",
    "1986\\. A great year\n\n\\- no list\n\n\\# no title\n\n\\> no quote\n\n\\+ x\n",
    "``a `b` c`` and ` d `and `multi\nline`\n",
    "**bold**\n\n*[all of it](x)*\n\n***both***\n",
    "*unclosed **emphasis\n\n[unclosed](\n\n`unclosed\n\n<unclosed\n",
    "a\r\nb\r\n\r\n- c\r\n  d\r\n",
    "a\rb\r\rc",
    "\ufeffText\n",
    "-\ttab\n\n\tsecond\n\n>\tquote\n\n1.\t\tcode\n",
    "a\x00b\n\na\u00a0b\u2028c\n",
    "[foo]: /url\nText after a definition\n\n[foo]\n===\n",
    "[link *with **nested** marks*](x) **and [link](y) inside**\n",
    "* a\n\n  b\n\n* c\n+ d\n",
    "Line ending in two spaces  \n\nTrailing backslash\\\n",
    '![only an image](x.png)\n\n[![linked image](x)](y "a title")\n',
    "Emphasis in in*tra*word and 'quoted *\"text\"*'.\n",
    "Term\n: no definition list\n\n$x^2$ and $$y$$\n",
    "<https://only.a/link>\n\nhttps://bare.link/a_b_c\n",
]


def skeleton(document: str) -> list[object]:
    """The types of blocks and of inline markup, what is kept, and the text without white space and LEFT and RIGHT."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin).use(footnote_plugin)
    types = list[object]()
    for token in parser.parse(document, {}):
        types.append((token.type, token.markup))
        if token.type in ("fence", "code_block", "front_matter"):
            types.append(unmarked(token.content))
        if token.type == "html_block":
            types += unmarked(token.content).split()
        text = ""
        for child in token.children or []:
            if child.type in ("text", "softbreak"):
                text += child.content
                continue
            types += unmarked("".join(text.split())).split()
            text = ""
            kept = child.content.replace("\n", " ") if child.type != "image" else "".join(child.content.split())
            types.append((child.type, child.markup, unmarked(kept), child.attrGet("href"), child.attrGet("src")))
        types += unmarked("".join(text.split())).split()
    return types


def texts(document: str) -> list[str]:
    return [segment.text for segment in segments(markdown, document.encode())]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_identity_is_byte_for_byte(document: str) -> None:
    assert identity(markdown, document.encode()) == document.encode()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_marking_the_segments_changes_nothing_else(document: str) -> None:
    result = marked(markdown, document.encode()).decode()
    assert result.count(LEFT) == result.count(RIGHT) == len(texts(document))
    assert skeleton(result) == skeleton(document)


def test_segments() -> None:
    document = """---
title: A title # with a comment
description: "What it says"
---
Setext
------

# A *heading* #

A hard
wrapped [link](a_b "Its title")
and ![an image](c.png).

> - quoted
>   item

| a | b \\| c |
|---|---|
| `x` | 1 |

    code

<p>Some <b>HTML</b></p>
"""
    assert texts(document) == [
        "What it says",
        "Setext",
        "A heading",
        "Its title",
        "an image",
        "A hard wrapped link and .",
        "quoted item",
        "a",
        "b | c",
        "1",
        "Some HTML",
    ]


def test_marks() -> None:
    document = (
        "See *the [docs](a 'b')* or\\\n`f`, <http://x>, <kbd>C</kbd>, <b>bold</b><br>x </i>![alt](y)[^1]!\n\n[^1]: 2"
    )
    *_, segment, _ = segments(markdown, document.encode())
    assert segment.parts() == [
        "See ",
        Mark(4, OPEN, "*"),
        "the ",
        Mark(8, OPEN, "["),
        "docs",
        Mark(12, CLOSE, ("](a '", 0, "')")),
        Mark(12, CLOSE, "*"),
        " or",
        Mark(15, ALONE, "\\\n"),
        " ",
        Mark(16, VALUE, "`f`"),
        ", ",
        Mark(18, VALUE, "<http://x>"),
        ", ",
        Mark(20, VALUE, "<kbd>C</kbd>"),
        ", ",
        Mark(22, OPEN, "<b>"),
        "bold",
        Mark(26, CLOSE, "</b>"),
        Mark(26, ALONE, "<br>"),
        " x ",
        Mark(29, ALONE, "</i>"),
        Mark(29, VALUE, ("![", 1, "](y)")),
        Mark(29, VALUE, "[^1]"),
        "!",
    ]


def test_markup_around_the_whole_text_is_no_mark() -> None:
    document = "- **[Home](x)**\n- ![icon](y) *Start*\n- [ ] to do\n"
    assert segments(markdown, document.encode()) == [
        Segment("Home"),
        Segment("icon"),
        Segment("Start"),
        Segment("to do"),
    ]
    assert put(markdown, document, "A", "b", "C", "d") == "- **[A](x)**\n- ![b](y) *C*\n- [ ] d\n"


@pytest.mark.parametrize(
    ("document", "order", "texts", "written"),
    [
        ("The **red** *house* `x`", "0123 4", ["La ", "rouge", " ", "maison", " "], "La **rouge** *maison* `x`"),
        ("The **red** *house* `x`", "4 23 01", ["", " La ", "maison", " ", "rouge"], "`x` La *maison* **rouge**"),
        ("The **red** car", "01", ["Das ", " rote ", "Auto"], "Das **rote** Auto"),
        ("The _red_ car", "01", ["Das", "rote", "Auto"], "Das*rote*Auto"),
        ("See [here][a] now\n\n[a]: b", "01", ["Sieh ", "hier]", ""], "Sieh [hier\\]][a]\n\n[a]: b"),
        ("See [here] now\n\n[here]: b", "01", ["Sieh ", "hier", ""], "Sieh [hier][here]\n\n[here]: b"),
        ("> one  \n> two", "0", ["eins ", " zwei - 1."], "> eins  \n> zwei - 1."),
        ("> one\\\n> two", "0", ["eins", "- zwei"], "> eins\\\n> \\- zwei"),
        ("one  \ntwo", "0", ["eins zwei"], "eins zwei"),
        ("- a `b\n  c` d", "0", ["e ", " f"], "- e `b\n  c` f"),
    ],
)
def test_marks_at_other_places(document: str, order: str, texts: list[str], written: str) -> None:
    segment, *_ = segments(markdown, document.encode())
    parts = list[str | Mark]()
    remaining = iter([text for text in texts if text])
    previous = "text" if texts[0] else "mark"
    if previous == "text":
        parts.append(next(remaining))
    for index in order.replace(" ", ""):
        parts += [segment.marks[int(index)]]
        parts += [text] if (text := next(remaining, "")) else []
    assert put(markdown, document, Segment.of_parts(parts)) == written


@pytest.mark.parametrize(
    ("document", "translation", "written"),
    [
        ("Text", "1. a", "1\\. a"),
        ("Text", "1986. A year", "1986\\. A year"),
        ("Text", "- a", "\\- a"),
        ("Text", "# a", "\\# a"),
        ("Text", "> a", "\\> a"),
        ("Text", "2 * 3 * 4, a_b_c, [x], 1 < 2 & 3", "2 * 3 * 4, a_b_c, [x], 1 < 2 & 3"),
        ("- Text", "[x] a", "- \\[x\\] a"),
        ("Text", "*a*", "\\*a\\*"),
        ("Text", "&lt; <b>", "\\&lt; \\<b\\>"),
        ("Text", "[a]: b", "\\[a\\]: b"),
        ("Text", "---", "\\---"),
        ("Text", "C:\\x \\* `y`", "C:\\\\x \\\\\\* \\`y\\`"),
        ("# Text #", "a # b #", "# a \\# b \\# #"),
        ("Two\nlines\n===", "a\n\nb", "a b\n==="),
        ("|Text|\n|-|", "a | b", "|a \\| b|\n|-|"),
        ("> Two\n> lines", "one", "> one"),
        ("  Text  ", " one ", "  one  "),
        ("a\\\r\nb", "x", "x"),
        ("- a--b\n- --", "x", "- x\n- --"),
        ("![alt](x)", "a ] b", "![a \\] b](x)"),
        ("![alt][x]\n\n[x]: y", "a", "![a][x]\n\n[x]: y"),
        ("[![alt][x]][x]\n\n[x]: y", "a", "[![a][x]][x]\n\n[x]: y"),
        ('![](x "title")', 'the "x" \\', '![](x "the \\"x\\" \\\\")'),
        ("**\u300c\u6587\u300d**", "\u300cx\u300d", "**\u300cx\u300d**"),
    ],
)
def test_what_would_be_markup_is_escaped(document: str, translation: str, written: str) -> None:
    assert put(markdown, document, translation) == written


def test_where_emphasis_cannot_stand_the_source_stays() -> None:
    document = "An **old** friend"
    [segment] = segments(markdown, document.encode())
    begin, end = segment.marks
    impossible = Segment.of_parts(["\u524d", begin, "\u300c\u6587\u300d", end, "\u5f8c"])
    assert put(markdown, document, impossible) == document


CONTAINERS = ["{}", "# {}", "- {}\n- b", "> {}", "{}\n===", "| {} |\n|---|", "{}\n---|---", "1. a\n\n   {}"]
CONTAINERS += ["[^1]\n\n[^1]: {}"]


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(CONTAINERS), st.text("*_`[]()<>&#-+=.:!~|\\$^ab1; ", max_size=12).map(lambda text: text + "x"))
def test_any_text_is_written_so_that_it_is_read(container: str, text: str) -> None:
    document = container.format("SOURCE")
    result = put(
        markdown, document, *(Segment(text) if s.text == "SOURCE" else s for s in segments(markdown, document.encode()))
    )
    assert texts(result) == [" ".join(text.split()) if t == "SOURCE" else t for t in texts(document)]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_bytes_come_back(data: st.DataObject) -> None:
    """Pieces of documents, cut anywhere and joined, and random bytes."""
    source = st.sampled_from([d.encode() for d in DOCUMENTS])
    cut = st.builds(lambda d, a, b: d[min(a, b) : max(a, b)], source, st.integers(0, 150), st.integers(0, 150))
    document = b"".join(data.draw(st.lists(cut | st.binary(max_size=4), max_size=6)))
    try:
        assert identity(markdown, document) == document
        marked(markdown, document)
    except InputError as error:
        assert "line" in str(error)


def test_bytes_that_are_not_utf_8_are_an_error() -> None:
    with pytest.raises(InputError, match="line 3"):
        list(markdown.events(io.BytesIO(b"a\nb\n\xff"), DocumentOptions()))


TITLES = [
    'It\'s "so"',
    "a: b",
    "a # b",
    "- a",
    "yes",
    "12",
    "C:\\x y",
    "plain text",
    "plain",
    "\u00e9 \u4e2d",
    "a'",
    "[a] b",
]
KEPT_TITLES = ["|\n  a b", "a b\n  c", "&x a b", "a b # c", "[a b]", '"a \\n b"', "'it''s a'", "12 34", "a b:", "true"]


@pytest.mark.parametrize("value", ["A plain title", "Plain", "'Quoted once'", '"Quoted twice"', "  spaces around  "])
@pytest.mark.parametrize("text", TITLES)
def test_titles_in_front_matter_are_what_yaml_reads(value: str, text: str) -> None:
    document = f"---\ntitle: {value}\nother: {value}\n---\n"
    [segment] = segments(markdown, document.encode())
    assert segment.text == yaml.safe_load(document[4:-4])["title"]
    result = put(markdown, document, text)
    assert yaml.safe_load(result[4:-4]) == {"title": text, "other": segment.text}


@pytest.mark.parametrize("value", KEPT_TITLES)
def test_other_values_of_front_matter_stay(value: str) -> None:
    assert texts(f"---\ntitle: {value}\n---\n") == []
