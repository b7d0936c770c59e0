"""Parallel text from files, tables and the hub to pairs of lines, cleaned, with a report of what was dropped and why.

Every source becomes a `datasets.DatasetDict` with one column a language. Text, CSV, TSV and JSONL are read here and not
by `datasets`, whose readers guess types ("2020-01-01" comes back as "2020-01-01 00:00:00"), break lines at characters
that are text and fill up short rows in silence.

It does not know tokens, ids or batches, and it changes no sentence: a pair is kept as it stands or dropped. Only a line
break inside a field of a table becomes a space.
"""

import csv
import gzip
import hashlib
import json
import logging
import os
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.config import setting
from seq2seq.errors import InputError
from seq2seq.suspicions import suspicions

_TABLES = ("tsv", "csv", "jsonl", "parquet")
_DEV_NAMES = ("dev", "validation", "valid", "val")
_MOST_HELD_OUT = 2000  # pairs; a longer dev part only makes validation slow
_RATIO_FROM = 30  # characters; between shorter sides a ratio says nothing ("Prost!", "Here's to your health!")
_EMPTY, _LONG, _RATIO, _AGAIN, _HELD_OUT = _REASONS = ("empty", "too long", "length ratio", "duplicate", "held out")
_NAMED = "check --src and --tgt, which name the columns"


class Pair(NamedTuple):
    """A sentence and its translation."""

    src: str
    tgt: str


@dataclass(frozen=True)
class DataConfig:
    """Where the pairs come from, and which of them are fit for training."""

    where: str = setting("", "folder or table of parallel text, or hf:OWNER/NAME[:CONFIG]; empty: what ships")
    src: str = setting("en", "language to translate from, as files or columns are named")
    tgt: str = setting("de", "language to translate to")
    dev_share: float = setting(0.02, "share of train held out where there is no dev part", low=0.0, high=0.5)
    max_words: int = setting(100, "drop training pairs with more words on a side", low=1)
    max_chars: int = setting(1000, "drop training pairs with more characters on a side", low=1)
    max_ratio: float = setting(6.0, "drop training pairs where one side is so many times as long as the other", low=1.0)
    deduplicate: bool = setting(True, "drop training pairs that were there before")
    teachers: tuple[str, ...] = setting(
        (), "model folders whose translations, back-translations too, are learnt as well"
    )
    monolingual: tuple[str, ...] = setting((), "files of lines, NAME.LANG, for the teachers to translate as well")


class Part(NamedTuple):
    """What became of one part: read = kept + the sum of dropped."""

    name: str
    read: int
    kept: int
    dropped: dict[str, int]


class Report(NamedTuple):
    """What became of every part; `str()` gives a table."""

    parts: list[Part]
    notices: list[str]

    def __str__(self) -> str:
        reasons = [r for r in _REASONS if r != _HELD_OUT or any(r in part.dropped for part in self.parts)]
        rows = [["part", "read", *reasons, "kept"]]
        for name, read, kept, dropped in self.parts:
            rows.append([name, *(f"{n:,}" for n in (read, *(dropped.get(r, 0) for r in reasons), kept))])
        first, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
        return "\n".join("  ".join([row[0].ljust(first), *map(str.rjust, row[1:], widths)]) for row in rows)


class Corpus(NamedTuple):
    """Everything a run trains, validates and tests on."""

    train: list[Pair]
    dev: list[Pair]
    tests: dict[str, list[Pair]]
    report: Report
    monolingual: tuple[Sequence[str], Sequence[str]] = ((), ())  # lines of the source's language, and of the target's
    taught: Sequence[Pair] = ()  # to train on besides: a side of `train`, or `monolingual`, and what models make of it


def shipped() -> Path:
    """The folder of the corpus that ships with the project."""
    return artifacts() / "tatoeba-en-de"


