"""Tables as CSV or TSV: chosen columns are translated, every other byte stays as it is.

The module `csv` of the standard library gives no positions, and limits the size of a field for the whole process; so
the fields are divided here, by the rules of its default dialect. A quoted field that is not closed is an error.
"""

import io
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import PurePath
from typing import BinaryIO, NamedTuple

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.documents.text_files import TextFile, has_words, one_line, read_text, trimmed
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

DELIMITERS = ",;\t"
SAMPLE = 50  # lines that show the delimiter


class Record(NamedTuple):
    """A row of the table as it stands in the file: the fields with their quotation marks, and the line ending."""

    fields: list[str]
    end: str


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The fields of the columns `options.columns` as segments, each line of a field as one.

    Columns are names in the first record, which is not translated then, or numbers from 1; with numbers alone, the
    first record is translated, too. The delimiter is a tab in a file with the ending .tsv, otherwise what divides best.

    Raises:
        InputError: no such column; a quoted field that is not closed; not UTF-8 (or UTF-16 with a byte order mark).
    """
    text = read_text(source)
    yield text.mark
    head = list(islice(text.lines, SAMPLE))
    lines = chain(head, text.lines)
    if head and head[0].startswith("sep=") and head[0][4:5] in DELIMITERS:  # written by and for Excel
        delimiter = head[0][4]
        yield text.encode(next(lines))
    else:
        name = str(getattr(source, "name", ""))
        delimiter = "\t" if PurePath(name).suffix.lower() in (".tsv", ".tab") else _delimiter(head)
    table = records(lines, delimiter)
    first = next(table, Record([], ""))
    columns, named = _columns(first.fields, options.columns, delimiter)
    if named:
        yield text.encode(_raw(first, delimiter))
    else:
        table = chain([first], table)
    for record in table:
        yield from _record(record, columns, delimiter, text)


def records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    """The rows of a table.

    Between tabs, a field that only begins with a quotation in the sentence (`"Yes," he said.`) is not a quoted one.

    Raises:
        InputError: a quoted field is not closed; with its line.
    """
    fields, unfinished = list[str](), list[str]()  # of the record; lines of a field that goes on
    first = 1  # line of the field that goes on
    for number, line in enumerate(lines, 1):
        body = line.rstrip("\r\n")
        start = position = 0
        quoted = bool(unfinished)
        while start >= 0:
            if quoted or body.startswith('"', start):
                after = _closing(body, position if quoted else start + 1)
                if after < 0:
                    first = first if unfinished else number
                    unfinished.append(line[start:])
                    break
                position = start if _literal(body, after, delimiter) and not unfinished else after
            end = body.find(delimiter, position)
            unfinished.append(body[start : end if end >= 0 else None])
            fields.append("".join(unfinished))
            unfinished, quoted = [], False
            start = position = end + 1 if end >= 0 else -1
        else:
            yield Record(fields, line[len(body) :])
            fields = []
    if unfinished:
        raise InputError(f"line {first}: a field begins with a quotation mark and is not closed; close or double it")


def _closing(line: str, position: int) -> int:
    """The position after the mark that ends a quoted field, or -1 if it goes on in the next line."""
    while (mark := line.find('"', position)) >= 0:
        if line[mark + 1 : mark + 2] != '"':
            return mark + 1
        position = mark + 2
    return -1


def _literal(line: str, after: int, delimiter: str) -> bool:
    """Whether the quotation mark before `after` belongs to the words, because words follow."""
    return delimiter == "\t" and line[after : after + 1] not in ("", delimiter)


def value(field: str, delimiter: str) -> str:
    """What a field holds: without quotation marks around it, and doubled ones inside once."""
    end = _closing(field, 1) if field.startswith('"') else -1
    if end < 0 or _literal(field, end, delimiter):
        return field
    return field[1 : end - 1].replace('""', '"') + field[end:]


def _delimiter(head: Sequence[str]) -> str:
    """The delimiter that divides most lines of the head into as many fields as its first one."""

    def quality(delimiter: str) -> tuple[int, int]:
        table = list[Record]()
        try:
            for record in records(iter(head), delimiter):
                table.append(record)
        except InputError:  # a field that goes on after the head
            table = table or list(records(iter([head[0].replace('"', "")]), delimiter))
        counts = [len(record.fields) for record in table]
        return (0, 0) if not counts or counts[0] == 1 else (counts.count(counts[0]), counts[0])

    return max(DELIMITERS, key=quality)


def _columns(header: Sequence[str], wanted: Sequence[str], delimiter: str) -> tuple[list[int], bool]:
    """The indices of the columns, and whether one was found by its name."""
    names = [value(field, delimiter).strip() for field in header]
    there = ", ".join(f"{number} {name!r}" for number, name in enumerate(names, 1)) or "none"
    if not wanted:
        raise InputError(
            "line 1: which columns are to be translated? Name them, or give their numbers (--column); "
            f"there are {there}"
        )
    indices, named = set[int](), False
    for column in wanted:
        if column.strip() in names:
            indices.update(index for index, name in enumerate(names) if name == column.strip())
            named = True
        elif column.isascii() and column.isdigit() and 0 < int(column[:9]) <= len(names):
            indices.add(int(column[:9]) - 1)
        elif header:
            raise InputError(f"line 1: no column {column!r}; there are {there}")
    return sorted(indices), named


def _raw(record: Record, delimiter: str) -> str:
    return delimiter.join(record.fields) + record.end


def _record(record: Record, columns: Sequence[int], delimiter: str, text: TextFile) -> Iterator[Event]:
    """A record as events: what stands between two segments is one."""
    start = 0
    for index in columns:
        if index < len(record.fields) and has_words(record.fields[index]):
            yield text.encode("".join(field + delimiter for field in record.fields[start:index]))
            yield from _field(record.fields[index], delimiter, text)
            if index + 1 < len(record.fields):
                yield text.encode(delimiter)
            start = index + 1
    yield text.encode(delimiter.join(record.fields[start:]) + record.end)


def _field(field: str, delimiter: str, text: TextFile) -> Iterator[Event]:
    """A field as segments."""
    content = value(field, delimiter)
    if field.startswith('"') and _closing(field, 1) == len(field):
        yield text.encode('"')
        for line in io.StringIO(content, newline=""):
            before, words, after = trimmed(line)
            yield text.encode(before)
            if has_words(words):
                yield Slot(Segment(words), lambda t: text.encode(one_line(t.text).replace('"', '""')))
            else:
                yield text.encode(words.replace('"', '""'))
            yield text.encode(after)
        yield text.encode('"')
        return
    before, words, after = trimmed(content)
    segment = Segment(words)

    def put(translation: Segment) -> bytes:
        changed = before + one_line(translation.text) + after
        return text.encode(field if translation == segment else _quoted(changed, delimiter))

    yield Slot(segment, put)


def _quoted(content: str, delimiter: str) -> str:
    """A field that holds the content: in quotation marks if it needs them."""
    if delimiter in content or any(sign in content for sign in '"\r\n'):
        return '"' + content.replace('"', '""') + '"'
    return content
