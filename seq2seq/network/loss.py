"""Cross-entropy with label smoothing, over the vocabulary or a sample of it; R-Drop's consistency; the coverage loss.

They are summed over tokens, so that the parts of a batch add up to it. The first two compute their value and its
gradient for the logits together, a block of tokens at a time, so that intermediate values stay in the processor's
cache; for them the caller removes padding.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

BLOCK = 2**19  # logits in a block on a CPU: few enough to stay in its cache


class Loss(NamedTuple):
    """Losses summed over tokens, in nats."""

    smoothed: Tensor  # with label smoothing, to train on
    nats: Tensor  # without, to report; has no gradient
    tokens: int


class Mixture(NamedTuple):
    """What a mixture of the softmax with another distribution gives each of N targets y_n."""

    generated: Tensor  # (N, 1) the logarithm of the softmax's share of the probability
    other: Tensor  # (N, 1) the logarithm of what the other distribution adds to p(y_n)


class Sample(NamedTuple):
    """A part of the vocabulary that stands for all of it in the sum of the softmax: V' of V tokens."""

    tokens: Tensor  # (V',) ids
    weights: Tensor  # (V',) how many tokens of the vocabulary each stands for; they add up to V
    targets: Tensor  # (N,) the place of each target in `tokens`


def sample_vocabulary(targets: Tensor, likely: Tensor, vocabulary: int, share: float) -> Sample:
    """The targets (N,) and the tokens `likely` (M,), with weight 1, and a random `share` of the other tokens of all V.

    The sum over the vocabulary is estimated without bias, in place of a choice by parts of the corpus (sampled softmax,
    Jean et al. 2015, section 3.2). Its logarithm, the loss, is too small where a token of high probability is rarely
    drawn, so such tokens have to be `likely`.
    """
    tokens, places = torch.cat((targets, likely)).unique(return_inverse=True)
    other = torch.ones(vocabulary, dtype=torch.bool, device=targets.device)
    other[tokens] = False
    rest = other.nonzero()[:, 0]
    size = math.ceil(share * len(rest))
    drawn = rest[torch.randperm(len(rest), device=rest.device)[:size]]
    weights = torch.ones(len(tokens) + size, device=targets.device)
    weights[len(tokens) :] = len(rest) / max(size, 1)
    return Sample(torch.cat((tokens, drawn)), weights, places[: len(targets)])


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    smoothing: float,
    mixture: Mixture | None = None,
    weights: Tensor | None = None,
    scale: float = 1.0,
) -> Loss:
    """The loss of logits (N', V) at N real tokens against targets y (N,), with label smoothing e.

    Logits of rows behind the N tokens do not count: their gradient is zero.

    smoothed = sum_n (1 - e) * -log p(y_n) + e / V * sum_v -log p(v)      Szegedy et al. (2016), section 7

    Its gradient for the logits is p - q, where q is the smoothed target distribution; `scale` multiplies both. With a
    mixture -log p(y_n) is `mixed_cross_entropy`. With the weights w (V') of a `Sample` the sum of v, and that of the
    softmax, is over the sample, each term times w_v.
    """
    if mixture is not None:
        return mixed_cross_entropy(logits, targets, smoothing, mixture, weights, scale)
    gradient, spread = torch.empty_like(logits), _spread(smoothing, logits, weights)
    gradient[len(targets) :] = 0.0
    nats = uniform = torch.zeros((), dtype=_sum_dtype(logits), device=logits.device)
    with torch.no_grad():
        for block, y, grad in _blocks(len(targets), logits, targets[:, None], gradient):
            x, log_z, p = _softmax(block, weights, scale)
            nats = nats + (log_z - x.gather(1, y)).sum()
            if smoothing:
                uniform = uniform + (log_z - _mean(x, weights)).sum()
            p.sub_(scale * spread)
            grad.copy_(p.scatter_add_(1, y, torch.full_like(log_z, scale * (smoothing - 1.0))))
    smoothed = scale * (nats if smoothing == 0.0 else (1.0 - smoothing) * nats + smoothing * uniform)
    return Loss(_WithGradient.apply(smoothed, gradient, logits), nats, len(targets))


def mixed_cross_entropy(
    logits: Tensor,
    targets: Tensor,
    smoothing: float,
    mixture: Mixture,
    weights: Tensor | None = None,
    scale: float = 1.0,
) -> Loss:
    """The loss where p(y_n) = exp(generated_n) softmax(y_n) + exp(other_n), with label smoothing e.

    smoothed = sum_n (1 - e) * -log p(y_n) + e / V * sum_v -log softmax(v)

    Label smoothing is for the softmax alone, whose logarithms are there; the mixture is computed for the targets only.
    With r_n the softmax's share of p(y_n), the gradient for the logits is (1 - e) r (softmax - one-hot) +
    e (softmax - 1 / V), for `generated` -(1 - e) r and for `other` -(1 - e) (1 - r).
    """
    gradients, spread = tuple(torch.empty_like(x) for x in (logits, *mixture)), _spread(smoothing, logits, weights)
    gradients[0][len(targets) :] = 0.0
    nats = uniform = torch.zeros((), dtype=_sum_dtype(logits), device=logits.device)
    with torch.no_grad():
        for block, y, *parts in _blocks(len(targets), logits, targets[:, None], *mixture, *gradients):
            generated, other, grad, grad_generated, grad_other = parts
            x, log_z, p = _softmax(block, weights, scale)
            of_softmax = generated + x.gather(1, y) - log_z
            log_p = torch.logaddexp(of_softmax, other)
            share = (of_softmax - log_p).exp()
            nats = nats - log_p.sum()
            if smoothing:
                uniform = uniform + (log_z - _mean(x, weights)).sum()
            part = (1.0 - smoothing) * share
            p.mul_(part + smoothing).sub_(scale * spread)
            grad.copy_(p.scatter_add_(1, y, -scale * part.to(p.dtype)))
            grad_generated.copy_(-scale * part)
            grad_other.copy_(scale * (part - (1.0 - smoothing)))
    smoothed = scale * (nats if smoothing == 0.0 else (1.0 - smoothing) * nats + smoothing * uniform)
    return Loss(_WithGradient.apply(smoothed, *gradients, logits, *mixture), nats, len(targets))


