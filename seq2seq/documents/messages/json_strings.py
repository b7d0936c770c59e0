"""JSON files of an application's texts: each string value is a segment; all else stays byte for byte.

Keys are never translated, nor is what a key that begins with `@` holds: metadata, in ARB files. In a file of messages
with notes for translators (of Chrome's extensions, of react-intl), only the messages are. A value is written in
the file's own style: characters that the file escapes somewhere (`\\/`, `\\u00a0`) are escaped in the same way, and all
that are not ASCII if the file has them as escapes only. ICU messages are one segment as they stand. The document is
held in memory.
"""

import codecs
import json
from collections.abc import Iterator
from json import decoder, scanner
from re import search
from typing import Any, BinaryIO, NamedTuple

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before that of UTF-16, which it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "utf-8",
}
_MESSAGES = {  # key of a message, and the keys that may stand beside it
    "message": {"description", "placeholders"},  # _locales/en/messages.json of an extension
    "defaultMessage": {"id", "description", "file", "start", "end"},  # what react-intl extracts
    "string": {"context", "developer_comment", "character_limit"},  # "structured JSON" of translation platforms
}
_ESCAPES = {char: json.dumps(char)[1:-1] for char in [*map(chr, range(0x20)), '"', "\\"]}


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events.

    Raises:
        InputError: the document is no JSON, or not in UTF-8, UTF-16 or UTF-32.
    """
    document = source.read()
    mark = next((mark for mark in _BYTE_ORDER_MARKS if document.startswith(mark)), b"")
    encoding = _BYTE_ORDER_MARKS.get(mark) or json.detect_encoding(document)
    text = _decoded(document[len(mark) :], encoding)
    value = _parsed(text)
    strings = list(_strings(value if (messages := _messages(value)) is None else messages))
    style = _Style.of(text, strings)
    yield mark
    start = 0
    for string in strings:
        segment = Segment(string.value.strip())
        if search("[\ud800-\udfff]", segment.text):
            line = text.count("\n", 0, string.start) + 1
            options.note(f"line {line}: a text with half of a surrogate pair (\\ud800 to \\udfff) stays as it is")
        elif search(r"\w", segment.text):
            yield text[start : string.start].encode(encoding)
            yield _slot(segment, string, text[string.start : string.end], style, encoding)
            start = string.end
    yield text[start:].encode(encoding)


class _String(NamedTuple):
    """A string value, and where it stands in the text, with its quotes."""

    value: str
    start: int
    end: int


class _Object(list[tuple[str, Any]]):
    """The keys and values of an object, in their order; a key may be there twice."""


class _Decoder(json.JSONDecoder):
    """Returns `_Object` for each object, `_String` for each string value, and a string for all else but lists."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=str)
        self.parse_string = _string
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # the one in C calls no `parse_string`


def _string(text: str, begin: int, strict: bool) -> tuple[_String, int]:
    value, end = decoder.scanstring(text, begin, strict)  # type: ignore[attr-defined]
    return _String(value, begin - 1, end), end


def _decoded(document: bytes, encoding: str) -> str:
    try:
        return document.decode(encoding)
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        raise InputError(f"line {line}: not {encoding.upper()}; JSON is in UTF-8, UTF-16 or UTF-32") from None


def _parsed(text: str) -> Any:
    try:
        return _Decoder().decode(text)
    except json.JSONDecodeError as error:
        raise InputError(f"line {error.lineno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise InputError("line 1: not JSON of texts: nested too deeply") from None


def _strings(value: Any) -> Iterator[_String]:
    """The string values to translate, in their order."""
    if isinstance(value, _String):
        yield value
    elif isinstance(value, _Object):
        for key, item in value:
            if not key.startswith("@"):
                yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _messages(value: Any) -> list[_String] | None:
    """The messages of a file in which each message is an object with notes; None for any other file."""
    entries = [item for _, item in value] if isinstance(value, _Object) else value
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, _Object) for entry in entries):
        return None
    for key, beside in _MESSAGES.items():
        if all({name for name, _ in entry} - beside == {key} for entry in entries):
            found = [item for entry in entries for name, item in entry if name == key]
            return found if all(isinstance(item, _String) for item in found) else None
    return None


class _Style(NamedTuple):
    """How a file writes the characters of its strings."""

    escapes: dict[int, str]
    ascii: bool  # all that is not ASCII is escaped
    capitals: bool  # in \\u00E9

    @classmethod
    def of(cls, text: str, strings: list[_String]) -> "_Style":
        """The style of the strings in the text."""
        found = {json.loads(f'"{escape}"'): escape for string in strings for escape in _escapes(text, string)}
        return cls(
            str.maketrans(_ESCAPES | {char: escape for char, escape in found.items() if not _is_surrogate(char)}),
            text.isascii() and any(not char.isascii() for char in found),
            any(escape[2:] != escape[2:].lower() for escape in found.values()),
        )

    def quoted(self, value: str) -> str:
        """The string as the file writes it."""
        inside = value.translate(self.escapes)
        if self.ascii and not inside.isascii():
            inside = "".join(char if char.isascii() else self._escaped(char) for char in inside)
        return f'"{inside}"'

    def _escaped(self, char: str) -> str:
        escape = json.dumps(char)[1:-1]
        return escape.upper().replace("\\U", "\\u") if self.capitals else escape


def _is_surrogate(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"


def _escapes(text: str, string: _String) -> Iterator[str]:
    """The escapes in a string, as they are written."""
    place = text.find("\\", string.start, string.end)
    while place >= 0:
        end = place + (6 if text[place + 1] == "u" else 2)
        yield text[place:end]
        place = text.find("\\", end, string.end)


def _slot(segment: Segment, string: _String, written: str, style: _Style, encoding: str) -> Slot:
    before, _, after = string.value.partition(segment.text)  # white space

    def put(translation: Segment) -> bytes:
        if translation == segment:
            return written.encode(encoding)
        return style.quoted(before + translation.text + after).encode(encoding)

    return Slot(segment, put)
