"""Text that is larger than memory, read and cleaned once, in mapped files; the same corpora as those in memory.

    text      the train pairs as they were read, and the other parts
    scan      of each pair by itself: its fault, and the hashes that repetitions and held-out pairs are found by
    clean     the rows that are left

Each is a store of `text_cache`. This module does not know models nor tokenizers.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq.corpora import hub
from seq2seq.corpora.source import Stretch
from seq2seq.text import cleaning, corpus, multilingual
from seq2seq.text.cleaning import Cleaned, Part, Scan
from seq2seq.text.corpus import Corpus, DataConfig
from seq2seq.text.identity import identity, megabytes
from seq2seq.text.mapped import MappedPairs, Origin
from seq2seq.text.multilingual import Corpora
from seq2seq.text.sources import Pair, Text
from seq2seq.training import pair_store
from seq2seq.training.pair_store import count_parts, packed, pairs_of, part_of
from seq2seq.training.text_cache import Arrays, key_of, make_parts, opened_cache, stored, whole_parts, write_part

SAID = 1_000_000  # pairs that are read between two messages


def load(
    config: DataConfig, dev_share: Callable[[int], float] | None, say: Callable[[str], None], quiet: bool
) -> Corpora:
    """The corpora as `multilingual.load_all` gives them; of much text, with a mapped train part.

    Text of the hub and text for teachers is read into memory.

    Args:
        config: the settings.
        dev_share: as for `corpus.load`.
        say: is called with messages.
        quiet: whether to show no progress.

    Raises:
        InputError: as `multilingual.load_all`.
        WorkError: the disk is full.
    """
    if not (_is_large(config) and (origin := opened_cache(say, quiet))):
        return multilingual.load_all(config, dev_share)
    return multilingual.load_all(config, dev_share, lambda each, share: _load(each, share, origin))


def load_train(config: DataConfig, say: Callable[[str], None], quiet: bool) -> Sequence[Pair]:
    """The train part as `corpus.load_train` gives it; of much text, mapped.

    Raises:
        InputError: as `corpus.load_train`.
        WorkError: the disk is full.
    """
    if not (_is_large(config) and (origin := opened_cache(say, quiet))):
        return corpus.load_train(config)
    text = _text(config, origin)
    train = text.parts["train"]
    return corpus.checked_train(config, train, _cleaned(train, text.places, config))


def _is_large(config: DataConfig) -> bool:
    languages = config.languages or (config.src, config.tgt)
    wheres = corpus.wheres(config)
    if config.teachers or len(set(languages)) < 2 or any(where.startswith(hub.PREFIX) for where in wheres):
        return False
    return megabytes(wheres, corpus.request_of(config, languages)) >= config.mapped_above


# ---- reading and cleaning --------------------------------------------------------------------------------------------


def _load(config: DataConfig, dev_share: Callable[[int], float] | None, origin: Origin) -> Corpus:
    """The corpus of one direction with a mapped train part."""
    text = _text(config, origin)
    return corpus.divided(config, text, _cleaned(text.parts["train"], text.places, config), dev_share)


def _text(config: DataConfig, origin: Origin) -> Text:
    """The text as it was read, with a mapped train part."""
    request = corpus.request_of(config, (config.src, config.tgt))
    key = key_of("text", identity(corpus.wheres(config), request), bool(config.where))
    store = stored(origin, "text", key, lambda folder: _read(config, origin, folder))
    about, train = store.about, pairs_of(store, origin, key)
    if not store.new:
        origin.say(f"{', '.join(corpus.wheres(config))}: the text that was prepared before, in {origin.cache}")
    weights = [weight for weight, count in about["weights"] for _ in range(count)]
    others = {part: [Pair(*pair) for pair in pairs] for part, pairs in about["parts"].items()}
    places = [Stretch(*place) for place in about["places"]]
    return Text({"train": train, **others}, about["damaged"], about["notes"], about["unread"], weights, places)


def _read(config: DataConfig, origin: Origin, folder: Path) -> dict[str, Any]:
    """Read the sources, and write their train pairs into parts; returns everything else."""
    done, parts, pairs = whole_parts(folder), 0, 0

    def write(chunk: Sequence[Pair]) -> None:
        nonlocal parts, pairs
        if parts >= done:  # the others were written before a kill
            write_part(folder, parts, packed(chunk))
        parts, before, pairs = parts + 1, pairs // SAID, pairs + len(chunk)
        if pairs // SAID > before:
            origin.say(f"{pairs:,} pairs are read")

    def store(stream: Iterator[Pair]) -> int:
        count, chunk = 0, list[Pair]()
        for pair in stream:
            chunk.append(pair)
            if len(chunk) == pair_store.CHUNK:
                write(chunk)
                count, chunk = count + len(chunk), []
        write(chunk)
        return count + len(chunk)

    origin.say(f"{', '.join(corpus.wheres(config))}: preparing the text once, in {origin.cache}")
    text = corpus.read_text(config, store=store)
    if "train" not in text.parts:
        shutil.rmtree(folder)
        raise corpus.no_train(config)
    return {
        "parts": {part: some for part, some in text.parts.items() if part != "train"},
        "damaged": text.damaged,
        "notes": text.notes,
        "unread": text.unread,
        "places": text.places,
        "weights": [[weight, sum(1 for _ in run)] for weight, run in groupby(text.weights)],
    }


def _cleaned(train: MappedPairs, places: Sequence[Stretch], config: DataConfig) -> Cleaned:
    """The result of cleaning, by parts in parallel."""
    limits = [config.max_words, config.max_chars, config.max_ratio, config.deduplicate, config.src, config.tgt]
    origin, key = train.origin, key_of("clean", train.key, limits)

    def scan(number: int) -> Arrays:
        some = part_of(train, number)
        orders = np.fromiter((cleaning.source_order(pair.src) for pair in some), np.uint64, len(some))
        return {**cleaning.scan(some, config)._asdict(), "sources": orders}

    def scan_all(folder: Path) -> dict[str, Any]:
        make_parts(folder, count_parts(len(train)), scan, origin, "part of the text to clean")
        return {}

    scans = stored(origin, "scan", key, scan_all).arrays

    def clean(folder: Path) -> dict[str, Any]:
        found = cleaning.cleaned(train, Scan(scans["faults"], scans["digests"]), config, places)
        write_part(folder, 0, {"rows": found.rows})
        return {"counts": found.counts, "notices": found.notices}

    store = stored(origin, "clean", key, clean)
    rows, counts = store.arrays["rows"], Part(*store.about["counts"])
    return Cleaned(rows, counts, store.about["notices"], scans["digests"][rows], scans["sources"][rows])
