"""Pairs for training, cleaned, with a report of what was dropped and why; pairs to validate and to test on.

It does not know tokens, ids or batches, and it changes no sentence: a pair is kept as it stands or dropped.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from seq2seq.config import setting
from seq2seq.errors import InputError
from seq2seq.text import sources
from seq2seq.text.quality import quality_checks
from seq2seq.text.sources import Pair

_MOST_HELD_OUT = 2000  # pairs; a longer dev part only makes validation slow
_RATIO_FROM = 30  # characters; between shorter sides a ratio says nothing ("Prost!", "Here's to your health!")
_EMPTY, _LONG, _RATIO, _AGAIN, _HELD_OUT = _REASONS = ("empty", "too long", "length ratio", "duplicate", "held out")


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
    synthetic: Sequence[
        Pair
    ] = ()  # to train on besides: a side of `train`, or `monolingual`, and what models make of it


def shipped() -> Path:
    """The folder of the corpus that ships with the project."""
    return artifacts() / "tatoeba-en-de"


def artifacts() -> Path:
    """The folder of all that ships with the project but code."""
    here = Path(__file__).parent.parent
    inside = here / "artifacts"  # where a wheel puts the repository's folder of that name
    return inside if inside.is_dir() else here.parent / "artifacts"


def load(config: DataConfig) -> Corpus:
    """All parts: train cleaned, dev and tests as they are; a dev part held out of train where there is none.

    Raises:
        InputError: there is no such source, no train part, a part is broken or empty, or cleaning leaves nothing.
    """
    return _divided(config, _read(config))


def load_train(config: DataConfig) -> list[Pair]:
    """The train part, cleaned; unlike in `load`, nothing is held out of it where there is no dev part.

    Raises:
        InputError: as `load`.
    """
    train, row = _clean(_train_of(config, _read(config, "train")), config)
    _check_any_left(config, train, row)
    return train


def _train_of(config: DataConfig, parts: dict[str, list[Pair]]) -> list[Pair]:
    if "train" not in parts:
        files = f"train.{config.src} and train.{config.tgt}, or train.tsv, .csv, .jsonl or .parquet"
        needed = "a split named train" if config.where.startswith("hf:") else files
        raise InputError(f"{_where(config)} has no train part; it needs {needed}; check --data, --src and --tgt")
    return parts["train"]


def _check_any_left(config: DataConfig, train: list[Pair], row: Part) -> None:
    if not train:
        dropped = ", ".join(f"{n:,} {reason}" for reason, n in row.dropped.items() if n)
        raise InputError(f"{_where(config)}: of {row.read:,} train pairs none is left (dropped: {dropped}); add pairs")


def _divided(config: DataConfig, parts: dict[str, list[Pair]]) -> Corpus:
    """What `load` gives, of parts that are read."""
    train = _train_of(config, parts)
    parts = {name: pairs for name, pairs in parts.items() if name != "train"}
    notices = quality_checks([pair.src for pair in train], [pair.tgt for pair in train], (config.src, config.tgt))
    train, row = _clean(train, config)
    if "dev" not in parts:
        train, dev = _hold_out(train, config.dev_share)
        notices.append(f"no dev part: {len(dev):,} of {row.kept:,} train pairs are held out as dev")
        row = row._replace(kept=len(train), dropped={**row.dropped, _HELD_OUT: len(dev)})
        parts = {"dev": dev, **parts}
    _check_any_left(config, train, row)
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
        lines = sources.read_lines(path)
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
    if (kind := sources.kind_of(path)) not in languages:
        raise InputError(
            f"{path} ends in neither .{config.src} nor .{config.tgt}, so its language is not clear; rename it"
        )
    return languages.index(kind)


def with_synthetic(corpus: Corpus, pairs: Iterable[Pair]) -> Corpus:
    """The corpus with more pairs to train on: the new ones among these, each once."""
    known = set(corpus.train)
    new = (pair for pair in pairs if pair not in known and all(side.strip() for side in pair))
    return corpus._replace(synthetic=list(dict.fromkeys(new)))


def synthetic_text(pairs: Iterable[Pair]) -> str:
    """The pairs that teachers added to a run, as its folder keeps them: a JSON object a line, of "src" and "tgt"."""
    return "".join(json.dumps(pair._asdict(), ensure_ascii=False) + "\n" for pair in pairs)


def load_synthetic(path: Path) -> list[Pair]:
    """The pairs of a file of `synthetic_text`.

    Raises:
        InputError: the file is missing or damaged.
    """
    return [Pair(str(row.get("src")), str(row.get("tgt"))) for _, row in sources.rows_of(path)]


def load_split(config: DataConfig, split: str) -> list[Pair]:
    """One part as `load` would give it; a dev or test part is read alone, and needs no train part beside it.

    Raises:
        InputError: as `load`, and where there is no such part.
    """
    parts = _read(config, "" if split == "train" else split)  # what is left for train depends on the other parts
    if split in parts and split != "train":
        return parts[split]
    if split in ("train", "dev") and "train" in parts:
        corpus = _divided(config, parts)
        return corpus.train if split == "train" else corpus.dev
    raise InputError(f"{_where(config)} has no split {split!r}; there are: {', '.join(parts) or 'none'}")


def _where(config: DataConfig) -> str:
    return config.where or str(shipped())


def _read(config: DataConfig, only: str = "") -> dict[str, list[Pair]]:
    return sources.read(_where(config), (config.src, config.tgt), only)


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
