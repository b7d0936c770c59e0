import itertools

import numpy as np
import pytest
import torch

from seq2seq.text.batches import pad, plan, plan_pairs
from seq2seq.text.tokenizer import BOS, EOS, PAD
from seq2seq.training.collation import Batch, collate


def realistic(n: int, seed: int = 0) -> np.ndarray:
    """Lognormal lengths around 12, similar on both sides of a pair."""
    rng = np.random.default_rng(seed)
    s = np.exp(rng.normal(np.log(11), 0.4, n)).round().clip(1)
    t = (s * np.exp(rng.normal(0.05, 0.2, n))).round().clip(1)
    return np.stack([s, t], axis=1).astype(int)


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 3])


SRC = [[4, 5, 6], [], [7], [8, 9], [4] * 30]
TGT = [[6], [5, 4], [], [7, 8, 9], [5] * 20]


@pytest.mark.parametrize("budget", [1, 40, 1200, 10**9])
@pytest.mark.parametrize("seed", [None, 1])
def test_every_row_is_in_one_batch_within_the_budget(budget: int, seed: int | None) -> None:
    lengths = realistic(500)
    batches = plan(lengths, budget, None if seed is None else generator(seed))
    assert sorted(itertools.chain.from_iterable(batches)) == list(range(500))
    for rows in batches:
        for side in lengths[rows].T:
            assert len(rows) * side.max() <= budget or len(rows) == 1


def test_batches_are_as_full_as_the_budget_allows() -> None:
    lengths = realistic(500)
    for rows, after in itertools.pairwise(plan(lengths, 100)):
        assert (len(rows) + 1) * max(lengths[rows].max(), lengths[after[0]].max()) > 100


@pytest.mark.parametrize("budget", [1200, 4000])
@pytest.mark.parametrize("seed", [None, 1])
def test_padding_wastes_little(budget: int, seed: int | None) -> None:
    lengths = realistic(29_000)
    batches = plan(lengths, budget, None if seed is None else generator(seed))
    padded = sum(len(rows) * lengths[rows].max(axis=0).sum() for rows in batches)
    assert 1 - lengths.sum() / padded < {1200: 0.025, 4000: 0.05}[budget]


def test_the_same_seed_gives_the_same_epoch_and_another_seed_a_different_one() -> None:
    lengths = realistic(500)
    first = plan(lengths, 200, generator(1))
    assert first == plan(lengths, 200, generator(1))
    other = plan(lengths, 200, generator(2))
    assert first != other
    assert {frozenset(rows) for rows in first} != {frozenset(rows) for rows in other}  # with other pairs together


def test_batches_run_from_short_to_long_without_a_generator_and_are_shuffled_with_one() -> None:
    lengths = realistic(500)
    longest = [lengths[rows].max() for rows in plan(lengths, 200)]
    assert longest == sorted(longest)
    shuffled = [lengths[rows].max() for rows in plan(lengths, 200, generator(1))]
    assert sorted(shuffled) == longest != shuffled


def planned_in_turn(
    lengths: np.ndarray, budget: int, rng: np.random.Generator | None, counted: int = 1000
) -> list[list[int]]:
    """What `plan` means, row by row."""
    longer, difference = lengths.max(axis=1), lengths[:, 0] - lengths[:, -1]
    ties = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    found: list[list[int]] = []
    for row in np.lexsort((ties, np.where(longer % 2, difference, -difference), longer)).tolist():
        if not found or (len(found[-1]) + 1) * min(longer[row], counted) > budget:
            found.append([])
        found[-1].append(row)
    return found if rng is None else [found[i] for i in rng.permutation(len(found))]


@pytest.mark.parametrize("seed", [None, 1])
def test_the_plan_is_what_filling_one_batch_after_the_other_gives(seed: int | None) -> None:
    for count, longest, budget in itertools.product([1, 2, 50, 400], [2, 9, 60, 700], [1, 7, 100, 1000]):
        lengths = np.random.default_rng(count).integers(1, longest, (count, 2))
        for sides in (lengths, lengths[:, :1]):
            rngs = [None if seed is None else generator(seed) for _ in range(2)]
            expected = planned_in_turn(sides, budget, rngs[0])
            assert list(plan(sides, budget, rngs[1])) == expected, (count, longest, budget)


