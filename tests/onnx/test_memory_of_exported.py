"""The interpolation of an exported model's proposals follows the equations, without looking at the whole vocabulary."""

import numpy as np
import pytest

from seq2seq.onnx.nearest_neighbour import Entries, Retrieved
from seq2seq.translation.datastore import FLOOR, SHARPNESS
from seq2seq.translation.search import Proposal

B, W, V, E = 3, 4, 29, 6
SHARE = 0.35


def proposed(rng: np.random.Generator, count: int) -> tuple[Proposal, np.ndarray, np.ndarray, np.ndarray]:
    """A proposal of `count` tokens, log_probs (B, W, V), features (B, W, E) and targets (B, W)."""
    logits = rng.normal(0, 3, (B, W, V))
    log_probs = (logits - np.log(np.exp(logits).sum(-1, keepdims=True))).astype(np.float32)
    targets = rng.integers(0, V, (B, W))
    best = np.argsort(-log_probs, axis=-1)[:, :, :count]
    of_targets = np.take_along_axis(log_probs, targets[:, :, None], -1)[:, :, 0]
    proposal = Proposal(best, np.take_along_axis(log_probs, best, -1), of_targets, np.zeros((B, W), np.int64))
    return proposal, log_probs, rng.normal(0, 1, (B, W, E)).astype(np.float32), targets


@pytest.mark.parametrize("count", [1, 5, V])
@pytest.mark.parametrize("entries", [1, 7, 200])
def test_the_best_of_the_interpolation_are_those_of_the_whole_vocabulary(count: int, entries: int) -> None:
    rng = np.random.default_rng((count, entries))
    stores = [(rng.normal(0, 1, (entries, E)).astype(np.float32), rng.integers(0, V, entries)) for _ in range(B)]
    proposal, log_probs, features, targets = proposed(rng, count)
    retrieved = Retrieved.of([Entries.of(keys, values) for keys, values in stores], SHARE)
    of_known = np.take_along_axis(log_probs, np.repeat(retrieved.known[:, None], W, 1), -1)
    actual = retrieved.interpolate(proposal, of_known, features, targets)
    for b, (keys, values) in enumerate(stores):
        floor = FLOOR * np.square(keys[:, None] - keys).sum(2).mean()
        for w in range(W):
            weights = np.exp(-np.square(features[b, w] - keys).sum(1) * SHARPNESS / E)
            none = np.exp(-floor * SHARPNESS / E) / (weights.sum() + np.exp(-floor * SHARPNESS / E))
            of_entries = np.bincount(values, weights, V) / weights.sum() * (1 - none)
            p = (1 - SHARE + SHARE * none) * np.exp(log_probs[b, w]) + SHARE * of_entries
            assert actual.tokens[b, w].tolist() == np.argsort(-p)[:count].tolist()
            assert np.exp(actual.log_probs[b, w]) == pytest.approx(np.sort(p)[::-1][:count], rel=1e-4, abs=1e-8)
            assert np.exp(actual.target_log_probs[b, w]) == pytest.approx(p[targets[b, w]], rel=1e-4)
    assert actual.source is proposal.source


def test_a_far_neighbour_has_no_probability() -> None:
    """Its weight is 0 in 32 bits, and what is left is the model's share."""
    rng = np.random.default_rng(1)
    proposal, log_probs, features, targets = proposed(rng, V)
    keys = np.stack([features[0, 0], features[0, 0] + 100])
    one = Retrieved.of([Entries.of(keys, np.array([3, 4]))] * B, SHARE)
    actual = one.interpolate(proposal, log_probs[:, :, [3, 4]], features, targets)
    at = actual.tokens[0, 0].tolist().index
    assert actual.log_probs[0, 0, at(4)] == pytest.approx(log_probs[0, 0, 4] + np.log(1 - SHARE), rel=1e-5)
    assert np.exp(actual.log_probs[0, 0, at(3)]) == pytest.approx(SHARE + (1 - SHARE) * np.exp(log_probs[0, 0, 3]))