def coverage(weights: Tensor, mask: Tensor) -> Tensor:
    """The coverage loss of attention weights a (B, T, S), summed over the real tokens of mask (B, T).

    sum_t sum_s min(a_ts, sum of a_t's over t' < t)      See et al. (2017), equation 12

    It counts the attention to positions that have had it before.
    """
    weights = weights.to(_sum_dtype(weights))
    before = F.pad(weights.cumsum(1)[:, :-1], (0, 0, 1, 0))
    return torch.minimum(weights, before).sum(-1)[mask].sum()


def consistency(logits: Tensor) -> Tensor:
    """The divergence of two passes over the same N tokens with different dropout; logits (2N, V), p's before q's.

    sum_n (KL(p_n || q_n) + KL(q_n || p_n)) / 2      R-Drop, Liang et al. (2021), equation 2

    Its gradient for p's logits is (p (log p - log q - KL(p || q)) + p - q) / 2, and for q's likewise.
    """
    gradient = torch.empty_like(logits)
    total = torch.zeros((), dtype=_sum_dtype(logits), device=logits.device)
    with torch.no_grad():
        for block_p, block_q, grad_p, grad_q in _blocks(len(logits) // 2, *logits.chunk(2), *gradient.chunk(2)):
            (x, log_z, p), (y, log_w, q) = _softmax(block_p), _softmax(block_q)
            ratio, gap = (x - log_z).sub_(y - log_w), p - q
            kl_pq, kl_qp = (p * ratio).sum(1, keepdim=True), -(q * ratio).sum(1, keepdim=True)
            total = total + 0.5 * (kl_pq + kl_qp).sum()
            grad_p.copy_((ratio - kl_pq).mul_(p).add_(gap).mul_(0.5))
            grad_q.copy_((ratio + kl_qp).mul_(q).add_(gap).mul_(-0.5))
    return _WithGradient.apply(total, gradient, logits)  # type: ignore[no-any-return]


class _WithGradient(torch.autograd.Function):
    """A loss whose gradients have already been computed. The arguments are the loss, n gradients and their n inputs."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor, *gradients_and_inputs: Tensor) -> Tensor:
        ctx.save_for_backward(*gradients_and_inputs[: len(gradients_and_inputs) // 2])
        return loss.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, total: Tensor) -> tuple[Tensor | None, ...]:
        gradients = ctx.saved_tensors
        rows = 0 if not total.is_cuda and total == 1.0 else None  # a factor of 1 needs no pass over them
        for gradient in gradients:
            gradient[:rows].mul_(total)  # in place, so a second backward is an error
        return None, *(None for _ in gradients), *gradients


def _sum_dtype(logits: Tensor) -> torch.dtype:
    """The type to sum in, at least float32: sums of so many terms in bfloat16 would be wrong."""
    return torch.promote_types(logits.dtype, torch.float32)


def _blocks(count: int, logits: Tensor, *others: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Blocks of the first rows of the logits and the other tensors: small ones on a CPU, one of all rows elsewhere."""
    rows = BLOCK // logits.shape[1] if logits.device.type == "cpu" else count
    return zip(*(tensor[:count].split(max(1, rows)) for tensor in (logits, *others)), strict=True)


def _softmax(logits: Tensor, weights: Tensor | None = None, scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """Logits x (N, V) in the type to sum in, log Z = log sum_v w_v exp(x_v) (N, 1), and `scale` w exp(x) / Z."""
    x = logits.to(_sum_dtype(logits))
    top = x.amax(1, keepdim=True)
    p = (x - top).exp_()
    if weights is not None:
        p.mul_(weights)
    z = p.sum(1, keepdim=True)
    return x, top + z.log(), p.div_(z / scale)


def _mean(x: Tensor, weights: Tensor | None) -> Tensor:
    """The mean (N, 1) of x (N, V) over the vocabulary."""
    return x.mean(1, keepdim=True) if weights is None else (x @ weights[:, None].to(x.dtype)) / weights.sum()


def _spread(smoothing: float, logits: Tensor, weights: Tensor | None) -> float | Tensor:
    """What label smoothing adds to the probability of each column of the logits, one number or (V,)."""
    if weights is None:
        return smoothing / logits.shape[1]
    weights = weights.to(_sum_dtype(logits))
    return weights * (smoothing / weights.sum())
