"""Paragraphs of runs, each run with its own formatting, as WordprocessingML (`w:p`) and DrawingML (`a:p`) have them.

An office program cuts a sentence into runs wherever it was edited, spell-checked or formatted. Here neighbouring runs
of equal formatting are one, and the formatting that most of a paragraph has is no mark: a plain paragraph is just text.
Both namespaces of ISO 29500, transitional and strict, are read. `writer` puts a translation back.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, Union

from lxml import etree

from seq2seq.documents.office.xml_member import MOST_DEPTH, Part
from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, BREAK, CLOSE, OPEN, VALUE, Mark

NAMESPACES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
    "http://purl.oclc.org/ooxml/drawingml/main": "a",
    "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing": "wp",
    "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing": "wp",
    "http://schemas.openxmlformats.org/presentationml/2006/main": "p",
    "http://purl.oclc.org/ooxml/presentationml/main": "p",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.microsoft.com/office/word/2010/wordml": "w14",
    "http://schemas.microsoft.com/office/drawing/2010/main": "a14",
    "urn:schemas-microsoft-com:vml": "v",
    "http://purl.org/dc/elements/1.1/": "dc",
}

PROPERTIES = {"w:pPr", "w:sdtPr", "w:sdtEndPr", "w:smartTagPr", "w:customXmlPr", "a:pPr"}  # stay first in their parents
LAST = {"a:endParaRPr"}  # stays last in its parent
_MOST_LINKS = 8  # fields in each other that are links; one inside them is a word
NO_BREAK_HYPHEN = "\u2011"

_CONTAINERS = {
    "w:hyperlink",
    "w:ins",
    "w:moveTo",
    "w:smartTag",
    "w:customXml",
    "w:dir",
    "w:bdo",
    "w:sdt",
}  # they hold runs
_CHOICES = {"w:dropDownList", "w:comboBox", "w:date", "w:docPartList", "w:picture", "w:citation", "w14:checkbox"}
_VALUES = {
    "w:fldSimple",
    "m:oMath",
    "m:oMathPara",
    "a:fld",
    "a14:m",
    "w:footnoteReference",
    "w:endnoteReference",
    "w:drawing",
    "w:pict",
    "w:object",
    "w:sym",
    "w:ruby",
    "mc:AlternateContent",
}
_BREAKS = {"w:tab", "w:ptab"}
_DROPPED = {"w:proofErr", "w:lastRenderedPageBreak"}  # what an office program finds out anew
_IGNORED = {"w:lang", "w:noProof"}  # formatting that nobody sees
_IGNORED_ATTRIBUTES = {"lang", "altLang", "dirty", "err", "noProof", "smtClean", "smtId"}


class Text(NamedTuple):
    """Text of a run."""

    text: str
    properties: Any  # w:rPr or a:rPr of the run, None if it has none
    key: Any  # equal for runs that look the same


class Item(NamedTuple):
    """An element that is kept."""

    element: Any
    kind: str = ALONE  # BREAK or VALUE
    inside: bool = False  # whether it stands in a run, then with these properties:
    properties: Any = None


class Group(NamedTuple):
    """Atoms that stand for one word: a field with its result."""

    atoms: list["Atom"]


class Pair(NamedTuple):
    """Atoms inside an element such as a hyperlink, or between the two ends of a field."""

    atoms: list["Atom"]
    element: Any = None
    content: Any = None  # the element or a child of it: what the atoms stand in
    opening: Sequence["Atom"] = ()
    closing: Sequence["Atom"] = ()


class Format(NamedTuple):
    """Formatting of some words that differs from what stands around them."""

    properties: Any


Atom = Union[Text, Item, Group, Pair]  # noqa: UP007 the classes refer to it


@cache
def name(tag: Any) -> str:
    """The tag of an element with its usual prefix, such as `w:p`; empty for a comment or another namespace."""
    if not isinstance(tag, str):
        return ""
    namespace, _, local = tag[1:].rpartition("}")
    return f"{prefix}:{local}" if (prefix := NAMESPACES.get(namespace)) else ""


class Paragraph:
    """A paragraph: its text with marks, and what is needed to write it."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self.codes = list[Format | Pair | Group | Item]()  # by the codes of the marks
        self.hyphens = False  # whether it has w:noBreakHyphen, which is NO_BREAK_HYPHEN in the text
        atoms = self._atoms(element, 0)
        self.base = most_common(atoms)
        self.parts = self._parts(atoms)

    def _atoms(self, content: Any, depth: int) -> list[Atom]:
        """What stands in a paragraph, or in a container inside it."""
        if depth > MOST_DEPTH:
            raise InputError(f"line {content.sourceline}: more than {MOST_DEPTH} elements in each other")
        atoms = list[Atom]()
        for child in content:
            tag = name(child.tag)
            if tag in ("w:r", "a:r"):
                atoms.extend(self._run(child))
            elif tag in _CONTAINERS and (inner := _content(child, tag)) is not None:
                pair = Pair(self._atoms(inner, depth + 1), child, inner)
                atoms.append(pair if _holds_text([pair]) else Item(child, _kind(pair.atoms)))
            elif tag not in PROPERTIES | LAST | _DROPPED:
                atoms.append(Item(child, VALUE if tag in _VALUES or tag == "w:sdt" else ALONE))
        return _fields(atoms)

    def _run(self, run: Any) -> list[Atom]:
        properties = next((child for child in run if name(child.tag) in ("w:rPr", "a:rPr")), None)
        if properties is not None and _hidden(properties):
            return [Item(run)]
        key = _key(properties)
        atoms = list[Atom]()
        for child in run:
            tag = name(child.tag)
            if tag in ("w:t", "a:t"):
                atoms.append(Text(child.text or "", properties, key))
            elif tag == "w:noBreakHyphen":
                self.hyphens = True
                atoms.append(Text(NO_BREAK_HYPHEN, properties, key))
            elif child is not properties and tag not in _DROPPED:
                atoms.append(Item(child, _kind_in_run(child, tag), True, properties))
        return atoms

    def _parts(self, atoms: list[Atom]) -> list[Part]:
        """The text with marks: formatting only where it differs from the most common one of these atoms."""
        base = most_common(atoms)
        keys = _keys(atoms, base.key if base else None)
        parts, current = list[Part](), base.key if base else None
        code = 0
        for atom, (key, properties) in zip(atoms, keys, strict=True):
            if key != current:
                if base and current != base.key:
                    parts.append(Mark(0, CLOSE, code))
                if base and key != base.key:
                    code = self._code(Format(properties))
                    parts.append(Mark(0, OPEN, code))
                current = key
            parts.extend([atom.text] if isinstance(atom, Text) else self._marks(atom))
        if base and current != base.key:
            parts.append(Mark(0, CLOSE, code))
        return [part for part in parts if part]

    def _marks(self, atom: Item | Group | Pair) -> list[Part]:
        code = self._code(atom)
        if isinstance(atom, Pair):
            return [Mark(0, OPEN, code), *self._parts(atom.atoms), Mark(0, CLOSE, code)]
        return [Mark(0, atom.kind if isinstance(atom, Item) else VALUE, code)]

    def _code(self, what: Format | Pair | Group | Item) -> int:
        self.codes.append(what)
        return len(self.codes) - 1


