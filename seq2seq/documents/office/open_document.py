"""ODT, and the texts of ODS and ODP: paragraphs and headings, headers and footers, notes, annotations, alt texts.

Deleted text of tracked changes is kept, as are the values of fields, and cells whose value is a number, a date or the
result of a formula.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from seq2seq.documents.document import DocumentOptions, Event
from seq2seq.documents.office.archive import Archive
from seq2seq.documents.office.markup_tree import Kind, Markup, slots
from seq2seq.documents.office.xml_member import XmlMember
from seq2seq.errors import InputError

_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0".format
_OFFICE, _TEXT, _TABLE, _DRAW = (f"{{{_NAMESPACE(room)}}}" for room in ("office", "text", "table", "drawing"))
_SVG, _PRESENTATION = (f"{{{_NAMESPACE(room)}}}" for room in ("svg-compatible", "presentation"))
_KIND = b"application/vnd.oasis.opendocument."
_MANIFEST = f"{{{_NAMESPACE('manifest')}}}"

_BETWEEN = (
    "s line-break soft-page-break bookmark bookmark-start bookmark-end reference-mark reference-mark-start"
    " reference-mark-end change change-start change-end toc-mark toc-mark-start toc-mark-end user-index-mark"
    " user-index-mark-start user-index-mark-end alphabetical-index-mark alphabetical-index-mark-start"
    " alphabetical-index-mark-end ruby-text"
)
_KINDS = {
    f"{_TEXT}p": Kind.BLOCK,
    f"{_TEXT}h": Kind.BLOCK,
    f"{_TEXT}index-title-template": Kind.BLOCK,  # what the title of a table of contents becomes when it is updated
    f"{_SVG}title": Kind.BLOCK,
    f"{_SVG}desc": Kind.BLOCK,
    f"{_PRESENTATION}header-decl": Kind.BLOCK,
    f"{_PRESENTATION}footer-decl": Kind.BLOCK,
    "{http://purl.org/dc/elements/1.1/}title": Kind.BLOCK,
    f"{_TEXT}tracked-changes": Kind.BARRIER,
    f"{_OFFICE}annotation": Kind.ALONE,
    f"{_OFFICE}annotation-end": Kind.ALONE,
    **{_TEXT + local: Kind.PAIR for local in ("span", "a", "meta", "ruby", "ruby-base")},
    f"{_TEXT}tab": Kind.BREAK,
    **{_TEXT + local: Kind.ALONE for local in _BETWEEN.split()},
}


def _kind(element: Any) -> Kind:
    tag = element.tag
    if tag == f"{_TABLE}table-cell":
        is_text = element.get(f"{_OFFICE}value-type", "string") == "string" and not element.get(f"{_TABLE}formula")
        return Kind.VALUE if is_text else Kind.BARRIER
    if tag.startswith(_DRAW) and element.get(f"{_TEXT}anchor-type") != "as-char":
        return Kind.ALONE
    return _KINDS.get(tag, Kind.VALUE)


_MARKUP = Markup(_kind, spaces=f"{_TEXT}s", number=f"{_TEXT}c")


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events; see `seq2seq.documents.document.Format`."""
    archive = Archive(source)
    kind = archive.read("mimetype") if "mimetype" in archive else _KIND * ("content.xml" in archive)
    if not kind.startswith(_KIND):
        raise InputError("no OpenDocument file: no content.xml in the archive, or another mimetype")
    if _encrypted(archive):
        raise InputError("encrypted; save the document without a password")
    for name in ("content.xml", "styles.xml", "meta.xml"):
        if name in archive:
            member = XmlMember(archive, name)
            yield from slots(member, _MARKUP)
            yield member.finish
    yield archive.written


def _encrypted(archive: Archive) -> bool:
    """Whether the manifest says so. Manifests of old documents are no namespaces' XML without their DTD."""
    try:
        manifest = XmlMember(archive, "META-INF/manifest.xml").root
    except InputError:
        return False
    return next(manifest.iter(f"{_MANIFEST}encryption-data"), None) is not None
