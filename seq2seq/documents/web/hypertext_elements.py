"""What the elements and attributes of HTML mean for a translation: HTML as pieces of text, of markup, and boundaries.

This module does not know segments.
"""

from collections.abc import Iterator
from typing import NamedTuple

from seq2seq.documents.web.hypertext_tokens import END, OTHER, SPACE, START, TEXT, Attribute, Token, tokens

BOUNDARY = "boundary"  # ends the text before it; the other kinds of a piece are TEXT and the following
VERBATIM = "verbatim"  # text whose white space counts
OPEN, CLOSE, ALONE, WORD, OBJECT = "open", "close", "alone", "word", "object"  # WORD and OBJECT take a word's place


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


VOID = _names("area base br col embed hr img input link meta param source track wbr")
BLOCKS = _names(
    "address article aside audio base blockquote body button canvas caption center col colgroup datalist dd details "
    "dialog dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup "
    "hr html iframe label legend li link listing main map menu menuitem meta nav noembed noframes noscript object ol "
    "optgroup option p param plaintext pre search section select summary table tbody td template textarea tfoot th "
    "thead title tr ul video xmp"
)
OBJECTS = _names("embed img input")
FOREIGN = _names("math svg")
CODE = _names("code kbd samp tt var")
READINGS = _names("rp rt rtc")  # how the characters before them are read aloud; no words of the sentence
INVISIBLE = _names("iframe noembed noframes script style xmp")
PREFORMATTED = _names("listing pre textarea")
HIGHLIGHTED = frozenset({*CODE, "span"})  # inside a PREFORMATTED element: it is program code

READ = _names("alt aria-description aria-label aria-placeholder aria-roledescription aria-valuetext placeholder title")
READ_OF = {"label": _names("menuitem optgroup option track"), "abbr": frozenset({"th"})}
READ_BUTTONS = _names("button reset submit")
READ_META = _names(
    "apple-mobile-web-app-title application-name description keywords og:description og:image:alt og:site_name "
    "og:title twitter:description twitter:image:alt twitter:title"
)

# A start tag of the key ends these elements, if one of them is the innermost open one.
_ENDED_BY = {
    "li": ("li",),
    "dt": ("dt", "dd"),
    "dd": ("dt", "dd"),
    "td": ("td", "th"),
    "th": ("td", "th"),
    "tr": ("td", "th", "tr"),
    "tbody": ("td", "th", "tr", "tbody", "thead", "tfoot"),
    "tfoot": ("td", "th", "tr", "tbody", "thead"),
    "option": ("option",),
    "optgroup": ("option", "optgroup"),
    "body": ("head",),
}
_NOT_IN_A_PARAGRAPH = BLOCKS - _names("audio button canvas label link map meta noscript object select video")
# Tags that end an element whose own end tag was forgotten, or may be: these and all end tags of BLOCKS.
_ENDS_CODE = _names("dd dt h1 h2 h3 h4 h5 h6 li p td th tr")
_ENDS_READING = BLOCKS | READINGS | _names("rb ruby")
_MOST_OPEN = 100  # of the open elements that an end tag is compared with


class Piece(NamedTuple):
    """A part of the document from `start` to `end`."""

    kind: str
    start: int
    end: int
    name: str = ""
    attributes: tuple[Attribute, ...] = ()  # those that a person reads


class _Open(NamedTuple):
    name: str
    translated: bool


