"""Android's string resources (`strings.xml`): the texts of `<string>`, `<string-array>` and `<plurals>` are translated.

The file is edited in place: the translation is written where the source was. What is `translatable="false"`, and what
refers to another resource (`@string/name`, `?attr/name`), stays as it is. Inside a text, tags are marks around words;
`<xliff:g>` and entities stand for a word.

Two layers of escapes lie over a text, that of XML and that of Android: white space counts as one space but in double
quotes, which are not part of the text, and a backslash escapes `'`, `"`, `@`, `?`, `n`, `t` and `u` with four digits.
A text in quotes is written in quotes, one in a CDATA section in a CDATA section. Tags inside a text, in a CDATA section
or as `&lt;a href="x">`, keep the quotes of their attributes as they are written.
"""

from collections.abc import Iterator, Sequence
from re import Match, finditer, fullmatch, search, sub
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.documents.messages import xml_bytes as xml
from seq2seq.documents.messages.xml_bytes import END, START, Role, Token
from seq2seq.errors import InputError
from seq2seq.segments.segment import VALUE, Mark, Segment

_TEXTS = {"resources": ("string",), "string-array": ("item",), "plurals": ("item",)}  # inside which element
_ESCAPES = {"n": "\n", "t": "\t"}  # all other characters after a backslash stand for themselves
_TAG = r"</?[A-Za-z][^<>]*>"  # as far as the quotes of its attributes are concerned
_SPACES = " \t\n\r\f\v"


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events; one text is in memory at a time.

    Raises:
        InputError: the document is not well-formed, or no string resources.
    """
    reader = xml.Reader(source)
    tokens = iter(reader)
    opened = list[tuple[str, bool]]()  # name of each element that is open, and whether it may be translated
    for token in tokens:
        yield token.raw
        if token.kind == START:
            if not opened and token.name != "resources":
                raise InputError(f"line {token.line}: the root element is <{token.local}>; Android has <resources>")
            parent, translate = opened[-1] if opened else ("", True)
            translate = translate and token.attributes.get("translatable") != "false"
            if translate and _holds_text(parent, token):
                *inside, end = xml.element(tokens)
                yield from _text(inside, reader.encoding, token.line)
                yield end.raw
            else:
                opened.append((token.name, translate))
        elif token.kind == END:
            opened.pop()


def _holds_text(parent: str, token: Token) -> bool:
    if token.name == "item" and token.attributes.get("type") == "string":
        return parent == "resources"
    return token.name in _TEXTS.get(parent, ())


def _role(token: Token) -> Role:
    return Role(VALUE if token.namespace and token.local == "g" else xml.PAIR)


def _text(inside: list[Token], encoding: str, line: int) -> Iterator[Event]:
    """The content of an element that holds a text."""
    unchanged = xml.raw(inside)
    parts = xml.parts(inside, _role)
    texts = "".join(part for part in parts if isinstance(part, str)).strip()
    quoted = len(texts) > 1 and texts[0] == texts[-1] == '"' and not texts.endswith('\\"')
    before, words, after = xml.edges(_decoded(parts, line))
    segment = Segment.of_parts(words)
    if not search(r"\w", segment.text) or (len(parts) == 1 and fullmatch(r"[@?]\S+", texts)):
        yield unchanged
        return
    is_cdata = xml.is_cdata(inside, encoding)
    bare = any(map(_bare_quotes, parts))

    def put(translation: Segment) -> bytes:
        if translation == segment:
            return unchanged
        escaped = _escaped([before, *translation.parts(), after], quoted, bare)
        if is_cdata:
            return xml.cdata("".join(part for part in escaped if isinstance(part, str)), encoding)
        return xml.written(escaped, lambda text: xml.escaped(text, encoding))

    yield Slot(segment, put)


def _decoded(parts: Sequence[str | Mark], line: int) -> list[str | Mark]:
    """The parts with Android's escapes decoded; white space that does not count is left out."""
    found = list[str | Mark]()
    quoted, spaced = False, True  # inside quotes; after white space that counts as one space, or at the beginning
    for part in parts:
        if isinstance(part, Mark):
            found.append(part)
            spaced &= part.kind != VALUE
            continue
        text, places, bare = list[str](), iter(enumerate(part)), _bare_quotes(part)
        chars = (char for _, char in places)
        for place, char in places:
            if char == '"':
                quoted = not quoted
                spaced = False
                if place in bare:
                    text.append(char)
            elif char == "\\":
                text.append(_unescaped(chars, line))
                spaced = False
            elif quoted or char not in _SPACES:
                text.append(char)
                spaced = False
            elif not spaced:
                text.append(" ")
                spaced = True
        found.append(_joined(text, line))
    if spaced and found and isinstance(last := found[-1], str):
        found[-1] = last.removesuffix(" ")
    return found


def _bare_quotes(part: str | Mark) -> set[int]:
    """The places of the quotes in tags inside a text that are written without a backslash."""
    tags = finditer(_TAG, part) if isinstance(part, str) else ()
    return {tag.start() + quote.start() for tag in tags for quote in finditer(r'(?<!\\)"', tag[0])}


def _joined(chars: list[str], line: int) -> str:
    """The characters, with the two halves of one that was written as two escapes made one."""
    text = "".join(chars)
    if not search("[\ud800-\udfff]", text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise InputError(f"line {line}: half a character in a text: one of its two \\u escapes is missing") from None


def _unescaped(chars: Iterator[str], line: int) -> str:
    """The character that is written with a backslash and the next characters."""
    char = next(chars, "")
    if char != "u":
        return _ESCAPES.get(char, char)
    digits = "".join(next(chars, "") for _ in range(4))
    if not fullmatch("[0-9A-Fa-f]{4}", digits):
        raise InputError(f"line {line}: \\u{digits} in a text; \\u needs four hexadecimal digits")
    return chr(int(digits, 16))


def _with_bare_quotes(tag: Match[str]) -> str:
    return tag[0].replace('\\"', '"')


def _escaped(parts: Sequence[str | Mark], quoted: bool, bare: bool) -> list[str | Mark]:
    """The parts with Android's escapes, so that all white space in them counts; `bare`: but for quotes in tags."""
    table = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"} | ({} if quoted else {"'": "\\'"}))
    texts = [part.translate(table) if isinstance(part, str) else part for part in parts]
    if bare:
        texts = [sub(_TAG, _with_bare_quotes, text) if isinstance(text, str) else text for text in texts]
    if quoted:
        return ['"', *texts, '"']
    found, spaced = list[str | Mark](), True
    places = [place for place, part in enumerate(texts) if part and (isinstance(part, str) or part.kind == VALUE)]
    for place, part in enumerate(texts):
        if isinstance(part, Mark) or not part:
            found.append(part)
            spaced &= isinstance(part, str) or part.kind != VALUE
            continue
        text = list[str]()
        for char in part:
            text.append("\\u0020" if char == " " and spaced else char)
            spaced = char == " " and not spaced
        if place == places[-1] and text[-1] == " ":
            text[-1] = "\\u0020"
        if place == places[0] and text[0] in "@?":
            text[0] = "\\" + text[0]
        found.append("".join(text))
    return found
