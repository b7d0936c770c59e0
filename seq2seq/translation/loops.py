"""Loops, the commonest failure of recurrent decoders: "of the man of the man". A search may be kept from them.

A loop is a run of tokens that repeats itself: each token is the one `period` places before it, for at least a whole
period. It counts from a weight on: two words said twice, or one said three times. What the source repeats as well
("no, no, no") is none; that is for the caller to find out.

Axes as in `search`.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seq2seq.segments.words import is_unspaced
from seq2seq.translation.beam import Ids, Mask

Weights = NDArray[np.int64]

# Weights of a token: where it begins a word, of each letter and digit inside of one, and of each letter of a script
# that puts no space between words, where "round and round" is one word of four letters.
_WORD, _LETTER, _DIGIT, _UNSPACED = 6, 1, 3, 2
LEAST = 3 * _WORD  # weight of a loop in a translation: "very very" is none
LEAST_OF_SOURCE = 2 * _WORD  # weight of what a source repeats: there "very very" counts, and 1313
LONGEST = 16  # tokens of a period


def weights_of(pieces: Sequence[bytes]) -> Weights:
    """The weight (V,) of each token, whose text is given as UTF-8."""
    return np.array([_weight_of(piece.decode("utf-8", "ignore")) for piece in pieces], np.int64)


def _weight_of(text: str) -> int:
    if unspaced := sum(map(is_unspaced, text)):
        return unspaced * _UNSPACED
    letters, digits = (sum(map(kind, text)) for kind in (str.isalpha, str.isdigit))
    if text.startswith(" "):
        return _WORD if letters or digits or text == " " else 0
    return letters * _LETTER + digits * _DIGIT


def may_loop(line: Sequence[int]) -> bool:
    """Whether a line of tokens can hold a loop: two neighbours are equal, or stand in it twice. Fast, for all lines."""
    pairs = list(pairwise(line))
    return len(set(pairs)) < len(pairs) or any(a == b for a, b in pairs)


def looping(lines: Sequence[Sequence[int]], weights: Weights, least: int = LEAST) -> Mask:
    """Which of the lines of tokens (N,) hold a loop of this weight."""
    longest = max(map(len, lines), default=0)
    tokens = np.tile(-1 - np.arange(longest), (len(lines), 1))  # no filler equals another
    for row, line in zip(tokens, lines, strict=True):
        row[: len(line)] = line
    sums = _sums(np.where(tokens >= 0, weights[np.maximum(tokens, 0)], 0))
    found = np.zeros(len(lines), np.bool_)
    for period, runs in _runs(tokens):
        found |= ((runs >= period) & (_last(sums, runs + period) >= least)).any(-1)
    return found


def completes(prefixes: Ids, tokens: Ids, weights: Weights) -> Mask:
    """Which tokens (B, W, C) complete a loop behind their prefix (B, W, t)."""
    found = np.zeros(tokens.shape, np.bool_)
    sums = _sums(weights[prefixes])
    for period, runs in _runs(prefixes):
        last = prefixes[:, :, -period]  # (B, W) the token that goes on with the run
        run = runs[:, :, -1] + 1
        weight = weights[last] + _last(sums, runs + period)[:, :, -1]
        found |= ((run >= period) & (weight >= LEAST))[:, :, None] & (tokens == last[:, :, None])
    return found


def _runs(tokens: Ids) -> Iterator[tuple[int, Ids]]:
    """For each period, how many tokens up to each place (..., T), in a row, equal those a period before them."""
    length = tokens.shape[-1]
    places = np.arange(length)
    for period in range(1, min(LONGEST, length) + 1):
        same = np.zeros(tokens.shape, np.bool_)
        same[..., period:] = tokens[..., period:] == tokens[..., :-period]
        yield period, places - np.maximum.accumulate(np.where(same, -1, places), axis=-1)


def _sums(weighed: Weights) -> Weights:
    """The sums (..., T + 1) of the first 0 to T of the weights (..., T)."""
    return np.cumsum(np.concatenate([np.zeros_like(weighed[..., :1]), weighed], axis=-1), axis=-1)


def _last(sums: Weights, counts: Ids) -> Weights:
    """The weight (..., T) of so many tokens (..., T) up to each place, from the sums (..., T + 1)."""
    starts = np.maximum(np.arange(1, sums.shape[-1]) - counts, 0)
    weight: Weights = sums[..., 1:] - np.take_along_axis(sums, starts, axis=-1)
    return weight
