"""XLIFF: only targets change; lxml is the independent parser.

Identity fills each target that is missing with its source, so it is the file only where nothing is to be translated;
elsewhere it must be the file without the targets that it wrote, and what it wrote must come back byte for byte.
"""

import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from roundtrip import LEFT, PLAIN, RIGHT, identity, marked, segments, unmarked

from seq2seq.documents.document import DocumentOptions, translated
from seq2seq.documents.messages import xliff
from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark, Segment

ONE, TWO = "urn:oasis:names:tc:xliff:document:1.2", "urn:oasis:names:tc:xliff:document:2.0"
EVERYTHING = DocumentOptions(everything=True)


def one(units: str, namespace: str = f' xmlns="{ONE}"', attributes: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<xliff version="1.2"{namespace}>\n'
        f'  <file original="a" source-language="en" target-language="de" datatype="plaintext"{attributes}>\n'
        f"    <body>\n{units}\n    </body>\n  </file>\n</xliff>\n"
    ).encode()


def two(units: str, root: str = ' trgLang="de"') -> bytes:
    return (
        f'<xliff xmlns="{TWO}" version="2.0" srcLang="en"{root}>\n <file id="f">\n{units}\n </file>\n</xliff>'.encode()
    )


def unit(source: str, rest: str = "", attributes: str = "") -> str:
    return f'      <trans-unit id="1"{attributes}>\n        <source>{source}</source>{rest}\n      </trans-unit>'


def segment(source: str, rest: str = "", attributes: str = "", unit_attributes: str = "") -> str:
    return f'<unit id="u"{unit_attributes}><segment{attributes}>\n<source>{source}</source>{rest}\n</segment></unit>'