def test_of_a_long_sentence_only_some_tokens_count() -> None:
    for longest, budget, counted in itertools.product([9, 60, 700], [1, 7, 100, 1000], [1, 8, 64]):
        lengths = np.random.default_rng(3).integers(1, longest, (50, 1))
        expected = planned_in_turn(lengths, budget, None, counted)
        assert list(plan(lengths, budget, counted=counted)) == expected, (longest, budget, counted)
    assert list(plan([[300], [300]], 128, counted=64)) == [[0, 1]]


def test_one_side_only() -> None:
    assert list(plan([[3], [1], [2], [9]], 6)) == [[1, 2], [0], [3]]
    assert list(plan([], 6)) == []


def test_lengths_include_eos() -> None:
    same = [[4] * 3] * 4
    assert [len(rows) for rows in plan_pairs(same, same, 11)] == [2, 2]
    assert [len(rows) for rows in plan_pairs(same, [[4]] * 4, 11)] == [2, 2]
    assert [len(rows) for rows in plan_pairs([[4]] * 4, same, 11)] == [2, 2]
    assert list(plan_pairs([], [], 8)) == []


def test_a_batch_by_hand() -> None:
    batch = collate(SRC, TGT, [3, 0, 1])
    assert batch.src.tolist() == [[8, 9, EOS, PAD], [4, 5, 6, EOS], [EOS, PAD, PAD, PAD]]
    assert batch.tgt_in.tolist() == [[BOS, 7, 8, 9], [BOS, 6, PAD, PAD], [BOS, 5, 4, PAD]]
    assert batch.tgt_out.tolist() == [[7, 8, 9, EOS], [6, EOS, PAD, PAD], [5, 4, EOS, PAD]]
    assert batch.src_mask.tolist() == [[True] * 3 + [False], [True] * 4, [True] + [False] * 3]
    assert batch.tgt_mask.tolist() == [[True] * 4, [True] * 2 + [False] * 2, [True] * 3 + [False]]
    assert batch.rows == [3, 0, 1]
    assert all(ids.dtype == torch.int64 for ids in (batch.src, batch.tgt_in, batch.tgt_out))
    assert all(mask.dtype == torch.bool for mask in (batch.src_mask, batch.tgt_mask))


def test_batches_contain_exactly_the_sentences() -> None:
    for rows in plan_pairs(SRC, TGT, 12, generator(1)):
        batch = collate(SRC, TGT, rows)
        for at, row in enumerate(rows):
            assert batch.src[at][batch.src_mask[at]].tolist() == [*SRC[row], EOS]
            assert batch.tgt_in[at][batch.tgt_mask[at]].tolist() == [BOS, *TGT[row]]
            assert batch.tgt_out[at][batch.tgt_mask[at]].tolist() == [*TGT[row], EOS]


def test_an_epoch_can_resume_at_any_batch() -> None:
    def batches(skip: int) -> list[Batch]:
        return [collate(SRC, TGT, rows) for rows in plan_pairs(SRC, TGT, 8, generator(5))[skip:]]

    whole = batches(0)
    for skip in range(len(whole) + 1):
        for ours, theirs in zip(batches(skip), whole[skip:], strict=True):
            assert all(torch.equal(a, b) for a, b in zip(ours[:5], theirs[:5], strict=True))
            assert ours.rows == theirs.rows


def test_the_mask_does_not_depend_on_ids() -> None:
    _, mask = pad([[PAD, 4], [4]])
    assert mask.tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(("rows", "halves"), [([3, 0, 1], [[3, 0], [1]]), ([0, 1], [[0], [1]]), ([2], [[2]])])
def test_halves_join_to_the_batch(rows: list[int], halves: list[list[int]]) -> None:
    batch = collate(SRC, TGT, rows)
    parts = batch.split()
    assert [part.rows for part in parts] == halves
    for field in range(5):
        assert torch.equal(torch.cat([part[field] for part in parts]), batch[field])


@pytest.mark.parametrize(("sentences", "shape"), [([], (0, 0)), ([[]], (1, 0)), ([[4], []], (2, 1))])
def test_padding_of_nothing(sentences: list[list[int]], shape: tuple[int, int]) -> None:
    ids, mask = pad(sentences)
    assert ids.shape == mask.shape == shape


def test_a_batch_moves_to_another_device() -> None:
    moved = collate(SRC, TGT, [0, 1]).to("meta")
    assert all(x.device.type == "meta" for x in moved[:5])
    assert moved.rows == [0, 1]
