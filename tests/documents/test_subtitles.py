r"""Subtitles: SubRip, WebVTT and SubStation Alpha; pysubs2 and webvtt-py are the independent parsers.

With every segment marked, the lines of a cue are balanced anew; so what `marked` gives is compared without white space
(and, for SubStation Alpha, without `\N`).
"""

import html
import io
import time
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

import pysubs2
import pytest
import webvtt as webvtt_py
from hypothesis import given
from hypothesis import strategies as st
from roundtrip import LEFT, PLAIN, RIGHT, identity, marked, segments, unmarked

from seq2seq.documents.document import translated
from seq2seq.documents.subtitles import ass, subrip, webvtt
from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, Mark, Segment


def srt(*texts: str, step: int = 2, ending: str = "\n") -> str:
    """Cues of the texts, of two seconds each."""
    cues = (
        f"{i + 1}\n00:{i * step // 60:02}:{i * step % 60:02},000 --> "
        f"00:{(i * step + 2) // 60:02}:{(i * step + 2) % 60:02},000\n{text}\n"
        for i, text in enumerate(texts)
    )
    return "\n".join(cues).replace("\n", ending)


SENTENCE = srt("I saw the old man who", "lives next to us, and", "he was well.")
SUBRIP = [
    "",
    "\n\n",
    srt("Hello."),
    srt("Hello.").rstrip(),
    SENTENCE,
    SENTENCE.replace("\n", "\r\n"),
    "\ufeff" + srt("A mark."),
    srt("- Hello.\n- Hi.", "-No!\n-Yes!\n", "- One speaker\nwith two lines."),
    srt("<i>All of it</i>", "<i>- One.\n- Two.</i>", "A <b>bold</b> word.", "<i>not closed", "a</i> b", "a < b > c <3"),
    srt("{\\an8}Above", "{\\an8}<i>Both,</i>", '<font color="#fff">White</font> and <FONT COLOR=red>red</FONT>'),
    srt("<i><b>crossed</i></b> tags", "<i></i>", "<unknown a='1'>x</unknown>", "<i>a</i> <i>b</i>"),
    srt("[MUSIC]", "♪ La la la ♪", "♪♪", "(sighs) Well.", "...", "[door]\nOh.", "♪ one\ntwo ♪"),
    srt("with a blank\n\nline inside", "next"),
    srt("missing blank line").rstrip() + "\n" + srt("second"),
    "7\n00:00:01,000 --> 00:00:02,000\nwrong\n\n7\n00:00:03,000 --> 00:00:04,000\nnumbers\n",
    "00:00:01,000 --> 00:00:02,000\nno number\n\n"
    "00:00:03,000 --> 00:00:04,000\n1984\n\n00:00:05,000 --> 00:00:06,000\nx\n",
    "1\n00:00:01,000 --> 00:00:02,000 X1:40 X2:600 Y1:20 Y2:50\nsettings\n",
    "1\n0:0:1.5 --> 0:0:2.25\nother times\n\n\n\n2\n\n00:00:03,000-->00:00:04,000\n   indented   \n\n\n",
    "junk at the start\n\n1\n00:00:01,000 --> 00:00:02,000\nx\n",
    "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:02,000 --> 00:00:03,000\n1999\n\n3\n00:00:04,000 --> 00:00:05,000\n",
    srt("one", "1 --> 2", "99:99 --> x"),
    srt("long " * 3000 + "\n" + "漢字" * 2000),
]
HEAD = "WEBVTT - a title\nKind: captions\n\n"
WEBVTT = [
    "WEBVTT",
    "WEBVTT\n\n\n",
    HEAD + "00:01.000 --> 00:02.000\nHello.\n",
    (HEAD + "intro\n00:00:01.000 --> 00:00:02.000 align:start position:10%\nHello\nworld.\n\n").replace("\n", "\r\n"),
    "\ufeffWEBVTT\n\nNOTE a comment\nof lines\n\nSTYLE\n::cue { color: red }\n\n"
    "REGION\nid:fred\n\n1\n00:01.000 --> 00:02.000\nx\n",
    HEAD + "00:01.000 --> 00:02.000\n<v Fred>I am\n\n00:02.000 --> 00:03.000\n<v Fred>Fred.\n\n"
    "00:03.000 --> 00:04.000\n<v Mary>Hi\n",
    HEAD + "00:01.000 --> 00:02.000\n<c.yellow.bg_blue>A</c> &amp; <b>B</b> &lt;&gt; caf&eacute;&nbsp;x &lrm;y\n",
    HEAD + "00:01.000 --> 00:05.000\nOne<00:00:02.000><c> two</c><00:00:03.000><c> three</c>\n",
    HEAD + "00:01.000 --> 00:02.000\n<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby> and <lang en>English</lang>\n",
    HEAD + "00:01.000 --> 00:02.000\n- Hello.\n- Hi.\nafter\n\nignored text\n\n00:02.000 --> 00:03.000\nx\n",
    HEAD + "00:01.000 --> 00:02.000\na\n00:02.000 --> 00:03.000\nno blank line\n",
    HEAD + "NOTE\n00:01.000 --> 00:02.000\nis a cue\n\n00:03.000 --> 00:04.000\n\n00:04.000 --> 00:05.000\n♪\n",
    "WEBVTT\r\r00:01.000 --> 00:02.000\rold Mac\r",
]
ASS_HEAD = (
    "[Script Info]\n; a comment\nTitle: A title\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\n"
    "Style: Default,Arial\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def dialogue(*texts: str) -> str:
    return ASS_HEAD + "".join(
        f"Dialogue: 0,0:00:{i:02}.00,0:00:{i + 1:02}.00,Default,,0,0,0,,{text}\n" for i, text in enumerate(texts)
    )


ASS = [
    ASS_HEAD,
    dialogue("Hello, world.", "I saw the man who", "lives, next to us."),
    dialogue("- Hello.\\N- Hi.", "{\\an8}Above\\Nthe line.", "{\\i1}Slanted{\\i0} and {\\b1}bold{\\b0} words").replace(
        "\n", "\r\n"
    ),
    dialogue("{\\p1}m 0 0 l 100 0 100 100{\\p0}", "{\\k20}ka{\\k30}ra{\\k10}oke", "a{comment}b", "\\h\\hwide\\h"),
    dialogue("", "...", "x").rstrip(),
    "\ufeff" + dialogue("x") + "Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,not this\n\n[Fonts]\nDialogue: no\n",
    "[Events]\nFormat: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: Marked=0,0:00:01.00,0:00:02.00,Default,NTP,0000,0000,0000,!Effect,SSA text\n",
]
DOCUMENTS = [
    *((subrip, document) for document in SUBRIP),
    *((webvtt, document) for document in WEBVTT),
    *((ass, document) for document in ASS),
]
each_document = pytest.mark.parametrize(("form", "document"), DOCUMENTS, ids=range(len(DOCUMENTS)))


def texts(form: ModuleType, document: str) -> list[str]:
    return [segment.text for segment in segments(form, document.encode())]


def squeezed(text: str) -> str:
    return "".join(html.unescape(text).split())


def changed(form: ModuleType, document: str, change: Callable[[Segment], Segment]) -> str:
    events = form.events(io.BytesIO(document.encode()), PLAIN)

    def translate(source: Iterable[Segment]) -> Iterator[Segment]:
        return iter([change(segment) for segment in list(source)])

    return b"".join(translated(events, translate)).decode()


def words(text: str) -> Callable[[Segment], Segment]:
    """Another text, with all marks at its start."""
    return lambda segment: Segment(text, tuple(mark._replace(position=0) for mark in segment.marks))


@each_document
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_identity(form: ModuleType, document: str, encoding: str) -> None:
    data = document.removeprefix("\ufeff" if encoding == "utf-16" else "").encode(encoding)
    assert identity(form, data) == data


@each_document
def test_nothing_but_segments_differs(form: ModuleType, document: str) -> None:
    result = marked(form, document.encode()).decode()
    assert result.count(LEFT) == result.count(RIGHT) == len(texts(form, document))
    plain = [text.replace("\\N", "").replace("\\h", "\u00a0") for text in (unmarked(result), document)]
    if "&eacute;" in document:
        plain = [text.replace("&eacute;", "é").replace("&nbsp;", "\u00a0") for text in plain]
    assert "".join(plain[0].split()) == "".join(plain[1].split())


@pytest.mark.parametrize("document", [*SUBRIP[2:10], SUBRIP[11], *SUBRIP[13:15], *ASS])
def test_an_independent_parser_sees_the_same_cues_and_each_word_in_a_segment(document: str) -> None:
    form = ass if document in ASS else subrip
    kind = "srt" if form is subrip else "ssa" if "Marked" in document else "ass"
    result = marked(form, document.encode()).decode()
    before, after = (pysubs2.SSAFile.from_string(text.lstrip("\ufeff"), format_=kind) for text in (document, result))
    assert [(cue.start, cue.end, cue.style, cue.type) for cue in before] == [
        (cue.start, cue.end, cue.style, cue.type) for cue in after
    ]
    inside = False
    for cue in after:
        if cue.is_comment or cue.is_drawing:
            continue
        for character in cue.plaintext:
            inside = (inside or character == LEFT) and character != RIGHT
            assert inside or not character.isalnum(), cue.plaintext
    for segment in texts(form, document):
        assert any(character.isalnum() for character in segment)


@pytest.mark.parametrize("document", [text for text in WEBVTT[2:] if "no blank" not in text and "\r\r" not in text])
def test_an_independent_parser_of_webvtt_sees_the_same_cues(document: str) -> None:
    result = marked(webvtt, document.encode()).decode()
    before, after = (webvtt_py.from_string(text.lstrip("\ufeff")) for text in (document, result))
    assert [(c.start, c.end, c.identifier) for c in before] == [(c.start, c.end, c.identifier) for c in after]
    assert [squeezed(c.text) for c in before] == [squeezed(unmarked(c.text)) for c in after]
    assert [style.text for style in before.styles] == [style.text for style in after.styles]


LINES = r"""
1
2
00:00:01,000 --> 00:00:02,000
00:00:02.000 --> 00:00:03.000
a b
- c
<i>
</i>
♪ d
WEBVTT
NOTE
[e]
漢，字
f.
{\an8}
x-->y
[Events]
-<i>-
Format: Start, End, Text
Dialogue: 0,0:00:01.00
Dialogue: 0:00:01.00,0:00:02.00,a\Nb
<v A>
&amp;
"""


@given(
    st.lists(st.sampled_from([" ", *LINES.split("\n")])),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_identity_of_any_lines(lines: list[str], ending: str) -> None:
    for form in (subrip, webvtt, ass):
        document = ending.join(["WEBVTT"] * (form is webvtt) + lines).encode()
        try:
            assert identity(form, document) == document
            result = marked(form, document).decode()
        except InputError as error:
            assert str(error).startswith("line ")
        else:
            assert result.count(LEFT) == len(segments(form, document))


@given(st.sampled_from(DOCUMENTS), st.integers(0, 300), st.binary(min_size=1, max_size=3))
def test_broken_files_come_back_or_are_an_error(document: tuple[ModuleType, str], place: int, data: bytes) -> None:
    form, text = document
    whole = text.encode()
    for broken in (whole[:place] + data + whole[place + 1 :], whole[:place], data):
        try:
            assert identity(form, broken) == broken
            marked(form, broken)
        except InputError as error:
            assert str(error).startswith("line ")


@pytest.mark.parametrize(
    ("form", "document", "message"),
    [
        (subrip, b"Only text\nof two lines\n", "line 1: no cue"),
        (subrip, srt("caf\xe9").encode("latin-1"), "line 3: not UTF-8"),
        (subrip, srt("One.").replace("02,000", "0x,000").encode(), "line 2: times such as"),
        (subrip, srt("One.").encode() + b"2\n00:00:0x,000 --> 00:00:04,000\nTwo.\n", "line 5: times such as"),
        (webvtt, b"WEBVTT\n\n00:01.000 --> 00:02.000\nA --> b\n\nname\n --> 00:03.000\nc\n", "line 7: times such as"),
        (webvtt, b"", "line 1: WebVTT begins"),
        (webvtt, b"WEBVTTX\n", "line 1: WebVTT begins"),
        (ass, b"[Script Info]\n", "line 1: no section"),
        (ass, b"[Events]\nDialogue: 0,0:00:01.00\n", "line 2: 2 fields instead of 10"),
        (ass, b"[Events]\nDialogue: 0,0:00:01.00,x,,,,,,,a\n", "line 2: times"),
        (ass, b"[Events]\nFormat: Text, Start\n", "line 2: a format"),
    ],
)
def test_what_is_broken_is_an_error_with_the_line(form: ModuleType, document: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        identity(form, document)


@pytest.mark.parametrize("unit", ["1:", "1:1 ", " ", "-->", "a"])
@pytest.mark.parametrize("form", [subrip, webvtt])
def test_a_long_line_that_looks_like_times_takes_linear_time(form: ModuleType, unit: str) -> None:
    document = b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\na\n\n" + unit.encode() * 20_000 + b" a -->\n"
    begin = time.process_time()
    assert identity(form, document) == document
    assert time.process_time() - begin < 5


def test_the_cues_of_a_sentence_are_one_segment() -> None:
    (segment,) = segments(subrip, SENTENCE.encode())
    assert segment.text == "I saw the old man who lives next to us, and he was well."
    assert segment.marks == (Mark(22, ALONE, 1), Mark(44, ALONE, 2))
    assert segment.balanced()


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("I saw", "him.", True),
        ("I saw.", "him.", False),
        ("Really?", "Yes", False),
        ("I saw,", "John.", True),
        ("I saw", "John.", True),
        ("I thought...", "...of you.", True),
        ("I thought…", "of you.", True),
        ("I thought...", "You go.", False),
        ("I saw", "- Him.", False),
        ("I saw", "[MUSIC]", False),
        ("[MUSIC]", "and this", False),
        ("<i>I saw</i>", "<i>him.</i>", True),
        ("<i>I saw</i>", "him.", False),
        ("{\\an8}I saw", "him.", False),
        ("♪ la la ♪", "♪ and la ♪", True),
        ("他说", "我们走", False),
        ("他说，", "我们走", True),
    ],
)
def test_which_cues_are_joined(first: str, second: str, joined: bool) -> None:
    assert len(segments(subrip, srt(first, second).encode())) == (1 if joined else 2)


def test_cues_far_apart_and_sentences_without_any_punctuation_are_not_joined() -> None:
    assert len(segments(subrip, srt("I saw", "him.", step=4).encode())) == 2
    assert len(segments(subrip, srt("I go", "you go", "he goes", "she goes", "it goes", "we go", "go").encode())) == 2
    assert len(segments(subrip, srt("I go", "You go", "He goes", "She goes", "It goes", "We go", "Go").encode())) > 2


def test_the_translation_is_divided_at_the_marks() -> None:
    def translate(segment: Segment) -> Segment:
        return Segment(
            "Ich sah den Alten, der neben uns wohnt. Es ging ihm gut.", (Mark(18, ALONE, 1), Mark(40, ALONE, 2))
        )

    assert changed(subrip, SENTENCE, translate) == srt("Ich sah den Alten,", "der neben uns wohnt.", "Es ging ihm gut.")


def test_a_mark_that_leaves_a_cue_empty_is_not_used() -> None:
    text = "Ich sah den Alten, der neben uns wohnt, und es ging ihm gut."
    result = changed(subrip, SENTENCE, words(text))
    assert result == srt("Ich sah den Alten,", "der neben uns wohnt,", "und es ging ihm gut.")
    assert changed(subrip, SENTENCE, words("Zwei Wörter")) == srt("Zwei", "Wörter", "Wörter")


def test_tags_that_cross_the_border_of_a_cue_are_closed_and_opened_again() -> None:
    document = srt("I saw the <i>old man</i> who", "lives here.")
    (segment,) = segments(subrip, document.encode())
    assert [mark.kind for mark in segment.marks] == [OPEN, CLOSE, ALONE]

    def translate(segment: Segment) -> Segment:
        start, end, border = segment.marks
        text = "Hier wohnt der alte Mann, den ich sah."
        return Segment(text, (start._replace(position=11), border._replace(position=20), end._replace(position=24)))

    assert changed(subrip, document, translate) == srt("Hier wohnt <i>der alte</i>", "<i>Mann</i>, den ich sah.")


def test_tags_and_signs_around_a_cue_stay_outside_of_the_segment() -> None:
    document = srt("{\\an8}<i>♪ La la ♪</i>", "[MUSIC PLAYS]", '<font color="red">Red.</font>', "-Yes?\n-<i>No.</i>")
    assert segments(subrip, document.encode()) == [
        Segment("La la"),
        Segment("MUSIC PLAYS"),
        Segment("Red."),
        Segment("Yes?"),
        Segment("No."),
    ]
    assert changed(subrip, document, words("X")) == srt(
        "{\\an8}<i>♪ X ♪</i>", "[X]", '<font color="red">X</font>', "-X\n-<i>X</i>"
    )


def test_lines_are_balanced_and_short() -> None:
    text = "Dies ist eine Übersetzung, die etwas länger als die Vorlage geworden ist"
    result = changed(subrip, srt("This is a text\nof two lines."), words(text))
    assert result == srt("Dies ist eine Übersetzung, die etwas\nlänger als die Vorlage geworden ist")
    result = changed(subrip, srt("One line."), words(text))
    assert result.count("\n") == srt("").count("\n") + 1
    assert all(len(line) <= 42 for line in result.splitlines())
    assert changed(subrip, srt("One\nline."), words("Eins")) == srt("Eins")
    wide = changed(subrip, srt("One line."), words("这是一个很长的句子" * 4))
    assert [len(line) for line in wide.splitlines()[2:]] == [18, 18]


def test_line_ends_of_windows_are_written() -> None:
    document = srt("This is a text\nof two lines.", ending="\r\n")
    assert changed(subrip, document, words("Zwei Zeilen")) == srt("Zwei\nZeilen", ending="\r\n")


def test_entities_of_webvtt_are_decoded_once_and_encoded_once() -> None:
    document = "WEBVTT\n\n00:01.000 --> 00:02.000\nA &amp;lt; B\n"
    assert texts(webvtt, document) == ["A &lt; B"]
    assert changed(webvtt, document, words("<x> & --> &lt;")).endswith("\n&lt;x&gt; &amp; --&gt; &amp;lt;\n")


def test_a_bare_sign_of_webvtt_stays_bare_where_it_may() -> None:
    document = "WEBVTT\n\n00:01.000 --> 00:02.000\nA > B\n"
    assert changed(webvtt, document, words("<b> > c")).endswith("\n&lt;b> > c\n")
    assert changed(webvtt, document, words("a --> c")).endswith("\na --&gt; c\n")


def test_voices_and_times_in_webvtt_are_marks() -> None:
    document = HEAD + "00:01.000 --> 00:05.000\n<v Fred>One<00:00:02.000> <c.x>two</c>"
    (segment,) = segments(webvtt, document.encode())
    assert segment == Segment(
        "One two",
        (Mark(3, ALONE, "<00:00:02.000>"), Mark(4, OPEN, ("<c.x>", "</c>")), Mark(7, CLOSE, ("</c>", "<c.x>"))),
    )
    first, second, third = segment.marks
    moved = Segment("Zwei eins", (second._replace(position=0), third._replace(position=4), first._replace(position=5)))
    result = changed(webvtt, document, lambda _: moved)
    assert result == HEAD + "00:01.000 --> 00:05.000\n<v Fred><c.x>Zwei</c> <00:00:02.000>eins"


def test_substation_alpha() -> None:
    document = dialogue("{\\an8}I saw, the {\\i1}old{\\i0} man\\Nwho", "lives here", "and there.", "- Yes.\\N- No.")
    first, *others = segments(ass, document.encode())
    assert first == Segment("I saw, the old man who", (Mark(11, ALONE, "{\\i1}"), Mark(14, ALONE, "{\\i0}")))
    assert others == [Segment("lives here and there.", (Mark(11, ALONE, 1),)), Segment("Yes."), Segment("No.")]
    assert changed(ass, dialogue("a word\\Nx"), words("ein Wort, y")) == dialogue("ein\\NWort, y")
