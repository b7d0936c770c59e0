"""Contexts: the context vector c_t = sum_s a_ts value_s with attention weights a_t = softmax_s score(query_t, key_s).

Keys and values depend on the source sentence alone: `prepare` computes them once, and each step scores its query
against all keys. No attention is just another attention: `mean` scores 0 everywhere, so that its masked softmax is the
masked mean, and `last` has one key and value. These two ignore the query. Their context vector is known before the
first step and is an input of the decoder's first layer as well, as the fixed context vector of Cho et al. (2014).
This module does not know cells, or where queries come from.

    last      one slot, value = the encoder's final state               Cho et al. (2014)
    mean      score = 0, value = h
    dot       score = q . h                                             Luong et al. (2015)
    general   score = q W h                                             Luong et al. (2015)
    additive  score = v . tanh(W q + U h)                               Bahdanau et al. (2015)
              with coverage: v . tanh(W q + U h + w C), see `Covered`    Tu et al. (2016)
    multihead score = (W_n q) . (U_n h) / sqrt(A / N), value = V_n h     Vaswani et al. (2017)

Axes: B batch, T target, S source (or memory slots), D encoder output, H query, A keys, N heads n = 1 .. N.
"""

from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor, nn

from seq2seq.network.products import Linear

MOST_HIDDEN = 2**28  # units of the additive score's hidden layer that are computed at once without a gradient


class EncoderOutput(NamedTuple):
    """The encoder's states, its final state, the mask of real tokens and the source embeddings that were read."""

    states: Tensor  # (B, S, D), zero at padding
    final: Tensor  # (B, D)
    mask: Tensor  # (B, S), True = real token
    embeddings: Tensor  # (B, S, E), zero at padding


class SourceMemory(NamedTuple):
    """Keys and values of B source sentences, with the mask and the source embeddings of the same S slots."""

    keys: Tensor  # (B, S, A)
    values: Tensor  # (B, S, D)
    mask: Tensor  # (B, S), True = real token
    embeddings: Tensor  # (B, S, E)
    slots: Tensor | None = None  # (B, 2, S) what may be copied, see `seq2seq.network.copying`; None: nothing

    def select(self, rows: Tensor) -> "SourceMemory":
        """The keys and values of these rows of the batch, in this order."""
        keys, values, mask, embeddings = (part.index_select(0, rows) for part in self[:4])
        slots = None if self.slots is None else self.slots.index_select(0, rows)
        return SourceMemory(keys, values, mask, embeddings, slots)


class Last(nn.Module):
    """The context vector is the encoder's final state at every step.

    Args of every context:
        states: D, the size of the encoder's states.
        query: H, the size of a query.
        heads, width: N and A; each context takes what its score needs.
    """

    fixed = True  # the context vector does not depend on the query
    covers = False  # the score does not depend on the attention so far

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__()
        self.states, self.size = states, states

    def prepare(self, encoded: EncoderOutput) -> SourceMemory:
        """The final state as key and value of one slot, and the mean of the source embeddings."""
        slot = encoded.final[:, None]  # (B, 1, D)
        mean = encoded.embeddings.sum(1, keepdim=True) / encoded.mask.sum(1)[:, None, None]  # (B, 1, E)
        return SourceMemory(slot, slot, torch.ones_like(encoded.mask[:, :1]), mean)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, H), keys (B, S, A) to zeros (B, T, S): all slots have equal weight."""
        return query.new_zeros(query.shape[0], query.shape[1], keys.shape[1])

    def forward(self, query: Tensor, memory: SourceMemory) -> tuple[Tensor, Tensor]:
        """Query (B, T, H) to context vectors (B, T, D) and attention weights (B, T, S)."""
        weights = masked_softmax(self.score(query, memory.keys), memory.mask)
        return weights @ memory.values, weights


class Mean(Last):
    """The context vector is the mean of the encoder's states at every step."""

    def prepare(self, encoded: EncoderOutput) -> SourceMemory:
        """Keys h, values h. The keys are not read."""
        return SourceMemory(encoded.states, encoded.states, encoded.mask, encoded.embeddings)


class Dot(Mean):
    """The score is the inner product of query and state, which must have one size."""

    fixed = False

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, A), keys (B, S, A) to scores (B, T, S)."""
        return query @ keys.transpose(1, 2)


class General(Dot):
    """The score is a bilinear form: the keys are the states projected to the query's size, once per sentence."""

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__(states, query, heads, width)
        self.key = Linear(states, query, bias=False)
        nn.init.xavier_uniform_(self.key.weight)

    def prepare(self, encoded: EncoderOutput) -> SourceMemory:
        """Keys W h, values h."""
        return SourceMemory(self.key(encoded.states), encoded.states, encoded.mask, encoded.embeddings)


