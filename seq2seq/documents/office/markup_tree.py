"""Text in a tree of markup, such as XHTML and OpenDocument have it: blocks, and elements around and between words.

A segment is what stands in a block between two blocks inside it. When its translation is put back, the elements
themselves are moved, with their attributes and with what they hold. Knows no format: a `Markup` says which element is
what.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from enum import Enum
from typing import Any, NamedTuple

from seq2seq.documents.document import Slot
from seq2seq.documents.office.xml_member import BLANK, MOST_DEPTH, Part, XmlMember
from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, BREAK, CLOSE, OPEN, VALUE, Mark


class Kind(Enum):
    """What an element is for a translator."""

    BLOCK = "its text is translated, by itself"
    BARRIER = "a block in which nothing is translated"
    PAIR = "around words"
    ALONE = "between words; blocks inside it are translated by themselves"
    BREAK = "between texts that are translated each by itself"
    VALUE = "in the place of a word, or outside of any text; blocks inside it are translated by themselves"
    KEPT = "in the place of a word; nothing in it is translated"


class Markup(NamedTuple):
    """Which element of a format is what."""

    kind: Callable[[Any], Kind]
    attributes: Callable[[Any], Iterable[str]] = lambda element: ()  # those that hold text
    preserves: Callable[[Any], bool] = lambda block: False  # whether each white space of the block means something
    spaces: str = ""  # tag of an element that stands for spaces ...
    number: str = ""  # ... and the attribute that says how many, 1 if it is missing


def slots(member: XmlMember, markup: Markup) -> Iterator[Slot]:
    """The segments of a member. Its tree may change while they are read."""
    return _Walk(member, markup).enter(member.root, 0)


class _Walk:
    """The way through the tree of a member."""

    def __init__(self, member: XmlMember, markup: Markup) -> None:
        self.member, self.markup = member, markup

    def kind(self, node: Any) -> Kind:
        """The kind of a node; comments and processing instructions are ALONE."""
        return self.markup.kind(node) if isinstance(node.tag, str) else Kind.ALONE

    def check(self, node: Any, depth: int) -> None:
        """Raise InputError where elements are too deep in each other."""
        if depth > MOST_DEPTH:
            name, line = self.member.name, node.sourceline
            raise InputError(f"{name}: line {line}: more than {MOST_DEPTH} elements in each other")

    def enter(self, node: Any, depth: int) -> Iterator[Slot]:
        """The segments inside the node, those of its attributes first."""
        self.check(node, depth)
        if not isinstance(node.tag, str) or (kind := self.kind(node)) in (Kind.BARRIER, Kind.KEPT):
            return
        yield from self.attributes(node)
        if kind is Kind.BLOCK or self.holds_block(node):
            yield from self.block(node, depth)
        else:
            for child in list(node):
                yield from self.enter(child, depth + 1)

    def attributes(self, element: Any) -> Iterator[Slot]:
        """The segments of the element's own attributes."""
        for name in self.markup.attributes(element):
            if slot := self.member.attribute(element, name):
                yield slot

    def block(self, block: Any, depth: int) -> Iterator[Slot]:
        """The segments of a block, in the order of its text."""
        text = _Text(self, block, None)
        for child in list(block):
            if self.kind(child) in (Kind.BLOCK, Kind.BARRIER) or self.holds_block(child):
                yield from self.text(text, depth)
                yield from self.enter(child, depth + 1)
                text = _Text(self, block, child)
            else:
                text.nodes.append(child)
        yield from self.text(text, depth)

    def text(self, text: "_Text", depth: int) -> Iterator[Slot]:
        """The segment of a text, and those inside its elements."""
        parts = text.read(depth)
        if slot := self.member.slot(parts, text.write, collapse=not self.markup.preserves(text.parent)):
            yield slot
        for element in text.pairs:
            yield from self.attributes(element)
        for element in text.entered:
            yield from self.enter(element, depth + 1)

    def holds_block(self, node: Any) -> bool:
        """Whether an element around words has blocks in it, which makes it one."""
        if self.kind(node) is not Kind.PAIR:
            return False
        return any(self.kind(child) in (Kind.BLOCK, Kind.BARRIER) or self.holds_block(child) for child in node)

    def holds(self, node: Any, texts: bool) -> bool:
        """Whether an element around words has text in it (`texts`), or an element that stands for a word (not so)."""
        if texts and node.text:
            return True
        for child in node:
            kind = self.kind(child)
            if child.tail if texts else kind in (Kind.VALUE, Kind.KEPT):
                return True
            if child.tag == self.markup.spaces or (kind is Kind.PAIR and self.holds(child, texts)):
                return True
        return False


