"""The character set of an HTML document: its byte order mark, its declaration, or else UTF-8 or windows-1252.

Labels mean what the Encoding standard says: `iso-8859-1` is windows-1252, `gb2312` is gb18030. Bytes that the set does
not have become lone surrogates (`surrogateescape`), which `encoded` turns back.
"""

import codecs
from itertools import groupby
from typing import NamedTuple

from seq2seq.documents.web.hypertext_tokens import OTHER, Token, tokens
from seq2seq.errors import InputError

BYTES_TO_SEARCH = 4096  # for a declaration; browsers stop after 1024

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "utf-16": "utf-8",  # a declaration that can be read as ASCII
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
}
_NAMES = {*_SUPERSETS.values(), "cp866", "cp949", "cp932", "big5hkscs", "euc_jp", "iso2022_jp", "mac-roman", "ptcp154"}
_FAMILIES = ("iso8859-", "cp125", "koi8-")


class Decoded(NamedTuple):
    """A document as text."""

    mark: bytes  # the byte order mark
    text: str
    charset: str  # a name that Python knows


def decoded(document: bytes) -> Decoded:
    """The text of the document.

    Raises:
        InputError: it is not the UTF-16 that its byte order mark promises, or it is no text.
    """
    for mark, charset in _BYTE_ORDER_MARKS.items():
        if document.startswith(mark):
            return Decoded(mark, _decode(document[len(mark) :], charset), charset)
    before, nul, _ = document.partition(b"\0")
    if nul and b"<" not in before:
        line = before.count(b"\n") + 1
        raise InputError(f"line {line}: a NUL character before any tag; this is no HTML, or save it as UTF-8")
    if charset := declared(document):
        return Decoded(b"", _decode(document, charset), charset)
    try:
        return Decoded(b"", document.decode(), "utf-8")
    except UnicodeDecodeError:
        return Decoded(b"", _decode(document, "cp1252"), "cp1252")


def encoded(text: str, charset: str) -> bytes:
    """The bytes of a text; a character that the set does not have becomes a character reference."""
    try:
        return text.encode(charset, "surrogateescape")
    except UnicodeEncodeError:
        parts = groupby(text, lambda character: "\udc80" <= character <= "\udcff")
        return b"".join(
            "".join(part).encode(charset, "surrogateescape" if raw else "xmlcharrefreplace") for raw, part in parts
        )


def declared(document: bytes) -> str:
    """The character set that the start of the document declares; empty if it declares none that is known."""
    start = document[:BYTES_TO_SEARCH].decode("latin-1")
    for token in tokens(start):
        if charset := _known(_label(start, token)):
            return charset
    return ""


def _decode(document: bytes, charset: str) -> str:
    wide = charset.startswith("utf-16")
    try:
        return document.decode(charset, "strict" if wide else "surrogateescape")
    except UnicodeDecodeError as error:
        line = document[: error.start].decode(charset, "replace").count("\n") + 1
        raise InputError(f"line {line}: these bytes are not {charset.upper()}; save the document as UTF-8") from None


def _label(text: str, token: Token) -> str:
    """The label that an XML declaration or a `<meta>` tag gives, which may be empty."""
    if token.kind == OTHER and text.startswith("<?xml", token.start):
        return "".join(text[token.start : token.end - 2].partition("encoding=")[2].split()[:1])
    if token.name != "meta":
        return ""
    values = {name: text[start:end] for name, start, end in token.attributes}
    if values.get("http-equiv", "").lower() == "content-type":
        return values.get("content", "").lower().partition("charset=")[2].partition(";")[0]
    return values.get("charset", "")


def _known(label: str) -> str:
    label = label.strip(" \t\n\r\f\"'")
    if not label.isascii() or not label.replace("-", "").replace("_", "").replace(":", "").isalnum():
        return ""
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return ""
    name = _SUPERSETS.get(name, name)
    return name if name in _NAMES or name.startswith(_FAMILIES) else ""