DOCUMENTS = {
    "one": one(unit("Hello")),
    "two": two(segment("Hello")),
    "an empty target": one(unit("Hello", "\n<target/>")) + b"<!-- the end -->\n",
    "an empty target with space": one(unit("Hello", "\n<target xml:lang='de' > \n </target>")),
    "states": one(
        unit("New", '<target state="new">Neu</target>')
        + unit("Needs", "<target state = 'needs-translation' xml:lang='de'/>")
        + unit("Final", '<target state="final">Fertig</target>')
    ),
    "states of two": two(
        segment("Hello", "<target>x</target>", ' state="initial"')
        + segment("Done", "<target>x</target>", ' state="final"')
        + segment("Hello", "", ' id="1" state="initial"')
    ),
    "finished": one(unit("Hello", "<target>Hallo</target>")),
    "not to translate": one(unit("Hello", "", ' translate="no"')),
    "a group": one(
        f'<group translate="no">{unit("No")}{unit("Yes", "", " translate=" + chr(39) + "yes" + chr(39))}</group>'
    ),
    "a unit of two": two(segment("No", "", "", ' translate="no"') + segment("Yes")),
    "inline": one(unit('Press <g id="1">the <x id="2"/> key</g> <bx id="3"/>now<ex id="3"/>.<x id="4" ctype="lb"/>Go')),
    "native codes": one(
        unit(
            '<bpt id="1" rid="1">&lt;b></bpt>Bold<ept id="2" rid="1">&lt;/b></ept> <it id="3" pos="open">&lt;i></it>'
            '<ph id="4">%s<sub>sub</sub></ph> it'
        )
    ),
    "crossing pairs": one(unit('<bx id="1" rid="1"/>a<bx id="2" rid="2"/>b<ex id="3" rid="1"/>c<ex id="4" rid="2"/>d')),
    "Angular": one(
        unit('<x id="START_LINK_1" ctype="x-a"/>Go<x id="CLOSE_LINK" ctype="x-a"/> to <x id="INTERPOLATION"/>')
    ),
    "protected": one(unit('The <mrk mtype="protected">raw</mrk> <mrk mtype="term">term</mrk>')),
    "inline of two": two(
        segment(
            '<pc id="1" dataRefStart="d">Go</pc> <ph id="2"/><sc id="3"/>x<ec startRef="3"/><cp hex="0001"/> '
            '<mrk id="m" translate="no">keep</mrk><ec id="9" isolated="yes"/>'
        )
    ),
    "units of two": two(
        '<unit id="a"><notes><note>A note</note></notes><originalData><data id="d">&lt;b></data></originalData>'
        "<segment><source>One.</source></segment> <ignorable><source> </source></ignorable>"
        "<segment><source>Two.</source><target>Zwei.</target></segment></unit>"
    ),
    "segmented": one(
        unit(
            "One. Two.",
            '<seg-source><mrk mtype="seg" mid="1">One.</mrk> <g id="1"><mrk mtype="seg" mid="2">Two.</mrk></g>'
            "</seg-source>",
        )
    ),
    "segmented in part": one(
        unit(
            "One. Two.",
            '<seg-source><mrk mtype="seg" mid="1">One.</mrk> <mrk mtype="seg" mid="2">Two.</mrk></seg-source>'
            '<target><mrk mtype="seg" mid="2">Zwei.</mrk>  <mrk mid="1" mtype="seg"/></target>',
        )
    ),
    "alternatives": one(
        unit("Hello", "<note>x</note><alt-trans><source>Hi</source><target>Hallo</target></alt-trans>")
    ),
    "alternatives of two": two(
        '<unit id="a"><m:matches xmlns:m="urn:m"><m:match><source>x</source><target>y</target></m:match></m:matches>'
        "<segment><source>Hello</source></segment></unit>"
    ),
    "escapes": one(unit("a &lt;b&gt; &amp;amp; &#8230; \u00a0 &quot;c&quot; ]]&gt;")),
    "CDATA": one(unit("<![CDATA[<b>Hello</b> & you]]>")) + b"<?pi x?>",
    "white space": one(unit("\n  A long\n    line\t with   runs\n")),
    "preserved": one(unit(" A\n  B ", "", ' xml:space="preserve"')),
    "preserved by the file": one(unit("A\n  B"), attributes=' xml:space="preserve"'),
    "comments": one(unit("A <!-- comment -->word<?pi?>")) + b"\n<!-- x -->",
    "prefixes": one("", f' xmlns="urn:other" xmlns:x="{ONE}"')
    .replace(b"xliff", b"x:xliff")
    .replace(b"<body>", b"<x:body><x:trans-unit id='1'>\n<x:source xml:lang='en'>Hello</x:source></x:trans-unit>")
    .replace(b"</body>", b"<trans-unit><source>Foreign</source></trans-unit></x:body>")
    .replace(b"urn:oasis:names:tc:x:", b"urn:oasis:names:tc:"),
    "no namespace": one(unit("Hello"), ""),
    "a doctype": one(unit("Hello &name; you"), "").replace(b"?>\n", b'?>\n<!DOCTYPE xliff [<!ENTITY name "x">]>\n'),
    "no words": one(unit("...") + unit("") + unit('<x id="1"/>')),
    "CRLF": one(unit("A\n B") + unit("C", "<target/>")).replace(b"\n", b"\r\n"),
    "Latin-1": one(unit("Grüße")).decode().replace("UTF-8", "ISO-8859-1").encode("latin-1"),
    "Windows-1252": one(unit("Grüße …")).decode().replace("UTF-8", "windows-1252").encode("cp1252"),
    "byte order mark": b"\xef\xbb\xbf" + one(unit("Hello")),
    "UTF-16": one(unit("Grüße <g id='1'>x</g>")).decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "UTF-16, no mark": one(unit("Grüße\n you", "<target/>")).decode().replace("UTF-8", "UTF-16").encode("utf-16-be"),
}


