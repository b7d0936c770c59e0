"""Which train pairs are fit for training, which are held out as dev, and which stand in other parts as well.

Cleaning keeps or drops a pair and never changes a sentence. Repetitions are found by hashes, 8 bytes a pair, so that a
text larger than memory can be cleaned; two pairs with one hash are compared, so that the hashes change nothing. This
module does not know files.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seq2seq.corpora.source import Stretch
from seq2seq.text.mapped import Picked, digest, repetitions, side, take
from seq2seq.text.quality import quality_checks
from seq2seq.text.sources import Pair, named_place
from seq2seq.text.suspects import suspects_notice

MOST_HELD_OUT = 2000  # pairs; a larger dev part only makes validation slower
RATIO_FROM = 30  # characters; for shorter sides the ratio is not reliable ("Prost!", "Here's to your health!")
DAMAGED, EMPTY, LONG, RATIO, DUPLICATE, HELD_OUT = REASONS = (
    "damaged",
    "empty",
    "too long",
    "length ratio",
    "duplicate",
    "held out",
)
FAULTS = "", EMPTY, LONG, RATIO, DUPLICATE  # of a train pair


class Limits(Protocol):
    """The settings of cleaning, as in `corpus.DataConfig`."""

    @property
    def src(self) -> str: ...  # noqa: D102
    @property
    def tgt(self) -> str: ...  # noqa: D102
    @property
    def max_words(self) -> int: ...  # noqa: D102
    @property
    def max_chars(self) -> int: ...  # noqa: D102
    @property
    def max_ratio(self) -> float: ...  # noqa: D102
    @property
    def deduplicate(self) -> bool: ...  # noqa: D102


class Part(NamedTuple):
    """The counts of one part: read = kept + the sum of dropped."""

    name: str
    read: int
    kept: int
    dropped: dict[str, int]  # pairs by reason


class Scan(NamedTuple):
    """What cleaning has to know of each pair. The scan of a text is that of its parts, one after the other."""

    faults: NDArray[np.uint8]  # places in FAULTS
    digests: NDArray[np.uint64]  # of the pair


class Cleaned(NamedTuple):
    """The train pairs that are fit for training."""

    rows: NDArray[np.int64]  # of the train part as it was read
    counts: Part
    notices: list[str]
    digests: NDArray[np.uint64]  # of each pair that is left
    sources: NDArray[np.uint64]  # of each pair that is left, `source_order`; empty: not computed yet


def scan(pairs: Iterable[Pair], config: Limits) -> Scan:
    """Look at each pair by itself."""
    found, hashes = bytearray(), list[int]()
    for pair in pairs:
        found.append(FAULTS.index(_pair_fault(pair, config)))
        hashes.append(_digest(pair))
    return Scan(np.frombuffer(found, np.uint8), np.array(hashes, np.uint64))


def _digest(pair: Pair) -> int:
    return digest(f"{len(pair.src)} {pair.src}{pair.tgt}")


def cleaned(pairs: Sequence[Pair], scanned: Scan, config: Limits, places: Sequence[Stretch] = ()) -> Cleaned:
    """The pairs that are left after cleaning.

    Args:
        pairs, scanned: all pairs, and what `scan` finds of them.
        config: the limits.
        places: where the pairs are, for the notices; none: their numbers are those of the pairs.
    """
    found = _with_duplicates(pairs, scanned, config)
    rows = np.flatnonzero(found == 0)
    dropped = {reason: int((found == number).sum()) for number, reason in enumerate(FAULTS) if reason}
    kept = take(pairs, rows)
    sides, languages = (side(kept, 0), side(kept, 1)), (config.src, config.tgt)
    notices = quality_checks(*sides, languages, lambda row: named_place(int(rows[row]), places))
    notices += suspects_notice(*sides, languages)
    counts = Part("train", len(pairs), len(rows), dropped)
    return Cleaned(rows, counts, notices, scanned.digests[rows], np.zeros(0, np.uint64))


def faults(pairs: Sequence[Pair], config: Limits) -> list[str]:
    """For each train pair the reason to drop it; empty if there is none."""
    return [FAULTS[number] for number in _with_duplicates(pairs, scan(pairs, config), config)]


def _with_duplicates(pairs: Sequence[Pair], scanned: Scan, config: Limits) -> NDArray[np.uint8]:
    """The fault of each pair, a place in FAULTS; repetitions of pairs without another fault are duplicates."""
    found = scanned.faults.copy()
    if config.deduplicate:
        good = np.flatnonzero(found == 0)
        found[good[repetitions(Picked(pairs, good), scanned.digests[good])]] = FAULTS.index(DUPLICATE)
    return found


def _pair_fault(pair: Pair, config: Limits) -> str:
    """The reason to drop a pair; empty if there is none."""
    reasons = {line_fault(side, config) for side in pair}
    if reason := next((reason for reason in (EMPTY, LONG) if reason in reasons), ""):
        return reason
    short, long = sorted(map(len, pair))
    return RATIO if long > RATIO_FROM and long > config.max_ratio * short else ""


def line_fault(line: str, config: Limits) -> str:
    """The reason to drop a line; empty if there is none."""
    if not line.strip():
        return EMPTY
    return LONG if len(line) > config.max_chars or len(line.split()) > config.max_words else ""


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def source_order(src: str) -> int:
    """The first 64 bits of the SHA-256 by which sources are held out."""
    return int.from_bytes(_sha256(src)[:8], "big")


def held_out(sources: Sequence[str], share: float, order: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which pairs are held out as dev, each source with all its translations: chosen by hash, whatever their order.

    Args:
        sources: of the pairs.
        share: of the pairs.
        order: `source_order` of each, or empty.
    """
    size = min(MOST_HELD_OUT, max(1, round(share * len(sources))))
    if not len(order):
        order = np.fromiter(map(source_order, sources), np.uint64, len(sources))
    held, taken = np.zeros(len(sources), np.bool_), 0
    rows = np.argsort(order, kind="stable")
    ends = np.flatnonzero(np.diff(order[rows])) + 1
    for start, end in pairwise(chain([0], ends, [len(rows)])):
        groups = dict[str, list[int]]()  # of equal sources; nearly always one
        for row in rows[start:end].tolist():
            groups.setdefault(sources[row], []).append(row)
        for src in sorted(groups, key=_sha256):
            if not taken or taken + len(groups[src]) <= size:
                held[groups[src]] = True
                taken += len(groups[src])
        if taken >= size:
            break
    return held


def shared_pairs(train: Sequence[Pair], digests: NDArray[np.uint64], pairs: Sequence[Pair]) -> set[Pair]:
    """Those of the pairs that are in train."""
    looked_for = np.unique(np.fromiter(map(_digest, pairs), np.uint64, len(pairs)))
    if not len(looked_for):
        return set()
    places = np.minimum(np.searchsorted(looked_for, digests), len(looked_for) - 1)
    found = (train[row] for row in np.flatnonzero(looked_for[places] == digests).tolist())
    return set(pairs).intersection(found)
