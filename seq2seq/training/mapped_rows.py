"""The pairs of mapped text as a model reads them; the batches are those of the same text in memory.

    prepared  the pairs as a model reads them
    words     of their sources
    tokenizer that was learnt from these
    rows      the pairs with the variation of training, and without subword sampling their ids
    epoch     with subword sampling, the ids of an epoch

Each is a store of `text_cache`. This module does not know batches, nor how a model is trained.
"""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.segments.reading import Reading
from seq2seq.text import preparation
from seq2seq.text.known_words import KnownWords
from seq2seq.text.mapped import MappedPairs, side
from seq2seq.text.multilingual import Corpora
from seq2seq.text.name_learning import words_of
from seq2seq.text.ragged import Ragged
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training import pair_store
from seq2seq.training.pair_store import count_parts, packed, pairs_of, part_of
from seq2seq.training.text_cache import Arrays, Store, key_of, make_parts, stored, write_part

if TYPE_CHECKING:  # they import torch, which the translation memory of an exported model does without
    from seq2seq.training.epochs import Chunks
    from seq2seq.training.settings import Settings


def prepared(pairs: Sequence[Pair], how: Reading) -> Sequence[Pair]:
    """The result of `preparation.prepared`; mapped for mapped pairs."""
    if not isinstance(pairs, MappedPairs):
        return preparation.prepared(pairs, how)
    key = key_of("prepared", pairs.key, repr(how))

    def make(folder: Path) -> dict[str, Any]:
        make_parts(folder, count_parts(len(pairs)), compute, pairs.origin, "part of the text to prepare")
        return {}

    def compute(number: int) -> Arrays:
        return packed(preparation.prepared(part_of(pairs, number), how))

    return pairs_of(stored(pairs.origin, "prepared", key, make), pairs.origin, key)


def source_words(pairs: Sequence[Pair]) -> list[str]:
    """The words of the sources, as `name_learning.words_of` has them; of mapped pairs they are kept."""
    if not isinstance(pairs, MappedPairs):
        return words_of(side(pairs, 0))

    def make(folder: Path) -> dict[str, Any]:
        write_part(folder, 0, {"words": np.frombuffer(" ".join(words_of(side(pairs, 0))).encode(), np.uint8)})
        return {}

    store = stored(pairs.origin, "words", key_of("words", pairs.key), make)
    return store.arrays["words"].tobytes().decode().split()


def encoded(pairs: Sequence[Pair], tokenizers: tuple[Tokenizer, Tokenizer]) -> tuple[Ragged, Ragged]:
    """The ids of the sources and of the targets; mapped for mapped pairs."""
    if not isinstance(pairs, MappedPairs):
        src, tgt = (t.encode_all([pair[side] for pair in pairs]) for side, t in enumerate(tokenizers))
        return src, tgt
    key = key_of("ids", pairs.key, [_digest(np.frombuffer(t.model_bytes, np.uint8)) for t in tokenizers])

    def make(folder: Path) -> dict[str, Any]:
        make_parts(folder, count_parts(len(pairs)), compute, pairs.origin, "part of the text to tokenize")
        return {}

    def compute(number: int) -> Arrays:
        return _encode(part_of(pairs, number), tokenizers)

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
        words = src.known_words.to_json() if src.known_words else b""
        contents = {"src": src.model_bytes, "tgt": tgt.model_bytes, "words": words}
        arrays = {name: np.frombuffer(content, np.uint8) for name, content in contents.items()}
        write_part(folder, 0, arrays)
        return {"said": said}

    key = key_of("tokenizer", [[*direction, train.key] for direction, train in trains.items()], settings)
    store = stored(next(iter(trains.values())).origin, "tokenizer", key, make)
    for message in store.about["said"]:
        say(message)
    src, tgt, words = (store.arrays[name].tobytes() for name in ("src", "tgt", "words"))
    tokenizer = Tokenizer(src)
    tokenizer.known_words = KnownWords.from_json(words) if words else None
    return tokenizer, Tokenizer(tgt)


# ---- as it is trained on ---------------------------------------------------------------------------------------------


class TrainingRows(NamedTuple):
    """The mapped training pairs of all directions, in turn."""

    pairs: MappedPairs  # with the variation of training
    encoded: tuple[Ragged, Ragged] | None  # their ids; None with subword sampling, where each epoch has its own
    tokenizers: tuple[Tokenizer, Tokenizer]
    sampled: tuple[float, ...]  # settings that the ids of an epoch depend on as well
    fingerprint: str  # of the text and the tokenizers

    def epoch(self, number: int, chunks: "Callable[[], Chunks]") -> tuple[Ragged, Ragged]:
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
    settings: "Settings", corpora: Corpora, tokenizers: tuple[Tokenizer, Tokenizer], readings: Sequence[Reading | None]
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
    size = pair_store.CHUNK
    parts = [(i, start) for i, train in enumerate(trains) for start in range(0, len(train), size)]

    def compute(number: int) -> Arrays:
        i, start = parts[number]
        pairs, how = trains[i][start : start + size], readings[i]
        if how:
            known = plain[i][start : start + size]
            pairs = preparation.varied(pairs, how, settings.text, seed, i, start, known)
        if samples:
            return packed(pairs)
        return {**packed(pairs), **_encode(pairs, tokenizers)}

    def make(folder: Path) -> dict[str, Any]:
        from seq2seq.training.epochs import fingerprint

        plain.extend(prepared(train, how) if how else train for train, how in zip(trains, readings, strict=True))
        make_parts(folder, len(parts), compute, origin, "part of the text to tokenize")
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
    return TrainingRows(pairs_of(store, origin, key), ids, tokenizers, sampled, store.about["fingerprint"])


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
