"""Masked cross-entropy with label smoothing, as a sum and a count, so that the parts of a batch add up to it.

Both losses know their gradient for the logits as soon as they know themselves. They take a few tokens at a time, so
that what lies between the logits and their gradient stays in the processor's cache.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CACHED = 2**19  # numbers of a CPU's cache that a few tokens' logits may take


class Loss(NamedTuple):
    """Summed nats with label smoothing (what is trained on), without it (what is reported), and the tokens counted."""

    smoothed: Tensor
    nats: Tensor
    tokens: int


def cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Loss:
    """Logits (N, V) of the N real tokens (padding is out before it comes here) and targets (N,).

    smoothed = sum_n (1 - e) * -log p(y_n) + e / V * sum_v -log p(v)      Szegedy et al. (2016), section 7

    Its gradient is p - q, where q is what the smoothed targets say.
    """
    gradient = torch.empty_like(logits)
    nats = blind = torch.zeros((), dtype=_wide(logits), device=logits.device)
    with torch.no_grad():
        for few, y, slot in _few(logits, targets[:, None], gradient):
            x, log_z, p = _softmax(few)
            nats = nats + (log_z - x.gather(1, y)).sum()
            if smoothing:
                blind = blind + (log_z - x.mean(1, keepdim=True)).sum()
            p.sub_(smoothing / p.shape[1])
            slot.copy_(p.scatter_add_(1, y, torch.full_like(log_z, smoothing - 1.0)))
    smoothed = nats if smoothing == 0.0 else (1.0 - smoothing) * nats + smoothing * blind
    return Loss(_Known.apply(logits, smoothed, gradient), nats, len(targets))


def consistency(logits: Tensor) -> Tensor:
    """How far two passes over the same N tokens, each with its own dropout, disagree; logits (2N, V), pass by pass.

    sum_n (KL(p_n || q_n) + KL(q_n || p_n)) / 2      R-Drop, Liang et al. (2021), equation 2

    Its gradient for p's logits is (p (log p - log q - KL(p || q)) + p - q) / 2.
    """
    gradient = torch.empty_like(logits)
    total = torch.zeros((), dtype=_wide(logits), device=logits.device)
    with torch.no_grad():
        for few_p, few_q, slot_p, slot_q in _few(*logits.chunk(2), *gradient.chunk(2)):
            (x, log_z, p), (y, log_w, q) = _softmax(few_p), _softmax(few_q)
            ratio, gap = (x - log_z).sub_(y - log_w), p - q
            p_from_q, q_from_p = (p * ratio).sum(1, keepdim=True), -(q * ratio).sum(1, keepdim=True)
            total = total + 0.5 * (p_from_q + q_from_p).sum()
            slot_p.copy_((ratio - p_from_q).mul_(p).add_(gap).mul_(0.5))
            slot_q.copy_((ratio + q_from_p).mul_(q).add_(gap).mul_(-0.5))
    return _Known.apply(logits, total, gradient)  # type: ignore[no-any-return]


class _Known(torch.autograd.Function):
    """A loss of the logits whose gradient is known."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, loss: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return loss.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, total: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(total), None, None  # in place: no second backward through this


def _wide(logits: Tensor) -> torch.dtype:
    """What to sum in; bfloat16 could not add up so many terms."""
    return torch.promote_types(logits.dtype, torch.float32)


def _few(logits: Tensor, *more: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The rows of all these a few at a time on a CPU, and at once elsewhere."""
    count = CACHED // logits.shape[1] if logits.device.type == "cpu" else len(logits)
    return zip(*(rows.split(max(1, count)) for rows in (logits, *more)), strict=True)


def _softmax(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (N, V) in the width to sum in, the logarithm of what softmax divides by (N, 1), and softmax (N, V)."""
    x = logits.to(_wide(logits))
    top = x.amax(1, keepdim=True)
    p = (x - top).exp_()
    z = p.sum(1, keepdim=True)
    return x, top + z.log(), p.div_(z)
