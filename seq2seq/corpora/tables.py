"""Tables of text: CSV, TSV and the like, with a header or without one.

A field of CSV may be in quotes. In TSV a quote is a character, but for a field with doubled quotes or a line break, as
`csv` of Python and pandas write one that holds either, and where all fields of the first rows are in quotes, numbers
aside. This module changes no text, except that a line break inside a field becomes a space.
"""

import csv
import re
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, dropwhile, islice

from seq2seq.corpora import columns
from seq2seq.corpora.columns import Columns
from seq2seq.corpora.findings import Findings
from seq2seq.corpora.packed import File
from seq2seq.corpora.request import Request, Row, one_line
from seq2seq.corpora.text_lines import lines
from seq2seq.errors import InputError

DELIMITERS = ",;\t|"
_ADVICE = "correct the line"
_MOST_LINES = 1000  # of a record; a quote that is open for longer was never closed
_SNIFFED = 20  # lines that are looked at to find the delimiter
_CONSISTENT = 0.8  # share of the rows that have as many columns

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_STRING = r'"[^"]*+(?:""[^"]*+)*+"'
_NUMBER = r"(?:NA|[\d.,:+-]*+)"  # or nothing; R writes NA for a missing text
_FIELD = rf"(?:{_STRING}|{_NUMBER})"
_QUOTED_TABLE = re.compile(  # rows of such fields, the first with two strings; the last one may be cut
    rf"(?:{_NUMBER}\t)*+{_STRING}\t(?:{_NUMBER}\t)*+{_STRING}(?:\t{_FIELD})*+\n"
    rf'(?:{_FIELD}(?:\t{_FIELD})*+\n)*+(?:(?:{_FIELD}\t)*+"[^"]*+(?:""[^"]*+)*+)?'
)

Record = tuple[int, list[str]]  # line number, cells


def rows(file: File, request: Request, findings: Findings) -> Iterator[Row]:
    """The rows of a table.

    Raises:
        InputError: a language has no column; a row is damaged and `findings` does not skip it.
    """
    kind = file.plain_name.rpartition(".")[2].lower()
    numbered = enumerate(lines(file, findings), 1)
    start = [(number, line) for number, line in islice(numbered, columns.SAMPLE) if line is not None]
    rest = chain(start, ((number, line) for number, line in numbered if line is not None))
    if kind == "csv":
        delimiter = _delimiter([line for _, line in start], request)
        if start and start[0][1].lower().startswith("sep="):
            next(rest)
        if delimiter != ",":
            findings.note(f"{file}: read with {_NAMES.get(delimiter, repr(delimiter))} between the columns")
        records = _records(rest, delimiter, file, findings)
    elif _QUOTED_TABLE.fullmatch("".join(f"{line}\n" for _, line in start)):
        findings.note(f"{file}: all fields are in quotes, which are no text")
        records = _records(rest, "\t", file, findings)
    else:
        fields = [line.split("\t") for _, line in start]
        records = _tsv_records(rest, list(dropwhile(lambda some: len(some) == 1, fields)))
    yield from _rows(records, request, findings, file)


def _tsv_records(numbered: Iterator[tuple[int, str]], sample: list[list[str]]) -> Iterator[Record]:
    """The records of a TSV file, each with the number of its first line.

    Several lines are one record if a quote that one begins is closed in another, and all have as many columns together
    as the other records: in text a sentence may begin with a quote that is closed in a later one.

    Args:
        numbered: the lines with their numbers.
        sample: the fields of the first lines.
    """
    width = columns.width_of(sample if sample and _is_open(sample[0][-1]) else sample[:1])
    ahead: deque[tuple[int, str]] = deque()
    while item := ahead.popleft() if ahead else next(numbered, None):
        fields = item[1].split("\t")
        if '"' not in item[1]:
            yield item[0], fields
            continue
        taken = list[tuple[int, str]]()
        while len(fields) <= width and _is_open(fields[-1]) and len(taken) < _MOST_LINES:
            if not (more := ahead.popleft() if ahead else next(numbered, None)):
                break
            taken.append(more)
            end, *others = more[1].split("\t")
            fields = [*fields[:-1], f"{fields[-1]}\n{end}", *others]
        if len(fields) != width or not all(_QUOTED.fullmatch(field) for field in fields if "\n" in field):
            ahead.extendleft(reversed(taken))
            fields = item[1].split("\t")
        yield item[0], list(map(_unquoted, fields))


def _is_open(field: str) -> bool:
    """Whether a field begins with a quote that it does not close."""
    return field.startswith('"') and field.count('"') % 2 == 1


def _unquoted(field: str) -> str:
    """The text of a field of TSV: `"He said ""hi""."` stands for `He said "hi".`, and `"Hello."` for itself."""
    inside = field[1:-1]
    if "\n" in field:
        return inside.replace('""', '"')
    if '""' not in inside or field[0] != '"' or field[-1] != '"' or '"' in inside.replace('""', ""):
        return field
    return inside.replace('""', '"')


_NAMES = {";": "semicolons", "\t": "tabs", "|": "bars"}


