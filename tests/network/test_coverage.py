"""Coverage: the covered score and the coverage loss against loops over steps and positions; where it travels."""

import math

import pytest
import torch
from tiny_models import close, draw, sentences, shaken, tiny, together
from torch import Tensor

from seq2seq.network.attention import Covered, EncoderOutput
from seq2seq.network.loss import coverage

B, W, T, S, D, H, A = 2, 3, 4, 5, 7, 6, 8
LENGTHS = (3, 5)


def built() -> tuple[Covered, EncoderOutput]:
    mask = torch.arange(S) < torch.tensor(LENGTHS)[:, None]
    source = EncoderOutput(draw(B, S, D, seed=3), draw(B, D, seed=4), mask, draw(B, S, 2, seed=6))
    return shaken(Covered(D, H, 1, A)), source


def test_the_covered_context_equals_its_formula_step_by_step() -> None:
    """Of each hypothesis its own coverage, which starts at what it was before."""
    context, source = built()
    query, before = draw(B, W, T, H, seed=5), draw(B, W, S, seed=7).abs() * source.mask[:, None]
    contexts, weights, after = context.attend(query, context.prepare(source), before)
    v, q_w, q_b = context.v.weight[0], context.query.weight, context.query.bias
    u, cover = context.key.weight, context.cover.weight[:, 0]
    for b, length in enumerate(LENGTHS):
        for w in range(W):
            covered = before[b, w, :length].tolist()
            for t in range(T):
                of_query = q_w @ query[b, w, t] + q_b
                states = source.states[b, :length]
                scores = [v @ torch.tanh(of_query + u @ h + cover * c) for h, c in zip(states, covered, strict=True)]
                exps = [math.exp(score.item()) for score in scores]
                a = [e / sum(exps) for e in exps]
                assert weights[b, w, t].tolist() == pytest.approx(a + [0.0] * (S - length), rel=1e-9)
                close(contexts[b, w, t], sum(x * h for x, h in zip(a, states, strict=True)))
                covered = [c + x for c, x in zip(covered, a, strict=True)]
            assert after[b, w].tolist() == pytest.approx(covered + [0.0] * (S - length), rel=1e-9)


def test_a_covered_score_without_its_weight_is_the_additive_one() -> None:
    context, source = built()
    with torch.no_grad():
        context.cover.weight.zero_()
    memory, query = context.prepare(source), draw(B, T, H, seed=5)
    contexts, weights, _ = context.attend(query[:, None], memory, torch.zeros(B, 1, S, dtype=torch.float64))
    close((contexts[:, 0], weights[:, 0]), context(query, memory))


def test_a_state_carries_the_sum_of_all_weights_so_far() -> None:
    """From step to step, and through a selection, whose rows repeat."""
    model, b = tiny("lstm", "additive+coverage"), together(sentences(tgt=(5, 5, 5, 5)))
    state = model.start(b.src, b.src_mask)
    total = torch.zeros(4, b.src.shape[1], dtype=torch.float64)
    for tokens in b.tgt_in.split([2, 1, 2], dim=1):
        _, state = model.advance(tokens, state)
        total = total + state.weights.sum(1)
        close(state.covered, total)
        assert state.covered is not None
        close(state.covered.sum(1), torch.full((4,), total.sum().item() / 4, dtype=torch.float64))
    wide = state.select(torch.tensor([[0, 0], [1, 1], [2, 2], [3, 3]]))
    chosen = wide.select(torch.tensor([[2, 3], [7, 6]]))
    close(chosen.covered, total[[1, 1, 3, 3]])


def test_the_attention_of_a_step_depends_on_that_of_the_steps_before() -> None:
    """With the same queries: only by the coverage."""
    context, source = built()
    memory, query = context.prepare(source), draw(B, 1, 1, H, seed=5).expand(-1, -1, T, -1)
    _, weights, _ = context.attend(query, memory, torch.zeros(B, 1, S, dtype=torch.float64))
    assert not torch.allclose(weights[:, 0, 0], weights[:, 0, 1], atol=1e-3)
    plain = torch.softmax(context.score(query[:, 0], memory.keys), -1)
    close(plain[:, 0], plain[:, 1])


def test_the_coverage_loss_equals_its_formula() -> None:
    weights = torch.softmax(draw(3, T, S), dim=-1)
    lengths, expected = (4, 2, 1), 0.0
    mask = torch.arange(T) < torch.tensor(lengths)[:, None]
    for b, length in enumerate(lengths):
        for t in range(length):
            for s in range(S):
                expected += min(float(weights[b, t, s]), sum(float(weights[b, i, s]) for i in range(t)))
    assert coverage(weights, mask).item() == pytest.approx(expected, rel=1e-12)


def test_the_coverage_loss_is_zero_for_attention_that_never_comes_back() -> None:
    once, twice = torch.eye(4)[None], torch.eye(4)[None, [0, 1, 1, 1]]
    every = torch.ones(1, 4, dtype=torch.bool)
    assert coverage(once, every) == 0
    assert coverage(twice, every) == 2


def test_the_coverage_loss_has_the_gradient_of_finite_differences() -> None:
    scores, direction = draw(2, T, S).requires_grad_(), draw(2, T, S, seed=1)
    mask = torch.ones(2, T, dtype=torch.bool)

    def value(by: float) -> Tensor:
        return coverage(torch.softmax(scores + by * direction, -1), mask)

    (grad,) = torch.autograd.grad(value(0.0), scores)
    slope = (value(1e-6) - value(-1e-6)).item() / 2e-6
    assert slope == pytest.approx((grad * direction).sum().item(), rel=1e-6)
