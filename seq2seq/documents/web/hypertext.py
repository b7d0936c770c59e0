"""HTML, whole pages and fragments: the document is cut at its tokens, and all but the segments stays as it is.

Block elements delimit segments; inline elements are marks. What a person reads in attributes (`alt`, `title`, a page's
description) is a segment of its own. A run of white space reaches the translator as one space. A translation is written
with the character references of its source; a segment that its translation does not change is written as it was, to
the byte.
"""

import html
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.documents.web.hypertext_charset import decoded, encoded
from seq2seq.documents.web.hypertext_elements import BOUNDARY, VERBATIM, Piece, Pieces
from seq2seq.documents.web.hypertext_runs import divided, trimmed
from seq2seq.documents.web.hypertext_tokens import SPACE, TEXT, Attribute
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark, Segment

Code = str | tuple[str | int, ...]  # what a mark is written as; numbers stand for attributes that are translated

_KINDS = {"open": OPEN, "close": CLOSE, "alone": ALONE, "word": VALUE, "object": VALUE}  # of pieces, and of marks
_SPACES = re.compile(f"[{SPACE}]+")
_WORD = re.compile(r"\w")
_NEEDS_QUOTES = frozenset(SPACE + "\"'=<>`")
_TEMPLATE_TAGS = (("{%", "%}"), ("{{", "}}"), ("<%", "%>"), ("<?", "?>"))  # their beginnings and ends
_LONGEST_REFERENCE = 33


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The page or fragment as events, in the character set of the document.

    Raises:
        InputError: the document is not in the character set that its byte order mark names.
    """
    mark, text, charset = decoded(source.read())
    yield mark
    yield from text_events(text, charset)


def text_events(text: str, charset: str = "utf-8") -> Iterator[Event]:
    """The page or fragment as events whose bytes are in the character set."""
    reader, run = _Reader(text, charset), list[Piece]()
    for piece in Pieces(text):
        if piece.kind != BOUNDARY:
            run.append(piece)
            continue
        if run:
            yield from reader.run(run)
            run = []
        yield from reader.attributes([piece])
    if run:
        yield from reader.run(run)
    yield reader.until(len(text))


class _Reader:
    """Turns pieces into events."""

    def __init__(self, text: str, charset: str) -> None:
        self._text = text
        self._charset = charset
        self._done = 0  # the document up to here has been returned

    def until(self, end: int) -> bytes:
        """What stands between the last slot and the position."""
        start, self._done = self._done, end
        return encoded(self._text[start:end], self._charset)

    def attributes(self, pieces: list[Piece]) -> Iterator[Event]:
        """The attributes of pieces that stay where they are."""
        for piece in pieces:
            for attribute in piece.attributes:
                if value := _Value.of(self._text, attribute):
                    yield self.until(value.start)
                    yield Slot(value.segment, partial(self._put, value.written))
                    self._done = value.end

    def run(self, pieces: list[Piece]) -> Iterator[Event]:
        """The events of pieces between two boundaries."""
        if not any(piece.kind in (TEXT, VERBATIM) and _WORD.search(self._text, *piece[1:3]) for piece in pieces):
            yield from self.attributes(pieces)
            return
        before, middle, after = divided(self._text, pieces)
        sentence = _Sentence(self._text, middle)
        if not _WORD.search(sentence.segment.text):
            yield from self.attributes(pieces)
            return
        yield from self.attributes(before)
        yield self.until(middle[0].start)
        for number, value in enumerate(sentence.values):
            yield Slot(value.segment, sentence.keep_value(number))
        yield Slot(sentence.segment, partial(self._put, sentence.written))
        self._done = middle[-1].end
        yield from self.attributes(after)

    def _put(self, written: Callable[[Segment], str], translation: Segment) -> bytes:
        return encoded(written(translation), self._charset)


class _Value:
    """An attribute's value that is translated."""

    def __init__(self, text: str, attribute: Attribute, start: int, end: int) -> None:
        self.start, self.end = start, end
        self._source = text[start:end]
        self.segment = Segment(_plain(self._source))
        before = text[attribute.start - 1]
        self._quote = before if before in "\"'" else ""

    @classmethod
    def of(cls, text: str, attribute: Attribute) -> "_Value | None":
        """The value; None if there is nothing to translate, or a template's tag has its own quotes in it.

        Of `title="{% translate "Save" %}"`, HTML reads the value `{% translate `.
        """
        start, end = trimmed(text, attribute.start, attribute.end)
        if any(text.count(first, start, end) != text.count(last, start, end) for first, last in _TEMPLATE_TAGS):
            return None
        value = cls(text, attribute, start, end)
        return value if _WORD.search(value.segment.text) and _is_valid(value.segment.text) else None

    def written(self, translation: Segment) -> str:
        """What stands in the document from `start` to `end`."""
        if translation == self.segment:
            return self._source
        escapes = _escapes(self._source, ">" if "<" in self._source else "<>")
        if self._quote:
            escapes[ord(self._quote)] = escapes.get(ord(self._quote), "&quot;" if self._quote == '"' else "&#39;")
            return translation.text.translate(escapes)
        if translation.text and _NEEDS_QUOTES.isdisjoint(translation.text):
            return translation.text.translate(escapes)
        return '"' + translation.text.translate(escapes | {ord('"'): "&quot;"}) + '"'


