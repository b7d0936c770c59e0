"""Copying: the mixture and its loss against loops over positions and tokens; what is never copied; extreme gates."""

import math

import pytest
import torch
from tiny_models import SPECIAL, TINY, VOCABULARY, Batch, close, draw, loss, sentences, shaken, together
from torch import Tensor
from torch.nn import functional as F

from seq2seq.network import loss as losses
from seq2seq.network.copying import NONE, Copies, Pointer
from seq2seq.network.decoder import State
from seq2seq.network.loss import Mixture, cross_entropy
from seq2seq.network.model import Model, ModelConfig

TARGETS = 11  # the target vocabulary, the first of the 13 tokens
contexts = pytest.mark.parametrize("context", ["dot", "general", "additive", "multihead"])
smoothings = pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])


def copying(context: str = "additive", seed: int = 1) -> Model:
    torch.manual_seed(0)
    return shaken(Model(ModelConfig("gru", context, **TINY, copy=True), VOCABULARY, TARGETS, SPECIAL), seed)


def pairs() -> list[tuple[Tensor, Tensor]]:
    """Sources with tokens that occur twice, special ones (below 3) and ones that the target does not have (11, 12)."""
    sources = [[5, 9, 5, 12, 9, 5, 2], [2], [12, 11, 1], [7, 8, 4]]
    targets = [[1, 5, 9, 3, 2], [1, 2], [1, 10, 4, 2], [1, 7, 7, 4, 8, 2]]
    return [(torch.tensor(src), torch.tensor(tgt)) for src, tgt in zip(sources, targets, strict=True)]


def probabilities(model: Model, src: list[int], features: Tensor, weights: Tensor) -> list[float]:
    """p(y) of each token by the equation of the module's docstring, from features (E,) and attention weights (S,)."""
    assert model.pointer
    logits = [math.exp(x) for x in model.logits(features).tolist()]
    w, [b] = model.pointer.gate.weight[0].tolist(), model.pointer.gate.bias.tolist()
    g = 1 / (1 + math.exp(-(sum(a * f for a, f in zip(w, features.tolist(), strict=True)) + b)))
    a = weights.tolist()
    rest = sum(a[s] for s, x in enumerate(src) if not SPECIAL <= x < TARGETS)
    result = []
    for y in range(TARGETS):
        pointed = sum(a[s] for s, x in enumerate(src) if x == y and y >= SPECIAL)
        result.append((g + (1 - g) * rest) * logits[y] / sum(logits) + (1 - g) * pointed)
    return result


@contexts
def test_the_mixture_equals_its_equation_and_is_a_distribution(context: str) -> None:
    model, b = copying(context), together(pairs())
    features, state = model.features(b.tgt_in, model.start(b.src, b.src_mask))
    log_probs, _ = model.advance(b.tgt_in, model.start(b.src, b.src_mask))
    close(log_probs.exp().sum(-1), torch.ones(b.tgt_in.shape, dtype=torch.float64))
    for row, (src, tgt) in enumerate(pairs()):
        for t in range(len(tgt) - 1):
            expected = probabilities(model, src.tolist(), features[row, t], state.weights[row, t, : len(src)])
            assert log_probs[row, t].exp().tolist() == pytest.approx(expected, rel=1e-9)
    assert state.weights[0, 0, [0, 2, 5]].sum() > 0.01  # so that a token at several positions is seen to be a sum


@contexts
@smoothings
def test_the_loss_of_the_mixture_equals_its_formula_forward_and_backward(context: str, smoothing: float) -> None:
    """Against the whole distribution and the softmax's logarithms, differentiated by torch."""
    model, b = copying(context), together(pairs())
    weights, targets = list(model.parameters()), b.tgt_out[b.tgt_mask]
    actual = loss(model, b, smoothing)

    everywhere, _ = model.advance(b.tgt_in, model.start(b.src, b.src_mask))
    features, _ = model.features(b.tgt_in, model.start(b.src, b.src_mask))
    nats = -everywhere[b.tgt_mask][range(len(targets)), targets].sum()
    uniform = -F.log_softmax(model.logits(features[b.tgt_mask]), dim=-1).mean(-1).sum()
    expected = (1 - smoothing) * nats + smoothing * uniform
    close(actual.smoothed, expected)
    close(actual.nats, nats.detach())
    assert actual.tokens == len(targets)
    assert not actual.nats.requires_grad
    close(
        torch.autograd.grad(actual.smoothed * 0.7, weights, retain_graph=True),
        torch.autograd.grad(expected * 0.7, weights),
    )


@pytest.mark.parametrize("block", [1, 3 * TARGETS])
def test_the_size_of_a_block_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def everything() -> list[Tensor]:
        logits, generated, other = (draw(7, n, seed=n).requires_grad_() for n in (TARGETS, 1, 1))
        mixture = Mixture(F.logsigmoid(generated), F.logsigmoid(other).where(torch.arange(7)[:, None] != 3, -torch.inf))
        total = cross_entropy(logits, torch.arange(7), 0.1, mixture).smoothed
        return [total, *torch.autograd.grad(total, (logits, generated, other))]

    expected = everything()
    assert all(x.isfinite().all() for x in expected)
    monkeypatch.setattr(losses, "BLOCK", block)
    close(everything(), expected)


def test_a_source_without_a_token_to_copy_has_the_softmax_alone() -> None:
    model, b = copying(), together(pairs())
    features, state = model.features(b.tgt_in, model.start(b.src, b.src_mask))
    log_softmax = F.log_softmax(model.logits(features), dim=-1)
    log_probs = model.log_probs(features, state)
    for row, same in ((0, False), (1, True), (2, True), (3, False)):
        assert torch.allclose(log_probs[row], log_softmax[row], rtol=1e-12, atol=1e-12) == same


