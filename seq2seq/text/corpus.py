"""The parts of a corpus: cleaned training pairs, pairs to validate and test on, a report of what was dropped and why.

Cleaning keeps or drops a pair and never changes a sentence. This module does not know tokens, ids or batches.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from seq2seq.config import setting
from seq2seq.errors import InputError
from seq2seq.text import sources
from seq2seq.text.quality import quality_checks
from seq2seq.text.sources import Pair

_MOST_HELD_OUT = 2000  # pairs; a larger dev part only makes validation slower
_RATIO_FROM = 30  # characters; for shorter sides the ratio is not reliable ("Prost!", "Here's to your health!")
_EMPTY, _LONG, _RATIO, _DUPLICATE, HELD_OUT = _REASONS = ("empty", "too long", "length ratio", "duplicate", "held out")


@dataclass(frozen=True)
class DataConfig:
    """Where the sentence pairs come from, and which of them are used for training."""

    where: str = setting("", "folder or table of parallel text, or hf:OWNER/NAME[:CONFIG]; empty: the shipped corpus")
    src: str = setting("en", "language to translate from, as files or columns are named")
    tgt: str = setting("de", "language to translate to")
    dev_share: float = setting(
        0.02, "share of train held out where there is no dev part, at most 2,000 pairs", low=0.0, high=0.5
    )
    max_words: int = setting(100, "drop training pairs with more words on a side", low=1)
    max_chars: int = setting(1000, "drop training pairs with more characters on a side", low=1)
    max_ratio: float = setting(6.0, "drop training pairs with a higher ratio of lengths in characters", low=1.0)
    deduplicate: bool = setting(True, "drop repeated training pairs")
    teachers: tuple[str, ...] = setting(
        (), "folders of teacher models, whose translations and back-translations are trained on as well"
    )
    monolingual: tuple[str, ...] = setting(
        (), "files of more lines in one language, NAME.LANG, which the teachers translate"
    )


class Part(NamedTuple):
    """The counts of one part: read = kept + the sum of dropped."""

    name: str
    read: int
    kept: int
    dropped: dict[str, int]  # pairs by reason


class Report(NamedTuple):
    """The counts of every part, and notices for the user; `str()` gives a table of the counts."""

    parts: list[Part]
    notices: list[str]

    def __str__(self) -> str:
        reasons = [r for r in _REASONS if r != HELD_OUT or any(r in part.dropped for part in self.parts)]
        rows = [["part", "read", *reasons, "kept"]]
        for name, read, kept, dropped in self.parts:
            rows.append([name, *(f"{n:,}" for n in (read, *(dropped.get(r, 0) for r in reasons), kept))])
        first, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
        return "\n".join("  ".join([row[0].ljust(first), *map(str.rjust, row[1:], widths)]) for row in rows)


class Corpus(NamedTuple):
    """All text of a training run.

    `synthetic` has pairs with one side made by a teacher model from `train` or `monolingual`: distilled (Kim & Rush
    2016), back-translated (Sennrich et al. 2016) or by several teachers (data diversification, Nguyen et al. 2020).
    """

    train: list[Pair]
    dev: list[Pair]
    tests: dict[str, list[Pair]]
    report: Report
    monolingual: tuple[Sequence[str], Sequence[str]] = ((), ())  # lines in the source language, in the target language
    synthetic: Sequence[Pair] = ()  # trained on in addition to `train`


def shipped() -> Path:
    """The folder of the corpus that ships with the project."""
    return artifacts() / "tatoeba-en-de"


def artifacts() -> Path:
    """The folder of the shipped corpora and models."""
    here = Path(__file__).parent.parent
    inside = here / "artifacts"  # in an installed wheel
    return inside if inside.is_dir() else here.parent / "artifacts"


def load(config: DataConfig, dev_share: Callable[[int], float] | None = None) -> Corpus:
    """All parts: train is cleaned, dev and tests are unchanged; without a dev part, a share of train is held out.

    Args:
        config: the settings.
        dev_share: that share for a number of pairs; None: `config.dev_share`.

    Raises:
        InputError: the source or its train part does not exist, a part is damaged or empty, or cleaning leaves no pair.
    """
    return _make_corpus(config, _read(config), dev_share)


def load_train(config: DataConfig) -> list[Pair]:
    """The cleaned train part. Unlike `load`, it holds nothing out where there is no dev part.

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


def _make_corpus(
    config: DataConfig, parts: dict[str, list[Pair]], dev_share: Callable[[int], float] | None = None
) -> Corpus:
    """The result of `load`, from the parts as they were read."""
    train = _train_of(config, parts)
    parts = {name: pairs for name, pairs in parts.items() if name != "train"}
    notices = quality_checks([pair.src for pair in train], [pair.tgt for pair in train], (config.src, config.tgt))
    train, row = _clean(train, config)
    if "dev" not in parts:
        train, dev = _hold_out(train, dev_share(len(train)) if dev_share else config.dev_share)
        notices.append(f"no dev part: {len(dev):,} of {row.kept:,} train pairs are held out as dev")
        row = row._replace(kept=len(train), dropped={**row.dropped, HELD_OUT: len(dev)})
        parts = {"dev": dev, **parts}
    _check_any_left(config, train, row)
    known = set(train)
    for name, pairs in parts.items():
        if shared := sum(pair in known for pair in pairs):
            notices.append(f"{shared:,} of {len(pairs):,} {name} pairs are in train too; scores will be too high")
    rows = [row, *(Part(name, len(pairs), len(pairs), {}) for name, pairs in parts.items())]
    return Corpus(train, parts.pop("dev"), parts, Report(rows, notices))


