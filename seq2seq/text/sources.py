"""Where parallel text comes from: files, tables and data sets of the hub, to pairs of lines.

Text, CSV, TSV and JSONL are read here and not by `datasets`, whose readers guess types ("2020-01-01" comes back as
"2020-01-01 00:00:00"), break lines at characters that are text and fill up short rows in silence.

It changes no sentence and drops none. Only a line break inside a field of a table becomes a space.
"""

import csv
import gzip
import json
import logging
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.errors import InputError

_TABLES = ("tsv", "csv", "jsonl", "parquet")
_DEV_NAMES = ("dev", "validation", "valid", "val")
_NAMED = "check --src and --tgt, which name the columns"


class Pair(NamedTuple):
    """A sentence and its translation."""

    src: str
    tgt: str


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    r"""The lines of a UTF-8 file, plain or `.gz`, broken at `\n` alone, without a `\r` at their end.

    `str.splitlines` would also break at form feeds, U+0085 and U+2028, which are text and may stand on one side only.

    Raises:
        InputError: the file is missing or not what its name says, or some line is not UTF-8.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{path} is not a whole gzip file; pack it again, or unpack it and drop the .gz") from None
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check the path") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise InputError(f"{path}, line {line}: not valid UTF-8; save the file as UTF-8") from None
    lines = text.removeprefix("\ufeff").split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def read(where: str, languages: tuple[str, str], only: str = "") -> dict[str, list[Pair]]:
    """The parts of a source, train, dev and test...: of all that it has, or the part `only`, where there is one.

    Args:
        where: a folder, a table, or hf:OWNER/NAME[:CONFIG].
        languages: the source's and the target's, as files or columns are named.
        only: the name of a part.

    Raises:
        InputError: there is no such source, or a part is broken or empty.
    """
    if languages[0] == languages[1]:
        raise InputError(f"src and tgt are both {languages[0]!r}; name two languages")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read once, when datasets is imported
    import datasets  # takes a second, so not before it is needed
    import pyarrow  # on which it is built

    datasets.disable_progress_bars()
    for library in ("datasets", "huggingface_hub"):  # which tell of every retry
        logging.getLogger(library).setLevel(logging.ERROR)
    hub = where.startswith("hf:")
    found = _hub(where) if hub else _files(Path(where), languages)
    wanted = {only: found[only]} if only in found else found
    parts = {
        part: _pairs(dataset if hub else _load(dataset, languages), languages, where, part)
        for part, dataset in wanted.items()
    }
    pyarrow.default_memory_pool().release_unused()  # what the tables took
    return parts


def _pairs(dataset: Any, languages: tuple[str, str], where: str, part: str) -> list[Pair]:
    """The pairs of a `datasets.Dataset`, whose languages are columns or lie in a column `translation`."""
    dataset = dataset.flatten()
    sides = []
    for language in languages:
        name = language if language in dataset.column_names else f"translation.{language}"
        if name not in dataset.column_names:
            there = ", ".join(dataset.column_names)
            raise InputError(f"{where}, {part}: no column {language!r}, only {there}; {_NAMED}")
        if (kind := dataset.features[name].dtype) not in ("string", "large_string"):
            raise InputError(f"{where}, {part}: column {language!r} holds {kind}, not text; {_NAMED}")
        sides.append([re.sub(r"\r?\n", " ", text) if text else "" for text in dataset[name][:]])
    if not sides[0]:
        raise InputError(f"the {part} part of {where} holds no pairs; fill it, or check --data")
    return list(map(Pair, *sides))


def _hub(where: str) -> dict[str, Any]:
    """The parts of a data set of the hub, each a `datasets.Dataset`."""
    import datasets

    name, _, subset = where.removeprefix("hf:").partition(":")
    if not name:
        raise InputError(f"{where} names no data set; write hf:OWNER/NAME or hf:OWNER/NAME:CONFIG")
    try:
        found = datasets.load_dataset(name, subset or None)
    except Exception as e:  # the hub and the network fail in more ways than can be listed
        reason = str(e).strip().split("\n")[0].rstrip(".")
        raise InputError(f"cannot load {where}: {reason}; check the name and the network") from None
    return {part: found[split] for split in found if (part := _part(split))}


def _part(name: str) -> str:
    """The part that a file or split of this name is: train, dev or test...; empty for none of them."""
    return "dev" if name in _DEV_NAMES else name if name == "train" or name.startswith("test") else ""


def _files(where: Path, languages: tuple[str, str]) -> dict[str, tuple[Path, ...]]:
    """The files of every part: a table, or the source side and the target side."""
    src, tgt = languages
    folder, kinds = where, {src, tgt, *_TABLES}
    if where.is_file():  # a table; the dev and test tables of its kind lie beside it
        folder, kinds = where.parent, {kind_of(where)}
        if not kinds <= set(_TABLES):
            raise InputError(f"{where} is not a .{', .'.join(_TABLES)} file; give a table, or the folder of a text")
    elif not where.is_dir():
        raise InputError(f"{where} is not there; check --data")
    found: dict[str, dict[Path, str]] = {}
    for path in sorted(folder.iterdir()):
        kind = kind_of(path)
        part = "train" if path == where else _part(path.name.removesuffix(".gz").removesuffix(f".{kind}"))
        if part and kind in kinds:
            found.setdefault(part, {})[path] = kind
    files = {}
    for part, paths in found.items():
        if len(paths) == 1:
            [(path, kind)] = paths.items()
            if kind not in _TABLES:
                other = tgt if kind == src else src
                raise InputError(f"{path} has no .{other} file beside it; add it, or check --src and --tgt")
        elif sorted(paths.values()) != sorted(languages):
            raise InputError(f"more than one file is the {part} part: {', '.join(map(str, paths))}; keep one")
        files[part] = tuple(sorted(paths, key=lambda path: paths[path] == tgt))
    return files


def kind_of(path: Path) -> str:
    """The last of a file's endings, `.gz` apart: a language, or the kind of a table."""
    return path.name.removesuffix(".gz").rpartition(".")[2]


