"""Batches of sentence pairs under a token budget, as padded arrays of ids.

The batches of an epoch depend on the sentence lengths and the generator alone: a generator made from (seed, epoch
number) gives the same epoch again, so that training can resume at any batch.

This module does not know text, tensors or models, nor the number of epochs.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seq2seq.text.tokenizer import BOS, EOS, PAD

Ids = Sequence[Sequence[int]]  # encoded sentences, without BOS and EOS


class Arrays(NamedTuple):
    """A batch of sentence pairs, padded on the right. S includes EOS; T includes BOS in `tgt_in`, EOS in `tgt_out`."""

    src: NDArray[np.int64]  # (B, S)
    src_mask: NDArray[np.bool_]  # (B, S), True = real token
    tgt_in: NDArray[np.int64]  # (B, T)
    tgt_out: NDArray[np.int64]  # (B, T)
    tgt_mask: NDArray[np.bool_]  # (B, T)


def plan_pairs(
    src: Ids,
    tgt: Ids,
    budget: int,
    rng: np.random.Generator | None = None,
    rows: NDArray[np.int64] | None = None,
) -> list[list[int]]:
    """Group the pairs into batches, as `plan` does for their lengths with EOS; returns the rows of each batch.

    With `rows` only these pairs, each as often as it is named.
    """
    sides = [np.fromiter(map(len, side), np.int64, len(side)) + 1 for side in (src, tgt)]
    lengths = np.stack(sides, axis=1)
    if rows is None:
        return plan(lengths, budget, rng)
    return [rows[batch].tolist() for batch in plan(lengths[rows], budget, rng)]


def plan(lengths: ArrayLike, budget: int, rng: np.random.Generator | None = None) -> list[list[int]]:
    """Group rows into batches with B * S <= budget and B * T <= budget; returns the rows of each batch.

    A sentence longer than the budget gets a batch of its own. Rows are sorted by the length of the longer side, then by
    the difference of the lengths. With `rng`, rows of equal lengths are in random order and the batches are shuffled;
    without, batches run from short to long.

    Args:
        lengths: in tokens; (N, 2), source and target, or (N, 1), one side.
        budget: the most tokens, with padding, on one side of a batch.
        rng: the generator for the shuffling.
    """
    lengths = np.asarray(lengths, np.int64)
    if not len(lengths):
        return []
    longer = lengths.max(axis=1)
    difference = lengths[:, 0] - lengths[:, -1]
    # Ascending for one length and descending for the next, so that neighbours are similar across lengths as well.
    snake = np.where(longer % 2, difference, -difference)
    ties = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    order = np.lexsort((ties, snake, longer))
    batches: list[list[int]] = []
    for row, length in zip(order.tolist(), longer[order].tolist(), strict=True):  # in ascending order
        if not batches or (len(batches[-1]) + 1) * length > budget:
            batches.append([])
        batches[-1].append(row)
    return batches if rng is None else [batches[i] for i in rng.permutation(len(batches))]


def pad_pairs(src: Ids, tgt: Ids, rows: Sequence[int]) -> Arrays:
    """The pairs at these rows as one batch."""
    sources, src_mask = pad([[*src[i], EOS] for i in rows])
    tgt_in, tgt_mask = pad([[BOS, *tgt[i]] for i in rows])
    tgt_out, _ = pad([[*tgt[i], EOS] for i in rows])
    return Arrays(sources, src_mask, tgt_in, tgt_out, tgt_mask)


def pad(sentences: Ids) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Ids (B, L), padded on the right to the longest sentence, and their mask (B, L), True = real token."""
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
    mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
    ids = np.full(mask.shape, PAD, np.int64)
    ids[mask] = np.fromiter(chain.from_iterable(sentences), np.int64, int(lengths.sum()))
    return ids, mask