def with_monolingual(corpus: Corpus, config: DataConfig) -> Corpus:
    """The corpus with the cleaned lines of the files `config.monolingual`, and a row of the report per file.

    Lines that are in `train` or were read before are dropped as duplicates.

    Raises:
        InputError: a file cannot be read, or its name ends in neither language.
    """
    sides: tuple[dict[str, None], dict[str, None]] = {}, {}
    rows, notices = list(corpus.report.parts), list(corpus.report.notices)
    for path in map(Path, config.monolingual):
        side = side_of(path, config)
        known = {pair[side] for pair in corpus.train}
        lines = sources.read_lines(path)
        dropped = {_EMPTY: 0, _LONG: 0, _DUPLICATE: 0}
        for line in lines:
            repeated = line in known or line in sides[side]
            if reason := _line_fault(line, config) or (_DUPLICATE if repeated else ""):
                dropped[reason] += 1
            else:
                sides[side][line] = None
        rows.append(Part(path.name, len(lines), len(lines) - sum(dropped.values()), dropped))
        for name, pairs in {"dev": corpus.dev, **corpus.tests}.items():
            if shared := sum(pair[side] in sides[side] for pair in pairs):
                notices.append(f"{shared:,} of {len(pairs):,} {name} lines are in {path} too; scores will be too high")
    return corpus._replace(report=Report(rows, notices), monolingual=(list(sides[0]), list(sides[1])))


def side_of(path: Path, config: DataConfig) -> int:
    """0 if the name of a monolingual file ends in the source language, 1 if in the target language.

    Raises:
        InputError: it ends in neither.
    """
    languages = [config.src, config.tgt]
    if (language := sources.kind_of(path)) not in languages:
        raise InputError(
            f"{path} ends in neither .{config.src} nor .{config.tgt}, so its language is not known; rename it"
        )
    return languages.index(language)


def with_synthetic(corpus: Corpus, pairs: Iterable[Pair]) -> Corpus:
    """The corpus with these pairs as `synthetic`, without repetitions, pairs of `train` and empty sides."""
    known = set(corpus.train)
    new = (pair for pair in pairs if pair not in known and all(side.strip() for side in pair))
    return corpus._replace(synthetic=list(dict.fromkeys(new)))


def synthetic_text(pairs: Iterable[Pair]) -> str:
    """Synthetic pairs as JSON lines, {"src": ..., "tgt": ...}, as a model folder keeps them for resuming a run."""
    return "".join(json.dumps(pair._asdict(), ensure_ascii=False) + "\n" for pair in pairs)


def load_synthetic(path: Path) -> list[Pair]:
    """The pairs of a file that has the text of `synthetic_text`.

    Raises:
        InputError: the file cannot be read or is damaged.
    """
    return [Pair(str(row.get("src")), str(row.get("tgt"))) for _, row in sources.rows_of(path)]


def load_split(config: DataConfig, split: str) -> list[Pair]:
    """One part as in the result of `load`. A dev or test part is read alone and needs no train part.

    Raises:
        InputError: as `load`, or there is no such part.
    """
    parts = _read(config, "" if split == "train" else split)  # without a dev part, train loses what is held out
    if split in parts and split != "train":
        return parts[split]
    if split in ("train", "dev") and "train" in parts:
        corpus = _make_corpus(config, parts)
        return corpus.train if split == "train" else corpus.dev
    raise InputError(f"{_where(config)} has no split {split!r}; there are: {', '.join(parts) or 'none'}")


def _where(config: DataConfig) -> str:
    return config.where or str(shipped())


def _read(config: DataConfig, only: str = "") -> dict[str, list[Pair]]:
    return sources.read(_where(config), (config.src, config.tgt), only)


# ------------------------------------------------------------------------------------------------------------ cleaning


def _clean(pairs: list[Pair], config: DataConfig) -> tuple[list[Pair], Part]:
    """The pairs that are fit for training, and the counts of the others."""
    kept = []
    known = set()
    dropped = {_EMPTY: 0, _LONG: 0, _RATIO: 0, _DUPLICATE: 0}
    for pair in pairs:
        if reason := _pair_fault(pair, config) or (_DUPLICATE if config.deduplicate and pair in known else ""):
            dropped[reason] += 1
        else:
            kept.append(pair)
            known.add(pair)
    return kept, Part("train", len(pairs), len(kept), dropped)


def _pair_fault(pair: Pair, config: DataConfig) -> str:
    """The reason to drop a pair; empty if there is none."""
    reasons = {_line_fault(side, config) for side in pair}
    if reason := next((reason for reason in (_EMPTY, _LONG) if reason in reasons), ""):
        return reason
    short, long = sorted(map(len, pair))
    return _RATIO if long > _RATIO_FROM and long > config.max_ratio * short else ""


def _line_fault(line: str, config: DataConfig) -> str:
    """The reason to drop a line; empty if there is none."""
    if not line.strip():
        return _EMPTY
    return _LONG if len(line) > config.max_chars or len(line.split()) > config.max_words else ""


def _hold_out(pairs: list[Pair], share: float) -> tuple[list[Pair], list[Pair]]:
    """Train and dev: source sentences are chosen by hash, whatever their order, each with all its translations."""
    size = min(_MOST_HELD_OUT, max(1, round(share * len(pairs))))
    counts = Counter(pair.src for pair in pairs)
    chosen: set[str] = set()
    taken = 0
    for src in sorted(counts, key=lambda src: hashlib.sha256(src.encode()).digest()):
        if not chosen or taken + counts[src] <= size:
            chosen.add(src)
            taken += counts[src]
    return [p for p in pairs if p.src not in chosen], [p for p in pairs if p.src in chosen]
