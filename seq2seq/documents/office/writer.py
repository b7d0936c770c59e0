"""Writing a translation into a paragraph of runs that `runs` has read.

Runs are written anew, with copies of their formatting. Everything that is no text is moved, not copied, so that what
was read inside it (the paragraphs of a text box) is still the same.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import groupby
from typing import Any, NamedTuple

from lxml import etree

from seq2seq.documents.office.runs import (
    LAST,
    NO_BREAK_HYPHEN,
    PROPERTIES,
    Atom,
    Format,
    Group,
    Item,
    Pair,
    Paragraph,
    Text,
    most_common,
    name,
)
from seq2seq.documents.office.xml_member import BLANK, Part
from seq2seq.segments.segment import CLOSE, OPEN

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


class _Place(NamedTuple):
    """Where text is written, with which formatting, and what stands at its end."""

    element: Any
    properties: Any
    closing: Iterable[Atom] = ()


def write(paragraph: Paragraph, parts: list[Part]) -> None:
    """Write other text, and the same marks, into the paragraph."""
    element = paragraph.element
    last = [child for child in element if name(child.tag) in LAST]
    _clear(element)
    _Writer(paragraph).write(parts)
    element.extend(last)


class _Writer:
    """The state of writing one paragraph."""

    def __init__(self, paragraph: Paragraph) -> None:
        self.paragraph = paragraph
        base = paragraph.base
        self.places = [_Place(paragraph.element, base.properties if base else None)]
        self.namespace = etree.QName(paragraph.element).namespace
        self.run: Any = None  # the last run that was written ...
        self.properties: Any = None  # ... and what its formatting is a copy of

    def write(self, parts: list[Part]) -> None:
        for part in _joined(parts):
            if isinstance(part, str):
                self.text(part, self.places[-1].properties)
            elif part.kind == OPEN:
                self.open(self.paragraph.codes[part.code])
            elif part.kind == CLOSE:
                self.atoms(self.places.pop().closing)
            else:
                self.atom(self.paragraph.codes[part.code])

    def open(self, what: Any) -> None:
        """Write the start of a pair."""
        place = self.places[-1]
        if isinstance(what, Format):
            self.places.append(_Place(place.element, what.properties))
            return
        base = most_common(what.atoms)
        properties = base.properties if base else place.properties
        self.atoms(what.opening)
        if what.element is None:
            self.places.append(_Place(place.element, properties, what.closing))
        else:
            self.append(what.element)
            _clear(what.content)
            self.places.append(_Place(what.content, properties))

    def atom(self, atom: Any) -> None:
        """Write something as it was."""
        match atom:
            case Text():
                self.text(atom.text, atom.properties)
            case Item(inside=True):
                self.start_run(atom.properties).append(atom.element)
            case Item() | Pair() if atom.element is not None:
                self.append(atom.element)
            case Group() | Pair():
                around = (atom.opening, atom.closing) if isinstance(atom, Pair) else ((), ())
                self.atoms((*around[0], *atom.atoms, *around[1]))

    def atoms(self, atoms: Iterable[Atom]) -> None:
        """Write something as it was, each in a run of its own."""
        for atom in atoms:
            self.run = None
            self.atom(atom)
        self.run = None

    def append(self, element: Any) -> None:
        self.places[-1].element.append(element)
        self.run = None

    def text(self, text: str, properties: Any) -> None:
        """Write text, with w:noBreakHyphen for each NO_BREAK_HYPHEN if the paragraph has some."""
        for piece in _pieces(text) if self.paragraph.hyphens else [text]:
            run = self.start_run(properties)
            if piece == NO_BREAK_HYPHEN and self.paragraph.hyphens:
                etree.SubElement(run, f"{{{self.namespace}}}noBreakHyphen")
                continue
            holder = etree.SubElement(run, f"{{{self.namespace}}}t")
            holder.text = piece
            if name(holder.tag) == "w:t" and piece.strip(BLANK) != piece:
                holder.set(_SPACE, "preserve")

    def start_run(self, properties: Any) -> Any:
        """The run to write into: the last one, if it has these properties and may hold more."""
        place = self.places[-1].element
        again = self.run is not None and properties is self.properties and self.run.getparent() is place
        if not again or name(self.run.tag) == "a:r":
            self.run = etree.SubElement(place, f"{{{self.namespace}}}r")
            self.properties = properties
            if properties is not None:
                self.run.append(deepcopy(properties))
        return self.run


def _clear(element: Any) -> None:
    for child in list(element):
        if name(child.tag) not in PROPERTIES:
            element.remove(child)


def _joined(parts: list[Part]) -> Iterator[Part]:
    """The parts with neighbouring texts as one."""
    for is_text, group in groupby(parts, lambda part: isinstance(part, str)):
        if is_text:
            yield "".join(part for part in group if isinstance(part, str))
        else:
            yield from group


def _pieces(text: str) -> Iterator[str]:
    for is_hyphen, group in groupby(text, lambda character: character == NO_BREAK_HYPHEN):
        if is_hyphen:
            yield from group
        else:
            yield "".join(group)
