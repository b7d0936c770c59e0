"""Copying source tokens by the attention weights: a pointer-generator network (See et al. 2017) over one vocabulary.

    p_t(y) = (g_t + (1 - g_t) u_t) softmax_t(y) + (1 - g_t) sum of a_ts over the positions s of C with x_s = y
    g_t    = sigmoid(w . f_t + b)          the share of the softmax, from the features f_t that it is computed from
    u_t    = sum of a_ts over the positions that are not of C

C are the positions whose token x_s may be copied: no special token, and one that the target vocabulary has. With all
positions in C this is See et al.'s equation 9. The attention to other positions, such as the end of the sentence, is
given to the softmax, so that p_t is a distribution whatever the sentence holds. The paper computes g_t from c_t, s_t
and y_{t-1}; the features are a function of the same three.

Probabilities are mixed as logarithms. A token occurs at several positions: their weights are summed position by
position, in the same order in every batch. This module does not know which tokens are special: their number is an
argument, and they are the first.

Axes: N predictions, S source positions, V target vocabulary, E features.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seq2seq.network.loss import Mixture

NONE = 0  # stands for a token that is not copied: the first token is always special


class Copies(NamedTuple):
    """What each of some predictions may copy; the leading axes are those of the predictions."""

    weights: Tensor  # (..., S) the attention weights
    tokens: Tensor  # (..., S) the token that a position copies, or NONE
    first: Tensor  # (..., S) the first position with the same entry of `tokens`

    @classmethod
    def of(cls, weights: Tensor, slots: Tensor) -> "Copies":
        """Of W hypotheses of each of B sentences: weights (B * W, T, S), and slots (B, 2, S) from `Pointer.slots`."""
        each = slots.repeat_interleave(len(weights) // len(slots), 0)  # (B * W, 2, S)
        tokens, first = each[:, None].expand(-1, weights.shape[1], -1, -1).unbind(2)
        return cls(weights, tokens, first)

    def at(self, rows: "Rows") -> "Copies":
        """Those of the predictions at these rows, an index of the leading axes."""
        return Copies(*(part[rows] for part in self))

    def masses(self) -> tuple[Tensor, Tensor]:
        """The weight of all positions with a position's token (..., S), 0 where it copies none; and u (..., 1).

        They are in at least single precision.
        """
        weights = self.weights.to(torch.promote_types(self.weights.dtype, torch.float32))
        masses = torch.zeros_like(weights).scatter_add(-1, self.first, weights).gather(-1, self.first)
        copied = self.tokens != NONE
        rest = masses.masked_fill(copied, 0.0).amax(-1, keepdim=True)  # NONE has one mass
        return masses.masked_fill(~copied, 0.0), rest


Rows = Tensor | tuple[slice, int]  # a mask, or a position of each row


class Pointer(nn.Module):
    """The share of the softmax, and the mixture of both distributions.

    Args:
        features: E.
        special: how many of the first tokens are never copied, at least 1.
        vocabulary: V.
    """

    def __init__(self, features: int, special: int, vocabulary: int) -> None:
        super().__init__()
        self.special, self.vocabulary = special, vocabulary
        self.gate = nn.Linear(features, 1)
        nn.init.xavier_uniform_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def slots(self, src: Tensor, mask: Tensor) -> Tensor:
        """Source ids (B, S) and their mask to slots (B, 2, S): `tokens` and `first` of `Copies`."""
        tokens = torch.where(mask & (src >= self.special) & (src < self.vocabulary), src, NONE)
        first = (tokens[:, :, None] == tokens[:, None]).to(torch.uint8).argmax(-1)
        return torch.stack((tokens, first), dim=1)

    def mix(self, features: Tensor, log_softmax: Tensor, copies: Copies) -> Tensor:
        """Features (..., E) and the log-softmax (..., V) computed from them to log p (..., V)."""
        masses, rest = copies.masses()
        generated, pointed = self._shares(features, rest)
        mixed = log_softmax + generated
        here = torch.logaddexp(mixed.gather(-1, copies.tokens), pointed + _log(masses))
        # Positions with one token have one value, of which the gradient belongs to the first.
        is_first = copies.first == torch.arange(here.shape[-1], device=here.device)
        return mixed.scatter(-1, copies.tokens, torch.where(is_first, here, here.detach()))

    def mixture(self, features: Tensor, copies: Copies, targets: Tensor) -> Mixture:
        """What the loss of targets (N,) needs of the mixture, from features (N, E): no distribution over V."""
        masses, rest = copies.masses()
        generated, pointed = self._shares(features, rest)
        mass = masses.masked_fill(copies.tokens != targets[:, None], 0.0).amax(-1, keepdim=True)
        return Mixture(generated, pointed + _log(mass))

    def _shares(self, features: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
        """log(g + (1 - g) u) and log(1 - g), (..., 1) each."""
        z = self.gate(features).to(rest.dtype)
        pointed = F.logsigmoid(-z)
        return torch.logaddexp(F.logsigmoid(z), pointed + _log(rest)), pointed


def _log(x: Tensor) -> Tensor:
    """The logarithm; at 0 it is -inf with a gradient of 0."""
    return x.clamp_min(torch.finfo(x.dtype).tiny).log().masked_fill(x == 0.0, float("-inf"))