class Pieces:
    """The pieces of a document, in order; what is between them belongs to none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._again: Token | None = None  # was read one token too early
        self._open = list[_Open]()  # elements, from the outermost one on that is not translated

    def __iter__(self) -> Iterator[Piece]:
        for token in self._following():
            if self._open:
                self._close_elements(token)
            translate = _translate(self._text, token) if token.attributes else None
            if self._open and not self._open[-1].translated and not translate:
                self._enter(token, False)
                yield Piece(BOUNDARY, token.start, token.end)
            elif token.kind == START:
                yield from self._element(token, translate)
            elif token.kind == TEXT:
                yield Piece(TEXT, token.start, token.end)
            elif token.kind == OTHER or token.name in VOID:
                yield Piece(ALONE, token.start, token.end)
            else:
                yield Piece(BOUNDARY if token.name in BLOCKS else CLOSE, token.start, token.end, token.name)

    def _following(self) -> Iterator[Token]:
        while True:
            token, self._again = self._again or next(self._tokens, None), None
            if token is None:
                return
            yield token

    def _close_elements(self, token: Token) -> None:
        """Ends the open elements that the token ends."""
        if token.kind == END:
            names = [element.name for element in self._open[-_MOST_OPEN:]]
            if token.name in names:
                del self._open[len(self._open) - names[::-1].index(token.name) - 1 :]
            elif token.name in BLOCKS and token.name != "p":
                self._open.clear()  # it ends an element around them
        elif token.kind == START:
            ended = _ENDED_BY.get(token.name, ())
            while self._open and (
                self._open[-1].name in ended or (self._open[-1].name == "p" and token.name in _NOT_IN_A_PARAGRAPH)
            ):
                self._open.pop()

    def _enter(self, token: Token, translated: bool) -> None:
        if token.kind == START and not token.closed and token.name not in VOID:
            self._open.append(_Open(token.name, translated))

    def _element(self, token: Token, translate: bool | None) -> Iterator[Piece]:
        """The pieces of a START tag that is translated, and of its content if that is kept as a whole."""
        name, block = token.name, token.name in BLOCKS
        attributes = tuple(_read(self._text, token)) if token.attributes and translate is not False else ()
        if translate is False and block:
            self._enter(token, False)
            yield Piece(BOUNDARY, token.start, token.end)
        elif translate is False:
            single = name in VOID or token.closed
            yield Piece(ALONE if single else WORD, token.start, token.end if single else self._end(token))
        elif name in VOID or token.closed:
            kind = BOUNDARY if block else OBJECT if name in OBJECTS or name in FOREIGN else ALONE
            yield Piece(kind, token.start, token.end, name, attributes)
        elif name in INVISIBLE or name in READINGS:
            yield Piece(BOUNDARY if block else ALONE, token.start, self._end(token), name, attributes)
        elif name in CODE or name in FOREIGN:
            yield Piece(WORD if name in CODE else OBJECT, token.start, self._end(token), name, attributes)
        else:
            if self._open:
                self._enter(token, True)
            yield Piece(BOUNDARY if block else OPEN, token.start, token.end, name, attributes)
            if name in PREFORMATTED:
                yield from self._preformatted(name)

    def _end(self, start: Token) -> int:
        """Reads to the end of the element; its position."""
        depth, end = 1, start.end
        ends = _ENDS_CODE if start.name in CODE else _ENDS_READING if start.name in READINGS else frozenset[str]()
        for token in self._following():
            own = token.kind == END and token.name == start.name
            if ends and not own and (token.name in ends or (token.kind == END and token.name in BLOCKS)):
                self._again = token  # there is no end tag
                break
            end = token.end
            if token.name == start.name and not token.closed:
                depth += 1 if token.kind == START else -1
                if not depth:
                    break
        return end

    def _preformatted(self, name: str) -> Iterator[Piece]:
        """The content of a text area, line by line; nothing of other elements, most of which hold program code."""
        content = list[Token]()
        for token in self._following():
            if token.kind == END and token.name == name:
                self._again = token
                break
            content.append(token)
        if name != "textarea" or any(
            token.name in HIGHLIGHTED or _translate(self._text, token) is False for token in content
        ):
            return
        for token in content:
            if token.kind == TEXT:
                yield from self._lines(token)
            elif token.name in VOID or token.kind == OTHER or token.closed:
                yield Piece(ALONE, token.start, token.end, token.name)
            elif token.name in BLOCKS:
                yield Piece(BOUNDARY, token.start, token.end)
            else:
                yield Piece(OPEN if token.kind == START else CLOSE, token.start, token.end, token.name)

    def _lines(self, token: Token) -> Iterator[Piece]:
        start = token.start
        while start < token.end:
            newline = self._text.find("\n", start, token.end)
            end = newline if newline >= 0 else token.end
            yield Piece(VERBATIM, start, end)
            if newline >= 0:
                yield Piece(BOUNDARY, newline, newline + 1)
            start = end + 1


def _translate(text: str, token: Token) -> bool | None:
    """Whether a start tag says that its element is translated or is not; None if it says nothing."""
    answer = None
    for name, start, end in token.attributes:
        if name == "translate":
            answer = {"no": False, "yes": True, "": True}.get(text[start:end].strip(SPACE).lower(), answer)
        elif (name == "class" and "notranslate" in text[start:end].split()) or (
            name == "contenteditable" and text[start:end].strip(SPACE).lower() in ("", "true", "plaintext-only")
        ):
            return False
    return answer


def _read(text: str, token: Token) -> Iterator[Attribute]:
    """The attributes of a start tag that a person reads."""
    for attribute in token.attributes:
        name = attribute.name
        if (
            name in READ
            or token.name in READ_OF.get(name, ())
            or (name == "value" and token.name == "input" and _value(text, token, "type") in READ_BUTTONS)
            or (
                name == "content"
                and token.name == "meta"
                and not READ_META.isdisjoint([_value(text, token, "name"), _value(text, token, "property")])
            )
        ):
            yield attribute


def _value(text: str, token: Token, name: str) -> str:
    """The value of an attribute, in lower case."""
    return next((text[a.start : a.end].lower() for a in token.attributes if a.name == name), "")
