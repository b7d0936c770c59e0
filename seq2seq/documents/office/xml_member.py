"""An XML member of an archive: parsed safely, its segments put back into its tree. Knows no format.

Nothing outside the member is loaded: in the place of any external DTD, the character entities of XHTML are declared. A
member that declares entities itself is refused. A member none of whose segments changes keeps its bytes. Of another
one, the text before its root and the encoding are kept; named characters, white space inside tags and the kind of
quotes are not, which make no difference in XML.
"""

import codecs
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from html.entities import name2codepoint
from typing import Any
from xml.parsers import expat

from lxml import etree

from seq2seq.documents.document import Slot
from seq2seq.documents.office.archive import Archive
from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, BREAK, CLOSE, OPEN, Mark, Segment

Part = str | Mark
MOST_DEPTH = 200  # of elements in each other; libxml2 itself allows 256, which recursion can take
BLANK = " \t\r\n"  # white space of XML
_WORD = re.compile(r"\w")
_BLANKS = re.compile(f"[{BLANK}]+")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot hold
_HEAD_BYTES = 1 << 16  # the root starts in these
_PREDEFINED = {"amp", "lt", "gt", "quot"}
_DTD = "".join(f'<!ENTITY {name} "&#{code};">' for name, code in name2codepoint.items() if name not in _PREDEFINED)


class _OnlyCharacters(etree.Resolver):  # type: ignore[misc] # lxml has no types
    """Gives the names of characters instead of any external DTD."""

    def resolve(self, url: str, public: str, context: Any) -> Any:
        return self.resolve_string(_DTD, context)


class XmlMember:
    """The tree of one member of an archive. `finish` is called once all of its segments were put.

    Raises:
        InputError: it is not well-formed, or declares entities.
    """

    def __init__(self, archive: Archive, name: str) -> None:
        self.name = name
        self._archive = archive
        self._changed = False
        data = archive.read(name)
        parser = etree.XMLParser(resolve_entities="internal", no_network=True, load_dtd=True, strip_cdata=False)
        parser.resolvers.add(_OnlyCharacters())
        try:
            self.root = etree.fromstring(data, parser)
            info = self.root.getroottree().docinfo
            self._encoding = codecs.lookup(info.encoding or "utf-8").name
        except (etree.XMLSyntaxError, LookupError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            reason = str(getattr(error, "msg", None) or error).rpartition(", line")[0] or str(error)
            raise InputError(f"{name}: line {line}: {' '.join(reason.split())}") from error
        if info.internalDTD is not None and list(info.internalDTD.iterentities()):
            raise InputError(f"{name}: line 1: declares entities, which a document of this format must not do")
        self._start = data[:_HEAD_BYTES]

    def slot(self, parts: Sequence[Part], write: Callable[[list[Part]], None], collapse: bool = False) -> Slot | None:
        """The slot of a text in the tree, None if it has no word. A translation that differs is given to `write`.

        `parts` may have anything at the edges; what is not language there is left out of the segment and is given back
        to `write` around the translation. With `collapse`, white space means nothing but the border of a word.
        """
        lead, middle, trail = trimmed(parts)
        segment = Segment.of_parts(collapsed(middle) if collapse else middle)
        if not _WORD.search(segment.text):
            return None

        def put(translation: Segment) -> bytes:
            if translation != segment:
                self._changed = True
                inner = [_legal(part) if isinstance(part, str) else part for part in translation.parts()]
                write([*lead, *inner, *trail])
            return b""

        return Slot(segment, put)

    def attribute(self, element: Any, name: str) -> Slot | None:
        """The slot of an attribute, None if it is missing or has no word."""
        value = element.get(name)

        def write(parts: list[Part]) -> None:
            element.set(name, "".join(part for part in parts if isinstance(part, str)))

        return self.slot([value], write) if value else None

    def finish(self) -> bytes:
        """Give the member to the archive; returns no bytes, because the archive is written at the end."""
        if self._changed:
            # With the DTD of XHTML 1 in its document, libxml2 would add a <meta> to the head.
            root = deepcopy(self.root) if self.root.getroottree().docinfo.doctype else self.root
            parts = [etree.tostring(node, encoding="unicode") for node in (root, *self.root.itersiblings())]
            text = "".join([self._head(), *parts])
            self._archive.replace(self.name, text.encode(self._encoding, "xmlcharrefreplace"))
        self.root = None
        return b""

    def _head(self) -> str:
        """What stands before the root: byte order mark, declaration, document type, comments."""
        data = self._start.decode(self._encoding, "ignore").encode()
        starts = list[int]()
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = lambda *_: starts.append(parser.CurrentByteIndex)
        with suppress(expat.ExpatError):  # the data end anywhere
            parser.Parse(data)
        if starts:
            return data[: starts[0]].decode()
        info = self.root.getroottree().docinfo
        return f'<?xml version="1.0" encoding="{info.encoding}"?>\n{info.doctype}'


def trimmed(parts: Sequence[Part]) -> tuple[list[Part], list[Part], list[Part]]:
    """The parts, cut into what has to be translated and what stands before and after it.

    Outside stay: white space, ALONE and BREAK marks, and a pair of marks around all of the rest.
    """
    rest = list(parts)
    lead, trail = list[Part](), list[Part]()
    while rest:
        first, last = rest[0], rest[-1]
        if isinstance(first, str) and (start := len(first) - len(first.lstrip(BLANK))):
            lead.append(first[:start])
            rest[:1] = [first[start:]] if start < len(first) else []
        elif isinstance(last, str) and (end := len(last.rstrip(BLANK))) < len(last):
            trail.append(last[end:])
            rest[-1:] = [last[:end]] if end else []
        elif isinstance(first, Mark) and first.kind in (ALONE, BREAK):
            lead.append(rest.pop(0))
        elif isinstance(last, Mark) and last.kind in (ALONE, BREAK):
            trail.append(rest.pop())
        elif _is_one_pair(rest):
            lead.append(rest.pop(0))
            trail.append(rest.pop())
        else:
            break
    return lead, rest, trail[::-1]


def _is_one_pair(parts: Sequence[Part]) -> bool:
    """Whether the first part opens a pair that the last one closes."""
    depth = 0
    for part in parts[:-1]:
        if isinstance(part, Mark):
            depth += (part.kind == OPEN) - (part.kind == CLOSE)
        if depth <= 0:
            return False
    return depth == 1


def collapsed(parts: Sequence[Part]) -> list[Part]:
    """The parts with each run of white space as one space, also one that goes on behind the end of a pair."""
    result, blank = list[Part](), False
    for part in parts:
        if isinstance(part, Mark):
            result.append(part)
            blank = blank and part.kind in (OPEN, CLOSE)
        elif text := _BLANKS.sub(" ", part).removeprefix(" " if blank else ""):
            result.append(text)
            blank = text.endswith(" ")
    return result


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
