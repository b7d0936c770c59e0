"""The parts of a corpus: cleaned training pairs, pairs to validate and test on, a report of what was dropped and why.

Cleaning keeps or drops a pair and never changes a sentence. This module does not know tokens, ids or batches.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from seq2seq.config import setting
from seq2seq.corpora import source
from seq2seq.corpora.request import Request
from seq2seq.corpora.source import NoTextError, unread_note
from seq2seq.errors import InputError
from seq2seq.text import sources
from seq2seq.text.artifacts import artifacts
from seq2seq.text.cleaning import (
    DAMAGED,
    DUPLICATE,
    EMPTY,
    HELD_OUT,
    LONG,
    REASONS,
    Cleaned,
    Part,
    cleaned,
    held_out,
    line_fault,
    scan,
    shared_pairs,
)
from seq2seq.text.directions import Direction, parse_directions
from seq2seq.text.mapped import side, take
from seq2seq.text.sources import Pair, Store, Text

_SHOWN_IF_ANY = (DAMAGED, HELD_OUT)


@dataclass(frozen=True)
class DataConfig:
    """Where the sentence pairs come from, and which of them are used for training."""

    where: str | tuple[str, ...] = setting(
        "",
        "folder or file of parallel text, or hf:OWNER/NAME[:CONFIG], or a list of them, each alone or as WHERE=WEIGHT: "
        "how many times an epoch its pairs are trained on; empty: the shipped corpus",
    )
    src: str = setting("en", "language to translate from, as files or columns are named")
    tgt: str = setting("de", "language to translate to")
    languages: tuple[str, ...] = setting(
        (), "languages of a model of many languages, in place of `src` and `tgt`; as files or columns are named"
    )
    directions: tuple[str, ...] = setting(
        (), "with `languages`: the directions to train, as en-de; none: all that the text holds"
    )
    temperature: float = setting(
        2.0,
        "with `languages`: a direction with the share p of the pairs has a share ~ p ** (1 / this) of each epoch; 1: "
        "its own",
        low=1.0,
        high=100.0,
    )
    right_to_left: bool = setting(False, "the model writes its target from the end, to rescore one that begins with it")
    columns: tuple[str, ...] = setting((), "names of the columns of tables without a header; - for one to pass over")
    errors: str = setting(
        "strict",
        "what to do with units of text that cannot be read: end with an error, or drop and count them",
        choices=("strict", "skip"),
    )
    dev_share: float = setting(
        0.02, "share of train held out where there is no dev part, at most 2,000 pairs", low=0.0, high=0.5
    )
    mapped_above: int = setting(
        10,
        "megabytes of text from which on it is kept in memory-mapped files in the user's cache (packed text counts "
        "four times); below, in memory. The weights are the same",
        low=0,
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

    def all_directions(self) -> list[Direction]:
        """The directions to train: one, or with `languages` those of `directions`, or all that there can be.

        Raises:
            InputError: `languages` or `directions` are wrong.
        """
        if not self.languages:
            return [(self.src, self.tgt)]
        return parse_directions(self.directions, self.languages)

    def of(self, direction: Direction) -> "DataConfig":
        """The settings to read the text of one direction with."""
        return replace(self, src=direction[0], tgt=direction[1])


class Report(NamedTuple):
    """The counts of every part, and notices for the user; `str()` gives a table of the counts."""

    parts: list[Part]
    notices: list[str]

    def __str__(self) -> str:
        found = {reason for part in self.parts for reason, count in part.dropped.items() if count}
        reasons = [r for r in REASONS if r not in _SHOWN_IF_ANY or r in found]
        reasons += sorted(found.difference(REASONS))
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

    train: Sequence[Pair]  # a list, or mapped
    dev: list[Pair]
    tests: dict[str, list[Pair]]
    report: Report
    monolingual: tuple[Sequence[str], Sequence[str]] = ((), ())  # lines in the source language, in the target language
    synthetic: Sequence[Pair] = ()  # trained on in addition to `train`
    weights: Sequence[float] = ()  # how many times an epoch each pair of `train` occurs; empty: once
    unread: Mapping[str, Sequence[str]] = MappingProxyType({})  # by source: files that were not read


def shipped() -> Path:
    """The folder of the corpus that ships with the project."""
    return artifacts() / "tatoeba-en-de"


def load(config: DataConfig, dev_share: Callable[[int], float] | None = None) -> Corpus:
    """All parts: train is cleaned, dev and tests are unchanged; without a dev part, a share of train is held out.

    Args:
        config: the settings.
        dev_share: that share for a number of pairs; None: `config.dev_share`.

    Raises:
        InputError: the source does not exist, or a part is damaged or empty.
        NoTextError: there is no train part, or cleaning leaves no pair.
    """
    return _make_corpus(config, read_text(config), dev_share)


def load_train(config: DataConfig) -> list[Pair]:
    """The cleaned train part. Unlike `load`, it holds nothing out where there is no dev part.

    Raises:
        InputError: as `load`.
    """
    text = read_text(config, "train")
    if (train := text.parts.get("train")) is None:  # of a pair of many languages
        raise no_train(config)
    return list(checked_train(config, train, cleaned(train, scan(train, config), config, text.places)))


def checked_train(config: DataConfig, train: Sequence[Pair], clean: Cleaned) -> Sequence[Pair]:
    """The train part without what was dropped.

    Raises:
        NoTextError: no pair is left.
    """
    kept = take(train, clean.rows)
    check_any_left(config, kept, clean.counts)
    return kept


def check_any_left(config: DataConfig, train: Sequence[object], row: Part) -> None:
    """Check that cleaning left any pairs of train.

    Raises:
        NoTextError: it left none.
    """
    if not train:
        dropped = ", ".join(f"{n:,} {reason}" for reason, n in row.dropped.items() if n)
        counts = f" (dropped: {dropped})" if dropped else ""
        raise NoTextError(f"{', '.join(wheres(config))}: of {row.read:,} train pairs none is left{counts}; add pairs")


def _make_corpus(config: DataConfig, text: Text, dev_share: Callable[[int], float] | None = None) -> Corpus:
    """The result of `load`, from the parts as they were read."""
    if (train := text.parts.get("train")) is None:  # of a pair of many languages
        raise no_train(config)
    return divided(config, text, cleaned(train, scan(train, config), config, text.places), dev_share)


def no_train(config: DataConfig) -> NoTextError:
    """The error for a text without a train part."""
    return NoTextError(f"{', '.join(wheres(config))} has no train pair of {config.src} and {config.tgt}")


def divided(config: DataConfig, text: Text, clean: Cleaned, dev_share: Callable[[int], float] | None = None) -> Corpus:
    """The corpus of a text whose train part was cleaned.

    Args:
        config: the settings.
        text: the parts as they were read.
        clean: of its train part.
        dev_share: as for `load`.

    Raises:
        NoTextError: no pair is left.
    """
    parts, (rows, counts, notices, digests, sources) = dict(text.parts), clean
    unread = [] if config.languages else unread_notes(text.unread, config)  # another direction may read these files
    notices, train = [*text.notes, *unread, *notices], take(parts.pop("train"), rows)
    weights = np.array(text.weights)[rows] if text.weights else np.zeros(0)
    if "dev" not in parts:
        share = dev_share(len(rows)) if dev_share else config.dev_share
        held = held_out(side(train, 0), share, sources)
        dev, train = list(take(train, np.flatnonzero(held))), take(train, np.flatnonzero(~held))
        weights, digests = weights[~held] if len(weights) else weights, digests[~held]
        notices.append(f"no dev part: {len(dev):,} of {counts.kept:,} train pairs are held out as dev")
        counts = counts._replace(kept=len(train), dropped={**counts.dropped, HELD_OUT: len(dev)})
        parts = {"dev": dev, **parts}
    check_any_left(config, train, counts)
    known = shared_pairs(train, digests, [pair for pairs in parts.values() for pair in pairs])
    for name, pairs in parts.items():
        if shared := sum(pair in known for pair in pairs):
            notices.append(f"{shared:,} of {len(pairs):,} {name} pairs are in train too; scores will be too high")
    table = [counts, *(Part(name, len(pairs), len(pairs), {}) for name, pairs in parts.items())]
    report = Report([with_damaged(row, text.damaged) for row in table], notices)
    return Corpus(train, parts.pop("dev"), parts, report, weights=weights.tolist(), unread=text.unread)


def with_damaged(row: Part, damaged: dict[str, int]) -> Part:
    """The row of a part with the units that could not be read."""
    count = damaged.get(row.name, 0)
    return row._replace(read=row.read + count, dropped={DAMAGED: count, **row.dropped}) if count else row


def with_monolingual(corpus: Corpus, config: DataConfig) -> Corpus:
    """The corpus with the cleaned lines of the files `config.monolingual`, and a row of the report per file.

    Lines that are in `train` or were read before are dropped as duplicates.

    Raises:
        InputError: a file cannot be read, or its name ends in neither language.
    """
    sides: tuple[dict[str, None], dict[str, None]] = {}, {}
    rows, notices = list(corpus.report.parts), list(corpus.report.notices)
    for path in map(Path, config.monolingual):
        if (language := language_of(path, config)) not in (config.src, config.tgt):
            continue
        side = int(language == config.tgt)
        known = {pair[side] for pair in corpus.train}
        lines = sources.read_lines(path)
        dropped = {EMPTY: 0, LONG: 0, DUPLICATE: 0}
        for line in lines:
            repeated = line in known or line in sides[side]
            if reason := line_fault(line, config) or (DUPLICATE if repeated else ""):
                dropped[reason] += 1
            else:
                sides[side][line] = None
        rows.append(Part(path.name, len(lines), len(lines) - sum(dropped.values()), dropped))
        for name, pairs in {"dev": corpus.dev, **corpus.tests}.items():
            if shared := sum(pair[side] in sides[side] for pair in pairs):
                notices.append(f"{shared:,} of {len(pairs):,} {name} lines are in {path} too; scores will be too high")
    return corpus._replace(report=Report(rows, notices), monolingual=(list(sides[0]), list(sides[1])))


def language_of(path: Path, config: DataConfig) -> str:
    """The language of a monolingual file, which its name ends in.

    Raises:
        InputError: it ends in none of the languages of the training.
    """
    languages = config.languages or (config.src, config.tgt)
    if (language := sources.kind_of(path)) not in languages:
        endings = " nor ".join(f".{language}" for language in languages)
        raise InputError(f"{path} ends in neither {endings}, so its language is not known; rename it")
    return language


def with_synthetic(corpus: Corpus, pairs: Iterable[Pair]) -> Corpus:
    """The corpus with these pairs as `synthetic`, without repetitions, pairs of `train` and empty sides."""
    known = set(corpus.train)
    new = (pair for pair in pairs if pair not in known and all(side.strip() for side in pair))
    return corpus._replace(synthetic=list(dict.fromkeys(new)))


def load_split(config: DataConfig, split: str) -> list[Pair]:
    """One part as in the result of `load`. A dev or test part is read alone and needs no train part.

    Raises:
        InputError: as `load`.
        NoTextError: there is no such part.
    """
    text = read_text(config, "" if split == "train" else split)  # without a dev part, train loses what is held out
    if split in text.parts and split != "train":
        return list(text.parts[split])
    if split in ("train", "dev") and "train" in text.parts:
        corpus = _make_corpus(config, text)
        return list(corpus.train if split == "train" else corpus.dev)
    raise NoTextError(f"{', '.join(wheres(config))} has no split {split!r}; there are: {', '.join(text.parts)}")


def wheres(config: DataConfig) -> tuple[str, ...]:
    """The sources, as they were given."""
    where = config.where or str(shipped())
    return (where,) if isinstance(where, str) else where


def request_of(config: DataConfig, languages: tuple[str, ...]) -> Request:
    """What is to be read of the sources, in these languages."""
    return Request(languages, config.columns, config.errors == "skip", sparse=bool(config.languages))


def read_text(config: DataConfig, only: str = "", store: Store | None = None) -> Text:
    """What the sources hold, as it was read; with `store`, as for `sources.read`, without the train pairs.

    Raises:
        InputError: as `load`.
    """
    text = sources.read(wheres(config), request_of(config, (config.src, config.tgt)), only, store)
    return text if config.where else text._replace(unread={})  # it is known which files ship


def check_columns(config: DataConfig) -> None:
    """Check that `config.columns` is given only where a source has a table, whose columns it can name.

    Raises:
        InputError: no source has one, or one cannot be read.
    """
    if not config.columns:
        return
    if not has_table(config):
        raise InputError(
            f"--columns {','.join(config.columns)} names the columns of a table without a header, and "
            f"{', '.join(wheres(config))} has no table; leave it out"
        )


def has_table(config: DataConfig) -> bool:
    """Whether a source has a table of a kind that may lack a header.

    Raises:
        InputError: a source cannot be read.
    """
    request, pairs = request_of(config, (config.src, config.tgt)), config.all_directions()
    places = (sources.weighted(where)[0] for where in wheres(config))
    return any(unit.kind in source.TABLES for place in places for unit in source.units_of(place, request, pairs))


def unread_notes(unread: Mapping[str, Sequence[str]], config: DataConfig) -> Iterator[str]:
    """A note for each source that has files which nothing reads.

    Args:
        unread: by source, the files that are no parallel text; monolingual ones may be among them.
        config: the settings.
    """
    elsewhere = {Path(path).resolve() for path in config.monolingual}
    for where, files in unread.items():
        if left := [file for file in files if (Path(where) / file).resolve() not in elsewhere]:
            yield unread_note(where, left, bool(config.languages))
