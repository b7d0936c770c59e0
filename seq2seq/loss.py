"""Masked cross-entropy with label smoothing, as a sum and a count, so that the parts of a batch add up to it."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class Loss(NamedTuple):
    """Summed nats with label smoothing (what is trained on), without it (what is reported), and the tokens counted."""

    smoothed: Tensor
    nats: Tensor
    tokens: int


def cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Loss:
    """Logits (N, V) of the N real tokens (padding is out before it comes here) and targets (N,).

    smoothed = sum_n (1 - e) * -log p(y_n) + e / V * sum_v -log p(v)      Szegedy et al. (2016), section 7
    """
    smoothed, nats = _CrossEntropy.apply(logits, targets, smoothing)
    return Loss(smoothed, nats, len(targets))


class _CrossEntropy(torch.autograd.Function):
    """Both sums, with the gradient softmax(logits) - q in one pass; torch's own takes three for smoothed targets q."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        wide = torch.promote_types(logits.dtype, torch.float32)  # bfloat16 could not add up so many terms
        log_p = torch.log_softmax(logits.to(wide), dim=-1)  # its own `dtype` is slower
        nats = -log_p.gather(1, targets[:, None]).sum()
        smoothed = nats if smoothing == 0.0 else (1.0 - smoothing) * nats - smoothing * log_p.mean(-1).sum()
        ctx.save_for_backward(log_p, targets)
        ctx.smoothing, ctx.dtype = smoothing, logits.dtype
        ctx.mark_non_differentiable(nats)
        return smoothed.clone(), nats

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, smoothed: Tensor, nats: Tensor) -> tuple[Tensor, None, None]:
        log_p, targets = ctx.saved_tensors
        gradient = log_p.exp_().sub_(ctx.smoothing / log_p.shape[1])  # in place: no second backward through this
        gradient[torch.arange(len(targets), device=targets.device), targets] -= 1.0 - ctx.smoothing
        return gradient.mul_(smoothed).to(ctx.dtype), None, None


def consistency(logits: Tensor) -> Tensor:
    """How far two passes over the same N tokens, each with its own dropout, disagree; logits (2N, V), pass by pass.

    sum_n (KL(p_n || q_n) + KL(q_n || p_n)) / 2      R-Drop, Liang et al. (2021), equation 2
    """
    return _Consistency.apply(logits)  # type: ignore[no-any-return]


class _Consistency(torch.autograd.Function):
    """The symmetric divergence, whose gradient for p's logits is (p (log p - log q - KL(p || q)) + p - q) / 2."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor) -> Tensor:
        wide = torch.promote_types(logits.dtype, torch.float32)
        log_p, log_q = torch.log_softmax(logits.to(wide), dim=-1).chunk(2)
        p, q, ratio = log_p.exp(), log_q.exp(), log_p - log_q
        p_from_q, q_from_p = (p * ratio).sum(-1, keepdim=True), -(q * ratio).sum(-1, keepdim=True)
        gap = p - q
        ctx.gradient = torch.cat((p * (ratio - p_from_q) + gap, q * (-ratio - q_from_p) - gap)).mul_(0.5)
        ctx.dtype = logits.dtype
        return 0.5 * (p_from_q + q_from_p).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, total: Tensor) -> Tensor:
        gradient: Tensor = ctx.gradient * total
        return gradient.to(ctx.dtype)