def _load(paths: tuple[Path, ...], languages: tuple[str, str]) -> Any:
    """A local part as a `datasets.Dataset`."""
    import datasets

    if kind_of(paths[0]) == "parquet":
        with tempfile.TemporaryDirectory() as cache:  # nothing of a local file may stay in the person's own
            try:
                return datasets.Dataset.from_parquet(str(paths[0]), cache_dir=cache, keep_in_memory=True)
            except Exception:  # a broken file fails in several ways, none of them a bug here
                raise InputError(f"{paths[0]} cannot be read as parquet; write it again") from None
    if len(paths) == 2:
        src, tgt = map(read_lines, paths)
        if len(src) != len(tgt):
            count = f"{paths[0]} has {len(src):,} lines but {paths[1]} has {len(tgt):,}"
            raise InputError(f"{count}; line n of one must translate line n of the other")
        columns: dict[str, Any] = dict(zip(languages, (src, tgt), strict=True))
    else:
        columns = {language: [] for language in languages}
        for line, row in rows_of(paths[0]):
            for language, column in columns.items():
                if language not in row:
                    there = ", ".join(row)
                    raise InputError(f"{paths[0]}, line {line}: no column {language!r}, only {there}; {_NAMED}")
                if not isinstance(row[language], str | None):
                    raise InputError(f"{paths[0]}, line {line}: {row[language]!r} is not text; put it in quotes")
                column.append(row[language])
    features = datasets.Features({language: datasets.Value("large_string") for language in columns})
    try:
        return datasets.Dataset.from_dict(columns, features)
    except UnicodeEncodeError:
        raise InputError(f"{paths[0]} escapes half a character (\\ud800 to \\udfff); write both halves") from None


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a text table by column name, each with its line number."""
    lines = read_lines(path)
    if kind_of(path) == "jsonl":
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict) and isinstance(row.get("translation"), dict):
                row = row["translation"]
            if not isinstance(row, dict):
                raise InputError(f"{path}, line {number}: not a JSON object; write one object a line")
            yield number, row
        return
    reader = csv.reader((f"{line}\n" for line in lines), strict=True)
    rows = ((reader.line_num, row) for row in reader)
    if kind_of(path) == "tsv":  # no quoting here: a quote is a character
        rows = ((number, line.split("\t")) for number, line in enumerate(lines, 1))
    try:
        header = next(rows, (0, [""]))[1]
        for number, row in rows:
            if any(row) and len(row) != len(header):
                counts = f"{len(row)} columns where the header has {len(header)}"
                raise InputError(f"{path}, line {number}: {counts}; mend the line")
            yield number, dict(zip(header, row if any(row) else [""] * len(header), strict=True))
    except csv.Error as e:
        raise InputError(f"{path}, line {reader.line_num}: {e}; mend the quotes") from None