def text(document: bytes) -> str:
    return document.decode("utf-16" if document[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")


def without_targets(document: bytes) -> bytes:
    """The canonical form without targets, the white space around them and the states."""
    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False))
    for element in list(root.iter("{*}target")):
        parent = element.getparent()
        previous = element.getprevious()
        assert parent is not None
        assert previous is not None
        if "match" not in parent.tag and "alt-trans" not in parent.tag:
            previous.tail = (previous.tail or "").strip() + (element.tail or "").strip()
            parent.remove(element)
    for element in root.iter("{*}source", "{*}seg-source"):
        element.tail = (element.tail or "").strip()
    for element in root.iter("{*}segment"):
        element.attrib.pop("state", None)
    return etree.tostring(root, method="c14n")


@pytest.mark.parametrize("options", [PLAIN, EVERYTHING], ids=["unfinished", "everything"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_only_targets_change(name: str, options: DocumentOptions) -> None:
    before = DOCUMENTS[name]
    same, other = identity(xliff, before, options), marked(xliff, before, options)
    assert identity(xliff, same, options) == same
    for after in (same, other):
        if "&name;" not in text(before):
            assert without_targets(after) == without_targets(before)
        assert text(after).count("\r\n") - text(before).count("\r\n") in (
            0,
            text(after).count("\n") - text(before).count("\n"),
        )


def canonical(document: bytes) -> str:
    return etree.tostring(etree.fromstring(document, etree.XMLParser(resolve_entities=False)), encoding="unicode")


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "white space" and name[:2] not in ("CR",)])
def test_marked_is_identity_but_for_the_marks(name: str) -> None:
    """As XML: what changed is written without CDATA and needless character references."""
    before = DOCUMENTS[name]
    if name != "UTF-16, no mark":
        assert unmarked(canonical(marked(xliff, before))) == canonical(identity(xliff, before))


@pytest.mark.parametrize("name", ["finished", "not to translate", "no words"])
def test_what_is_finished_stays_byte_for_byte(name: str) -> None:
    assert identity(xliff, DOCUMENTS[name]) == DOCUMENTS[name] == marked(xliff, DOCUMENTS[name])


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name not in ("UTF-16", "UTF-16, no mark", "prefixes")])
def test_the_targets_are_all_that_is_inserted(name: str) -> None:
    """Byte for byte: the lines of the file are there, in order, but for those with a target or a state."""
    before, after = (document.splitlines() for document in (DOCUMENTS[name], marked(xliff, DOCUMENTS[name])))
    left = iter(after)
    for line in before:
        if b"target" not in line and b"state" not in line and b"<source>" not in line and b"seg" not in line:
            assert line in left


def test_a_target_is_inserted_after_its_source_and_indented_as_it() -> None:
    expected = unit("Hello", "\n        <target>Hello</target>")
    assert identity(xliff, DOCUMENTS["one"]) == one(expected)
    assert identity(xliff, DOCUMENTS["two"]) == two(segment("Hello", "\n<target>Hello</target>"))
    assert b"<x:source xml:lang='en'>Hello</x:source>\n<x:target>Hello</x:target>" in identity(
        xliff, DOCUMENTS["prefixes"]
    )


def test_states_of_what_is_translated() -> None:
    result = marked(xliff, DOCUMENTS["states"]).decode()
    assert f'<target state="translated">{LEFT}New{RIGHT}</target>' in result
    assert f"<target state = 'translated' xml:lang='de'>{LEFT}Needs{RIGHT}</target>" in result
    assert '<target state="final">Fertig</target>' in result
    result = marked(xliff, DOCUMENTS["states of two"]).decode()
    assert f'<segment state="translated">\n<source>Hello</source><target>{LEFT}Hello{RIGHT}</target>' in result
    assert '<segment state="final">\n<source>Done</source><target>x</target>' in result
    assert f'<segment id="1" state="translated">\n<source>Hello</source>\n<target>{LEFT}Hello{RIGHT}</target>' in result


def test_everything_translates_finished_targets_and_keeps_their_states() -> None:
    assert (
        f'<target state="final">{LEFT}Final{RIGHT}</target>' in marked(xliff, DOCUMENTS["states"], EVERYTHING).decode()
    )
    assert f"<target>{LEFT}Hello{RIGHT}</target>" in marked(xliff, DOCUMENTS["finished"], EVERYTHING).decode()


