"""Parallel text from files, tables and data sets of the Hugging Face hub, as pairs of lines.

Text, CSV, TSV and JSONL are read here and not by `datasets`, whose readers guess types ("2020-01-01" comes back as
"2020-01-01 00:00:00"), break lines at characters that are text, and silently fill up rows that are too short.

This module changes and drops no sentence, except that a line break inside a field of a table becomes a space.
"""

import csv
import gzip
import json
import logging
import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import combinations, islice
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.errors import InputError

_TABLES = ("tsv", "csv", "jsonl", "parquet")
_DEV_NAMES = ("dev", "validation", "valid", "val")
_COLUMNS = "check --src and --tgt, which name the columns"


class Pair(NamedTuple):
    """A source sentence and its translation."""

    src: str
    tgt: str


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    r"""The lines of a UTF-8 file, plain or `.gz`, split at `\n` only, without a `\r` at the end.

    `str.splitlines` would also split at form feeds, U+0085 and U+2028, which are text and may occur on one side only.

    Raises:
        InputError: the file cannot be read, is not valid gzip, or is not UTF-8.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{path} is not a complete gzip file; pack it again, or unpack it and drop the .gz") from None
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


def read(where: str, languages: tuple[str, str], only: str = "", gaps: bool = False) -> dict[str, list[Pair]]:
    """The pairs of each part (train, dev, test...) of a source.

    Args:
        where: a folder, a table, or hf:OWNER/NAME[:CONFIG].
        languages: the source and the target language, as files or columns are named.
        only: read this part alone if the source has it; otherwise all parts.
        gaps: rows may lack one of the languages; they are left out, and so is a part without a row that has both.

    Raises:
        InputError: the source does not exist, or a part is damaged or empty.
    """
    if languages[0] == languages[1]:
        raise InputError(f"src and tgt are both {languages[0]!r}; name two languages")
    import pyarrow  # imported here and not at the top: `datasets`, which needs it, takes a second to import

    with _quiet_libraries():
        hub = where.startswith("hf:")
        available = _load_hub(where) if hub else _part_files(Path(where), languages)
        parts = {
            part: _pairs(source if hub else _load_local(source, languages, gaps), languages, where, part)
            for part, source in available.items()
            if only not in available or part == only
        }
    if gaps:
        whole = {part: [pair for pair in pairs if all(map(str.strip, pair))] for part, pairs in parts.items()}
        parts = {part: pairs for part, pairs in whole.items() if pairs}
    pyarrow.default_memory_pool().release_unused()  # the memory of the tables
    return parts


def language_pairs(where: str, languages: Sequence[str], part: str = "train") -> list[tuple[str, str]]:
    """The pairs of these languages for which a part of a source has files or columns, in the order of `languages`.

    A pair may still have no sentence, in a table whose rows lack one of the two.

    Raises:
        InputError: the source does not exist or cannot be read.
    """
    if where.startswith("hf:"):
        with _quiet_libraries():
            dataset = _load_hub(where).get(part)
            names = set(dataset.flatten().column_names) if dataset is not None else set()
    else:
        path = Path(where)
        if not path.exists():
            raise InputError(f"{where} is not there; check --data")
        files = list((path.parent if path.is_file() else path).iterdir())
        if path.is_file():
            files = [path, *(file for file in files if kind_of(file) == kind_of(path))]
        names = {name for file in files if _part_of(file, path) == part for name in _languages_of(file)}
    found = {name.removeprefix("translation.") for name in names}
    return [pair for pair in combinations(languages, 2) if found.issuperset(pair)]


def _part_of(path: Path, where: Path) -> str:
    """The part that a file of the source `where` belongs to; empty if none."""
    return "train" if path == where else _part_name(path.name.removesuffix(".gz").removesuffix(f".{kind_of(path)}"))


def _languages_of(path: Path) -> set[str]:
    """The language of a file by its ending, or those of a table by its columns."""
    if (kind := kind_of(path)) not in _TABLES:
        return {kind}
    if kind == "parquet":
        import pyarrow.parquet

        try:
            return set(pyarrow.parquet.read_schema(path).names)
        except Exception:  # as in `_load_local`
            raise InputError(f"{path} cannot be read as parquet; write it again") from None
    rows = (row for _, row in rows_of(path))
    return {name for row in (rows if kind == "jsonl" else islice(rows, 1)) for name in row}


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Silence `datasets` and `huggingface_hub`: no progress bars, no messages below ERROR, no telemetry.

    These are settings of the whole process, so all of them are restored at the end.
    """
    import datasets
    from huggingface_hub import constants

    with ExitStack() as restore:
        for logger in map(logging.getLogger, ("datasets", "huggingface_hub")):  # both report every retry
            restore.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        if not datasets.are_progress_bars_disabled():
            restore.callback(datasets.enable_progress_bars)
            datasets.disable_progress_bars()
        # The variable itself is read only when huggingface_hub is imported: set here, it would be late or would last.
        if "HF_HUB_DISABLE_TELEMETRY" not in os.environ:
            restore.callback(setattr, constants, "HF_HUB_DISABLE_TELEMETRY", constants.HF_HUB_DISABLE_TELEMETRY)
            constants.HF_HUB_DISABLE_TELEMETRY = True
        yield


