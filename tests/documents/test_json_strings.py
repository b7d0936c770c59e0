"""JSON: string values are replaced in place, and all else stays byte for byte."""

import codecs
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roundtrip import LEFT, RIGHT, identity, marked, segments, unmarked

from seq2seq.documents.document import DocumentOptions, Slot
from seq2seq.documents.messages import json_strings
from seq2seq.errors import InputError

DOCUMENTS = {
    "object": b'{\n  "hello": "Hello",\n  "bye": "Bye"\n}\n',
    "nested": b'{"a": {"b": ["One", {"c": "Two"}], "d": {}}, "e": []}',
    "other values": b'{"a": 1.50, "b": -0, "c": 1e400, "d": null, "e": true, "f": "Word", "g": 1' + b"0" * 5000 + b"}",
    "keys twice": b'{"a": "One", "a": "Two", "a": 3}',
    "compact": b'{"a":"One","b":["Two","Three"]}',
    "odd white space": b' \n\t{ "a"\n:\t"One" ,\r\n\r\n"b" : "Two" } \n\n',
    "CRLF": b'{\r\n\t"a": "One"\r\n}\r\n',
    "no words": b'{"a": "", "b": " ", "c": "...", "d": "\\n"}',
    "white space in a value": b'{"a": "  One\\n", "b": "\\tTwo \\u00a0"}',
    "escapes": b'{"a": "say \\"hi\\" \\\\ \\b\\f\\n\\r\\t now"}',
    "ASCII": b'{"a": "Gr\\u00fc\\u00dfe", "b": "\\ud83d\\ude00 hi"}',
    "ASCII in capitals": b'{"a": "caf\\u00E9"}',
    "PHP": b'{"a": "and\\/or", "b": "Gr\\u00fc\\u00dfe"}',
    "Go": b'{"a": "\\u003cb\\u003eOne\\u003c/b\\u003e \\u0026 two"}',
    "UTF-8": '{"a": "Grüße 😀", "b": "a\\u00a0b \\u200e"}'.encode(),
    "ICU": b'{"a": "{count, plural, one {# file} other {# files}}"}',
    "ARB": b'{"@@locale": "en", "hi": "Hello {name}", "@hi": {"description": "A text", "placeholders": {"name": {}}}}',
    "half a character": b'{"a": "x \\ud83d y", "b": "One"}',
    "a string": b'"Hello"\n',
    "a list": b'["One", "Two"]',
    "a number": b"12",
    "byte order mark": codecs.BOM_UTF8 + b'{"a": "One"}',
    "UTF-16": '{"a": "Grüße"}'.encode("utf-16"),
    "UTF-16, no mark": '{"a": "Grüße"}'.encode("utf-16-be"),
    "UTF-32": codecs.BOM_UTF32_BE + '{"a": "Grüße"}'.encode("utf-32-be"),
    "the same value": b'{"One": "One", "a": "One", "b": "One One"}',
}


def decoded(document: bytes) -> str:
    return document.decode(json.detect_encoding(document))


class Pairs(list[Any]):
    """The keys and values of an object."""


def strings(value: Any) -> list[str]:
    if isinstance(value, Pairs):
        return [text for key, item in value if not key.startswith("@") for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def parsed(document: bytes) -> Any:
    return json.loads(decoded(document), object_pairs_hook=Pairs, parse_int=lambda digits: (digits,))


def skeleton(value: Any) -> Any:
    if isinstance(value, Pairs):
        return [(key, item if key.startswith("@") else skeleton(item)) for key, item in value]
    if isinstance(value, list):
        return [skeleton(item) for item in value]
    return "" if isinstance(value, str) else value


@pytest.mark.parametrize("name", DOCUMENTS)
def test_identity_is_byte_for_byte(name: str) -> None:
    assert identity(json_strings, DOCUMENTS[name]) == DOCUMENTS[name]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_marked_without_its_marks_is_the_file(name: str) -> None:
    escaped = {f"\\u{ord(c):04x}": c for c in LEFT + RIGHT}
    escaped |= {f"\\u{ord(c):04X}": c for c in LEFT + RIGHT}
    text = decoded(marked(json_strings, DOCUMENTS[name]))
    for escape, char in escaped.items():
        text = text.replace(escape, char)
    assert unmarked(text) == decoded(DOCUMENTS[name])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_string_value_is_marked_and_nothing_else(name: str) -> None:
    before, after = parsed(DOCUMENTS[name]), parsed(marked(json_strings, DOCUMENTS[name]))
    assert skeleton(before) == skeleton(after)
    for old, new in zip(strings(before), strings(after), strict=True):
        if any(c.isalnum() for c in old) and not any("\ud800" <= c <= "\udfff" for c in old):
            assert new == old.replace(old.strip(), f"{LEFT}{old.strip()}{RIGHT}")
        else:
            assert new == old


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("nested", ["One", "Two"]),
        ("keys twice", ["One", "Two"]),
        ("white space in a value", ["One", "Two"]),
        ("escapes", ['say "hi" \\ \b\f\n\r\t now']),
        ("ASCII", ["Grüße", "😀 hi"]),
        ("Go", ["<b>One</b> & two"]),
        ("ICU", ["{count, plural, one {# file} other {# files}}"]),
        ("ARB", ["Hello {name}"]),
        ("half a character", ["One"]),
        ("UTF-32", ["Grüße"]),
    ],
)
def test_texts(name: str, texts: list[str]) -> None:
    assert [s.text for s in segments(json_strings, DOCUMENTS[name])] == texts