def test_the_language_of_the_targets_is_set_where_a_file_names_none() -> None:
    """As Angular writes messages.xlf."""
    content, german = DOCUMENTS["one"].replace(b' target-language="de"', b""), DocumentOptions(tgt="de")
    assert b"target-language" not in identity(xliff, content)
    named = identity(xliff, content, german)
    assert named.replace(b' target-language="de"', b"") == identity(xliff, content)
    assert b'<file target-language="de" original="a"' in named
    assert b'target-language="de" datatype' in identity(xliff, DOCUMENTS["one"], DocumentOptions(tgt="fr"))


def test_the_language_that_two_demands_is_set_if_it_is_known() -> None:
    content, german = two(segment("Hello"), ""), DocumentOptions(tgt="de")
    assert b"trgLang" not in identity(xliff, content)
    assert b'<xliff trgLang="de" xmlns=' in identity(xliff, content, german)
    assert identity(xliff, DOCUMENTS["two"], DocumentOptions(tgt="fr")) == identity(xliff, DOCUMENTS["two"])
    assert b"trgLang" not in identity(xliff, DOCUMENTS["one"], german)


TEXTS = {
    "states": ["New", "Needs"],
    "a group": ["Yes"],
    "a unit of two": ["Yes"],
    "units of two": ["One."],
    "segmented": ["One.", "Two."],
    "segmented in part": ["One."],
    "alternatives": ["Hello"],
    "alternatives of two": ["Hello"],
    "escapes": ['a <b> &amp; … \u00a0 "c" ]]>'],
    "CDATA": ["<b>Hello</b> & you"],
    "white space": ["A long line with runs"],
    "preserved": ["A\n  B"],
    "preserved by the file": ["A\n  B"],
    "prefixes": ["Hello"],
    "UTF-16, no mark": ["Grüße you"],
    "Windows-1252": ["Grüße …"],
    "a doctype": ["Hello  you"],
    "protected": ["The  term"],
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    assert [s.text for s in segments(xliff, DOCUMENTS[name])] == TEXTS[name]


KINDS = {
    "inline": [(OPEN, 6), (VALUE, 10), (CLOSE, 14), (OPEN, 15), (CLOSE, 18), (ALONE, 19)],
    "native codes": [(OPEN, 0), (CLOSE, 4), (ALONE, 5), (VALUE, 5)],
    "crossing pairs": [(OPEN, 0), (ALONE, 1), (CLOSE, 2), (ALONE, 3)],
    "Angular": [(OPEN, 0), (CLOSE, 2), (VALUE, 6)],
    "protected": [(VALUE, 4), (OPEN, 5), (CLOSE, 9)],
    "inline of two": [(OPEN, 0), (CLOSE, 2), (VALUE, 3), (OPEN, 3), (CLOSE, 4), (ALONE, 4), (VALUE, 5), (ALONE, 5)],
    "comments": [(ALONE, 2), (ALONE, 6)],
    "a doctype": [(VALUE, 6)],
}


@pytest.mark.parametrize("name", KINDS)
def test_marks(name: str) -> None:
    (found,) = segments(xliff, DOCUMENTS[name])
    assert [(mark.kind, mark.position) for mark in found.marks] == KINDS[name]
    assert found.balanced()


def test_marks_in_another_order_are_written_from_their_codes() -> None:
    def turned(source: Iterator[Segment]) -> Iterator[Segment]:
        for found in source:
            first, second = [mark for mark in found.marks if mark.kind == OPEN]
            ends = [mark for mark in found.marks if mark.kind == CLOSE]
            yield Segment.of_parts(["x ", second, "b ", first, "a < b", ends[0], ends[1], " y"])

    content = one(unit('<bx id="1"/>A<ex id="1"/> <bx id="2"/>B<ex id="2"/>'))
    result = b"".join(translated(xliff.events(io.BytesIO(content), PLAIN), turned)).decode()  # type: ignore[arg-type]
    assert '<target>x <bx id="2"/>b <bx id="1"/>a &lt; b<ex id="1"/><ex id="2"/> y</target>' in result


def test_segments_of_a_unit_are_translated_one_by_one() -> None:
    result = marked(xliff, DOCUMENTS["segmented"]).decode()
    assert (
        f'</seg-source>\n        <target><mrk mtype="seg" mid="1">{LEFT}One.{RIGHT}</mrk> '
        f'<g id="1"><mrk mtype="seg" mid="2">{LEFT}Two.{RIGHT}</mrk></g></target>'
    ) in result
    result = marked(xliff, DOCUMENTS["segmented in part"]).decode()
    assert (
        f'<target><mrk mtype="seg" mid="2">Zwei.</mrk>  <mrk mid="1" mtype="seg">{LEFT}One.{RIGHT}</mrk></target>'
    ) in result


def test_what_the_character_set_lacks_is_a_character_reference() -> None:
    assert f"<target>&#{ord(LEFT)};Grüße&#{ord(RIGHT)};</target>".encode("latin-1") in marked(
        xliff, DOCUMENTS["Latin-1"]
    )


def bomb() -> bytes:
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 30))
    body = one(unit("Hello &a29; you"), "").decode()
    return body.replace("?>\n", f'?>\n<!DOCTYPE xliff [<!ENTITY a0 "aaaaaaaaaa">{entities}]>\n').encode()


