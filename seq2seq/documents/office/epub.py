"""EPUB 2 and 3: the XHTML documents in reading order, the table of contents, the title and the description of the book.

XHTML in a book is XML, and is read as such: `markup_tree` with what each element is in XHTML. White space means nothing
but in `pre`; code, formulas, drawings and what has translate="no" are kept. A description that holds escaped HTML is
kept, too.
"""

import posixpath
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from seq2seq.documents.document import DocumentOptions, Event
from seq2seq.documents.office.archive import Archive
from seq2seq.documents.office.markup_tree import Kind, Markup, slots
from seq2seq.documents.office.xml_member import XmlMember
from seq2seq.errors import InputError

_XHTML, _NCX = "{http://www.w3.org/1999/xhtml}", "{http://www.daisy.org/z3986/2005/ncx/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_NCX_TYPE, _XHTML_TYPES = "application/x-dtbncx+xml", ("application/xhtml+xml", "text/html", "text/x-oeb1-document")

_KINDS = {
    Kind.BLOCK: "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup html legend li main menu nav ol optgroup"
    " option p pre search section select summary table tbody td tfoot th thead title tr ul",
    Kind.BARRIER: "hr template",
    Kind.ALONE: "area base br col colgroup link meta rp rt rtc script source style track wbr",
    Kind.VALUE: "audio canvas embed iframe img input map object param picture textarea video",
    Kind.KEPT: "code kbd math samp svg tt var",
}
_KIND_OF_NAME = {name: kind for kind, names in _KINDS.items() for name in names.split()}


@cache
def _kind_of_tag(tag: str) -> Kind:
    namespace, _, local = tag.rpartition("}")
    if namespace in ("", _XHTML[:-1]):
        return _KIND_OF_NAME.get(local, Kind.PAIR)
    return Kind.KEPT if local in ("svg", "math") else Kind.VALUE


def _xhtml_kind(element: Any) -> Kind:
    kind = _kind_of_tag(element.tag)
    if element.get("translate") == "no" or "notranslate" in element.get("class", "").split():
        return Kind.BARRIER if kind in (Kind.BLOCK, Kind.BARRIER) else Kind.KEPT
    return kind


def _xhtml_attributes(element: Any) -> tuple[str, ...]:
    if _kind_of_tag(element.tag) is Kind.ALONE:  # links to style sheets have titles that are names
        return ()
    return ("alt", "title", "aria-label")


def _preserves(block: Any) -> bool:
    while block is not None:
        if block.tag.rpartition("}")[2] == "pre" or block.get(_SPACE) == "preserve":
            return True
        block = block.getparent()
    return False


def _ncx_kind(element: Any) -> Kind:
    if element.tag == f"{_NCX}docAuthor":
        return Kind.BARRIER
    return Kind.BLOCK if element.tag == f"{_NCX}text" else Kind.VALUE


def _package_kind(element: Any) -> Kind:
    is_text = element.tag == f"{_DC}title" or (element.tag == f"{_DC}description" and "<" not in (element.text or ""))
    return Kind.BLOCK if is_text else Kind.VALUE


_BOOK_MARKUP = Markup(_xhtml_kind, _xhtml_attributes, _preserves)
_NCX_MARKUP, _PACKAGE_MARKUP = Markup(_ncx_kind), Markup(_package_kind)


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The book as events; see `seq2seq.documents.document.Format`."""
    archive = Archive(source)
    if _CONTAINER not in archive:
        raise InputError(f"no EPUB book: no {_CONTAINER} in the archive")
    container = XmlMember(archive, _CONTAINER).root
    packages = list(dict.fromkeys(element.get("full-path", "") for element in container.iter("{*}rootfile")))
    if not packages:
        raise InputError(f"{_CONTAINER}: names no package document")
    encrypted = _encrypted(archive)
    seen = set[str]()
    for package in packages:
        member = XmlMember(archive, package)
        documents = _documents(member.root, package)
        yield from slots(member, _PACKAGE_MARKUP)
        yield member.finish
        for name, markup in documents:
            if name in seen or name not in archive:
                continue
            if name in encrypted:
                raise InputError(f"{name}: is encrypted, as books with rights management are")
            seen.add(name)
            member = XmlMember(archive, name)
            yield from slots(member, markup)
            yield member.finish
    yield archive.written


def _documents(package: Any, name: str) -> list[tuple[str, Markup]]:
    """The members with text that a package document names: tables of contents, then the spine."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    found = list[tuple[str, Markup]]()
    for item in items.values():
        if item.get("media-type") == _NCX_TYPE:
            found.append((_member(name, item), _NCX_MARKUP))
        elif "nav" in item.get("properties", "").split():
            found.append((_member(name, item), _BOOK_MARKUP))
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and item.get("media-type") in _XHTML_TYPES:
            found.append((_member(name, item), _BOOK_MARKUP))
    return found


def _member(package: str, item: Any) -> str:
    """The name of the member that an item of the package document refers to."""
    try:
        path = unquote(urlsplit(item.get("href", "")).path)
    except ValueError as error:
        raise InputError(f"{package}: line {item.sourceline}: broken address ({error})") from error
    return posixpath.normpath(posixpath.join(posixpath.dirname(package), path))


def _encrypted(archive: Archive) -> set[str]:
    """The names of the members that are encrypted; fonts often are, in books that anyone may read."""
    if _ENCRYPTION not in archive:
        return set()
    references = XmlMember(archive, _ENCRYPTION).root.iter("{*}CipherReference")
    return {unquote(reference.get("URI", "")) for reference in references}
