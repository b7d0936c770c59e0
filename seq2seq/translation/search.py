"""Beam search over three verbs: a state that exists, `propose`, and `state.select`. A beam of one is greedy search.

The search knows token ids, log-probabilities and nothing else: no network, no tensor library, no text. Every hypothesis
it returns has ended with `eos`, whose log-probability counts, so its `log_prob` is the teacher-forced log-probability
of its tokens. At the length limit only `eos` may follow.

Axes: B sentences, W hypotheses a sentence (one before the first step, then the beam), C candidates a hypothesis.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from seq2seq.config import setting

EVERY = 2**31  # candidates, as many as there are

Ids = NDArray[np.int64]
LogProbs = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class SearchConfig:
    """How to look for the best translation."""

    beam: int = setting(5, "hypotheses kept at each step; 1 is greedy search", low=1, high=1000)
    length_penalty: float = setting(1.0, "score = (log p + word_reward * length) / length ** this", low=0, high=10)
    word_reward: float = setting(
        0.0, "nats a token; against translations too short, with a penalty of 0", low=0, high=10
    )
    max_ratio: float = setting(2.0, "longest translation in tokens: this times the source's ...", low=0.0, high=100.0)
    max_extra: int = setting(10, "... plus this", low=1, high=10_000)
    max_length: int = setting(0, "longest translation in tokens, whatever the source; 0: any", low=0, high=100_000)
    min_length: int = setting(0, "shortest translation in tokens", low=0, high=100_000)
    no_repeat_ngram: int = setting(0, "so many tokens never come twice in a row of that order; 0: they may", low=0)
    sample: float = setting(0.0, "draw each token from p ** (1 / this), as often as the beam is wide; 0: search", low=0)
    seed: int = setting(1, "every random choice follows from it", low=0, high=2**31)

    def limit(self, source_tokens: int) -> int:
        """The longest translation, in tokens with `eos`, of a source of so many tokens."""
        limit = int(self.max_ratio * source_tokens) + self.max_extra
        return min(limit, self.max_length + 1) if self.max_length else limit


class Hypothesis(NamedTuple):
    """A finished translation: its tokens without `eos`, their log-probability with it, and the score it ranks by.

    `sources` says for each token which source position the model looked at most when it said it.
    """

    tokens: list[int]
    log_prob: float
    score: float
    sources: list[int]


class Proposal(NamedTuple):
    """How each hypothesis may go on."""

    tokens: Ids  # (B, W, C) the likeliest, best first
    log_probs: LogProbs  # (B, W, C)
    asked: LogProbs  # (B, W) the log-probability of the token that was asked for
    source: Ids  # (B, W) the source position that counts most for what comes next


class State(Protocol):
    """What `propose` takes and returns: W hypotheses for each of B sentences."""

    def select(self, rows: Ids) -> Self:
        """The state of rows (B', W'): those of each sentence that stays, all of that sentence, repeats allowed.

        Row b * W + w is the hypothesis w of sentence b. Sentences keep their order.
        """


S = TypeVar("S", bound=State)
Propose = Callable[[Ids, Ids, S, int], tuple[Proposal, S]]


def score(log_prob: float, length: int, penalty: float, reward: float) -> float:
    """What a translation ranks by: (log p + reward * length) / length ** penalty, `eos` counted in the length.

    A penalty of 1 ranks by the mean log-probability of a token (Koehn & Knowles 2017), whatever the reward. A penalty
    of 0 and a reward, chosen on dev, give translations the length of the references (Murray & Chiang 2018).
    """
    return (log_prob + reward * length) / math.pow(length, penalty)


def search(
    propose: Propose[S],
    state: S,
    bos: int,
    limits: Sequence[int],
    config: SearchConfig,
    eos: int,
    prefixes: Sequence[Sequence[int]] = (),
    draws: Sequence[np.random.Generator] = (),
) -> list[list[Hypothesis]]:
    """The best translations of each of B sentences, best first: `config.beam` = K of them at most, one at least.

    The K likeliest prefixes live at each step. An ending that is among a step's K best candidates is finished; the K
    best others live on. A sentence is done, and leaves the batch, when K endings are finished or its limit is reached.

    Args:
        propose: the last token of each hypothesis (B, W), a token asked for (B, W), state, C -> Proposal, state. There
            may be fewer than C candidates.
        state: the state of B sentences before their first token.
        bos: the token that each begins with.
        limits: for each sentence the most tokens, `eos` among them.
        config: the settings.
        eos: the token that ends a translation.
        prefixes: for each sentence the tokens that its translation begins with, their probability counted; none: ().
        draws: chance for each sentence, to draw one translation instead (K = 1); none: ().
    """
    beam, prefixes = config.beam, prefixes or [()] * len(limits)
    longest = np.array([max(n, len(y) + 1) for n, y in zip(limits, prefixes, strict=True)], np.int64)
    begun = np.full((len(limits), max(map(len, prefixes), default=0)), -1)  # the prefixes, -1 behind them
    for row, y in zip(begun, prefixes, strict=True):
        row[: len(y)] = y
    finished: list[list[Hypothesis]] = [[] for _ in limits]
    alive = np.arange(len(limits))  # (B,) the sentence of each block of rows
    said = np.full((len(limits), 1, 1), bos, np.int64)  # (B, W, 1 + tokens)
    seen = np.zeros((len(limits), 1, 0), np.int64)  # (B, W, tokens)
    totals = np.zeros((len(limits), 1))  # (B, W)
    for t in range(1, longest.max(initial=0) + 1):
        at_limit = longest[alive] <= t
        forced = begun[alive, t - 1] if t <= begun.shape[1] else np.full(len(alive), -1)
        forced[at_limit] = eos
        asked = np.repeat(np.where(forced < 0, eos, forced)[:, None], totals.shape[1], axis=1)
        # The K best others may all be one hypothesis's, and stand behind its ending and what is banned; chance chooses
        # among all.
        count = EVERY if draws else beam + 1 + (t if config.no_repeat_ngram else 0)
        proposal, state = propose(said[:, :, -1], asked, state, count)
        tokens, log_probs = proposal.tokens, proposal.log_probs.astype(np.float64)
        if t <= config.min_length:
            log_probs[tokens == eos] = -np.inf
        if config.no_repeat_ngram:
            log_probs[repeats(said[:, :, 1:], tokens, config.no_repeat_ngram)] = -np.inf
        if (only := forced >= 0).any():
            tokens[only], log_probs[only] = forced[only, None, None], -np.inf
            log_probs[only, :, 0] = proposal.asked[only]
        width, offered = tokens.shape[1:]
        sums = (totals[:, :, None] + log_probs).reshape(len(alive), -1)  # (B, W * C)
        if draws:
            best = drawn(tokens, log_probs, config.sample, [draws[b] for b in alive.tolist()])
        else:
            best = np.argsort(-sums, axis=1, kind="stable")[:, : 2 * beam]
        sums, parent = np.take_along_axis(sums, best, 1), best // offered
        token = np.take_along_axis(tokens.reshape(len(alive), -1), best, 1)
        ended = token == eos
        ending = ended & np.isfinite(sums)
        ending[:, beam:] = False
        for b, c in zip(*ending.nonzero(), strict=True):
            y, p = said[b, parent[b, c], 1:].tolist(), float(sums[b, c])
            ranked = score(p, len(y) + 1, config.length_penalty, config.word_reward)
            finished[alive[b]].append(Hypothesis(y, p, ranked, seen[b, parent[b, c]].tolist()))
        living = np.argsort(ended, axis=1, kind="stable")[:, :beam]  # the others, in the order they stand in
        totals = np.take_along_axis(np.where(ended, -np.inf, sums), living, 1)
        full = np.array([len(finished[b]) >= beam for b in alive])
        keep = ~(full | at_limit | np.isneginf(totals).all(1))
        if not keep.any():
            break
        parent, token = (np.take_along_axis(each, living, 1)[keep] for each in (parent, token))
        blocks = keep.nonzero()[0][:, None]
        alive, totals = alive[keep], totals[keep]
        state = state.select(blocks * width + parent)
        said = np.concatenate((said[blocks, parent], token[:, :, None]), axis=2)
        seen = np.concatenate((seen[blocks, parent], proposal.source[blocks, parent][:, :, None]), axis=2)
    return [sorted(found, key=lambda h: -h.score)[:beam] for found in finished]


def drawn(tokens: Ids, log_probs: LogProbs, temperature: float, draws: Sequence[np.random.Generator]) -> Ids:
    """The place (B, 1) of one candidate of each sentence, drawn from p ** (1 / temperature), not normalised.

    The largest of log p / temperature + a Gumbel number for each token (Maddison et al. 2014) is such a draw.
    """
    noise = np.stack([rng.gumbel(size=tokens.shape[2]) for rng in draws])  # (B, V), by token: candidates may tie
    with np.errstate(over="ignore"):
        chances = log_probs[:, 0] / temperature + np.take_along_axis(noise, tokens[:, 0], 1)
    chosen: Ids = chances.argmax(1)[:, None]
    return chosen


def repeats(said: Ids, tokens: Ids, n: int) -> NDArray[np.bool_]:
    """Which candidates (B, W, C) end n tokens that stand in what was said (B, W, t) already (Paulus et al. 2018)."""
    banned = np.zeros(tokens.shape, np.bool_)
    last = said[:, :, said.shape[2] - n + 1 :]
    for start in range(said.shape[2] - n + 1):
        same = (said[:, :, start : start + n - 1] == last).all(axis=2)  # (B, W)
        banned |= same[:, :, None] & (tokens == said[:, :, start + n - 1, None])
    return banned
