"""DOCX (also .docm, .dotx): paragraphs of the text, headers, footers, notes, comments, text boxes, and alt texts.

Read on the XML itself, with lxml: python-docx knows no footnotes, text boxes, fields or tracked changes. Text that was
deleted with tracked changes, hidden text and the codes of fields are kept. The result of a field is a word of the text,
except for a link's. A text that Word stores twice, for itself and for older programs, is two segments.
"""

from collections.abc import Iterator
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event
from seq2seq.documents.office.package import CORE_PROPERTIES, DRAWINGS, OFFICE, Package, package_events

_WORD = f"{OFFICE}wordprocessingml."
_PACKAGE = Package(
    "Word document",
    (
        f"{_WORD}document.main+xml",
        f"{_WORD}template.main+xml",
        "application/vnd.ms-word.document.macroEnabled.main+xml",
        "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    ),
    (
        *(f"{_WORD}{part}+xml" for part in ("header", "footer", "footnotes", "endnotes", "comments")),
        *DRAWINGS,
        CORE_PROPERTIES,
    ),
)


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events; see `seq2seq.documents.document.Format`."""
    return package_events(source, _PACKAGE)