def artifacts() -> Path:
    """The folder of all that ships with the project but code."""
    here = Path(__file__).parent
    inside = here / "artifacts"  # where a wheel puts the repository's folder of that name
    return inside if inside.is_dir() else here.parent / "artifacts"


def load(config: DataConfig) -> Corpus:
    """All parts: train cleaned, dev and tests as they are; a dev part held out of train where there is none.

    Raises:
        InputError: there is no such source, no train part, a part is broken or empty, or cleaning leaves nothing.
    """
    source = _open(config)
    if "train" not in source:
        files = f"train.{config.src} and train.{config.tgt}, or train.tsv, .csv, .jsonl or .parquet"
        needed = "a split named train" if config.where.startswith("hf:") else files
        raise InputError(f"{_name(config)} has no train part; it needs {needed}; check --data, --src and --tgt")
    parts = {name: _pairs(config, source, name) for name in source}
    train = parts.pop("train")
    notices = suspicions([pair.src for pair in train], [pair.tgt for pair in train], (config.src, config.tgt))
    train, row = _clean(train, config)
    if "dev" not in parts:
        train, dev = _hold_out(train, config.dev_share)
        notices.append(f"no dev part: {len(dev):,} of {row.kept:,} train pairs are held out as dev")
        row = row._replace(kept=len(train), dropped={**row.dropped, _HELD_OUT: len(dev)})
        parts = {"dev": dev, **parts}
    if not train:
        dropped = ", ".join(f"{n:,} {reason}" for reason, n in row.dropped.items() if n)
        raise InputError(f"{_name(config)}: of {row.read:,} train pairs none is left (dropped: {dropped}); add pairs")
    known = set(train)
    for name, pairs in parts.items():
        if shared := sum(pair in known for pair in pairs):
            notices.append(f"{shared:,} of {len(pairs):,} {name} pairs are in train too; scores on them flatter")
    rows = [row, *(Part(name, len(pairs), len(pairs), {}) for name, pairs in parts.items())]
    return Corpus(train, parts.pop("dev"), parts, Report(rows, notices))


def with_monolingual(corpus: Corpus, config: DataConfig) -> Corpus:
    """The corpus with the lines of `config.monolingual` that are fit for training and new, and a row a file on them.

    Raises:
        InputError: a file is missing or broken, or its name ends in neither language.
    """
    sides: tuple[dict[str, None], dict[str, None]] = {}, {}
    rows, notices = list(corpus.report.parts), list(corpus.report.notices)
    for path in map(Path, config.monolingual):
        side = side_of(path, config)
        known = {pair[side] for pair in corpus.train}
        lines = read_lines(path)
        dropped = {_EMPTY: 0, _LONG: 0, _AGAIN: 0}
        for line in lines:
            if reason := _unfit(line, config) or (_AGAIN if line in known or line in sides[side] else ""):
                dropped[reason] += 1
            else:
                sides[side][line] = None
        rows.append(Part(path.name, len(lines), len(lines) - sum(dropped.values()), dropped))
        for name, pairs in {"dev": corpus.dev, **corpus.tests}.items():
            if shared := sum(pair[side] in sides[side] for pair in pairs):
                notices.append(f"{shared:,} of {len(pairs):,} {name} lines are in {path} too; scores on them flatter")
    return corpus._replace(report=Report(rows, notices), monolingual=(list(sides[0]), list(sides[1])))


def side_of(path: Path, config: DataConfig) -> int:
    """0 where a file's name ends in the source's language, 1 where it ends in the target's.

    Raises:
        InputError: it ends in neither.
    """
    languages = [config.src, config.tgt]
    if (kind := _kind(path)) not in languages:
        raise InputError(
            f"{path} ends in neither .{config.src} nor .{config.tgt}, so its language is not clear; rename it"
        )
    return languages.index(kind)


def with_taught(corpus: Corpus, pairs: Iterable[Pair]) -> Corpus:
    """The corpus with more pairs to train on: the new ones among these, each once."""
    known = set(corpus.train)
    new = (pair for pair in pairs if pair not in known and all(side.strip() for side in pair))
    return corpus._replace(taught=list(dict.fromkeys(new)))