def test_special_tokens_other_sides_tokens_and_padding_are_never_copied() -> None:
    """`first` is the first position with the same token; those that copy nothing count as one."""
    src = torch.tensor([[5, 2, 12, 5, 11, 3, 10, 3], [4, 4, 2, 0, 4, 5, 6, 7]])
    mask = torch.arange(8) < torch.tensor([[8], [3]])
    tokens, first = Pointer(6, SPECIAL, TARGETS).slots(src, mask).unbind(1)
    assert tokens.tolist() == [[5, NONE, NONE, 5, NONE, 3, 10, 3], [4, 4, *[NONE] * 6]]
    assert first.tolist() == [[0, 1, 1, 0, 1, 5, 6, 5], [0, 0, *[2] * 6]]


@pytest.mark.parametrize("bias", [-1e4, -60.0, 60.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_gate_gives_finite_losses_and_gradients(bias: float, dtype: torch.dtype) -> None:
    """A closed one leaves what the source has, an open one the softmax; a target without either has a large loss."""
    model, b = copying().to(dtype), together(pairs())
    assert model.pointer
    with torch.no_grad():
        model.pointer.gate.bias.fill_(bias)
    targets = b.tgt_out[b.tgt_mask]
    features, state = model.features(b.tgt_in, model.start(b.src, b.src_mask))
    actual, log_p = loss(model, b), model.log_probs(features, state)
    torch.testing.assert_close(actual.nats, -log_p[b.tgt_mask][range(len(targets)), targets].sum().detach())
    assert actual.smoothed.isfinite()
    for grad in torch.autograd.grad(actual.smoothed, list(model.parameters())):
        assert grad.isfinite().all()
    if bias > 0:
        torch.testing.assert_close(log_p, F.log_softmax(model.logits(features), dim=-1))
    else:
        in_source = log_p[0, :, [5, 9]].exp().sum(-1) + state.weights[0, :, [3, 6]].sum(-1)  # 12 and 2 are not copied
        torch.testing.assert_close(in_source, torch.ones_like(in_source), rtol=0, atol=1.0)
        assert (log_p[3, :, [7, 8, 4]].exp().sum(-1) > 1 - 1e-6).all()


def test_weights_of_a_row_are_those_of_its_sentence() -> None:
    """Two hypotheses of each sentence, and predictions chosen by a mask."""
    slots, weights = torch.arange(24).reshape(2, 2, 6), draw(4, 3, 6)
    copies = Copies.of(weights, slots)
    for row in range(4):
        for t in range(3):
            assert copies.tokens[row, t].tolist() == slots[row // 2, 0].tolist()
            assert copies.first[row, t].tolist() == slots[row // 2, 1].tolist()
    mask = torch.tensor([[True, False, False], [False] * 3, [False, True, True], [False] * 3])
    assert torch.equal(copies.at(mask).weights, torch.stack([weights[0, 0], weights[2, 1], weights[2, 2]]))


def test_without_the_setting_nothing_is_kept_of_the_source() -> None:
    torch.manual_seed(0)
    model, b = Model(ModelConfig(**TINY), VOCABULARY, VOCABULARY), together(sentences())
    state: State = model.start(b.src, b.src_mask)
    assert model.pointer is None
    assert state.memory.slots is None
    assert state.covered is None
    assert not {"pointer", "cover"} & {part for name in model.state_dict() for part in name.split(".")}


# ---- learning --------------------------------------------------------------------------------------------------------

WORDS, SEEN, UNSEEN = range(4, 14), range(14, 44), range(44, 74)  # tokens of sentences; UNSEEN are names for the test


def named(names: range, seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Sentences (count, 7) of six tokens and an end, each with one name, and their translations: other words, the
    same name."""
    draw_ids = torch.Generator().manual_seed(seed)
    src = torch.randint(WORDS[0], WORDS[-1] + 1, (count, 6), generator=draw_ids)
    tgt = WORDS[0] + WORDS[-1] - src
    place = torch.arange(6) == torch.randint(6, (count, 1), generator=draw_ids)
    name = torch.randint(names[0], names[-1] + 1, (count, 1), generator=draw_ids)
    end = torch.full((count, 1), 2)
    return torch.cat((src.where(~place, name), end), 1), torch.cat((tgt.where(~place, name), end), 1)


def test_a_model_that_copies_translates_names_that_training_never_had() -> None:
    """One that does not copy translates none of them."""
    sizes = {"embedding": 24, "encoder_hidden": (24, 24), "hidden": 32, "attention": 24, "tied": "all"}
    torch.manual_seed(0)
    config = ModelConfig(**sizes, lexical=False, dropout=0.0, readout_dropout=0.0, copy=True)
    model = Model(config, UNSEEN[-1] + 1, UNSEEN[-1] + 1, WORDS[0])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def batch_of(src: Tensor, tgt: Tensor) -> Batch:
        begin = torch.full_like(tgt[:, :1], 1)
        masks = torch.ones_like(src, dtype=torch.bool), torch.ones_like(tgt, dtype=torch.bool)
        return Batch(src, masks[0], torch.cat((begin, tgt[:, :-1]), 1), tgt, masks[1])

    for seed in range(80):
        total = loss(model, batch_of(*named(SEEN, seed, 32)), 0.0)
        optimizer.zero_grad()
        (total.smoothed / total.tokens).backward()
        optimizer.step()
    b = batch_of(*named(UNSEEN, 1000, 100))
    with torch.no_grad():
        found, _ = model.eval().advance(b.tgt_in, model.start(b.src, b.src_mask))
    right = (found.argmax(-1) == b.tgt_out)[b.tgt_out >= UNSEEN[0]].double().mean().item()
    assert right > 0.8
