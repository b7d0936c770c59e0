"""A run's text in mapped files, for text that is larger than memory. The batches are those of the same text in memory.

    text      the train pairs as they were read, and the other parts
    scan      of each pair by itself: its fault, and the hashes that repetitions and held-out pairs are found by
    clean     the rows that are left
    prepared  the pairs as a model reads them
    tokenizer that was learnt from these
    rows      the pairs with the variation of training, and without subword sampling their ids
    epoch     with subword sampling, the ids of an epoch

Each is a store of `text_cache`. This module does not know batches, nor how a model is trained.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.corpora import hub
from seq2seq.segments.reading import Reading
from seq2seq.text import cleaning, corpus, multilingual, preparation
from seq2seq.text.cleaning import Cleaned, Part, Scan
from seq2seq.text.corpus import Corpus, DataConfig
from seq2seq.text.identity import identity, megabytes
from seq2seq.text.mapped import MappedPairs, Origin
from seq2seq.text.multilingual import Corpora
from seq2seq.text.ragged import Ragged
from seq2seq.text.sources import Pair, Text
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.epochs import Chunks, fingerprint
from seq2seq.training.settings import Settings
from seq2seq.training.text_cache import (
    Arrays,
    Store,
    key_of,
    make_parts,
    opened_cache,
    stored,
    whole_parts,
    write_part,
)

CHUNK = 20_000  # pairs of a part
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
    train = _text(config, origin).parts["train"]
    return corpus.checked_train(config, train, _cleaned(train, config))


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
    return corpus.divided(config, text, _cleaned(text.parts["train"], config), dev_share)


def _text(config: DataConfig, origin: Origin) -> Text:
    """The text as it was read, with a mapped train part."""
    request = corpus.request_of(config, (config.src, config.tgt))
    key = key_of("text", identity(corpus.wheres(config), request), bool(config.where))
    store = stored(origin, "text", key, lambda folder: _read(config, origin, folder))
    about, train = store.about, _pairs(store, origin, key)
    if not store.new:
        origin.say(f"{', '.join(corpus.wheres(config))}: the text that was prepared before, in {origin.cache}")
    weights = [weight for weight, count in about["weights"] for _ in range(count)]
    others = {part: [Pair(*pair) for pair in pairs] for part, pairs in about["parts"].items()}
    return Text({"train": train, **others}, about["damaged"], about["notes"], about["unread"], weights)


def _read(config: DataConfig, origin: Origin, folder: Path) -> dict[str, Any]:
    """Read the sources, and write their train pairs into parts; returns everything else."""
    done, parts, pairs = whole_parts(folder), 0, 0

    def write(chunk: Sequence[Pair]) -> None:
        nonlocal parts, pairs
        if parts >= done:  # the others were written before a kill
            write_part(folder, parts, _packed(chunk))
        parts, before, pairs = parts + 1, pairs // SAID, pairs + len(chunk)
        if pairs // SAID > before:
            origin.say(f"{pairs:,} pairs are read")

    def store(stream: Iterator[Pair]) -> int:
        count, chunk = 0, list[Pair]()
        for pair in stream:
            chunk.append(pair)
            if len(chunk) == CHUNK:
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
        "weights": [[weight, sum(1 for _ in run)] for weight, run in groupby(text.weights)],
    }


def _cleaned(train: MappedPairs, config: DataConfig) -> Cleaned:
    """The result of cleaning, by parts in parallel."""
    limits = [config.max_words, config.max_chars, config.max_ratio, config.deduplicate, config.src, config.tgt]
    origin, key = train.origin, key_of("clean", train.key, limits)

    def scan(number: int) -> Arrays:
        some = train[number * CHUNK : (number + 1) * CHUNK]
        orders = np.fromiter((cleaning.source_order(pair.src) for pair in some), np.uint64, len(some))
        return {**cleaning.scan(some, config)._asdict(), "sources": orders}

    def scan_all(folder: Path) -> dict[str, Any]:
        make_parts(folder, _parts(len(train)), scan, origin, "part of the text to clean")
        return {}

    scans = stored(origin, "scan", key, scan_all).arrays

    def clean(folder: Path) -> dict[str, Any]:
        found = cleaning.cleaned(train, Scan(scans["faults"], scans["digests"]), config)
        write_part(folder, 0, {"rows": found.rows})
        return {"counts": found.counts, "notices": found.notices}

    store = stored(origin, "clean", key, clean)
    rows, counts = store.arrays["rows"], Part(*store.about["counts"])
    return Cleaned(rows, counts, store.about["notices"], scans["digests"][rows], scans["sources"][rows])


# ---- as a model reads it ---------------------------------------------------------------------------------------------


def prepared(pairs: Sequence[Pair], how: Reading) -> Sequence[Pair]:
    """The result of `preparation.prepared`; mapped for mapped pairs."""
    if not isinstance(pairs, MappedPairs):
        return preparation.prepared(pairs, how)
    key = key_of("prepared", pairs.key, repr(how))

    def make(folder: Path) -> dict[str, Any]:
        make_parts(folder, _parts(len(pairs)), compute, pairs.origin, "part of the text to prepare")
        return {}

    def compute(number: int) -> Arrays:
        return _packed(preparation.prepared(pairs[number * CHUNK : (number + 1) * CHUNK], how))

    return _pairs(stored(pairs.origin, "prepared", key, make), pairs.origin, key)


def encoded(pairs: Sequence[Pair], tokenizers: tuple[Tokenizer, Tokenizer]) -> tuple[Ragged, Ragged]:
    """The ids of the sources and of the targets; mapped for mapped pairs."""
    if not isinstance(pairs, MappedPairs):
        src, tgt = (t.encode_all([pair[side] for pair in pairs]) for side, t in enumerate(tokenizers))
        return src, tgt
    key = key_of("ids", pairs.key, [_digest(np.frombuffer(t.model_bytes, np.uint8)) for t in tokenizers])

    def make(folder: Path) -> dict[str, Any]:
        make_parts(folder, _parts(len(pairs)), compute, pairs.origin, "part of the text to tokenize")
        return {}

    def compute(number: int) -> Arrays:
        return _encode(pairs[number * CHUNK : (number + 1) * CHUNK], tokenizers)

    return _encoded(stored(pairs.origin, "ids", key, make))


def learnt_once(
    corpora: Corpora,
    settings: Sequence[Any],
    learn: Callable[[Callable[[str], None]], tuple[Tokenizer, Tokenizer]],
    say: Callable[[str], None],
) -> tuple[Tokenizer, Tokenizer]:
    """What `learn` returns; of mapped text it is kept.

    Args:
        corpora: the text.
        settings: what else the tokenizers depend on, as JSON.
        learn: learns the tokenizers; it is given a function for messages.
        say: is called with these.
    """
    trains = _mapped(corpora)
    if not trains:
        return learn(say)

    def make(folder: Path) -> dict[str, Any]:
        said = list[str]()
        src, tgt = learn(said.append)
        arrays = {name: np.frombuffer(t.model_bytes, np.uint8) for name, t in (("src", src), ("tgt", tgt))}
        write_part(folder, 0, arrays)
        return {"said": said}

    key = key_of("tokenizer", [[*direction, train.key] for direction, train in trains.items()], settings)
    store = stored(next(iter(trains.values())).origin, "tokenizer", key, make)
    for message in store.about["said"]:
        say(message)
    return Tokenizer(store.arrays["src"].tobytes()), Tokenizer(store.arrays["tgt"].tobytes())


# ---- as it is trained on ---------------------------------------------------------------------------------------------


class TrainingRows(NamedTuple):
    """The mapped training pairs of all directions, in turn."""

    pairs: MappedPairs  # with the variation of training
    encoded: tuple[Ragged, Ragged] | None  # their ids; None with subword sampling, where each epoch has its own
    tokenizers: tuple[Tokenizer, Tokenizer]
    sampled: tuple[float, ...]  # settings that the ids of an epoch depend on as well
    fingerprint: str  # of the text and the tokenizers

    def epoch(self, number: int, chunks: Callable[[], Chunks]) -> tuple[Ragged, Ragged]:
        """The ids of an epoch, which `chunks` makes, in files; those of the last but one are removed."""
        origin = self.pairs.origin

        def make(folder: Path) -> dict[str, Any]:
            for part, (src, tgt) in enumerate(chunks()):
                write_part(folder, part, _ids(src, tgt, self.tokenizers))
            return {}

        old, key = (key_of("epoch", origin.key, self.sampled, each) for each in (number - 2, number))
        shutil.rmtree(origin.cache / f"epoch-{old}", ignore_errors=True)
        return _encoded(stored(origin, "epoch", key, make))


def training_rows(
    settings: Settings, corpora: Corpora, tokenizers: tuple[Tokenizer, Tokenizer], readings: Sequence[Reading | None]
) -> TrainingRows | None:
    """The training pairs of mapped corpora; None for corpora in memory.

    Args:
        settings: of the run.
        corpora: by direction.
        tokenizers: of the source and the target.
        readings: how the text of each direction is read for the model.
    """
    trains = list(_mapped(corpora).values())
    if not trains:
        return None
    seed, samples = settings.training.seed, settings.tokenizer.sampling > 0
    chunks = [(i, start) for i, train in enumerate(trains) for start in range(0, len(train), CHUNK)]

    def compute(number: int) -> Arrays:
        i, start = chunks[number]
        pairs, how = trains[i][start : start + CHUNK], readings[i]
        if how:
            known = plain[i][start : start + CHUNK]
            pairs = preparation.varied(pairs, how, settings.text, seed, i, start, known)
        if samples:
            return _packed(pairs)
        return {**_packed(pairs), **_encode(pairs, tokenizers)}

    def make(folder: Path) -> dict[str, Any]:
        plain.extend(prepared(train, how) if how else train for train, how in zip(trains, readings, strict=True))
        make_parts(folder, len(chunks), compute, origin, "part of the text to tokenize")
        return {"fingerprint": fingerprint(corpora, tokenizers)}

    plain, origin = list[Sequence[Pair]](), trains[0].origin
    key = key_of(
        [[*direction, each.dev, _digest(np.array(each.weights))] for direction, each in corpora.items()],
        [train.key for train in trains],
        [_digest(np.frombuffer(t.model_bytes, np.uint8)) for t in tokenizers],
        [repr(how) for how in readings],
        asdict(replace(settings.text, longest=0)),  # which does not change training text
        [seed, samples],
    )
    store = stored(origin, "rows", key, make)
    ids = None if samples else _encoded(store)
    sampled = settings.tokenizer.sampling, settings.data.temperature
    return TrainingRows(_pairs(store, origin, key), ids, tokenizers, sampled, store.about["fingerprint"])


def _encode(pairs: Sequence[Pair], tokenizers: tuple[Tokenizer, Tokenizer]) -> Arrays:
    """The arrays of a part of `_encoded`, from its text."""
    src, tgt = (t.encode_all([pair[side] for pair in pairs]) for side, t in enumerate(tokenizers))
    return _ids(src, tgt, tokenizers)


def _ids(src: Ragged, tgt: Ragged, tokenizers: tuple[Tokenizer, Tokenizer]) -> Arrays:
    """The arrays of a part of `_encoded`."""
    dtype = "<u2" if max(map(len, tokenizers)) <= 1 << 16 else "<i4"
    return {
        name: array
        for side, ids in (("src", src), ("tgt", tgt))
        for name, array in ((side, ids.flat.astype(dtype)), (f"{side}.sizes", ids.lengths().astype(np.int32)))
    }


def _encoded(store: Store) -> tuple[Ragged, Ragged]:
    """The ids of the sources and of the targets."""
    src, tgt = (Ragged(store.arrays[side], store.arrays[f"{side}.ends"]) for side in ("src", "tgt"))
    return src, tgt


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.data).hexdigest()


def _mapped(corpora: Corpora) -> dict[Any, MappedPairs]:
    """The train parts, if they are mapped."""
    return {name: each.train for name, each in corpora.items() if isinstance(each.train, MappedPairs)}


def _parts(pairs: int) -> int:
    return max(1, -(-pairs // CHUNK))


def _packed(pairs: Sequence[Pair]) -> Arrays:
    """The arrays of a part of mapped pairs."""
    sides = [side.encode("utf-8", "surrogatepass") for pair in pairs for side in pair]
    sizes = np.fromiter(map(len, sides), np.int32, len(sides))
    return {"text": np.frombuffer(b"".join(sides), np.uint8), "text.sizes": sizes}


def _pairs(store: Store, origin: Origin, key: str) -> MappedPairs:
    """The pairs of a store that was made of `_packed` parts."""
    text, ends = store.arrays["text"], store.arrays["text.ends"]
    return MappedPairs(text, ends, np.arange(len(ends) // 2, dtype=np.int32), origin._replace(key=key))
