"""Tables as CSV and TSV; the module `csv` is the independent parser."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from roundtrip import LEFT, RIGHT, identity, marked, segments, unmarked

from seq2seq.documents.document import DocumentOptions, translated
from seq2seq.documents.plain import tables
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

BY_NUMBER, BY_NAME = DocumentOptions(columns=("2",)), DocumentOptions(columns=("text",))
LONG = "x" * 200_000
AWKWARD = [
    "id,text\n1,Hello\n",
    "id,text\r\n1,Hello\r\n",
    "id,text\n1,Hello",
    '\ufeff"id","text"\n"1","Hello"\n',
    'id,text\n1,"a ""quoted"" word, and a comma"\n2,plain\n',
    'id,text\n1,"several\nlines\r\n\n  of text  "\n2,"\n"\n',
    "id;text;more\n1;a, b;c\n2;;\n",
    "id\ttext\n1\ta, b; c\n",
    "text\n\n\nHello\n \n",
    'id,text\n1, "not quoted" \n2,a"b"c\n3,"closed" and more\n4,""\n5,""""\n',
    "id,text\n1\n2,two,too many,fields\n\n,\n",
    f'id,text\n1,"{LONG}"\n2,{LONG}\n',
    "id,text\n1,\n,x\n3,12\n4,...\n",
    "sep=;\nid;text\n1;a,b\n",
    "text,text\na,b\n",
    'a "b",text\n1,x\n',
    "  id , text \n 1 ,  spaces  \n2,\u00a0x\u00a0\n",
    'id,text\n1,"\u2028a\x0bb"\n2,a\x85b\n',
    "id,text\r1,old Mac\r2,x\r",
    'id,"text"\n1,"end"',
    "id,text\n" + "".join(f'{i},"row\n{i}"\n' for i in range(2000)),
    "",
]


def changed(document: str, options: DocumentOptions, words: dict[str, str]) -> str:
    def translate(source: Iterable[Segment]) -> Iterator[Segment]:
        return iter([Segment(words.get(segment.text, segment.text)) for segment in list(source)])

    return b"".join(translated(tables.events(io.BytesIO(document.encode()), options), translate)).decode()


def parsed(document: str, delimiter: str = ",") -> list[list[str]]:
    before = csv.field_size_limit(1 << 30)
    try:
        return list(csv.reader(io.StringIO(document, newline=""), delimiter=delimiter))
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("options", [BY_NUMBER, BY_NAME], ids=["number", "name"])
@pytest.mark.parametrize("document", AWKWARD, ids=range(len(AWKWARD)))
def test_identity(document: str, options: DocumentOptions, encoding: str) -> None:
    if options is BY_NUMBER and document.startswith("text\n"):
        pytest.skip("has one column")
    assert identity(tables, document.encode(encoding), options) == document.encode(encoding)
    assert csv.field_size_limit() == 131_072


@pytest.mark.parametrize("document", AWKWARD, ids=range(len(AWKWARD)))
def test_only_the_column_is_marked_and_nothing_else_differs(document: str) -> None:
    result = marked(tables, document.encode(), BY_NAME).decode()
    if "closed" not in document:  # whose quotation marks are made good
        assert unmarked(result).replace('"', "") == document.replace('"', "")
    if document.startswith("sep="):
        return
    delimiter = next((sign for sign in "\t;" if f"id{sign}" in document), ",")
    before, after = parsed(document.lstrip("\ufeff"), delimiter), parsed(result.lstrip("\ufeff"), delimiter)
    assert before[:1] == after[:1]
    columns = [i for i, name in enumerate(before[0]) if name.strip() == "text"] if before else []
    for old, new in zip_longest(before[1:], after[1:]):
        assert [unmarked(field) for field in new] == old
        for index, field in enumerate(new):
            for line in io.StringIO(field, newline=""):
                is_marked = line.strip().startswith(LEFT) and line.strip().endswith(RIGHT)
                assert is_marked == (index in columns and any(c.isalnum() for c in line))


