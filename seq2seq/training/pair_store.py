"""Pairs in a store of `text_cache`, in parts that are computed apart. Does not know what is stored of them."""

from collections.abc import Sequence

import numpy as np

from seq2seq.text.mapped import MappedPairs, Origin
from seq2seq.text.sources import Pair
from seq2seq.training.text_cache import Arrays, Store

CHUNK = 20_000  # pairs of a part


def part_of(pairs: Sequence[Pair], number: int) -> Sequence[Pair]:
    """The pairs of a part."""
    return pairs[number * CHUNK : (number + 1) * CHUNK]


def count_parts(pairs: int) -> int:
    """The number of parts; at least one, which may be empty."""
    return max(1, -(-pairs // CHUNK))


def packed(pairs: Sequence[Pair]) -> Arrays:
    """The arrays of a part of mapped pairs."""
    sides = [side.encode("utf-8", "surrogatepass") for pair in pairs for side in pair]
    sizes = np.fromiter(map(len, sides), np.int32, len(sides))
    return {"text": np.frombuffer(b"".join(sides), np.uint8), "text.sizes": sizes}


def pairs_of(store: Store, origin: Origin, key: str) -> MappedPairs:
    """The pairs of a store that was made of `packed` parts."""
    text, ends = store.arrays["text"], store.arrays["text.ends"]
    return MappedPairs(text, ends, np.arange(len(ends) // 2, dtype=np.int32), origin._replace(key=key))