def test_the_style_of_the_file_is_kept() -> None:
    assert f"\\u{ord(LEFT):04x}Gr\\u00fc" in marked(json_strings, DOCUMENTS["ASCII"]).decode("ascii")
    assert f"\\u{ord(LEFT):04X}caf\\u00E9" in marked(json_strings, DOCUMENTS["ASCII in capitals"]).decode("ascii")
    assert f"{LEFT}\\u003cb\\u003eOne" in marked(json_strings, DOCUMENTS["Go"]).decode()
    assert f"{LEFT}a\\u00a0b" in marked(json_strings, DOCUMENTS["UTF-8"]).decode()


@pytest.mark.parametrize(
    ("document", "texts"),
    [
        (
            '{"a": {"message": "Hi $NAME$", "description": "A greeting", "placeholders": {"name": {"content": "$1"}}},'
            ' "b": {"message": "Bye"}}',
            ["Hi $NAME$", "Bye"],
        ),
        ('{"x1": {"defaultMessage": "Hi {name}", "description": "A greeting"}}', ["Hi {name}"]),
        ('[{"id": "hi", "defaultMessage": "Hi {name}"}, {"id": "by", "defaultMessage": "Bye"}]', ["Hi {name}", "Bye"]),
        ('{"a": {"string": "Hi", "context": "home", "developer_comment": "A greeting"}}', ["Hi"]),
        ('{"a": {"title": "Saved", "description": "All is well"}}', ["Saved", "All is well"]),
        ('{"a": {"message": "Saved", "description": "All is well"}, "b": "Bye"}', ["Saved", "All is well", "Bye"]),
        ('{"a": {"message": "Saved", "description": "All is well"}, "b": {"c": "x"}}', ["Saved", "All is well", "x"]),
        ('{"a": {"message": ["One"], "description": "Two"}}', ["One", "Two"]),
    ],
)
def test_notes_for_translators_are_no_texts(document: str, texts: list[str]) -> None:
    assert [s.text for s in segments(json_strings, document.encode())] == texts
    assert unmarked(marked(json_strings, document.encode()).decode()) == document


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: not JSON: Expecting value"),
        (b'{\n"a": "b",\n}', "line [23]: not JSON: "),
        (b'{\n"a": "b"', "line 2: not JSON: "),
        (b'{\n"a": "b"} x', "line 2: not JSON: Extra data"),
        (b'{"a": "b\n"}', "line 1: not JSON: Invalid control character"),
        (b'{"a": "\\x"}', "line 1: not JSON: Invalid .escape"),
        (b'{\n"a": "\xff"}', "line 2: not UTF-8"),
        (b"[" * 100_000, "line 1: not JSON of texts: nested too deeply"),
        (b'{"a":' * 100_000, "line 1: not JSON of texts: nested too deeply"),
        (b"\x89PNG\r\n\x1a\n\0\0", "line 1: not"),
    ],
)
def test_what_is_broken_is_one_line_that_says_where(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        identity(json_strings, content)
    assert "\n" not in str(caught.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_any_value_comes_back(value: Any, ascii_only: bool, indent: int | None) -> None:
    document = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    assert identity(json_strings, document) == document
    after = marked(json_strings, document)
    assert skeleton(parsed(after)) == skeleton(parsed(document))
    if not ascii_only:
        assert unmarked(after.decode()).encode() == document


@settings(max_examples=200)
@given(st.sampled_from(sorted(DOCUMENTS)), st.integers(0, 60), st.integers(0, 5), st.binary(max_size=3))
def test_mutated_files_are_read_or_refused(name: str, place: int, size: int, inserted: bytes) -> None:
    content = DOCUMENTS[name][:place] + inserted + DOCUMENTS[name][place + size :]
    try:
        assert identity(json_strings, content) == content
    except InputError:
        return


def test_a_text_with_half_a_character_is_named() -> None:
    notes = list[str]()
    document = b'{\n"a": "One",\n"b": "x \\ud83d y"}'
    events = list(json_strings.events(io.BytesIO(document), DocumentOptions(note=notes.append)))
    assert sum(isinstance(event, Slot) for event in events) == 1
    assert notes == ["line 3: a text with half of a surrogate pair (\\ud800 to \\udfff) stays as it is"]