def taught_text(pairs: Iterable[Pair]) -> str:
    """The pairs that teachers added to a run, as its folder keeps them: a JSON object a line, of "src" and "tgt"."""
    return "".join(json.dumps(pair._asdict(), ensure_ascii=False) + "\n" for pair in pairs)


def load_taught(path: Path) -> list[Pair]:
    """The pairs of a file of `taught_text`.

    Raises:
        InputError: the file is missing or damaged.
    """
    return [Pair(str(row.get("src")), str(row.get("tgt"))) for _, row in _rows(path)]


def load_split(config: DataConfig, split: str) -> list[Pair]:
    """One part as `load` would give it; a dev or test part is read alone, and needs no train part beside it.

    Raises:
        InputError: as `load`, and where there is no such part.
    """
    source = _open(config, split)
    if split in source and split != "train":
        return _pairs(config, source, split)
    if split in ("train", "dev") and "train" in source:
        corpus = load(config)
        return corpus.train if split == "train" else corpus.dev
    raise InputError(f"{_name(config)} has no split {split!r}; there are: {', '.join(source) or 'none'}")


def _name(config: DataConfig) -> str:
    return config.where or str(shipped())


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


def _open(config: DataConfig, only: str = "") -> Any:
    """The parts of a source as a `datasets.DatasetDict`; of local files only the part `only`, where there is one."""
    if config.src == config.tgt:
        raise InputError(f"src and tgt are both {config.src!r}; name two languages")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read once, when datasets is imported
    import datasets  # takes a second, so not before it is needed

    datasets.disable_progress_bars()
    for library in ("datasets", "huggingface_hub"):  # which tell of every retry
        logging.getLogger(library).setLevel(logging.ERROR)
    if config.where.startswith("hf:"):
        return _hub(config.where)
    files = _files(config)
    wanted = {only: files[only]} if only in files else files
    return datasets.DatasetDict({part: _read(config, paths) for part, paths in wanted.items()})


def _hub(where: str) -> Any:
    import datasets

    name, _, subset = where.removeprefix("hf:").partition(":")
    if not name:
        raise InputError(f"{where} names no data set; write hf:OWNER/NAME or hf:OWNER/NAME:CONFIG")
    try:
        found = datasets.load_dataset(name, subset or None)
    except Exception as e:  # the hub and the network fail in more ways than can be listed
        reason = str(e).strip().split("\n")[0].rstrip(".")
        raise InputError(f"cannot load {where}: {reason}; check the name and the network") from None
    return datasets.DatasetDict({part: found[split] for split in found if (part := _part(split))})


def _part(name: str) -> str:
    """The part that a file or split of this name is: train, dev or test...; empty for none of them."""
    return "dev" if name in _DEV_NAMES else name if name == "train" or name.startswith("test") else ""


def _files(config: DataConfig) -> dict[str, tuple[Path, ...]]:
    """The files of every part: a table, or the source side and the target side."""
    where = Path(_name(config))
    folder, kinds = where, {config.src, config.tgt, *_TABLES}
    if where.is_file():  # a table; the dev and test tables of its kind lie beside it
        folder, kinds = where.parent, {_kind(where)}
        if not kinds <= set(_TABLES):
            raise InputError(f"{where} is not a .{', .'.join(_TABLES)} file; give a table, or the folder of a text")
    elif not where.is_dir():
        raise InputError(f"{where} is not there; check --data")
    found: dict[str, dict[Path, str]] = {}
    for path in sorted(folder.iterdir()):
        kind = _kind(path)
        part = "train" if path == where else _part(path.name.removesuffix(".gz").removesuffix(f".{kind}"))
        if part and kind in kinds:
            found.setdefault(part, {})[path] = kind
    files = {}
    for part, paths in found.items():
        if len(paths) == 1:
            [(path, kind)] = paths.items()
            if kind not in _TABLES:
                other = config.tgt if kind == config.src else config.src
                raise InputError(f"{path} has no .{other} file beside it; add it, or check --src and --tgt")
        elif sorted(paths.values()) != sorted((config.src, config.tgt)):
            raise InputError(f"more than one file is the {part} part: {', '.join(map(str, paths))}; keep one")
        files[part] = tuple(sorted(paths, key=lambda path: paths[path] == config.tgt))
    return files


