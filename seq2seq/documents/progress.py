"""Goes on with an interrupted translation of a document: each translated segment is recorded in a file.

A record is one line of JSON, so that a process may be killed at any time. Records are read one by one, as they are
needed, so memory does not grow with the document. This module does not know formats.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, tee
from pathlib import Path
from typing import Any, BinaryIO

from seq2seq.documents.document import Translate
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment


def path_beside(target: Path) -> Path:
    """Where the progress of a document is kept: beside the file that will be written."""
    return target.with_name(f".{target.name}.progress")


@contextmanager
def recorded(translate: Translate, path: Path, key: str, resume: bool) -> Iterator[Translate]:
    """`translate`, which also records what it returns in the file `path`; the file is removed once all is done.

    Args:
        translate: translates segments.
        path: the file.
        key: names the document and the way it is translated.
        resume: begin with what the file holds.

    Raises:
        InputError: the file is of another key.
    """
    with _opened(path, key, resume) as file:

        def translated(segments: Iterable[Segment]) -> Iterator[Segment]:
            each = iter(segments)
            for segment in each:
                if (record := _next(file)) is None:
                    each = chain([segment], each)
                    break
                yield _replayed(segment, record)
            sources, rest = tee(each)
            for segment, translation in zip(sources, translate(rest), strict=False):
                _write(file, _record(segment, translation))
                yield translation

        try:
            yield translated
        except InputError:  # the document is broken: nothing will go on
            path.unlink()
            raise
    path.unlink()


def _opened(path: Path, key: str, resume: bool) -> BinaryIO:
    """The file of the records, new or, to go on with it, before its first record.

    Raises:
        InputError: it is of another key.
    """
    if resume and path.exists():
        file = path.open("r+b")
        header = file.readline()
        if header == _line({"key": key}):
            return file
        file.close()
        if header.endswith(b"\n"):
            raise InputError(
                f"{path} is the progress of another document, or of other options; repeat the command as it was, "
                "or leave out --resume"
            )
    file = path.open("w+b")
    _write(file, {"key": key})
    return file


def _next(file: BinaryIO) -> list[Any] | None:
    """The next record. Where there is none, what is half written or damaged is cut off with all that follows."""
    start = file.tell()
    line = file.readline()
    record = _sound(line) if line.endswith(b"\n") else None
    if record is None:
        file.seek(start)
        file.truncate()
    return record


def _sound(line: bytes) -> list[Any] | None:
    """The record of a line; None if it is none."""
    try:
        text, marks = json.loads(line)
        if isinstance(text, str) and all(type(n) is int for mark in marks for n in mark):
            return [text, marks]
    except (ValueError, TypeError):
        pass
    return None


def _write(file: BinaryIO, record: object) -> None:
    file.write(_line(record))
    file.flush()


def _line(record: object) -> bytes:
    return json.dumps(record).encode() + b"\n"


def _record(segment: Segment, translation: Segment) -> list[object]:
    """The text of a translation, and for each of its marks the number of the source's mark and its position."""
    left = list(enumerate(segment.marks))
    marks = []
    for mark in translation.marks:
        place = next(i for i, (_, m) in enumerate(left) if m.kind == mark.kind and m.code is mark.code)
        marks.append([left.pop(place)[0], mark.position])
    return [translation.text, marks]


def _replayed(segment: Segment, record: list[Any]) -> Segment:
    """The translation that was recorded for a segment."""
    text, marks = record
    return Segment(text, tuple(segment.marks[number]._replace(position=position) for number, position in marks))
