"""The context c_t = q(h_1 .. h_S; query_t): what the decoder sees of the source at step t.

Every q is one weighted average, softmax(score) times values. A context remembers what depends on the sentence alone
(keys, values, mask) once, and scores a query against it at each step. `mean` scores 0 everywhere, so its masked softmax
is the masked mean; `last` remembers one slot. These two ask no query: they are known before the first step, and
condition the decoder's first layer as well, the fixed context vector of Cho et al. (2014). So there is no
"if attention" anywhere: no attention is just another attention.

    last      one slot, the encoder's final state                       Sutskever et al. (2014), Cho et al. (2014)
    mean      score = 0
    dot       score = q . h                                             Luong et al. (2015)
    general   score = q W h                                             Luong et al. (2015)
    additive  score = v . tanh(W q + U h)                               Bahdanau et al. (2015)
    multihead score = (W_n q) . (U_n h) / sqrt(A / N), n = 1 .. N       Vaswani et al. (2017)

Axes: B batch, T target, S source (or memory slots), D encoder output, H query, A keys, N heads.
"""

from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Encoded(NamedTuple):
    """What an encoder hands over: states (B, S, D), final (B, D), mask (B, S), True = real token, words (B, S, E).

    The words are the vectors that it read.
    """

    states: Tensor
    final: Tensor
    mask: Tensor
    words: Tensor


class SourceMemory(NamedTuple):
    """What a context keeps of a sentence: keys (B, S, A), values (B, S, D), mask (B, S), words (B, S, E)."""

    keys: Tensor
    values: Tensor
    mask: Tensor
    words: Tensor

    def select(self, rows: Tensor) -> "SourceMemory":
        """The memory of these rows of the batch, in this order."""
        return SourceMemory(*(part.index_select(0, rows) for part in self))


class Last(nn.Module):
    """The encoder's final state, at every step."""

    fixed = True

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__()
        self.size = states

    def prepare(self, encoded: Encoded) -> SourceMemory:
        """The final state as the only slot, and for its word the mean of all."""
        slot = encoded.final[:, None]  # (B, 1, D)
        word = encoded.words.sum(1, keepdim=True) / encoded.mask.sum(1)[:, None, None]  # padding's are zero
        return SourceMemory(slot, slot, torch.ones_like(encoded.mask[:, :1]), word)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Zero: all slots are worth the same."""
        return query.new_zeros(query.shape[0], query.shape[1], keys.shape[1])

    def forward(self, query: Tensor, memory: SourceMemory) -> tuple[Tensor, Tensor]:
        """Query (B, T, H) to context (B, T, D) and its weights (B, T, S)."""
        weights = masked_softmax(self.score(query, memory.keys), memory.mask)
        return weights @ memory.values, weights


class Mean(Last):
    """The mean of the encoder's states, at every step."""

    def prepare(self, encoded: Encoded) -> SourceMemory:
        """The states themselves; their keys are never looked at."""
        return SourceMemory(encoded.states, encoded.states, encoded.mask, encoded.words)


class Dot(Mean):
    """Score by the inner product of query and state, which must be of one size."""

    fixed = False

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, A) . keys (B, S, A) to (B, T, S)."""
        return query @ keys.transpose(1, 2)


class General(Dot):
    """Score by a bilinear form; the keys are the states projected into the query's space, once a sentence."""

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__(states, query, heads, width)
        self.key = nn.Linear(states, query, bias=False)
        nn.init.xavier_uniform_(self.key.weight)

    def prepare(self, encoded: Encoded) -> SourceMemory:
        """Keys W h, values h."""
        return SourceMemory(self.key(encoded.states), encoded.states, encoded.mask, encoded.words)


class Additive(Mean):
    """Score by a perceptron of one hidden layer, `width` units wide; its half of the keys is computed once."""

    fixed = False

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__(states, query, heads, width)
        self.key = nn.Linear(states, width, bias=False)
        self.query = nn.Linear(query, width)
        self.v = nn.Linear(width, 1, bias=False)
        for linear in (self.key, self.query, self.v):
            nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(self.query.bias)

    def prepare(self, encoded: Encoded) -> SourceMemory:
        """Keys U h, values h."""
        return SourceMemory(self.key(encoded.states), encoded.states, encoded.mask, encoded.words)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, H), keys (B, S, A) to (B, T, S), but for a number that is the same for all slots.

        tanh x = 2 sigmoid(2 x) - 1, and torch's sigmoid takes a quarter of its tanh's time; the 1s make that number.
        """
        hidden = torch.sigmoid(2 * self.query(query)[:, :, None] + 2 * keys[:, None])  # (B, T, S, A)
        return 2 * self.v(hidden).squeeze(-1)  # type: ignore[no-any-return]


class MultiHead(nn.Module):
    """N scaled dot products side by side, over keys and values of A / N features each, A = `width`."""

    fixed = False

    def __init__(self, states: int, query: int, heads: int, width: int) -> None:
        super().__init__()
        self.size, self.heads = width, heads
        self.query, self.output = nn.Linear(query, width, bias=False), nn.Linear(width, width, bias=False)
        self.key, self.value = nn.Linear(states, width, bias=False), nn.Linear(states, width, bias=False)
        for linear in (self.query, self.output, self.key, self.value):
            nn.init.xavier_uniform_(linear.weight)

    def prepare(self, encoded: Encoded) -> SourceMemory:
        """Keys and values, each (B, S, A)."""
        return SourceMemory(self.key(encoded.states), self.value(encoded.states), encoded.mask, encoded.words)

    def forward(self, query: Tensor, memory: SourceMemory) -> tuple[Tensor, Tensor]:
        """Query (B, T, H) to context (B, T, A) and the heads' mean weights (B, T, S)."""
        q, k, v = (x.unflatten(2, (self.heads, -1)).transpose(1, 2) for x in (self.query(query), *memory[:2]))
        scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5  # (B, N, T, S)
        weights = masked_softmax(scores, memory.mask[:, None])
        # Added up one by one: how `mean` adds would depend on the number of positions.
        mean = reduce(torch.add, weights.unbind(1)) / self.heads
        return self.output((weights @ v).transpose(1, 2).flatten(2)), mean


CONTEXTS: dict[str, type[Last] | type[MultiHead]] = {
    "last": Last,
    "mean": Mean,
    "dot": Dot,
    "general": General,
    "additive": Additive,
    "multihead": MultiHead,
}


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Scores (..., T, S) to a distribution over the slots that are real in mask (..., S); the others get exactly 0."""
    return torch.softmax(scores.masked_fill(~mask[..., None, :], float("-inf")), dim=-1)