def _pairs(dataset: Any, languages: tuple[str, str], where: str, part: str) -> list[Pair]:
    """The pairs of a `datasets.Dataset` with a column per language, or with a column `translation` of all languages."""
    dataset = dataset.flatten()
    sides = []
    for language in languages:
        name = language if language in dataset.column_names else f"translation.{language}"
        if name not in dataset.column_names:
            columns = ", ".join(dataset.column_names)
            raise InputError(f"{where}, {part}: no column {language!r}, only {columns}; {_COLUMNS}")
        if (kind := dataset.features[name].dtype) not in ("string", "large_string"):
            raise InputError(f"{where}, {part}: column {language!r} holds {kind}, not text; {_COLUMNS}")
        sides.append([re.sub(r"\r?\n", " ", text) if text else "" for text in dataset[name][:]])
    if not sides[0]:
        raise InputError(f"the {part} part of {where} holds no pairs; fill it, or check --data")
    return list(map(Pair, *sides))


def _load_hub(where: str) -> dict[str, Any]:
    """The parts of a data set of the hub, each as a `datasets.Dataset`."""
    import datasets

    name, _, subset = where.removeprefix("hf:").partition(":")
    if not name:
        raise InputError(f"{where} names no data set; write hf:OWNER/NAME or hf:OWNER/NAME:CONFIG")
    try:
        splits = datasets.load_dataset(name, subset or None)
    except Exception as e:  # the hub and the network raise too many types to list
        reason = str(e).strip().split("\n")[0].rstrip(".")
        raise InputError(f"cannot load {where}: {reason}; check the name and the network") from None
    return {part: splits[split] for split in splits if (part := _part_name(split))}


def _part_name(name: str) -> str:
    """The part that a file or split of this name belongs to: train, dev or test...; empty if none."""
    return "dev" if name in _DEV_NAMES else name if name == "train" or name.startswith("test") else ""


def _part_files(where: Path, languages: tuple[str, str]) -> dict[str, tuple[Path, ...]]:
    """The files of each part: one table, or the source file and the target file."""
    src, tgt = languages
    folder, kinds = where, {src, tgt, *_TABLES}
    if where.is_file():  # a table is the train part; dev and test are tables of the same kind in its folder
        folder, kinds = where.parent, {kind_of(where)}
        if not kinds <= set(_TABLES):
            raise InputError(f"{where} is not a .{', .'.join(_TABLES)} file; give a table, or the folder of a text")
    elif not where.is_dir():
        raise InputError(f"{where} is not there; check --data")
    by_part: dict[str, dict[Path, str]] = {}
    for path in sorted(folder.iterdir()):
        kind, part = kind_of(path), _part_of(path, where)
        if part and kind in kinds:
            by_part.setdefault(part, {})[path] = kind
    files = {}
    for part, paths in by_part.items():
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
    """The last suffix of a file's name, `.gz` excepted: a language, or the kind of a table."""
    return path.name.removesuffix(".gz").rpartition(".")[2]


def _load_local(paths: tuple[Path, ...], languages: tuple[str, str], gaps: bool) -> Any:
    """The files of a part as a `datasets.Dataset` in memory; with `gaps`, a JSON object may lack a language."""
    import datasets

    if kind_of(paths[0]) == "parquet":
        with tempfile.TemporaryDirectory() as cache:  # so that no copy of a local file stays in the user's cache
            try:
                return datasets.Dataset.from_parquet(str(paths[0]), cache_dir=cache, keep_in_memory=True)
            except Exception:  # a damaged file raises several types, none of them a bug here
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
                if gaps and kind_of(paths[0]) == "jsonl":
                    row.setdefault(language, None)
                if language not in row:
                    names = ", ".join(row)
                    raise InputError(f"{paths[0]}, line {line}: no column {language!r}, only {names}; {_COLUMNS}")
                if not isinstance(row[language], str | None):
                    raise InputError(f"{paths[0]}, line {line}: {row[language]!r} is not text; put it in quotes")
                column.append(row[language])
    features = datasets.Features({language: datasets.Value("large_string") for language in columns})
    try:
        return datasets.Dataset.from_dict(columns, features)
    except UnicodeEncodeError:
        raise InputError(f"{paths[0]} has half of a surrogate pair (\\ud800 to \\udfff); write both halves") from None


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a .jsonl, .tsv or .csv file as (line number, {column: value}).

    Raises:
        InputError: the file cannot be read, or a line is not a row.
    """
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
                raise InputError(f"{path}, line {number}: {counts}; correct the line")
            yield number, dict(zip(header, row if any(row) else [""] * len(header), strict=True))
    except csv.Error as e:
        raise InputError(f"{path}, line {reader.line_num}: {e}; correct the quotes") from None
