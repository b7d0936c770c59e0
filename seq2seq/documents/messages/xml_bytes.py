"""XML as tokens, each with the bytes that it was written in, so that what is not translated is written back as it was.

expat parses the document and reports at which byte each token begins; the tokens' bytes, one after the other, are the
document. An entity reference in text is a token of its own and is never expanded, and nothing outside the document is
read. This module does not know what the elements mean.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark

START, END, TEXT, COMMENT, REFERENCE, OTHER = range(6)  # kinds of tokens; REFERENCE: of an entity, such as `&name;`
XML_SPACE = "http://www.w3.org/XML/1998/namespace space"
SPACE = " \t\r\n"  # white space as XML defines it

_CHUNK = 1 << 16
_MARKS_OF_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_NOT_XML = {code: "\ufffd" for code in [*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF] if chr(code) not in SPACE}
_ESCAPES = str.maketrans({**_NOT_XML, "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


class Token(NamedTuple):
    """A tag, a run of text, or something else. An empty element `<x/>` is a START, and an END of no bytes."""

    kind: int
    raw: bytes
    line: int = 0
    name: str = ""  # of START and END: namespace, a space, local name; the local name alone if there is no namespace
    attributes: Mapping[str, str] = {}
    text: str = ""  # of TEXT, with character references and CDATA sections decoded

    @property
    def namespace(self) -> str:
        """The namespace of the element, or nothing."""
        return self.name.rpartition(" ")[0]

    @property
    def local(self) -> str:
        """The name of the element in its namespace."""
        return self.name.rpartition(" ")[2]


class Reader:
    """A document as tokens, in memory that does not depend on the size of the document."""

    def __init__(self, source: BinaryIO) -> None:
        self.encoding = "utf-8"  # final when the first START has been read
        self._source = source
        self._found = list[tuple[int, Token]]()  # byte index and token, without its bytes
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda name: self._add(Token(END, b"", 0, name))
        parser.CharacterDataHandler = self._text
        parser.StartCdataSectionHandler = parser.EndCdataSectionHandler = lambda: self._text("")
        parser.CommentHandler = lambda data: self._add(Token(COMMENT, b""))
        parser.ProcessingInstructionHandler = lambda target, data: self._add(Token(COMMENT, b""))
        parser.XmlDeclHandler = self._declaration
        parser.DefaultHandler = self._other  # with it, expat does not expand entities in text

    def _add(self, token: Token) -> None:
        self._found.append((self._parser.CurrentByteIndex, token))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._add(Token(START, b"", self._parser.CurrentLineNumber, name, attributes))

    def _text(self, text: str) -> None:
        self._add(Token(TEXT, b"", 0, "", {}, text))

    def _other(self, data: str) -> None:
        self._add(Token(REFERENCE if data.startswith("&") else OTHER, b""))

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding and not self.encoding.startswith("utf-16"):
            self.encoding = encoding
        self._add(Token(OTHER, b""))

    def __iter__(self) -> Iterator[Token]:
        """The tokens.

        Raises:
            InputError: the document is not well-formed, or its character set is not known.
        """
        buffer, base = bytearray(), 0  # what has been read and not returned, and the byte index where it begins
        begin, waiting, texts = 0, Token(OTHER, b""), list[str]()  # the token whose end has not been found
        while True:
            chunk = self._source.read(_CHUNK)
            if not base and not buffer:
                self.encoding = _MARKS_OF_UTF_16.get(chunk[:2], self.encoding)
            self._parse(chunk)
            buffer += chunk
            for index, token in self._found:
                if token.kind == TEXT == waiting.kind:
                    texts.append(token.text)
                    continue
                if index > begin or waiting.kind != OTHER:
                    yield _complete(waiting, buffer[begin - base : index - base], texts)
                begin, waiting, texts = index, token, [token.text]
            self._found.clear()
            if not chunk:
                yield _complete(waiting, buffer[begin - base :], texts)
                return
            del buffer[: begin - base]
            base = begin

    def _parse(self, chunk: bytes) -> None:
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise InputError(f"line {error.lineno}: not well-formed XML: {expat.ErrorString(error.code)}") from None
        except (ValueError, LookupError) as error:  # raised for character sets of several bytes, and for unknown ones
            raise InputError(f"line 1: the character set of the file cannot be read: {error}") from None


def _complete(token: Token, raw: bytearray, texts: list[str]) -> Token:
    return Token(token.kind, bytes(raw), token.line, token.name, token.attributes, "".join(texts))


def element(tokens: Iterator[Token]) -> list[Token]:
    """The tokens up to the END, included, of the element whose START was read last."""
    inside, depth = list[Token](), 1
    while depth:
        inside.append(token := next(tokens))
        depth += (token.kind == START) - (token.kind == END)
    return inside


def raw(tokens: Iterable[Token]) -> bytes:
    """The bytes of the tokens."""
    return b"".join(token.raw for token in tokens)


def escaped(text: str, encoding: str, newline: str = "\n") -> bytes:
    """Text as it is written between two tags; what the encoding does not have becomes a character reference."""
    return text.translate(_ESCAPES).replace("\n", newline).encode(encoding, "xmlcharrefreplace")


def is_cdata(tokens: Sequence[Token], encoding: str) -> bool:
    """Whether the tokens are one CDATA section and nothing else."""
    if len(tokens) != 1 or tokens[0].kind != TEXT:
        return False
    text = tokens[0].raw.decode(encoding)
    return text.startswith("<![CDATA[") and text.find("]]>") == len(text) - 3


def cdata(text: str, encoding: str) -> bytes:
    """Text as a CDATA section, or `escaped` where the encoding does not have its characters."""
    try:
        return f"<![CDATA[{text.translate(_NOT_XML).replace(']]>', ']]]]><![CDATA[>')}]]>".encode(encoding)
    except UnicodeEncodeError:
        return escaped(text, encoding)


def end_tag(token: Token, encoding: str) -> tuple[bytes, bytes]:
    """The start tag of START, which is not that of an empty element any more, and the end tag that belongs to it."""
    tag = token.raw.decode(encoding)
    return (tag[:-2].rstrip() + ">" if tag.endswith("/>") else tag).encode(encoding), f"</{tag_name(tag)}>".encode(
        encoding
    )


def tag_name(tag: str) -> str:
    """The name of a start tag as it is written, with its prefix."""
    end = min(place for place in map(tag.find, [*SPACE, "/", ">"]) if place > 0)
    return tag[1:end]


def with_attribute(tag: str, name: str, value: str) -> str:
    """A well-formed start tag with the attribute set to a value that needs no escapes."""
    place = len(tag_name(tag)) + 1
    while True:
        equals = tag.find("=", place)
        if equals < 0:
            end = len(tag_name(tag)) + 1
            return f'{tag[:end]} {name}="{value}"{tag[end:]}'
        quote = min(found for found in (tag.find('"', equals), tag.find("'", equals)) if found > 0)
        end = tag.index(tag[quote], quote + 1)
        if tag[place:equals].strip() == name:
            return tag[: quote + 1] + value + tag[end:]
        place = end + 1


PAIR, BEGIN, FINISH = "pair", "begin", "finish"


class Role(NamedTuple):
    """What an element is inside a segment."""

    kind: str  # PAIR: tags around words; VALUE, ALONE: a mark with all its content; BEGIN, FINISH: an end of a pair
    key: str = ""  # of BEGIN and FINISH: which belong together


def parts(tokens: Sequence[Token], role: Callable[[Token], Role]) -> list[str | Mark]:
    """Texts and marks of the content of a segment.

    The code of OPEN and CLOSE are the bytes of both ends, that of other marks is what they were written in. Of BEGIN
    and FINISH, those are OPEN and CLOSE that are nested with all other pairs; the rest is ALONE.
    """
    found = list[str | Mark]()
    opened = list[tuple[int, str]]()  # places in `found` of what is not closed, with the key of a BEGIN
    each = iter(enumerate(tokens))
    for place, token in each:
        if token.kind == TEXT:
            found.append(token.text)
        elif token.kind == END:
            while opened[-1][1]:
                opened.pop()
            _close(found, opened.pop()[0], token.raw)
        elif token.kind == START:
            kind, key = role(token)
            if kind == PAIR and tokens[place + 1].kind != END:
                opened.append((len(found), ""))
                found.append(Mark(0, ALONE, token.raw))
                continue
            code = token.raw + raw(element(token for _, token in each))
            found.append(Mark(0, VALUE if kind == VALUE else ALONE, code))
            if kind == BEGIN:
                opened.append((len(found) - 1, f"key {key}"))
            elif kind == FINISH and (begin := _begin(opened, f"key {key}")) >= 0:
                found.pop()
                _close(found, begin, code)
        else:
            found.append(Mark(0, VALUE if token.kind == REFERENCE else ALONE, token.raw))
    return found


def _begin(opened: list[tuple[int, str]], key: str) -> int:
    """The place of the BEGIN with the key, or -1; it and all that began after it are not open any more."""
    for depth in range(len(opened) - 1, -1, -1):
        if not opened[depth][1]:
            break
        if opened[depth][1] == key:
            place = opened[depth][0]
            del opened[depth:]
            return place
    return -1


def _close(found: list[str | Mark], place: int, close: bytes) -> None:
    start = found[place]
    assert isinstance(start, Mark)
    both = (start.code, close)
    found[place] = Mark(0, OPEN, both)
    found.append(Mark(0, CLOSE, both))


def written(translation: Iterable[str | Mark], encode: Callable[[str], bytes]) -> bytes:
    """The bytes of a translation; each CLOSE is written as the OPEN that it ends needs it."""
    pieces, opened = list[bytes](), list[Mark]()
    for part in translation:
        if isinstance(part, str):
            pieces.append(encode(part))
        elif part.kind == OPEN:
            opened.append(part)
            pieces.append(part.code[0])
        elif part.kind == CLOSE:
            pieces.append((opened.pop() if opened else part).code[1])
        else:
            pieces.append(part.code)
    return b"".join(pieces)


def edges(found: list[str | Mark]) -> tuple[str, list[str | Mark], str]:
    """White space at the beginning, what stands between, and white space at the end."""
    before = after = ""
    inside = list(found)
    if inside and isinstance(text := inside[0], str):
        inside[0] = text.lstrip()
        before = text[: len(text) - len(text.lstrip())]
    if inside and isinstance(text := inside[-1], str):
        inside[-1] = text.rstrip()
        after = text[len(text.rstrip()) :]
    return before, inside, after