def _kind(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[2]


def _read(config: DataConfig, paths: tuple[Path, ...]) -> Any:
    """A local part as a `datasets.Dataset`."""
    import datasets

    if _kind(paths[0]) == "parquet":
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
        columns: dict[str, Any] = {config.src: src, config.tgt: tgt}
    else:
        columns = {config.src: [], config.tgt: []}
        for line, row in _rows(paths[0]):
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


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a text table by column name, each with its line number."""
    lines = read_lines(path)
    if _kind(path) == "jsonl":
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
    if _kind(path) == "tsv":  # no quoting here: a quote is a character
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


def _pairs(config: DataConfig, source: Any, part: str) -> list[Pair]:
    """One part of a `datasets.DatasetDict`, whose languages are columns or lie in a column `translation`."""
    dataset = source[part].flatten()
    sides = []
    for language in (config.src, config.tgt):
        name = language if language in dataset.column_names else f"translation.{language}"
        if name not in dataset.column_names:
            there = ", ".join(dataset.column_names)
            raise InputError(f"{_name(config)}, {part}: no column {language!r}, only {there}; {_NAMED}")
        if (kind := dataset.features[name].dtype) not in ("string", "large_string"):
            raise InputError(f"{_name(config)}, {part}: column {language!r} holds {kind}, not text; {_NAMED}")
        sides.append([re.sub(r"\r?\n", " ", text) if text else "" for text in dataset[name][:]])
    if not sides[0]:
        raise InputError(f"the {part} part of {_name(config)} holds no pairs; fill it, or check --data")
    return list(map(Pair, *sides))


# ------------------------------------------------------------------------------------------------------------ cleaning


def _clean(pairs: list[Pair], config: DataConfig) -> tuple[list[Pair], Part]:
    kept = []
    seen = set()
    dropped = {_EMPTY: 0, _LONG: 0, _RATIO: 0, _AGAIN: 0}
    for pair in pairs:
        if reason := _fault(pair, config) or (_AGAIN if config.deduplicate and pair in seen else ""):
            dropped[reason] += 1
        else:
            kept.append(pair)
            seen.add(pair)
    return kept, Part("train", len(pairs), len(kept), dropped)


def _fault(pair: Pair, config: DataConfig) -> str:
    reasons = {_unfit(side, config) for side in pair}
    if reason := next((reason for reason in (_EMPTY, _LONG) if reason in reasons), ""):
        return reason
    short, long = sorted(map(len, pair))
    return _RATIO if long > _RATIO_FROM and long > config.max_ratio * short else ""


def _unfit(line: str, config: DataConfig) -> str:
    if not line.strip():
        return _EMPTY
    return _LONG if len(line) > config.max_chars or len(line.split()) > config.max_words else ""


def _hold_out(pairs: list[Pair], share: float) -> tuple[list[Pair], list[Pair]]:
    """Train and dev: by a hash, so the same pairs in any order, and a sentence with all its translations."""
    wanted = min(_MOST_HELD_OUT, max(1, round(share * len(pairs))))
    counts = Counter(pair.src for pair in pairs)
    chosen: set[str] = set()
    taken = 0
    for src in sorted(counts, key=lambda src: hashlib.sha256(src.encode()).digest()):
        if not chosen or taken + counts[src] <= wanted:
            chosen.add(src)
            taken += counts[src]
    return [p for p in pairs if p.src not in chosen], [p for p in pairs if p.src in chosen]
