"""Markdown: CommonMark with tables, strikethrough, footnotes and front matter. Only the text of blocks is replaced.

Blocks are cut by their lines. A translated paragraph is one line, whatever lines its source had; a block whose text is
not found in its lines, as behind a tab that stands for two markers, stays as it is. HTML blocks are read as HTML. Kept
are code, definitions of links, and all but title and description of the front matter. Knows no inline markup.
"""

import codecs
import io
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, NamedTuple

from markdown_it.token import Token
from markdown_it.utils import EnvType

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.documents.web.front_matter import Scalar, scalars
from seq2seq.documents.web.hypertext import text_events
from seq2seq.documents.web.markdown_parser import parser, scratch
from seq2seq.documents.web.markdown_text import CELL, HEADING, PARAGRAPH, TASKS, Content
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment


class _Place(NamedTuple):
    """Where the content of a block stands."""

    start: int
    end: int
    prefix: str  # of its lines after the first


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events.

    Raises:
        InputError: the document is not UTF-8.
    """
    document = source.read()
    mark = codecs.BOM_UTF8 if document.startswith(codecs.BOM_UTF8) else b""
    try:
        text = document[len(mark) :].decode()
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, len(mark) + error.start) + 1
        raise InputError(f"line {line}: these bytes are not UTF-8; save the document as UTF-8") from None
    yield mark
    yield from _Blocks(text).events()


class _Blocks:
    """Turns the blocks of a document into events."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = list(io.StringIO(text, newline=""))
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        self._newline = "\r\n" if self._lines and self._lines[0].endswith("\r\n") else "\n"
        self._done = 0  # the document up to here has been returned
        self._markdown = parser()
        if not self._text.startswith("---"):  # the rule takes a first list item such as "- a--b" for its marker
            self._markdown.disable("front_matter")
        self._env: EnvType = {}

    def events(self) -> Iterator[Event]:
        """The events of the document."""
        tokens = self._markdown.parse(self._text, self._env)
        row = 0
        for before, token in zip([None, *tokens], tokens, strict=False):
            if token.type == "tr_open":
                row = self._starts[(token.map or [0])[0]]  # where to look for the row's next cell
            elif token.type == "front_matter":
                yield from self._front_matter(token)
            elif token.type == "html_block":
                yield from self._html(token)
            elif token.type == "inline" and before and before.type in ("th_open", "td_open"):
                if place := self._cell(token.content, row):
                    row = place.end
                    yield from self._content(token, CELL, place)
            elif token.type == "inline" and before and token.map and token.content:
                heading = before.type == "heading_open" and before.markup.startswith("#")
                inline = token if heading else self._without_marker(token)
                if place := self._heading(token, before.markup) if heading else self._paragraph(token, inline.content):
                    yield from self._content(inline, HEADING if heading else PARAGRAPH, place)
        yield self._until(len(self._text))

    def _until(self, end: int) -> bytes:
        start, self._done = self._done, end
        return self._text[start:end].encode()

    def _front_matter(self, token: Token) -> Iterator[Event]:
        first, last = token.map or [0, 0]
        for scalar in scalars(self._lines[first:last], self._starts[first]):
            segment = Segment(scalar.text)
            yield self._until(scalar.start)
            yield Slot(segment, partial(self._put_scalar, scalar))
            self._done = scalar.end

    def _put_scalar(self, scalar: Scalar, translation: Segment) -> bytes:
        unchanged = translation.text == scalar.text
        return (self._text[scalar.start : scalar.end] if unchanged else scalar.written(translation.text)).encode()

    def _html(self, token: Token) -> Iterator[Event]:
        first, last = token.map or [0, 0]
        start, end = self._starts[first], self._starts[last]
        if "".join(line.rstrip("\r\n") + "\n" for line in self._lines[first:last]).rstrip() == token.content.rstrip():
            yield self._until(start)
            yield from text_events(self._text[start:end])
            self._done = end

    def _content(self, inline: Token, kind: str, place: _Place) -> Iterator[Event]:
        content = Content(self._markdown, self._env, inline, kind)
        if not content.has_words and not content.values:
            return
        yield self._until(place.start)
        for number, value in enumerate(content.values):
            yield Slot(Segment(value.text), content.keep_value(number))
        put = partial(self._put, content, place)
        yield Slot(content.segment, put) if content.has_words else partial(put, content.segment)
        self._done = place.end

    def _put(self, content: Content, place: _Place, translation: Segment) -> bytes:
        written = content.written(translation)
        if written is None:
            return self._text[place.start : place.end].encode()
        if content.kind == CELL:
            written = written.replace("|", "\\|")
        return written.replace("\n", self._newline + place.prefix).encode()

    def _paragraph(self, token: Token, content: str) -> _Place | None:
        """The place of the content at the end of the token's lines, without their prefixes."""
        lines = content.split("\n")
        first = (token.map or [0])[0] + token.content.count("\n") + 1 - len(lines)
        starts = list[int]()
        for number, line in enumerate(lines, start=first):
            start = self._lines[number].rfind(line) if number < len(self._lines) else -1
            if start < 0 or self._lines[number][start + len(line) :].strip():
                return None
            starts.append(start)
        prefix = self._lines[first + 1][: starts[1]] if len(starts) > 1 else ""
        start = self._starts[first] + starts[0]
        return _Place(start, self._starts[first + len(lines) - 1] + starts[-1] + len(lines[-1]), prefix)

    def _heading(self, token: Token, markup: str) -> _Place | None:
        first = (token.map or [0])[0]
        line = self._lines[first]
        marker = line.find(markup) + len(markup)
        start = line.find(token.content, marker)
        if start < 0 or line[marker:start].strip():
            return None
        return _Place(self._starts[first] + start, self._starts[first] + start + len(token.content), "")

    def _cell(self, content: str, after: int) -> _Place | None:
        """The place of a cell behind the one that ends at `after`."""
        source = content.replace("|", "\\|")
        start = self._text.find(source, after) if source else -1
        return _Place(start, start + len(source), "") if start >= 0 else None

    def _without_marker(self, inline: Token) -> Token:
        """The content without what only its list or its quote understands: `[x] `, a line `[!NOTE]`."""
        content = inline.content
        line, _, rest = content.partition("\n")
        if content.startswith(TASKS):
            rest = content[len(TASKS[0]) :]
        elif not (line.startswith("[!") and line.endswith("]") and line[2:-1].replace("-", "").isalpha()):
            return inline
        return self._markdown.parseInline(rest.lstrip(" \t"), scratch(self._env))[0]
