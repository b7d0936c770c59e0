"""Parquet files with a column by language, or a column `translation` with one field by language."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from seq2seq.corpora.columns import NAMES, by_header
from seq2seq.corpora.findings import Findings
from seq2seq.corpora.packed import File, as_path
from seq2seq.corpora.request import Request, Row, one_line
from seq2seq.errors import InputError

_STRUCT = "translation"
_TEXT = "(dictionary<values=)?(large_)?string"  # the types of text
Field = tuple[str, str, Any]  # a column, the field in its structs (empty: it holds text), the type
Fields = dict[str, Field]  # by the names that may stand for a language


def rows(file: File, request: Request, findings: Findings) -> Iterator[Row]:
    """The rows of a parquet file.

    Raises:
        InputError: the file is damaged, or a language has no column of text.
    """
    import pyarrow  # here and not at the top: it takes a while to import
    from pyarrow import parquet

    with as_path(file) as path:
        try:
            table = parquet.ParquetFile(path)
            schema = table.schema_arrow
            fields: Fields = {field.name: (field.name, "", field.type) for field in schema}
            if _STRUCT in fields and pyarrow.types.is_struct(schema.field(_STRUCT).type):
                inside = schema.field(_STRUCT).type
                fields = {field.name: (_STRUCT, field.name, field.type) for field in inside} | fields
            names = _names(fields, request, findings, str(file))
            for batch in table.iter_batches(columns=list({_full(fields[name]) for name in names.values()})):
                columns = [_column(batch, fields[name]) for name in names.values()]
                for texts in zip(*columns, strict=True):
                    yield {lang: one_line(text) for lang, text in zip(names, texts, strict=True)}
        except (pyarrow.ArrowException, OSError):
            raise InputError(f"{file} cannot be read as parquet; write it again") from None
        except UnicodeDecodeError:
            raise InputError(f"{file} holds text that is not valid UTF-8; write it again") from None
        finally:
            with suppress(UnboundLocalError):
                table.close()
    pyarrow.default_memory_pool().release_unused()


def _column(batch: Any, field: Field) -> list[str | None]:
    """The values of a column, or of a field of a column of structs."""
    column, inner, _ = field
    values = list(batch.column(column).to_pylist())
    return [value and value.get(inner) for value in values] if inner else values


def _full(field: Field) -> str:
    return ".".join(filter(None, field[:2]))


def _names(fields: Fields, request: Request, findings: Findings, file: str) -> dict[str, str]:
    """The name of the column of each language, and of those that say something of each row.

    Raises:
        InputError: there is none, or it does not hold text.
    """
    places = by_header(list(fields), request, findings, file).places
    names = {language: list(fields)[place] for language, place in places.items()}
    for language in request.languages:
        if language not in names and not request.sparse:
            columns = ", ".join(map(_full, fields.values()))
            raise InputError(f"{file}: no column {language!r}, only {columns}; {NAMES}")
    kinds = {language: str(fields[name][2]) for language, name in names.items()}
    other = {language for language, kind in kinds.items() if not re.match(_TEXT, kind)}
    for language in request.languages:
        if language in other:
            raise InputError(f"{file}: column {language!r} holds {kinds[language]}, not text; {NAMES}")
    return {language: name for language, name in names.items() if language not in other}
