"""Directions of translation, pairs of languages (from, to): their names, the default one, and how often each is read.

A model of many languages is trained on all of its directions at once. `EpochRows` decides how often a sentence pair of
each direction comes: small directions more often than large ones, by a temperature (Arivazhagan et al. 2019).

This module does not know text.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seq2seq.errors import InputError
from seq2seq.languages.codes import find_code, same

Direction = tuple[str, str]
Weights = Sequence[float] | NDArray[np.float64]

_CODE = re.compile(r"[^\W_]+([-_][^\W_]+)*")  # of a language: en, zh-CN, sr_Latn


def name_of(direction: Direction) -> str:
    """The name of a direction in settings and tables: en-de."""
    return "-".join(direction)


def listed(directions: Iterable[Direction]) -> str:
    """The directions as messages name them: en to de, de to en; of four languages or more: all between en, de, ..."""
    directions = list(directions)
    languages = dict.fromkeys(language for direction in directions for language in direction)
    if len(languages) > 3 and set(directions) == set(permutations(languages, 2)):
        return f"all between {', '.join(languages)}"
    return ", ".join(f"{src} to {tgt}" for src, tgt in directions)


def parse_directions(names: Sequence[str], languages: Sequence[str]) -> list[Direction]:
    """The directions with these names, between these languages; all that there can be if no name is given.

    Raises:
        InputError: fewer than two languages, one that is given twice or is no code, or a name of no direction.
    """
    for language in languages:
        if not _CODE.fullmatch(language):
            raise InputError(f"{language!r} is no code of a language; give codes such as en, de, zh-CN")
    for one, other in combinations(languages, 2):
        if same(one, other):
            twice = one if one == other else f"{one}, as {other},"
            raise InputError(f"the language {twice} is named twice; name each once")
    if len(languages) < 2:
        raise InputError(f"{', '.join(languages) or 'no language'} is named alone; name two languages or more")
    known = {name_of(direction): direction for direction in permutations(languages, 2)}
    for name in names:
        if name not in known:
            raise InputError(f"{name!r} is no direction between these languages; there are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def directions_of(data: Mapping[str, Any]) -> list[Direction]:
    """The directions of a model whose settings have this section [data].

    Raises:
        InputError: as `parse_directions`.
    """
    if languages := data.get("languages"):
        return parse_directions(data.get("directions", ()), languages)
    return [(data.get("src", "?"), data.get("tgt", "?"))]


def find_language(known: Iterable[Direction], language: str | None) -> str | None:
    """The language of the directions that a code means: `DE`, `de-AT` and `deu` mean `de`; if none, the code."""
    if language is None:
        return None
    return find_code(language, (code for direction in known for code in direction)) or language


def choose_direction(known: Collection[Direction], from_: str | None, to: str | None) -> Direction:
    """The direction to translate in, one of `known`; `from_` and `to` may each be None.

    If only one is known, it is the default. Otherwise the default is English to German; to English, the default source
    is German, and to any other language it is English. Codes are compared as BCP 47 does.

    Raises:
        InputError: the direction is not known.
    """
    from_, to = find_language(known, from_), find_language(known, to)
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

    A row of weight w is read w times an epoch. Of N = sum n_i rows (each counted by its weight), those of direction i
    have the share p_i of an epoch:

        p_i ~ (n_i / N) ** (1 / T)

    The largest direction is read as often as its weights say, so any other at least as often. The rows of one direction
    and one weight are read in turn, in a fixed random order, over and over; an epoch reads the next of them. So over
    the epochs no row is read more than once more often than another of its kind.

    Args:
        sizes: rows of each direction.
        temperature: T, at least 1. With 1, each row is read as often as its weight says.
        seed: of the random order.
        weights: of each row; empty: all have the weight 1.
    """

    def __init__(self, sizes: Sequence[int], temperature: float, seed: int, weights: Weights = ()) -> None:
        of_rows = np.array(weights if len(weights) else np.ones(sum(sizes)))
        ends = np.cumsum([0, *sizes])
        totals = [float(of_rows[start:end].sum()) for start, end in pairwise(ends)]  # n_i
        largest = max(totals, default=0.0)
        self.groups = list[tuple[NDArray[np.int64], float]]()  # rows in their order, and how many an epoch reads
        for start, end, total in zip(ends, ends[1:], totals, strict=False):
            count = total if temperature == 1 else round(largest * (total / largest) ** (1 / temperature))
            for weight in np.unique(of_rows[start:end]):
                rows = start + np.flatnonzero(of_rows[start:end] == weight)
                order = np.random.default_rng((seed, 4, len(self.groups))).permutation(rows)
                self.groups.append((order, count * float(weight) * len(rows) / total))

    @property
    def pairs(self) -> int:
        """The rows of an epoch."""
        return round(sum(share for _, share in self.groups))

    def __call__(self, epoch: int) -> NDArray[np.int64]:
        """The rows of an epoch, those of each direction in turn."""
        chosen = list[NDArray[np.int64]]()
        for order, share in self.groups:
            start, end = (round(number * share) for number in (epoch, epoch + 1))
            chosen.append(order[np.arange(start, end) % len(order)])
        return np.concatenate(chosen).astype(np.int64)
