"""Directions of translation, pairs of languages (from, to): their names, the default one, and how often each is read.

A model of many languages is trained on all of its directions at once. `EpochRows` decides how often a sentence pair of
each direction comes: small directions more often than large ones, by a temperature (Arivazhagan et al. 2019).

This module does not know text.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from seq2seq.errors import InputError

Direction = tuple[str, str]

_CODE = re.compile(r"[^\W_]+([-_][^\W_]+)*")  # of a language: en, zh-CN, sr_Latn


def name_of(direction: Direction) -> str:
    """The name of a direction in settings and tables: en-de."""
    return "-".join(direction)


def listed(directions: Iterable[Direction]) -> str:
    """The directions as messages name them: en to de, de to en."""
    return ", ".join(f"{src} to {tgt}" for src, tgt in directions)


def parse_directions(names: Sequence[str], languages: Sequence[str]) -> list[Direction]:
    """The directions with these names, between these languages; all that there can be if no name is given.

    Raises:
        InputError: fewer than two languages, one that is given twice or is no code, or a name of no direction.
    """
    for language in languages:
        if not _CODE.fullmatch(language):
            raise InputError(f"{language!r} is no code of a language; give codes such as en, de, zh-CN")
        if languages.count(language) > 1:
            raise InputError(f"the language {language} is named twice; name each once")
    if len(languages) < 2:
        raise InputError(f"{', '.join(languages) or 'no language'} is named alone; name two languages or more")
    known = {name_of(direction): direction for direction in permutations(languages, 2)}
    for name in names:
        if name not in known:
            raise InputError(f"{name!r} is no direction between these languages; there are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def choose_direction(known: Collection[Direction], from_: str | None, to: str | None) -> Direction:
    """The direction to translate in, one of `known`; `from_` and `to` may each be None.

    If only one is known, it is the default. Otherwise the default is English to German; to English, the default source
    is German, and to any other language it is English.

    Raises:
        InputError: the direction is not known.
    """
    if len(known) == 1:
        [(src, tgt)] = known
        src, tgt = from_ or src, to or tgt
    else:
        src = from_ or ("de" if to == "en" else "en")
        tgt = to or ("de" if src == "en" else "en")
    if (src, tgt) not in known:
        raise InputError(
            f"no translation from {src} to {tgt}; there is {listed(known)}; choose one of these, or another model"
        )
    return src, tgt


class EpochRows:
    """Which rows of the training text an epoch reads; the rows of each direction are consecutive.

    Of N = sum n_i pairs, those of direction i have the share p_i of an epoch:

        p_i ~ (n_i / N) ** (1 / T)

    An epoch reads each pair of the largest direction once, so each pair of any other at least once. A direction with
    m_i = q n_i + r pairs in an epoch is read q times whole, and r pairs of it once more: the next r of a fixed random
    order, so that over the epochs no pair is read more than once more often than another of its direction.

    Args:
        sizes: n_i.
        temperature: T, at least 1. With 1, each pair is read once.
        seed: of the random order.
    """

    def __init__(self, sizes: Sequence[int], temperature: float, seed: int) -> None:
        largest = max(sizes, default=0)
        self.counts = [round(largest * (size / largest) ** (1 / temperature)) for size in sizes]  # m_i
        self.starts = np.cumsum([0, *sizes])
        self.orders = [np.random.default_rng((seed, 4, i)).permutation(size) for i, size in enumerate(sizes)]

    def __call__(self, epoch: int) -> NDArray[np.int64]:
        """The rows of an epoch, those of each direction in turn."""
        rows = [
            start + order[np.arange(epoch * count, (epoch + 1) * count) % len(order)]
            for start, order, count in zip(self.starts[:-1], self.orders, self.counts, strict=True)
        ]
        return np.concatenate(rows).astype(np.int64)