@given(st.text(st.sampled_from('ab"",,;\r\n\n é'), max_size=60), st.sampled_from(",;"))
def test_records_are_those_of_csv(document: str, delimiter: str) -> None:
    lines = list(io.StringIO(document, newline=""))
    try:
        records = list(tables.records(iter(lines), delimiter))
    except InputError as error:
        assert "is not closed" in str(error)
        with pytest.raises(csv.Error):
            list(csv.reader(lines, delimiter=delimiter, strict=True))
        return
    assert "".join(delimiter.join(record.fields) + record.end for record in records) == document
    ours = [[tables.value(field, delimiter) for field in record.fields] for record in records]
    assert [[] if fields == [""] else fields for fields in ours] == [
        [] if fields == [""] else fields for fields in csv.reader(lines, delimiter=delimiter)
    ]


@given(st.binary(max_size=60), st.sampled_from([b"", b"a,text\n1,b\n", b'"', b"a;text\r\n"]))
def test_any_bytes_come_back_or_are_an_error_with_a_line(data: bytes, start: bytes) -> None:
    for options in (BY_NAME, BY_NUMBER):
        try:
            assert identity(tables, start + data, options) == start + data
            marked(tables, start + data, options)
        except InputError as error:
            assert str(error).startswith("line ")


@pytest.mark.parametrize(
    ("document", "columns", "message"),
    [
        (b"id,text\n", (), "line 1: which columns .* there are 1 'id', 2 'text'$"),
        (b"id,text\n", ("Text",), "line 1: no column 'Text'; there are 1 'id', 2 'text'$"),
        (b"id,text\n", ("3",), "line 1: no column '3'"),
        (b"id,text\n", ("0",), "line 1: no column '0'"),
        (b'id,text\n1,"open\n2,x\n', ("text",), "line 2: a field begins with a quotation mark"),
        (b"id,text\n1,caf\xe9\n", ("text",), "line 2: not UTF-8"),
        (b"", (), "line 1: which columns"),
    ],
)
def test_what_is_broken_is_an_error_with_the_line(document: bytes, columns: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        identity(tables, document, DocumentOptions(columns=columns))


def test_the_header_is_translated_only_if_columns_are_numbers() -> None:
    assert [s.text for s in segments(tables, b"id,text\n1,Hello\n", BY_NAME)] == ["Hello"]
    assert [s.text for s in segments(tables, b"id,text\n1,Hello\n", BY_NUMBER)] == ["text", "Hello"]


def test_fields_are_quoted_as_they_were_or_as_they_need_it() -> None:
    document = 'id,text\r\n1,a\r\n2,"b"\r\n3, c \r\n"4","d ""e""\nf"\r\n'
    words = {"a": 'x, "y"', "b": 'p"q', "c": "u,v", 'd "e"': '"d"', "f": "g"}
    result = changed(document, BY_NAME, words)
    assert result == 'id,text\r\n1,"x, ""y"""\r\n2,"p""q"\r\n3," u,v "\r\n"4","""d""\ng"\r\n'


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_what_divides_best(delimiter: str) -> None:
    document = f"id{delimiter}text{delimiter}more\n1{delimiter}a, b; c{delimiter}x\n".replace(
        "a, b; c", '"a, b; c"' if delimiter != "\t" else "a, b; c"
    )
    assert [s.text for s in segments(tables, document.encode(), BY_NAME)] == ["a, b; c"]


def test_quotations_in_a_sentence_between_tabs_are_part_of_it() -> None:
    document = 'id\ttext\n1\t"Yes," he said.\n2\t"He said ""yes"""\n'
    assert [s.text for s in segments(tables, document.encode(), BY_NAME)] == ['"Yes," he said.', 'He said "yes"']
    assert changed(document, BY_NAME, {'"Yes," he said.': '"Ja"'}) == document.replace('"Yes," he said.', '"""Ja"""')


def test_a_file_that_ends_in_tsv_has_tabs() -> None:
    source = io.BytesIO(b"text, with, commas\tb\na, b, c\td\n")
    source.name = "x.TSV"  # type: ignore[attr-defined]
    event = b"".join(
        translated(
            tables.events(source, DocumentOptions(columns=("text, with, commas",))),
            lambda s: (Segment(x.text.upper()) for x in s),
        )
    )
    assert event == b"text, with, commas\tb\nA, B, C\td\n"