class _Sentence:
    """A segment of text and inline elements."""

    def __init__(self, text: str, pieces: list[Piece]) -> None:
        self.values = list[_Value]()  # attributes of its elements
        self._source = list[Code]()
        self._texts = ""  # its texts, as they stand in the document
        self._closing = dict[Code, Code]()  # the code of each OPEN, and that of its CLOSE
        parts, waiting = list[str | Mark](), list[Code]()
        space, broken = False, False  # whether the text so far ends in a space; whether a <br> is all that separates
        for piece in pieces:
            if piece.kind in (TEXT, VERBATIM):
                self._source.append(text[piece.start : piece.end])
                self._texts += text[piece.start : piece.end]
                plain = html.unescape(text[piece.start : piece.end])
                if piece.kind == TEXT:
                    plain = _SPACES.sub(" ", plain)
                    plain = plain.lstrip(" ") if space else " " + plain.lstrip(" ") if broken else plain
                parts.extend(_valid_parts(plain))
                space, broken = plain.endswith(" ") if plain else space, broken and not plain
                continue
            code = self._code(text, piece)
            self._source.append(code)
            kind = _KINDS[piece.kind]
            if kind == OPEN:
                waiting.append(code)
            elif kind == CLOSE:
                self._closing[waiting.pop()] = code
            parts.append(Mark(0, kind, code))
            broken = not space and (broken or piece.name == "br")
            space = space and kind != VALUE
        self.segment = Segment.of_parts(parts)
        self._values = [value.written(value.segment) for value in self.values]

    def keep_value(self, number: int) -> Callable[[Segment], bytes]:
        """The `put` of an attribute, which is written with its element."""

        def keep(translation: Segment) -> bytes:
            self._values[number] = self.values[number].written(translation)
            return b""

        return keep

    def written(self, translation: Segment) -> str:
        """The translation as HTML."""
        if translation == self.segment:
            return "".join(map(self._of_code, self._source))
        escapes = _escapes(self._texts, "<>")
        written, waiting = list[str](), list[Code | None]()
        for part in translation.parts():
            if isinstance(part, str):
                written.append(part.translate(escapes))
                continue
            code: Code = part.code
            if part.kind == OPEN:
                waiting.append(self._closing.get(code))
            elif part.kind == CLOSE and waiting:
                code = waiting.pop() or code
            written.append(self._of_code(code))
        return "".join(written)

    def _code(self, text: str, piece: Piece) -> Code:
        code, start = list[str | int](), piece.start
        for attribute in piece.attributes:
            if value := _Value.of(text, attribute):
                code += [text[start : value.start], len(self.values)]
                self.values.append(value)
                start = value.end
        return (*code, text[start : piece.end]) if code else text[start : piece.end]

    def _of_code(self, code: Code) -> str:
        if isinstance(code, str):
            return code
        return "".join(part if isinstance(part, str) else self._values[part] for part in code)


def _plain(source: str) -> str:
    return _SPACES.sub(" ", html.unescape(source))


def _is_valid(text: str) -> bool:
    """Whether the text is without lone surrogates, which stand for bytes that are not in the character set."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _valid_parts(text: str) -> Iterator[str | Mark]:
    """The text, with marks for what is not in the character set."""
    if _is_valid(text):
        yield text
        return
    for valid, characters in groupby(text, _is_valid):
        part = "".join(characters)
        yield part if valid else Mark(0, VALUE, part)


def _escapes(source: str, markup: str) -> dict[int, str]:
    """How characters are written: as references where the source does so, or where they would be markup."""
    escapes = {ord("&"): "&amp;"} | {ord(c): html.escape(c) for c in markup if c == "<" or c not in source}
    for reference in source.split("&")[1:]:
        name, end, _ = reference[:_LONGEST_REFERENCE].partition(";")
        character = html.unescape(f"&{name};")
        if end and len(character) == 1 and character not in SPACE and not (character.isascii() and character.isalnum()):
            escapes[ord(character)] = f"&{name};"
    return escapes