def _rows(records: Iterator[Record], request: Request, findings: Findings, file: File) -> Iterator[Row]:
    """The rows of the records, of which the first may be a header."""
    first = list(islice(records, columns.SAMPLE))
    if not first:
        return
    first = _from_header(first, request, findings, file)
    cells = first[0][1]
    header = _is_header(cells, request)
    if request.columns and not header:
        taken = f"{columns.shown(cells)} is taken as text, since --columns is given"
        findings.note(f"{file}, first row: {taken}; delete it if it is none")
    before = first[0][0] - (not header)  # lines that are no rows
    if header:
        named = _by_header(cells, request, findings, file)
        if request.columns:
            findings.note(f"{file} has a header, which says its columns; --columns is not used for it")
        first = first[1:]
    else:
        sample = [cells for _, cells in first if any(cells)]
        named = columns.by_position(sample, file.plain_name, request, findings, str(file))
    for number, cells in chain(first, records) if named.places or not request.sparse else ():
        if not any(cells):
            cells = [""] * named.width
        if len(cells) != named.width:
            model = "header has" if named.names else "first row has" if number != first[0][0] else "next rows have"
            fault = f"{len(cells)} columns where the {model} {named.width}"
            findings.fault(str(file), f"line {number}", fault, _ADVICE)
            continue
        _check(named, request, file, number)
        findings.line = number - before
        yield {language: one_line(cells[place]) for language, place in named.places.items()}


def _is_header(cells: list[str], request: Request) -> bool:
    return columns.names_languages(cells, request) if request.columns else columns.is_header(cells, request)


def _from_header(first: list[Record], request: Request, findings: Findings, file: File) -> list[Record]:
    """The first records from the header on, where titles, comments or blank lines stand above it; otherwise all.

    Raises:
        InputError: a line above it is not blank, and `findings` does not skip it.
    """
    width = columns.width_of([cells for _, cells in first])
    start = next((i for i, (_, cells) in enumerate(first) if len(cells) == width and any(cells)), 0)
    if start == 0 or not _is_header(first[start][1], request):
        return first
    for number, cells in first[:start]:
        if any(cells):
            problem = f"{columns.shown(cells)} stands above the header and is none"
            findings.fault(str(file), f"line {number}", problem, "delete it")
    return first[start:]


def _by_header(cells: list[str], request: Request, findings: Findings, file: File) -> Columns:
    try:
        return columns.by_header(cells, request, findings, str(file))
    except InputError as e:
        advice = "" if request.columns else ", or, if these are no names but text, give --columns (train, corpus)"
        raise InputError(f"{e}{advice}") from None


def _check(named: Columns, request: Request, file: File, number: int) -> None:
    missing = [language for language in request.languages if language not in named.places]
    if missing and not request.sparse:
        no_column = f"{file}, line {number}: no column {missing[0]!r}, only {', '.join(named.names)}"
        advice = "" if request.columns else ", or, if the first row is text, give --columns (train, corpus)"
        raise InputError(f"{no_column}; {columns.NAMES}{advice}")


# ---- CSV -------------------------------------------------------------------------------------------------------------


def _delimiter(start: list[str], request: Request) -> str:
    """The character between the columns: the one that gives a header with the languages, or as many columns a row."""
    if start and start[0].lower().startswith("sep="):
        return start[0][4:5] or ","
    start = [line for line in start if line][:_SNIFFED]
    consistent = []
    for delimiter in DELIMITERS:
        reader, found = csv.reader(start, delimiter=delimiter), list[list[str]]()
        with suppress(csv.Error):  # which `_records` reports
            while cells := _next(reader):
                found += cells
        if found:
            width = columns.width_of(found)
            usual = next(cells for cells in found if len(cells) == width)  # a title may stand above the header
            if any(len(cells) > 1 and columns.is_header(cells, request) for cells in (found[0], usual)):
                return delimiter
            widths = [len(cells) for cells in found if cells]
            if width > 1 and widths.count(width) >= _CONSISTENT * len(widths):
                consistent.append((width != 2, delimiter))
    return min(consistent, key=lambda item: item[0])[1] if consistent else ","


def _records(numbered: Iterator[tuple[int, str]], delimiter: str, file: File, findings: Findings) -> Iterator[Record]:
    """The records of a CSV file, each with the number of its last line.

    A record that cannot be read is a fault of its first line; reading goes on with the line after it.
    """
    pending: deque[tuple[int, str]] = deque()
    record: list[tuple[int, str]] = []

    def feed() -> Iterator[str]:
        while item := pending.popleft() if pending else next(numbered, None):
            record.append(item)
            if len(record) > _MOST_LINES:
                raise csv.Error(f"the quote of line {record[0][0]} is not closed within {_MOST_LINES:,} lines")
            yield f"{item[1]}\n"

    while True:
        reader = csv.reader(feed(), delimiter=delimiter, strict=True)
        try:
            while cells := _next(reader):
                yield record[-1][0], cells[0]
                record.clear()
            return
        except csv.Error as e:
            problem = str(e).partition(" - ")[0]
            if len(record) > 1 and "is not closed" not in problem:  # the quote that was open took in the next lines
                problem += f", the quote of line {record[0][0]} is not closed"
            advice = "correct the quotes" if "quote" in problem.replace("unquoted", "") else _ADVICE
            if problem.startswith("new-line"):
                problem, advice = (
                    "new-line character seen (\\r) inside a field",
                    "delete it, or put the field in quotes",
                )
            findings.fault(str(file), f"line {record[0][0]}", problem, advice)
            pending.extendleft(reversed(record[1:]))
            record.clear()


def _next(reader: "Iterator[list[str]]") -> list[list[str]]:
    """The next record, in a list; an empty list at the end. A field may have any length.

    The limit is one of the whole process, so it is restored.
    """
    limit = csv.field_size_limit(sys.maxsize)
    try:
        return list(islice(reader, 1))
    finally:
        csv.field_size_limit(limit)
