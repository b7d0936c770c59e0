"""Divides pairs into train, dev and test that share no sentence with train, on either side.

Two sentences are the same if they have the same letters and digits, whatever their case and punctuation. The result
does not depend on the order of the pairs. This module does not know where the pairs come from.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from seq2seq.text.sources import Pair

SHARES = ""  # the part of a pair that is left out of train, since it shares a sentence with another part

_Key = tuple[int, str]  # the side, the letters and digits


def keys(pair: Pair) -> tuple[_Key, _Key]:
    """What is compared of the two sentences of a pair."""
    src, tgt = (re.sub(r"[\W_]+", "", side.casefold()) or side for side in pair)
    return (0, src), (1, tgt)


def partition(
    pairs: Sequence[Pair], sizes: Mapping[str, int], held: Iterable[Pair] = (), fit: Sequence[bool] | None = None
) -> list[str]:
    """The part of each pair: one of `sizes`, "train" or SHARES.

    Pairs are chosen by their hash; first those whose sentences are in no other pair, since they cost train nothing.

    Args:
        pairs: all pairs.
        sizes: the number of pairs of each part to choose.
        held: the pairs of parts that there are already, whose sentences stay out of train as well.
        fit: whether each pair may be chosen; None: all may.
    """
    owner: dict[_Key, str] = {key: "held" for pair in held for key in keys(pair)}
    compared = [keys(pair) for pair in pairs]
    counts = Counter(key for both in compared for key in both)
    digests = [hashlib.sha256("\t".join(pair).encode("utf-8", "replace")).digest() for pair in pairs]
    order = sorted(range(len(pairs)), key=lambda i: (sum(counts[key] for key in compared[i]), digests[i]))
    parts = ["train"] * len(pairs)
    missing = dict(sizes)
    for i in order:
        part = next((part for part, count in missing.items() if count), None)
        if part is None:
            break
        if (fit is None or fit[i]) and not any(key in owner for key in compared[i]):
            parts[i] = part
            missing[part] -= 1
            owner.update(dict.fromkeys(compared[i], part))
    shares = [part == "train" and any(key in owner for key in both) for part, both in zip(parts, compared, strict=True)]
    return [SHARES if share else part for share, part in zip(shares, parts, strict=True)]