def test_entities_are_not_expanded() -> None:
    assert [s.text for s in segments(xliff, bomb())] == ["Hello  you"]
    assert b"<target>Hello &a29; you</target>" in identity(xliff, bomb())
    with pytest.raises(InputError, match="line 6: not well-formed XML: limit on input amplification"):
        identity(xliff, bomb().replace(b'id="1"', b'id="&a29;"'))
    outside = one(unit("Hello &e; you"), "").replace(
        b"?>\n", b'?>\n<!DOCTYPE xliff [<!ENTITY e SYSTEM "/etc/passwd">]>\n'
    )
    assert b"root" not in identity(xliff, outside)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: not well-formed XML: no element found"),
        (DOCUMENTS["one"][:200], "not well-formed XML: "),
        (DOCUMENTS["one"].replace(b"</source>", b"</sauce>"), "line 6: not well-formed XML: mismatched tag"),
        (b"\x00\xff\x00binary", "not well-formed XML"),
        (b"<html/>", "line 1: the root element is <html>; an XLIFF document has <xliff>"),
        (DOCUMENTS["Latin-1"].replace(b"ISO-8859-1", b"UTF-8"), "line 6: not well-formed XML"),
        (DOCUMENTS["one"].replace(b"UTF-8", b"klingon"), "line 1"),
        (DOCUMENTS["one"].replace(b"UTF-8", b"shift_jis"), "line 1"),
    ],
)
def test_what_is_broken_is_one_line_that_says_where(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        identity(xliff, content)
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(DOCUMENTS)), st.integers(0, 900), st.integers(0, 9), st.binary(max_size=3))
def test_mutated_files_are_read_or_refused(name: str, place: int, size: int, inserted: bytes) -> None:
    content = DOCUMENTS[name][:place] + inserted + DOCUMENTS[name][place + size :]
    try:
        result = identity(xliff, content)
    except InputError:
        return
    assert identity(xliff, result) == result


def test_marks_hold_what_they_were_written_in() -> None:
    (found,) = segments(xliff, one(unit('A <g id="1">b</g> <ph id="2">%s</ph>')))
    pair = (b'<g id="1">', b"</g>")
    assert found == Segment("A b ", (Mark(2, OPEN, pair), Mark(3, CLOSE, pair), Mark(4, VALUE, b'<ph id="2">%s</ph>')))
