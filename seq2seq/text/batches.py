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

from seq2seq.text.ragged import Ragged
from seq2seq.text.tokenizer import BOS, EOS, PAD

Ids = Sequence[Sequence[int]]  # encoded sentences, without BOS and EOS


class Arrays(NamedTuple):
    """A batch of sentence pairs, padded on the right. S includes EOS; T includes BOS in `tgt_in`, EOS in `tgt_out`."""

    src: NDArray[np.int64]  # (B, S)
    src_mask: NDArray[np.bool_]  # (B, S), True = real token
    tgt_in: NDArray[np.int64]  # (B, T)
    tgt_out: NDArray[np.int64]  # (B, T)
    tgt_mask: NDArray[np.bool_]  # (B, T)


def plan_pairs(src: Ids, tgt: Ids, budget: int, rng: "np.random.Generator | None" = None) -> Ragged:
    """Group the pairs into batches, as `plan` does for their lengths with EOS; returns the rows of each batch."""
    lengths = [np.fromiter(map(len, side), np.int64, len(side)) + 1 for side in (src, tgt)]
    return plan(np.stack(lengths, axis=1), budget, rng)


def plan(
    lengths: ArrayLike, budget: int, rng: "np.random.Generator | None" = None, counted: int | None = None
) -> Ragged:
    """Group rows into batches with B * S <= budget and B * T <= budget; returns the rows of each batch.

    A sentence longer than the budget gets a batch of its own. Rows are sorted by the length of the longer side, then by
    the difference of the lengths. With `rng`, rows of equal lengths are in random order and the batches are shuffled;
    without, batches run from short to long.

    Args:
        lengths: in tokens; (N, 2), source and target, or (N, 1), one side.
        budget: the most tokens, with padding, on one side of a batch.
        rng: the generator for the shuffling.
        counted: the most tokens of a sentence that count, so that long sentences are not alone; None: all.
    """
    lengths = np.asarray(lengths)
    if not len(lengths):
        return Ragged.of([])
    longer = lengths.max(axis=1).astype(np.int32)
    difference = (lengths[:, 0] - lengths[:, -1]).astype(np.int32)
    # Ascending for one length and descending for the next, so that neighbours are similar across lengths as well.
    most = int(longer.max())
    keys = longer * np.int64(2 * most + 1) + np.where(longer % 2, difference, -difference) + most
    keys = keys.astype(np.min_scalar_type(keys.max()))  # numpy sorts 16 bits in linear time
    order = np.arange(len(longer), dtype=np.int32)
    if rng is not None:
        order[rng.permutation(len(longer))] = order.copy()
    order = order[np.argsort(keys[order], kind="stable")]
    batches = Ragged(order, _starts(np.bincount(longer), budget, counted or most))
    return batches if rng is None else batches.take(rng.permutation(len(batches)))


def _starts(counts: NDArray[np.int64], budget: int, counted: int) -> NDArray[np.int64]:
    """Where each batch begins, and the end of the last: rows in ascending order of length, `counts[n]` of length n.

    A batch is as large as the length of its last row allows, of which at most `counted` tokens count.
    """
    starts, first = [np.zeros(1, np.int64)], 0
    for length in np.flatnonzero(counts).tolist():
        most, end = max(1, budget // max(1, min(length, counted))), first + int(counts[length])
        following = np.arange(max(first, int(starts[-1][-1]) + most), end, most)
        if len(following):
            starts.append(following)
        first = end
    return np.concatenate([*starts, [first]])


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
