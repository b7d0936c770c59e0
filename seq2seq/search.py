"""Greedy and beam search over three verbs: a state that exists, `advance`, and `state.select`.

The search knows token ids, log-probabilities and nothing else: no network, no text. Every hypothesis it returns has
ended with `eos`, whose log-probability counts, so its `log_prob` is the teacher-forced log-probability of its tokens.
At the length limit only `eos` may follow.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self, TypeVar

import torch
from torch import Tensor

from seq2seq.config import setting


@dataclass(frozen=True)
class SearchConfig:
    """How to look for the best translation."""

    beam: int = setting(5, "hypotheses kept at each step; 1 is greedy search", low=1, high=1000)
    length_penalty: float = setting(1.0, "score = log p / length ** this; 0 prefers short translations", low=0, high=10)
    max_ratio: float = setting(2.0, "longest translation in tokens: this times the source's ...", low=0.0, high=100.0)
    max_extra: int = setting(10, "... plus this", low=1, high=10_000)

    def limit(self, source_tokens: int) -> int:
        """The longest translation, in tokens with `eos`, of a source of so many tokens."""
        return int(self.max_ratio * source_tokens) + self.max_extra


class Hypothesis(NamedTuple):
    """A finished translation: its tokens without `eos`, their log-probability with it, and the score it ranks by."""

    tokens: list[int]
    log_prob: float
    score: float


class State(Protocol):
    """What `advance` takes and returns: one row a hypothesis."""

    def select(self, rows: Tensor) -> Self:
        """The state of these rows, in this order, repeats allowed."""


S = TypeVar("S", bound=State)
Advance = Callable[[Tensor, S], tuple[Tensor, S]]


def search(
    advance: Advance[S], state: S, tokens: Tensor, limits: Sequence[int], config: SearchConfig, eos: int
) -> list[list[Hypothesis]]:
    """The best translations of each of B sentences, best first: `config.beam` of them at most, one at least.

    Args:
        advance: tokens (B, 1), state -> logits (B, 1, V), state.
        state: the state of B sentences before their first token.
        tokens: what each begins with, `bos` (B, 1), on the device to search on.
        limits: for each sentence the most tokens, `eos` among them.
    """
    if config.beam == 1:
        return greedy(advance, state, tokens, limits, config, eos)
    return beam(advance, state, tokens, limits, config, eos)


def score(log_prob: float, length: int, penalty: float) -> float:
    """log p / length ** penalty, `eos` counted in the length (Koehn & Knowles 2017)."""
    return log_prob / math.pow(length, penalty)


@torch.inference_mode()
def greedy(
    advance: Advance[S], state: S, tokens: Tensor, limits: Sequence[int], config: SearchConfig, eos: int
) -> list[list[Hypothesis]]:
    """The likeliest token at each step; arguments and result as for `search`."""
    outputs: list[list[int]] = [[] for _ in limits]
    log_probs = torch.zeros(len(limits), dtype=torch.float64, device=tokens.device)
    alive = list(range(len(limits)))
    for t in range(1, max(limits, default=0) + 1):
        logits, state = advance(tokens, state)
        logits = logits[:, -1].float()  # (B, V)
        best = logits.argmax(-1)
        best[torch.tensor([limits[b] <= t for b in alive], device=best.device)] = eos
        chosen = logits.gather(1, best[:, None]).squeeze(1) - logits.logsumexp(-1)
        log_probs[alive] += chosen.double()
        going = []
        for row, (b, token) in enumerate(zip(alive, best.tolist(), strict=True)):
            if token != eos:
                outputs[b].append(token)
                going.append(row)
        if not going:
            break
        if len(going) < len(alive):  # finished sentences leave the batch
            rows = torch.tensor(going, device=best.device)
            state, best, alive = state.select(rows), best[rows], [alive[row] for row in going]
        tokens = best[:, None]
    return [
        [Hypothesis(y, p, score(p, len(y) + 1, config.length_penalty))]
        for y, p in zip(outputs, log_probs.tolist(), strict=True)
    ]


@torch.inference_mode()
def beam(
    advance: Advance[S], state: S, tokens: Tensor, limits: Sequence[int], config: SearchConfig, eos: int
) -> list[list[Hypothesis]]:
    """The `config.beam` = K likeliest prefixes at each step; arguments and result as for `search`.

    An ending that is among a step's K best candidates is finished; the K best others live on. A sentence is done, and
    leaves the batch, when K endings are finished or its limit is reached.
    """
    finished: list[list[Hypothesis]] = [[] for _ in limits]
    alive = torch.arange(len(limits), device=tokens.device)  # (B,) the sentence of each block of rows
    longest = torch.tensor(limits, device=tokens.device)
    start = tokens.shape[1]
    width = 1  # rows a sentence, tokens (B * width, t); one before the first step, then K
    totals = torch.zeros(len(limits), 1, dtype=torch.float64, device=tokens.device)  # (B, width)
    for t in range(1, max(limits, default=0) + 1):
        logits, state = advance(tokens[:, -1:], state)
        log_p = torch.log_softmax(logits[:, -1].float(), dim=-1).unflatten(0, (-1, width))  # (B, width, V)
        at_limit = longest[alive] <= t
        if at_limit.any():
            others = torch.arange(log_p.shape[-1], device=tokens.device) != eos
            log_p = log_p.masked_fill(at_limit[:, None, None] & others, float("-inf"))
        candidates = (totals[..., None] + log_p).flatten(1)  # (B, width * V)
        best, index = candidates.topk(min(2 * config.beam, candidates.shape[1]))  # (B, C), best first
        rows = index // log_p.shape[-1] + width * torch.arange(len(alive), device=tokens.device)[:, None]
        token = index % log_p.shape[-1]
        ended = token == eos
        ending = ended & best.isfinite()
        ending[:, config.beam :] = False
        for b, c in ending.nonzero().tolist():
            y, p = tokens[rows[b, c], start:].tolist(), best[b, c].item()
            finished[int(alive[b])].append(Hypothesis(y, p, score(p, len(y) + 1, config.length_penalty)))
        living = ended.int().argsort(dim=1, stable=True)[:, : config.beam]  # the others, in the order they stand in
        totals = best.masked_fill(ended, float("-inf")).gather(1, living)
        full = torch.tensor([len(finished[b]) >= config.beam for b in alive.tolist()], device=tokens.device)
        keep = ~(full | at_limit | totals.isneginf().all(1))
        if not keep.any():
            break
        alive, totals, width = alive[keep], totals[keep], living.shape[1]
        rows, token = rows.gather(1, living)[keep].flatten(), token.gather(1, living)[keep].flatten()
        state = state.select(rows)
        tokens = torch.cat((tokens[rows], token[:, None]), dim=1)
    return [sorted(found, key=lambda h: -h.score)[: config.beam] for found in finished]
