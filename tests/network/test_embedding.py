"""Embeddings, and what each kind of dropout drops: nothing in evaluation mode, and the mean stays."""

import pytest
import torch
from tiny_models import VOCABULARY, close, draw
from torch import Tensor

from seq2seq.network.embedding import Dropout, Embedding

B, T, E, P = 3, 400, 50, 0.3


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def kept(dropped: Tensor, x: Tensor) -> Tensor:
    """Where x was kept; asserts that what was kept is scaled by 1 / (1 - P)."""
    mask = dropped != 0
    torch.testing.assert_close(dropped[mask], x[mask] / (1 - P))
    return mask


def test_an_embedding_is_a_scaled_row_of_its_table() -> None:
    embedding = Embedding(VOCABULARY, 4, Dropout(P), P).eval()
    ids = torch.tensor([[3, 0, 3], [12, 1, 2]])
    for b, t in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]:
        close(embedding(ids)[b, t], embedding.table.weight[ids[b, t]] * 2)  # the square root of 4


@pytest.mark.parametrize("size", [16, 256])
def test_embeddings_and_the_logits_of_a_tied_output_start_at_variance_one(size: int) -> None:
    embedding = Embedding(4000, size, Dropout(0.0), 0.0)
    vectors = embedding(torch.arange(4000)[None])[0]
    assert vectors.var().item() == pytest.approx(1, rel=0.05)
    logits = torch.randn(size) @ embedding.table.weight.T
    assert logits.var().item() == pytest.approx(1, rel=0.6)


@pytest.mark.parametrize("variational", [False, True])
def test_in_evaluation_mode_nothing_is_dropped(variational: bool) -> None:
    x = draw(B, T, E)
    assert torch.equal(Dropout(P, variational).eval()(x), x)
    assert torch.equal(Dropout(0.0, variational).train()(x), x)
    embedding = Embedding(VOCABULARY, E, Dropout(P, variational), P)
    ids = torch.randint(VOCABULARY, (B, T))
    assert torch.equal(embedding.eval()(ids), embedding.table(ids) * E**0.5)


def test_dropout_drops_units_independently() -> None:
    x = torch.ones(B, T, E)
    mask = kept(Dropout(P)(x), x).float()
    assert mask.mean().item() == pytest.approx(1 - P, abs=0.01)
    for axis in range(3):  # neighbours along any axis agree as often as independent draws do
        rest = mask.shape[axis] - 1
        agree = mask.narrow(axis, 0, rest) == mask.narrow(axis, 1, rest)
        assert agree.float().mean().item() == pytest.approx(P**2 + (1 - P) ** 2, abs=0.02)


def test_variational_dropout_keeps_one_mask_over_a_sentence() -> None:
    x = torch.randn(B, T, E)
    mask = kept(Dropout(P, variational=True)(x), x)
    assert torch.equal(mask, mask[:, :1].expand_as(mask))
    masks = mask[:, 0]
    assert len(masks.unique(dim=0)) == B
    assert 0.5 < masks.float().mean() < 0.9


def test_word_dropout_drops_whole_words() -> None:
    embedding = Embedding(VOCABULARY, E, Dropout(0.0), P)
    ids = torch.randint(VOCABULARY, (B, T))
    mask = kept(embedding(ids), embedding.table(ids) * E**0.5)
    assert torch.equal(mask.any(-1), mask.all(-1))
    words = mask[..., 0].float()
    assert words.mean().item() == pytest.approx(1 - P, abs=0.05)
    assert (words != words[:1]).any()
    assert (words != words[:, :1]).any()


@pytest.mark.parametrize("variational", [False, True])
def test_the_mean_over_many_draws_is_the_value_in_evaluation_mode(variational: bool) -> None:
    """With word dropout and unit dropout together; the standard error of 40,000 draws is 0.005."""
    embedding = Embedding(VOCABULARY, 2, Dropout(P, variational), P)
    with torch.no_grad():
        embedding.table.weight.fill_(2**-0.5)
    draws = embedding(torch.ones(40_000, 1, dtype=torch.long))
    torch.testing.assert_close(draws.mean((0, 1)), torch.ones(2), rtol=0, atol=0.03)
