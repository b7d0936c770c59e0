"""Masked cross-entropy with label smoothing, as a sum and a count, so that the parts of a batch add up to it."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F


class Loss(NamedTuple):
    """Summed nats with label smoothing (what is trained on), without it (what is reported), and the tokens counted."""

    smoothed: Tensor
    nats: Tensor
    tokens: int


def cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Loss:
    """Logits (N, V) of the N real tokens (padding is out before it comes here) and targets (N,).

    smoothed = sum_n (1 - e) * -log p(y_n) + e / V * sum_v -log p(v)      Szegedy et al. (2016), section 7
    """
    log_p = F.log_softmax(logits.float() if logits.element_size() == 2 else logits, dim=-1)
    nats = F.nll_loss(log_p, targets, reduction="sum")
    smoothed = nats if smoothing == 0.0 else (1.0 - smoothing) * nats - smoothing * log_p.mean(-1).sum()
    return Loss(smoothed, nats.detach(), len(targets))