def most_common(atoms: Sequence[Atom]) -> Text | None:
    """A text with the formatting that most characters have, None if there is no text. Links are left out."""
    count = Counter[Any]()
    texts = dict[Any, Text]()
    for atom in atoms:
        if isinstance(atom, Text):
            count[atom.key] += len(atom.text)
            texts.setdefault(atom.key, atom)
    return texts[count.most_common(1)[0][0]] if count else None


def _keys(atoms: Sequence[Atom], base: Any) -> list[tuple[Any, Any]]:
    """The key of the formatting of each atom, with the properties; of what is no text, that of the texts around it."""
    keys = list[tuple[Any, Any]]()
    before, waiting = (base, None), 0
    for atom in atoms:
        if isinstance(atom, Text):
            here = (atom.key, atom.properties)
            keys.extend([before if before[0] == here[0] else (base, None)] * waiting)
            keys.append(here)
            before, waiting = here, 0
        else:
            waiting += 1
    return keys + [(base, None)] * waiting


def _key(properties: Any) -> Any:
    """What a person sees of the properties of a run, to be compared."""
    if properties is None:
        return ((), ())
    attributes = tuple(sorted((k, v) for k, v in properties.attrib.items() if k not in _IGNORED_ATTRIBUTES))
    return attributes, tuple(_look(child) for child in properties if _is_seen(child))


