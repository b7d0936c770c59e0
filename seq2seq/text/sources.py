"""Parallel text as pairs of lines, from one source or several.

This module changes and drops no sentence; what each format holds is read by the room `corpora`.
"""

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.corpora import json_rows, source, text_lines
from seq2seq.corpora.findings import Findings
from seq2seq.corpora.packed import File
from seq2seq.corpora.request import Request
from seq2seq.corpora.source import Stretch
from seq2seq.errors import InputError, shown


class Pair(NamedTuple):
    """A source sentence and its translation."""

    src: str
    tgt: str


class Text(NamedTuple):
    """What the sources hold: the pairs of each part (train, dev, test...), and what a person must be told."""

    parts: dict[str, Any]  # of each a sequence of pairs
    damaged: dict[str, int]  # by part: units that could not be read and were dropped
    notes: list[str]
    unread: dict[str, list[str]]  # by source: files that were not read
    weights: list[float]  # one for each train pair; empty if all are 1
    places: list[Stretch]  # where the train pairs are


def place_of(row: int, places: Sequence[Stretch]) -> tuple[str, int]:
    """The file and the number in it of a train pair; without `places`, its number among all."""
    if not places:
        return "", row + 1
    stretch = places[bisect_right(places, row, key=lambda stretch: stretch.start) - 1]
    return stretch.file, stretch.number_of(row)


def named_place(row: int, places: Sequence[Stretch]) -> str:
    """The number of a train pair, for a notice; of several files with the name."""
    file, number = place_of(row, places)
    return f"{number:,} of {file}" if are_many(places) else f"{number:,}"


def are_many(places: Sequence[Stretch]) -> bool:
    """Whether the places are in several files."""
    return any(place.file != places[0].file for place in places)


MOST = 1000  # times an epoch that a pair can be trained on
Store = Callable[[Iterator[Pair]], int]  # keeps pairs elsewhere; returns how many


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    r"""The lines of a file, plain or packed, split at `\n` only and without a `\r` at the end.

    Raises:
        InputError: the file cannot be read, is damaged, or is not UTF-8.
    """
    return [line for line in text_lines.lines(File(Path(path)), Findings()) if line is not None]


def kind_of(path: Path) -> str:
    """The last suffix of a file's name, that of a packer excepted: a language, or the format of a file."""
    return File(path).plain_name.rpartition(".")[2]


def rows_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a .jsonl file as (place, {name: value}).

    Raises:
        InputError: the file cannot be read, or a line is not an object.
    """
    return json_rows.objects(File(path), Findings())


def weighted(where: str) -> tuple[str, float]:
    """A source and its weight: `DIR=0.5` is (`DIR`, 0.5), and what has no weight has 1.

    Raises:
        InputError: the weight is not above 0, or above MOST.
    """
    path, equals, number = where.rpartition("=")
    if not equals or Path(where).exists():
        return where, 1.0
    try:
        weight = float(number)
    except ValueError:
        return where, 1.0
    if not (path and 0 < weight <= MOST):
        allowed = f"a number above 0 and at most {MOST:,}"
        raise InputError(f"--data {where}: the weight must be {allowed}, for example {path or 'DIR'}=0.5")
    return path, weight


def check_unweighted(wheres: Iterable[str]) -> None:
    """Check that no source has a weight, where it would mean nothing.

    Raises:
        InputError: one has.
    """
    for where in wheres:
        if (path := weighted(where)[0]) != where:
            raise InputError(f"{where}: only train weighs its texts; give {path}")


def language_pairs(wheres: Sequence[str], request: Request, part: str = "train") -> list[tuple[str, str]]:
    """The pairs of the request's languages, in their order, in which this part of any of the sources holds text.

    Then read each with `request.sparse`: rows without text in both languages are left out; a source may lack a pair.

    Raises:
        InputError: a source does not exist or cannot be read.
    """
    found = {pair for where in wheres for pair in source.language_pairs(weighted(where)[0], request, part)}
    return [pair for pair in combinations(request.languages, 2) if pair in found]


def read(wheres: Sequence[str], request: Request, only: str = "", store: Store | None = None) -> Text:
    """The pairs of each part of the sources together; the train pairs in the order of the sources.

    Args:
        wheres: each a folder, a file, or hf:OWNER/NAME[:CONFIG], alone or with =WEIGHT.
        request: the two languages, and how to read them.
        only: of each source read this part alone if it has it; otherwise all parts.
        store: takes the train pairs of a source, while they are read; the train part of the result is then empty.

    Raises:
        InputError: a source does not exist or is given twice, or a part is damaged or empty.
        NoTextError: a source holds no part, or none has a train part although all parts are read.
    """
    result = Text({}, {}, [], {}, [], [])
    weights: list[float] = []

    def collect(part: str, pairs: Iterator[tuple[str, str]]) -> Sequence[Any]:
        return range(store(map(Pair._make, pairs))) if store and part == "train" else list(pairs)

    texts = [weighted(where) for where in wheres]
    places = [os.path.realpath(path) for path, _ in texts]
    if path := next((path for (path, _), place in zip(texts, places, strict=True) if places.count(place) > 1), None):
        raise InputError(f"--data {path} is given twice; give it once, to train on it twice an epoch as {path}=2")
    needs_train = only in ("", "train")
    for where, weight in texts:
        text = source.read(where, request, only, collect)
        if request.sparse:
            text = text._replace(parts={part: pairs for part, pairs in text.parts.items() if pairs})
        elif not text.parts or (len(wheres) == 1 and needs_train and "train" not in text.parts):
            raise source.nothing_found(where, request, text)
        for part, pairs in text.parts.items():
            result.parts.setdefault(part, []).extend(() if isinstance(pairs, range) else map(Pair._make, pairs))
            result.damaged[part] = result.damaged.get(part, 0) + text.damaged.get(part, 0)
        count, before = len(text.parts.get("train", ())), len(weights)
        result.places.extend(stretch._replace(start=before + stretch.start) for stretch in text.places if count)
        weights += [weight] * count
        result.notes.extend(text.notes)
        if text.unread:
            result.unread[where] = text.unread
        if len(wheres) > 1:
            share = "" if weight == 1 else f", each {weight:g} times an epoch"
            result.notes.append(shown(f"{where}: {count:,} train pairs{share}"))
    if needs_train and "train" not in result.parts and not request.sparse:
        raise source.NoTextError(f"none of {', '.join(wheres)} has a train part; check --data")
    if weights and sum(weights) < 1:
        raise InputError("the weights of --data leave no pair for an epoch; give larger ones")
    return result._replace(weights=weights if set(weights) - {1.0} else [])
