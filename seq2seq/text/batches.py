"""Which sentences go together, under a token budget, and their ids in one padded array.

An epoch is a function of the lengths and the generator alone: whoever makes the generator from (seed, epoch number) can
make the same epoch again and go on at any batch.

This module does not know text, tensors or models, nor how many epochs there are.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seq2seq.text.tokenizer import BOS, EOS, PAD

Ids = Sequence[Sequence[int]]  # encoded sentences, without BOS and EOS


class Arrays(NamedTuple):
    """Pairs of sentences, padded on the right. T counts BOS in `tgt_in` and EOS in `tgt_out`, S counts EOS."""

    src: NDArray[np.int64]  # (B, S)
    src_mask: NDArray[np.bool_]  # (B, S), True = real token
    tgt_in: NDArray[np.int64]  # (B, T)
    tgt_out: NDArray[np.int64]  # (B, T)
    tgt_mask: NDArray[np.bool_]  # (B, T)


def epoch(src: Ids, tgt: Ids, budget: int, rng: np.random.Generator | None = None) -> list[list[int]]:
    """The rows of every batch of one epoch, as `plan` has them."""
    lengths = [np.fromiter(map(len, side), np.int64, len(side)) + 1 for side in (src, tgt)]
    return plan(np.stack(lengths, axis=1), budget, rng)


def plan(lengths: ArrayLike, budget: int, rng: np.random.Generator | None = None) -> list[list[int]]:
    """Rows to batches with B * S <= budget and B * T <= budget; a longer sentence has a batch of its own.

    Rows are sorted by the longer side, then by how much longer it is. With `rng` equals meet at random and the batches
    are shuffled; without, batches run from short to long.

    Args:
        lengths: (N, 2), source and target; or (N, 1), one side.
        budget: padded tokens of one side of a batch.
        rng: what shuffles.
    """
    lengths = np.asarray(lengths, np.int64)
    if not len(lengths):
        return []
    longer = lengths.max(axis=1)
    lead = lengths[:, 0] - lengths[:, -1]
    snake = np.where(longer % 2, lead, -lead)  # up for one length and down for the next, so that neighbours are alike
    ties = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    order = np.lexsort((ties, snake, longer))
    batches: list[list[int]] = []
    for row, length in zip(order.tolist(), longer[order].tolist(), strict=True):  # lengths never fall
        if not batches or (len(batches[-1]) + 1) * length > budget:
            batches.append([])
        batches[-1].append(row)
    return batches if rng is None else [batches[i] for i in rng.permutation(len(batches))]


def arrays(src: Ids, tgt: Ids, rows: Sequence[int]) -> Arrays:
    """The pairs at these rows, together."""
    sources, src_mask = pad([[*src[i], EOS] for i in rows])
    tgt_in, tgt_mask = pad([[BOS, *tgt[i]] for i in rows])
    tgt_out, _ = pad([[*tgt[i], EOS] for i in rows])
    return Arrays(sources, src_mask, tgt_in, tgt_out, tgt_mask)


def pad(sentences: Ids) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Ids (B, L), padded on the right to the longest, and their mask."""
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
    mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
    ids = np.full(mask.shape, PAD, np.int64)
    ids[mask] = np.fromiter(chain.from_iterable(sentences), np.int64, int(lengths.sum()))
    return ids, mask
