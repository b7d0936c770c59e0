"""HTML as tokens: where each tag, each attribute's value, each comment and each text begins and ends.

The tokens are those of the tokenization section of the HTML standard, by name and position; together they cover the
document. Written out here because a document comes back whole only if each position is known: `html.parser` has no
positions of attributes, takes quadratic time for unfinished comments, and raises AssertionError for `<![x`; html5lib,
lxml and selectolax have no positions at all. Each character is read a bounded number of times, and nothing is an
error. This module does not know what elements mean, apart from those whose content is text.
"""

from collections.abc import Iterator
from typing import NamedTuple

TEXT, START, END, OTHER = "text", "start", "end", "other"
SPACE = " \t\n\r\f"

TEXT_ONLY = frozenset({"title", "textarea"})  # elements without tags inside, but with character references
RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes"})  # without both

_AFTER_NAME, _BEFORE_ATTRIBUTE = frozenset(SPACE + "/>"), frozenset(SPACE + "/")
_AFTER_ATTRIBUTE, _AFTER_VALUE = frozenset(SPACE + "/>="), frozenset(SPACE + ">")


class Attribute(NamedTuple):
    """An attribute, with the place of its value in the document, without quotes."""

    name: str  # in lower case
    start: int
    end: int


class Token(NamedTuple):
    """A piece of the document from `start` to `end`."""

    kind: str  # TEXT, START and END tags; OTHER: comments, declarations, what is in RAW elements, unfinished tags
    start: int
    end: int
    name: str = ""  # of a tag, in lower case
    attributes: tuple[Attribute, ...] = ()  # of a START tag
    closed: bool = False  # a START tag that ends in `/>`


def tokens(text: str) -> Iterator[Token]:
    """The tokens of an HTML document or fragment; two TEXT tokens never follow each other."""
    start = position = 0  # of what is not yet returned; where to look for the next tag
    while (angle := text.find("<", position)) >= 0:
        token = _markup(text, angle)
        if token is None:
            position = angle + 1
            continue
        if angle > start:
            yield Token(TEXT, start, angle)
        yield token
        start = position = token.end
        if token.kind == START and not token.closed and (token.name in RAW or token.name in TEXT_ONLY):
            position = _end_of_content(text, start, token.name)
            if position > start:
                yield Token(OTHER if token.name in RAW else TEXT, start, position)
            start = position
    if start < len(text):
        yield Token(TEXT, start, len(text))


def _markup(text: str, start: int) -> Token | None:
    """The token at the `<` at `start`; None if the `<` is text."""
    if _is_letter(following := text[start + 1 : start + 2]):
        return _tag(text, START, start, start + 1)
    if following == "/" and start + 2 < len(text):
        if _is_letter(text[start + 2]):
            return _tag(text, END, start, start + 2)
    elif text.startswith("<!--", start):
        return Token(OTHER, start, _end_of_comment(text, start))
    elif following not in ("!", "?"):
        return None
    close = text.find(">", start + 2)
    return Token(OTHER, start, close + 1 if close >= 0 else len(text))


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _end_of_comment(text: str, start: int) -> int:
    position = start + 2  # `<!-->` and `<!--->` are whole comments
    while (position := text.find("--", position)) >= 0:
        if text.startswith(">", position + 2):
            return position + 3
        if text.startswith("!>", position + 2) and position >= start + 4:
            return position + 4
        position += 1
    return len(text)


def _end_of_content(text: str, start: int, name: str) -> int:
    """The position of the end tag of a RAW or TEXT_ONLY element."""
    position = start
    while (position := text.find("</", position)) >= 0:
        after = position + 2 + len(name)
        if text[position + 2 : after].lower() == name and text[after : after + 1] in _AFTER_NAME:
            return position
        position += 2
    return len(text)


def _tag(text: str, kind: str, start: int, begin: int) -> Token:
    """The tag at `start`, whose name begins at `begin`."""
    close = text.find(">", begin)
    if (name := text[begin:close]).isalnum() and close > 0:
        return Token(kind, start, close + 1, name.lower())
    at = _first(text, begin, _AFTER_NAME)
    name = text[begin:at].lower()
    attributes = list[Attribute]()
    while True:
        before = at
        while at < len(text) and text[at] in _BEFORE_ATTRIBUTE:
            at += 1
        if at >= len(text):
            return Token(OTHER, start, len(text))
        if text[at] == ">":
            closed = kind == START and at > before and text[at - 1] == "/"
            return Token(kind, start, at + 1, name, tuple(attributes), closed)
        attribute, at = _attribute(text, at)
        if at > len(text):  # a quote that does not end
            return Token(OTHER, start, len(text))
        attributes.append(attribute)


def _attribute(text: str, start: int) -> tuple[Attribute, int]:
    """The attribute at `start`, and the position after it."""
    end = _first(text, start + 1, _AFTER_ATTRIBUTE)
    name = text[start:end].lower()
    equals = _after_space(text, end)
    if text[equals : equals + 1] != "=":
        return Attribute(name, end, end), end
    begin = _after_space(text, equals + 1)
    quote = text[begin : begin + 1]
    if quote not in ('"', "'"):
        end = _first(text, begin, _AFTER_VALUE)
        return Attribute(name, begin, end), end
    end = text.find(quote, begin + 1)
    return Attribute(name, begin + 1, end), (end if end >= 0 else len(text)) + 1


def _first(text: str, position: int, characters: frozenset[str]) -> int:
    """The first position from `position` on with one of the characters."""
    while position < len(text) and text[position] not in characters:
        position += 1
    return position


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in SPACE:
        position += 1
    return position