class Additive(Mean):
    """The score is a perceptron with one hidden layer of A = `width` units; U h is computed once per sentence."""

    fixed = False

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__(states, query, heads, width)
        self.key = Linear(states, width, bias=False)
        self.query = Linear(query, width)
        self.v = nn.Linear(width, 1, bias=False)
        for linear in (self.key, self.query, self.v):
            nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(self.query.bias)

    def prepare(self, encoded: EncoderOutput) -> SourceMemory:
        """Keys U h, values h."""
        return SourceMemory(self.key(encoded.states), encoded.states, encoded.mask, encoded.embeddings)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, H), keys (B, S, A) to scores (B, T, S) plus a constant, which softmax ignores.

        tanh x = 2 sigmoid(2 x) - 1, and torch's sigmoid takes a quarter of its tanh's time; the constant is v . 1.
        """
        queries, keys = 2 * self.query(query), 2 * keys
        # Lines of a thousand tokens that are scored, not trained on, are computed a part at a time, to save memory.
        at_once = queries.shape[1] if torch.is_grad_enabled() else max(1, MOST_HIDDEN // keys.numel())
        parts = [self._scores(part, keys) for part in queries.split(max(1, at_once), dim=1)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def _scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        hidden = torch.sigmoid(queries[:, :, None] + keys[:, None])  # (B, T, S, A)
        return 2 * self.v(hidden).squeeze(-1)  # type: ignore[no-any-return]


class Covered(Additive):
    """`Additive` with the coverage C of each position as an input of the score (Tu et al. 2016, section 3.1).

    score(q_t, h_s) = v . tanh(W q_t + U h_s + w C_ts),   C_ts = sum of a_t's over t' < t

    This is the form of See et al. (2017, equation 11), without Tu et al.'s fertilities. A step needs the weights of the
    steps before, so scores are computed in a loop over time; the layers around the context are not.
    """

    covers = True

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__(states, query, heads, width)
        self.cover = nn.Linear(1, width, bias=False)
        nn.init.xavier_uniform_(self.cover.weight)

    def attend(self, query: Tensor, memory: SourceMemory, covered: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """T steps of W hypotheses for each of B sentences.

        Args:
            query: (B, W, T, H).
            memory: of the B sentences.
            covered: (B, W, S) the coverage before the first of the steps.

        Returns:
            Context vectors (B, W, T, D), attention weights (B, W, T, S), and the coverage (B, W, S) after the steps.
        """
        queries, keys = 2 * self.query(query), 2 * memory.keys[:, None]  # see `Additive.score`
        cover, weights = 2 * self.cover.weight[:, 0], list[Tensor]()
        for q in queries.unbind(2):
            of_coverage = (covered[..., None] * cover).to(keys.dtype)  # (B, W, S, A)
            hidden = torch.sigmoid(q[:, :, None] + keys + of_coverage)
            weights.append(masked_softmax(2 * self.v(hidden).squeeze(-1), memory.mask))
            covered = covered + weights[-1]
        stacked = torch.stack(weights, dim=2)  # (B, W, T, S)
        c = stacked.flatten(1, 2) @ memory.values
        return c.unflatten(1, stacked.shape[1:3]), stacked, covered


class MultiHead(nn.Module):
    """N heads of scaled dot-product attention, over keys and values of A / N features each, A = `width`."""

    fixed, covers = False, False

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__()
        self.states, self.size, self.heads = states, width, heads
        self.query, self.output = Linear(query, width, bias=False), Linear(width, width, bias=False)
        self.key, self.value = Linear(states, width, bias=False), Linear(states, width, bias=False)
        for linear in (self.query, self.output, self.key, self.value):
            nn.init.xavier_uniform_(linear.weight)

    def prepare(self, encoded: EncoderOutput) -> SourceMemory:
        """Keys U h and values V h, each (B, S, A), the heads side by side."""
        return SourceMemory(self.key(encoded.states), self.value(encoded.states), encoded.mask, encoded.embeddings)

    def forward(self, query: Tensor, memory: SourceMemory) -> tuple[Tensor, Tensor]:
        """Query (B, T, H) to context vectors (B, T, A) and the attention weights, averaged over heads (B, T, S)."""
        q, k, v = (x.unflatten(2, (self.heads, -1)).transpose(1, 2) for x in (self.query(query), *memory[:2]))
        scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5  # (B, N, T, S)
        weights = masked_softmax(scores, memory.mask[:, None])
        # Summed head by head: the order in which `mean` sums would depend on the number of positions.
        mean = reduce(torch.add, weights.unbind(1)) / self.heads
        return self.output((weights @ v).transpose(1, 2).flatten(2)), mean


Context = Last | MultiHead

CONTEXTS: dict[str, type[Last] | type[MultiHead]] = {
    "last": Last,
    "mean": Mean,
    "dot": Dot,
    "general": General,
    "additive": Additive,
    "multihead": MultiHead,
}


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax of scores (..., T, S) over the slots where mask (..., S) is True; the other slots get exactly 0."""
    return torch.softmax(scores.masked_fill(~mask[..., None, :], float("-inf")), dim=-1)