def _look(element: Any) -> Any:
    attributes = tuple(sorted((k, v) for k, v in element.attrib.items() if not k.endswith("}hint")))
    return element.tag, attributes, tuple(etree.tostring(child, method="c14n", exclusive=True) for child in element)


def _is_seen(element: Any) -> bool:
    tag = name(element.tag)
    if tag == "w:rFonts" and all(attribute.endswith("}hint") for attribute in element.attrib):
        return False
    return isinstance(element.tag, str) and tag not in _IGNORED


def _hidden(properties: Any) -> bool:
    """Whether the text of the run is hidden."""
    for child in properties:
        if name(child.tag) == "w:vanish":
            return not {"0", "false", "off"} & set(child.attrib.values())
    return False


def _kind_in_run(element: Any, tag: str) -> str:
    """The kind of mark for an element of a run that is not text."""
    if tag in _VALUES and not _floats(element):
        return VALUE
    new_page = tag == "w:br" and {"page", "column"} & set(element.attrib.values())
    return BREAK if new_page or tag in _BREAKS else ALONE


def _floats(element: Any) -> bool:
    """Whether a drawing has a place on the page, and is only anchored in the text."""
    return any(name(inner.tag) == "wp:anchor" for inner in element.iter())


def _content(element: Any, tag: str) -> Any:
    """What holds the runs of a container; None for a content control that offers a choice."""
    if tag != "w:sdt":
        return element
    children = {name(child.tag): child for child in element}
    if any(name(child.tag) in _CHOICES for child in children.get("w:sdtPr", ())):
        return None
    return children.get("w:sdtContent")


def _holds_text(atoms: Sequence[Atom]) -> bool:
    return any(
        bool(atom.text) if isinstance(atom, Text) else isinstance(atom, Pair) and _holds_text(atom.atoms)
        for atom in atoms
    )


def _kind(atoms: Sequence[Atom]) -> str:
    """The kind of something without text that holds these atoms."""
    return VALUE if any(isinstance(atom, Group) or getattr(atom, "kind", ALONE) == VALUE for atom in atoms) else ALONE


def _fields(atoms: list[Atom], depth: int = 0) -> list[Atom]:
    """The atoms with each field that starts and ends among them as one."""
    ends, open_ = dict[int, int](), list[int]()
    for at, atom in enumerate(atoms):
        if (end := _end_of_field(atom)) == "begin":
            open_.append(at)
        elif end == "end" and open_:
            ends[open_.pop()] = at
    result, at = list[Atom](), 0
    while at < len(atoms):
        last = ends.get(at, at)
        result.append(_field(atoms[at : last + 1], depth) if last > at else atoms[at])
        at = last + 1
    return result


def _end_of_field(atom: Atom) -> str:
    """`begin`, `separate` or `end`; empty for anything else."""
    if not isinstance(atom, Item) or name(atom.element.tag) != "w:fldChar":
        return ""
    return next((value for key, value in atom.element.attrib.items() if key.endswith("}fldCharType")), "")


def _field(atoms: list[Atom], outer: int) -> Atom:
    """A field from its begin to its end: a link around words, or what stands for a word."""
    depth, separate, instruction = 0, 0, ""
    for at, atom in enumerate(atoms):
        end = _end_of_field(atom)
        depth += (end == "begin") - (end == "end")
        if depth == 1 and end == "separate":
            separate = at
            break
        if depth == 1 and isinstance(atom, Item) and name(atom.element.tag) == "w:instrText":
            instruction += atom.element.text or ""
    if separate and instruction.split()[:1] == ["HYPERLINK"] and outer < _MOST_LINKS:
        inner = _fields(atoms[separate + 1 : -1], outer + 1)
        if _holds_text(inner):
            return Pair(inner, opening=atoms[: separate + 1], closing=atoms[-1:])
    return Group(atoms)
