"""Finds where the lines of two sides have slipped: from some line on, line n of one translates line n + k of the other.

Words that translate each other are found from the text itself: they occur together within a few lines more often than
chance has it, wherever the sides have slipped. Each line is then compared with the lines around its own number, and the
most likely sequence of shifts is that of a hidden Markov model (Viterbi 1967), in which a change of the shift is rare.
This module does not know files.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_WINDOW = 500  # lines; of a long text such windows are compared
_FARTHEST = 5  # lines of a slip
_BACKGROUND = (-9, -8, -7, 7, 8, 9)  # shifts of lines that do not belong together
_WORDS = 3000  # types of a side that are compared
_PER_LINE = 12  # tokens of a line that are compared, the rarest
_LENGTH_WEIGHT = 0.4
_CHANGE = 30.0  # penalty of a change, in standard deviations of the background
_SHORTEST = 12  # lines of a slip that is reported
_ADVANTAGE = 0.3  # over no shift, in standard deviations a line; slips have 0.5 to 4, chance has up to 0.15
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\U00020000-\U0003ffff]")

Scores = NDArray[np.float32]


class Slip(NamedTuple):
    """Rows [start, stop) in which row i of the source belongs with row i + shift of the target."""

    start: int
    stop: int
    shift: int


def slips(src: Sequence[str], tgt: Sequence[str], most: int) -> list[Slip]:
    """The slips of a text, in its order.

    Args:
        src, tgt: the lines.
        most: lines that are compared. In a longer text these are windows, evenly spread, so that `start` and `stop` are
            those of windows, and a slip between two windows is not found.
    """
    rows = _sampled(len(src), most)
    shifts = [*range(-_FARTHEST, _FARTHEST + 1), *_BACKGROUND]
    if len(rows) < 4 * len(shifts):
        return []
    lines = [[side[i] for i in rows] for side in (src, tgt)]
    scores = _scores(lines, shifts)  # (shifts, rows)
    background = scores[2 * _FARTHEST + 1 :]
    scores = (scores[: 2 * _FARTHEST + 1] - background.mean(0)) / max(float(background.std()), 1e-6)
    scores = np.clip(scores, -3.0, 6.0)
    path = _viterbi(scores)
    advantage = scores - scores[_FARTHEST]
    found, start = [], 0
    for end in [*np.flatnonzero(np.diff(path)) + 1, len(rows)]:
        shift = int(path[start]) - _FARTHEST
        if end - start >= _SHORTEST and advantage[path[start], start:end].mean() > _ADVANTAGE:
            found.append(Slip(int(rows[start]), int(rows[end - 1]) + 1, shift))
        start = end
    return found


def _sampled(count: int, most: int) -> NDArray[np.int64]:
    """The rows that are compared: all, or evenly spread windows."""
    if count <= most:
        return np.arange(count)
    starts = np.linspace(0, count - _WINDOW, most // _WINDOW).astype(np.int64)
    return (starts[:, None] + np.arange(_WINDOW)).ravel()


def tokens(line: str) -> list[str]:
    """The words of a line in small letters; where words are not separated, pairs of characters."""
    found: list[str] = []
    for word in re.findall(r"\d+|[^\W\d_]+", line.lower()):
        found += [word[i : i + 2] for i in range(max(1, len(word) - 1))] if _UNSPACED.search(word) else [word]
    return found


def _ids(lines: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The rarest known words of each line (N, _PER_LINE), padded with _WORDS; the frequencies of the words."""
    words = [set(tokens(line)) for line in lines]
    counts = Counter(word for line in words for word in line)
    known = {word: i for i, (word, n) in enumerate(counts.most_common(_WORDS)) if n > 1}
    frequency = np.zeros(_WORDS + 1, np.float32)
    frequency[: len(known)] = [counts[word] for word in known]
    table = np.full((len(lines), _PER_LINE), _WORDS, np.int64)
    for row, line in enumerate(words):
        ids = sorted((known[word] for word in line if word in known), reverse=True)[:_PER_LINE]
        table[row, : len(ids)] = ids
    return table, frequency


def _scores(lines: Sequence[Sequence[str]], shifts: Sequence[int]) -> Scores:
    """How well row i of the source and row i + k of the target fit, for each shift k: (shifts, N)."""
    (src, src_count), (tgt, tgt_count) = map(_ids, lines)
    size = len(src)
    counts = np.zeros((_WORDS + 1) ** 2, np.int32)
    near = range(-_FARTHEST, _FARTHEST + 1)
    for shift in near:
        codes = (src[:, :, None] * (_WORDS + 1) + np.roll(tgt, -shift, 0)[:, None, :]).ravel()
        found, number = np.unique(codes, return_counts=True)
        counts[found] += number
    expected = len(near) * np.outer(src_count, tgt_count) / size
    strength = np.log((counts.reshape(expected.shape) + 1.0) / (expected + 1.0)).clip(min=0)
    strength[_WORDS, :] = strength[:, _WORDS] = 0.0
    del counts, expected
    lengths = np.log1p([[len(line) for line in side] for side in lines]).astype(np.float32)
    ratio = float(np.median(lengths[1]) - np.median(lengths[0]))
    result = np.empty((len(shifts), size), np.float32)
    known = [np.maximum((side != _WORDS).sum(1), 1) for side in (src, tgt)]
    for row, shift in enumerate(shifts):
        other = np.roll(tgt, -shift, 0)
        pairs = strength[src[:, :, None], other[:, None, :]]  # (N, _PER_LINE, _PER_LINE)
        lexical = pairs.max(2).sum(1) / known[0] + pairs.max(1).sum(1) / np.roll(known[1], -shift)
        result[row] = lexical - _LENGTH_WEIGHT * np.abs(np.roll(lengths[1], -shift) - lengths[0] - ratio)
    return result


def _viterbi(scores: Scores) -> NDArray[np.int64]:
    """The most likely shift of each row, as an index: scores (shifts, N)."""
    count, size = scores.shape
    back = np.empty((size, count), np.int8)
    best = scores[:, 0].copy()
    best[np.arange(count) != _FARTHEST] -= _CHANGE  # the sides begin together, as a rule
    for row in range(1, size):
        top = int(best.argmax())
        stay = best >= best[top] - _CHANGE
        back[row] = np.where(stay, np.arange(count), top)
        best = np.where(stay, best, best[top] - _CHANGE) + scores[:, row]
    path = np.empty(size, np.int64)
    path[-1] = best.argmax()
    for row in range(size - 1, 0, -1):
        path[row - 1] = back[row, path[row]]
    return path
