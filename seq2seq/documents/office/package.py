"""An Office Open XML package: which of its parts hold text, by their content types, and the segments of a part."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from seq2seq.documents.document import Event, Slot
from seq2seq.documents.office.archive import Archive
from seq2seq.documents.office.runs import NAMESPACES, Paragraph, name
from seq2seq.documents.office.writer import write
from seq2seq.documents.office.xml_member import Part, XmlMember
from seq2seq.errors import InputError

OFFICE = "application/vnd.openxmlformats-officedocument."
DRAWINGS = (  # parts with paragraphs of DrawingML in them
    f"{OFFICE}drawingml.chart+xml",
    f"{OFFICE}drawingml.diagramData+xml",
    "application/vnd.ms-office.drawingml.diagramDrawing+xml",
)
CORE_PROPERTIES = "application/vnd.openxmlformats-package.core-properties+xml"

_TYPES = "[Content_Types].xml"
_ALT = ("title", "descr")
_ATTRIBUTES = {  # those that hold text; `val` is in the namespace of its element
    "wp:docPr": _ALT,
    "p:cNvPr": _ALT,
    "v:shape": ("alt",),
    "w:tblCaption": ("val",),
    "w:tblDescription": ("val",),
}
_TEXTS = ("w:p", "a:p", "dc:title", *_ATTRIBUTES)
_TAGS = [
    f"{{{namespace}}}{tag.partition(':')[2]}"
    for namespace, prefix in NAMESPACES.items()
    for tag in _TEXTS
    if tag.startswith(f"{prefix}:")
]


class Package(NamedTuple):
    """What documents of a kind are made of."""

    what: str  # they are, for a person
    mains: tuple[str, ...]  # content types of the main part, of which there is one
    parts: tuple[str, ...]  # of the other parts that hold text


def package_events(source: BinaryIO, package: Package) -> Iterator[Event]:
    """The document as events.

    Raises:
        InputError: it is broken, encrypted, or something else.
    """
    archive = Archive(source)
    for member_name in _members(archive, package):
        member = XmlMember(archive, member_name)
        yield from _slots(member)
        yield member.finish
    yield archive.written


def _members(archive: Archive, package: Package) -> list[str]:
    """The names of the members with text: the main part first, then by content type and number."""
    types = dict[str, str]()  # by name, or by extension with its dot; names do not differ by case
    if _TYPES in archive:
        for element in XmlMember(archive, _TYPES).root.iter("{*}Default", "{*}Override"):
            part = element.get("PartName", "").removeprefix("/") or f".{element.get('Extension', '')}"
            types[part.lower()] = element.get("ContentType", "")
    order = [*package.mains, *package.parts]
    found = list[tuple[int, list[str | int], str]]()
    for member in archive.names():
        kind = types.get(member.lower(), types.get("." + member.rpartition(".")[2].lower(), ""))
        if kind in order:
            found.append((order.index(kind), _by_number(member), member))
    found.sort()
    if not found or found[0][0] >= len(package.mains):
        raise InputError(f"no {package.what}: no part of the archive has the content type of one")
    return [member for *_, member in found]


def _by_number(member: str) -> list[str | int]:
    """A key that sorts slide10 behind slide9."""
    return [int(piece) if piece.isdigit() else piece for piece in re.split(r"([0-9]+)", member)]


def _slots(member: XmlMember) -> Iterator[Slot]:
    for element in list(member.root.iter(*_TAGS)):
        for slot in _slots_of(member, element):
            if slot:
                yield slot


def _slots_of(member: XmlMember, element: Any) -> Iterator[Slot | None]:
    tag = name(element.tag)
    if tag == "dc:title":
        yield member.slot([element.text or ""], partial(_set_text, element))
    elif tag in _ATTRIBUTES:
        for attribute in _ATTRIBUTES[tag]:
            namespace = element.tag.rpartition("}")[0] + "}" if attribute == "val" else ""
            yield member.attribute(element, namespace + attribute)
    else:
        try:
            paragraph = Paragraph(element)
        except InputError as error:
            raise InputError(f"{member.name}: {error}") from error
        yield member.slot(paragraph.parts, partial(write, paragraph))


def _set_text(element: Any, parts: list[Part]) -> None:
    element.text = "".join(part for part in parts if isinstance(part, str))
