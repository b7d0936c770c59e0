"""Every context against its formula in plain loops; attention weights are a distribution over real tokens."""

import math
from collections.abc import Callable

import pytest
import torch
from tiny_models import close, draw, every_context, shaken
from torch import Tensor, nn

from seq2seq.network import attention
from seq2seq.network.attention import CONTEXTS, EncoderOutput, masked_softmax

B, T, S, H, A, HEADS = 3, 4, 5, 6, 8, 2
LENGTHS = (3, 5, 1)


def width(context: str) -> int:
    return H if context == "dot" else 7


def built(context: str) -> nn.Module:
    return shaken(CONTEXTS[context](width(context), H, HEADS, A))


def encoded(context: str) -> EncoderOutput:
    mask = torch.arange(S) < torch.tensor(LENGTHS)[:, None]
    return EncoderOutput(
        draw(B, S, width(context), seed=3), draw(B, width(context), seed=4), mask, draw(B, S, 2, seed=6)
    )


def averages(scores: list[Tensor], values: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Context vector and weights for one query over the real tokens of one sentence: softmax and weighted sum."""
    exps = [math.e**score for score in scores]
    weights = torch.stack([exp / sum(exps) for exp in exps])
    return sum(weight * value for weight, value in zip(weights, values, strict=True)), weights


def dot(c: nn.Module, q: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    return averages([sum(q[a] * state[a] for a in range(H)) for state in h], list(h))


def general(c: nn.Module, q: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    w = c.key.weight
    return averages(
        [sum(q[a] * w[a, d] * state[d] for a in range(H) for d in range(len(state))) for state in h], list(h)
    )


def additive(c: nn.Module, q: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    v, w, b, u = c.v.weight[0], c.query.weight, c.query.bias, c.key.weight
    return averages([v @ torch.tanh(w @ q + b + u @ state) for state in h], list(h))


def multihead(c: nn.Module, q: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    contexts, weights = [], []
    for n in range(HEADS):
        head = slice(n * A // HEADS, (n + 1) * A // HEADS)
        w, u, v = c.query.weight[head], c.key.weight[head], c.value.weight[head]
        scores = [(w @ q) @ (u @ state) / math.sqrt(A / HEADS) for state in h]
        context, weight = averages(scores, [v @ state for state in h])
        contexts.append(context)
        weights.append(weight)
    return c.output.weight @ torch.cat(contexts), sum(weights) / HEADS


def mean(c: nn.Module, q: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    return sum(h) / len(h), torch.full((len(h),), 1 / len(h), dtype=h.dtype)


def test_long_lines_are_scored_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    context, source, query = built("additive"), encoded("additive"), draw(B, T, H, seed=5)
    with torch.no_grad():
        expected = context(query, context.prepare(source))
    sizes = list[int]()
    sigmoid = torch.sigmoid

    def recorded(hidden: Tensor) -> Tensor:
        sizes.append(hidden.numel())
        return sigmoid(hidden)

    monkeypatch.setattr(torch, "sigmoid", recorded)
    for most, parts in ((1, T), (2 * B * S * A, T // 2), (10**9, 1)):
        monkeypatch.setattr(attention, "MOST_HIDDEN", most)
        sizes.clear()
        with torch.no_grad():
            found = context(query, context.prepare(source))
        assert len(sizes) == parts and max(sizes) <= max(most, B * S * A)
        close(found, expected)
    monkeypatch.setattr(attention, "MOST_HIDDEN", 1)
    sizes.clear()
    context(query, context.prepare(source))
    assert len(sizes) == 1  # in training the graph would hold all parts


@pytest.mark.parametrize("formula", [dot, general, additive, multihead, mean])
def test_a_context_equals_its_formula(formula: Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    context, source, query = built(formula.__name__), encoded(formula.__name__), draw(B, T, H, seed=5)
    contexts, weights = context(query, context.prepare(source))
    for b, length in enumerate(LENGTHS):
        for t in range(T):
            c, w = formula(context, query[b, t], source.states[b, :length])
            close(contexts[b, t], c)
            close(weights[b, t, :length], w)


def test_last_is_the_encoders_final_state_at_every_step() -> None:
    context, source = built("last"), encoded("last")
    contexts, weights = context(draw(B, T, H), context.prepare(source))
    assert torch.equal(contexts, source.final[:, None].expand(B, T, -1))
    assert torch.equal(weights, torch.ones(B, T, 1, dtype=torch.float64))


def test_multihead_equals_torchs_multihead_attention() -> None:
    ours = shaken(CONTEXTS["multihead"](width("multihead"), H, HEADS, H))  # torch's output has the size of its query
    source, query = encoded("multihead"), draw(B, T, H, seed=5)
    own = {"embed_dim": H, "num_heads": HEADS, "bias": False, "kdim": width("multihead"), "vdim": width("multihead")}
    theirs = nn.MultiheadAttention(**own, batch_first=True, dtype=torch.float64)
    projections = {"q_proj": ours.query, "k_proj": ours.key, "v_proj": ours.value, "out_proj.": ours.output}
    theirs.load_state_dict({f"{name}_weight".replace("._", "."): p.weight for name, p in projections.items()})
    expected = theirs(query, source.states, source.states, key_padding_mask=~source.mask)
    close(ours(query, ours.prepare(source)), expected)


@every_context
def test_weights_are_a_distribution_over_real_tokens(context: str) -> None:
    q, source = built(context), encoded(context)
    memory = q.prepare(source)
    for size in (0.0, 1.0, 1e4, 1e12):  # exp overflows from 1e3 on; a mask of -1e9 is too weak at 1e12
        contexts, weights = q(draw(B, T, H) * size, memory)
        assert weights.shape == (B, T, memory.mask.shape[1])
        assert contexts.shape == (B, T, q.size)
        assert contexts.isfinite().all()
        assert (weights >= 0).all()
        assert (weights.masked_select(~memory.mask[:, None]) == 0).all()  # exactly
        close(weights.sum(-1), torch.ones(B, T, dtype=torch.float64))


@every_context
def test_padding_changes_no_output_and_receives_no_gradient(context: str) -> None:
    q, source, query = built(context), encoded(context), draw(B, T, H)
    states, final = torch.where(source.mask[..., None], source.states, 100.0), source.final.clone()
    changed = EncoderOutput(states.requires_grad_(), final.requires_grad_(), source.mask, source.embeddings)
    contexts, weights = q(query, q.prepare(changed))
    close((contexts, weights), q(query, q.prepare(source)))
    (grad,) = torch.autograd.grad((contexts * draw(B, T, q.size, seed=9)).sum(), states, materialize_grads=True)
    assert (grad[~source.mask] == 0).all()
    assert (grad[source.mask] != 0).all() or context == "last"


@every_context
def test_steps_do_not_depend_on_each_other(context: str) -> None:
    """T queries in one call equal T queries one by one; a `fixed` context does not depend on its query."""
    q, query = built(context), draw(B, T, H)
    memory = q.prepare(encoded(context))
    contexts, weights = q(query, memory)
    for t in range(T):
        close(q(query[:, t : t + 1], memory), (contexts[:, t : t + 1], weights[:, t : t + 1]))
    changed, _ = q(query + 1, memory)
    assert torch.equal(changed, contexts) == q.fixed == (context in ("last", "mean"))


@every_context
def test_a_selected_memory_equals_the_memory_of_the_selected_sentences(context: str) -> None:
    q, source, query = built(context), encoded(context), draw(B, T, H)
    rows = torch.tensor([2, 0, 0, 1])
    chosen = q.prepare(EncoderOutput(*(part[rows] for part in source)))
    close(q.prepare(source).select(rows), chosen)
    close(q(query[rows], q.prepare(source).select(rows)), tuple(part[rows] for part in q(query, q.prepare(source))))


def test_the_masked_softmax_by_hand() -> None:
    scores = torch.tensor([[[0.0, math.log(3), 50.0], [5.0, 5.0, -50.0]]])
    mask = torch.tensor([[True, True, False]])
    torch.testing.assert_close(masked_softmax(scores, mask), torch.tensor([[[0.25, 0.75, 0.0], [0.5, 0.5, 0.0]]]))
