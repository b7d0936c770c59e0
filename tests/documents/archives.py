"""Zip archives for the tests of formats that are some, and law 13 for them."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping

from lxml import etree
from roundtrip import LEFT, identity, marked, segments, unmarked

from seq2seq.documents.document import Format
from seq2seq.segments.segment import CLOSE, OPEN, Mark, Segment

PICTURE = bytes(range(256)) * 40


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """An archive as office programs write it: each member with its own date, some stored, some with attributes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = b"a comment"
        for index, (name, data) in enumerate(members.items()):
            info = zipfile.ZipInfo(name, (1999 + index % 30, 2, 28, 23, 59, 58))
            stored = name == "mimetype" or name.endswith(("/", ".png"))
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            info.external_attr = (0o600 + index) << 16
            info.comment = b"of a member" if index == 1 else b""
            archive.writestr(info, data)
    return out.getvalue()


def members(document: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def entries(document: bytes) -> list[tuple[object, ...]]:
    """What the archive says of its members, but for sizes and places."""
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        assert archive.comment == b"a comment"
        return [
            (
                i.filename,
                i.compress_type,
                i.date_time,
                i.external_attr,
                i.create_system,
                i.flag_bits,
                i.extra,
                i.comment,
            )
            for i in archive.infolist()
        ]


def canonical(data: bytes) -> bytes:
    """The XML in its canonical form, without the marks of `marked`."""
    root = etree.fromstring(unmarked(data.decode()).encode(), etree.XMLParser(resolve_entities=False))
    return etree.tostring(root, method="c14n")


def check_whole(form: Format, document: bytes, equal: Callable[[bytes], object] = canonical) -> list[Segment]:
    """Law 13 for an archive; returns the segments."""
    assert identity(form, document) == document
    before, written = members(document), marked(form, document)
    after = members(written)
    assert entries(written) == entries(document)
    for name, data in before.items():
        if after[name] != data:
            assert name.endswith((".xml", ".rels", ".xhtml", ".opf", ".ncx")), name
            assert equal(after[name]) == equal(data), name
    found = segments(form, document)
    assert sum(data.decode().count(LEFT) for name, data in after.items() if data != before[name]) == len(found)
    return found


def shown(segment: Segment) -> str:
    """The segment with < and > for pairs, | for ALONE, ~ for BREAK and # for VALUE."""
    signs = {OPEN: "<", CLOSE: ">", "alone": "|", "break": "~", "value": "#"}
    return "".join(signs[part.kind] if isinstance(part, Mark) else part for part in segment.parts())


def in_reverse(found: Iterable[Segment]) -> Iterator[Segment]:
    """Each segment with its words in capitals, and with its top-level pairs and marks in reverse order."""
    for segment in list(found):
        groups, depth = list[list[str | Mark]](), 0
        for part in segment.parts():
            if depth == 0:
                groups.append([])
            groups[-1].append(part.upper() if isinstance(part, str) else part)
            if isinstance(part, Mark):
                depth += (part.kind == OPEN) - (part.kind == CLOSE)
        yield Segment.of_parts([part for group in reversed(groups) for part in group])