class _Text:
    """The text between two blocks: in `parent`, behind the child `before` (None: at its start), with its elements."""

    def __init__(self, walk: _Walk, parent: Any, before: Any) -> None:
        self.walk, self.parent, self.before = walk, parent, before
        self.nodes = list[Any]()  # children of `parent`
        self.codes = list[Any]()  # nodes by the codes of their marks
        self.pairs, self.entered = list[Any](), list[Any]()
        self.parts = list[Part]()

    def read(self, depth: int) -> list[Part]:
        """The text with its marks."""
        self.parts.append((self.parent.text if self.before is None else self.before.tail) or "")
        for node in self.nodes:
            self._read(node, depth + 1)
        return [part for part in self.parts if part]

    def _read(self, node: Any, depth: int) -> None:
        walk = self.walk
        kind = walk.kind(node)
        walk.check(node, depth)
        if node.tag == walk.markup.spaces:
            self._spaces(node)
        elif kind is Kind.PAIR and walk.holds(node, texts=True):
            self.pairs.append(node)
            code = len(self.codes)
            self._mark(OPEN, node)
            self.parts.append(node.text or "")
            for child in node:
                self._read(child, depth + 1)
            self.parts.append(Mark(0, CLOSE, code))
        else:
            if kind is not Kind.KEPT:
                self.entered.append(node)
            value = kind in (Kind.VALUE, Kind.KEPT) or (kind is Kind.PAIR and walk.holds(node, texts=False))
            self._mark(VALUE if value else BREAK if kind is Kind.BREAK else ALONE, node)
        self.parts.append(node.tail or "")

    def _mark(self, kind: str, node: Any) -> None:
        self.parts.append(Mark(0, kind, len(self.codes)))
        self.codes.append(node)

    def _spaces(self, node: Any) -> None:
        """The first of some spaces belongs to the text if it parts two words; the others are a mark."""
        last = next((part for part in reversed(self.parts) if part and not _is_pair(part)), " ")
        count = node.get(self.walk.markup.number, "1")
        if (last.kind in (ALONE, BREAK)) if isinstance(last, Mark) else last[-1] in BLANK:
            self._mark(ALONE, node)
            return
        self.parts.append(" ")
        if count.isascii() and count.isdigit() and int(count) > 1:
            others = copy(node)
            others.tail = None
            others.set(self.walk.markup.number, str(int(count) - 1))
            self._mark(ALONE, others)

    def write(self, parts: list[Part]) -> None:
        """Put other text and the same elements into the place of the text."""
        for node in self.nodes:
            self.parent.remove(node)
        if self.before is None:
            self.parent.text = None
        else:
            self.before.tail = None
        places = [_Place(self.parent, self.before)]
        for part in parts:
            if isinstance(part, str):
                places[-1].text(part)
            elif part.kind == CLOSE:
                places.pop()
            else:
                node = self.codes[part.code]
                places[-1].node(node)
                if part.kind == OPEN:
                    node.text = None
                    for child in list(node):
                        node.remove(child)
                    places.append(_Place(node, None))


class _Place:
    """Where the next text or node is written: in `parent`, behind its child `last` (None: at its start)."""

    def __init__(self, parent: Any, last: Any) -> None:
        self.parent, self.last = parent, last

    def text(self, text: str) -> None:
        if self.last is None:
            self.parent.text = (self.parent.text or "") + text
        else:
            self.last.tail = (self.last.tail or "") + text

    def node(self, node: Any) -> None:
        if (parent := node.getparent()) is not None:
            parent.remove(node)
        node.tail = None
        if self.last is None:
            self.parent.insert(0, node)
        else:
            text, self.last.tail = self.last.tail, None
            self.last.addnext(node)
            self.last.tail = text
        self.last = node


def _is_pair(part: Part) -> bool:
    return isinstance(part, Mark) and part.kind in (OPEN, CLOSE)
