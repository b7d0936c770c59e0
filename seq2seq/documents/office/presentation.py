"""PPTX (also .pptm, .ppsx, .potx): paragraphs of slides and notes, in tables, groups, charts and diagrams; alt texts.

Layouts and masters are kept: what they hold is shown to who edits, not to who watches. Slides come in the order of the
numbers in their names.
"""

from collections.abc import Iterator
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event
from seq2seq.documents.office.package import CORE_PROPERTIES, DRAWINGS, OFFICE, Package, package_events

_SLIDES = f"{OFFICE}presentationml."
_MACROS = "application/vnd.ms-powerpoint."
_PACKAGE = Package(
    "presentation",
    (
        *(f"{_SLIDES}{kind}.main+xml" for kind in ("presentation", "slideshow", "template")),
        *(f"{_MACROS}{kind}.macroEnabled.main+xml" for kind in ("presentation", "slideshow", "template")),
    ),
    (f"{_SLIDES}slide+xml", f"{_SLIDES}notesSlide+xml", *DRAWINGS, CORE_PROPERTIES),
)


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events; see `seq2seq.documents.document.Format`."""
    return package_events(source, _PACKAGE)
