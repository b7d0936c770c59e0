"""Beam search over two verbs of an engine: `propose` (one step) and `state.select` (reorder and drop hypotheses).

Search knows token ids and log-probabilities, and neither networks nor tensor libraries nor text. Every hypothesis that
it returns ends with `eos`, whose log-probability is counted: `log_prob` is the teacher-forced log-probability of the
tokens. At its length limit a hypothesis can only be continued by `eos`. A beam of one is greedy search.

Axes: N sentences, of which B are unfinished; W hypotheses per sentence (one at first, then K, the size of the beam);
C candidates, that is continuations by one token.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from seq2seq.config import setting
from seq2seq.translation.required import Required, best_of_each, first_of, held_after

WHOLE_VOCABULARY = 2**31  # a number of candidates above any vocabulary's size
FREE = -1  # no token is forced
SAMPLES = 30  # that are drawn of each sentence where others choose among them (Eikema & Aziz 2020)

Ids = NDArray[np.int64]
LogProbs = NDArray[np.float32] | NDArray[np.float64]
Totals = NDArray[np.float64]  # cumulative log-probabilities


@dataclass(frozen=True)
class SearchConfig:
    """How translations are searched for, or sampled."""

    beam: int = setting(5, "hypotheses kept at each step; 1 is greedy search", low=1, high=1000)
    length_penalty: float = setting(
        1.0, "translations are ranked by (log p + word_reward * length) / length ** this", low=0, high=10
    )
    word_reward: float = setting(
        0.0, "nats added per token, for longer translations; without effect where length_penalty is 1", low=0, high=10
    )
    max_ratio: float = setting(
        2.0, "most tokens of a translation: max_ratio * source tokens + max_extra", low=0.0, high=100.0
    )
    max_extra: int = setting(10, "tokens that max_ratio's limit allows in addition", low=1, high=10_000)
    max_length: int = setting(0, "most tokens of a translation of any source; 0: no such limit", low=0, high=100_000)
    min_length: int = setting(0, "fewest tokens of a translation", low=0, high=100_000)
    no_repeat_ngram: int = setting(0, "no n-gram of this length occurs twice in a translation; 0: no ban", low=0)
    sample: float = setting(
        0.0, "temperature T: sample `beam` translations, each token from p ** (1 / T); 0: search", low=0
    )
    seed: int = setting(1, "seed of sampling", low=0, high=2**31)

    def limit(self, source_tokens: int) -> int:
        """The most tokens, `eos` included, of a translation of a source of this length."""
        limit = int(self.max_ratio * source_tokens) + self.max_extra
        return min(limit, self.max_length + 1) if self.max_length else limit


class Request(NamedTuple):
    """What is requested for one sentence."""

    limit: int  # most tokens of a translation, `eos` included
    prefix: Sequence[int] = ()  # the first tokens of every translation; a long prefix raises the limit
    required: Sequence[int] = ()  # tokens that every translation has once; all different


class Hypothesis(NamedTuple):
    """A finished translation."""

    tokens: list[int]  # without `eos`
    log_prob: float  # nats, of the tokens and `eos`
    score: float  # what translations are ranked by, see `score`
    sources: list[int]  # for each token the source position with the largest attention weight


class Proposal(NamedTuple):
    """The continuations of each hypothesis that an engine proposes. Log-probabilities are in nats."""

    tokens: Ids  # (B, W, C) the most probable next tokens, best first
    log_probs: LogProbs  # (B, W, C)
    target_log_probs: LogProbs  # (B, W) of the target token
    source: Ids  # (B, W) the source position with the largest attention weight


class State(Protocol):
    """An engine's state of W hypotheses for each of B sentences."""

    def select(self, rows: Ids) -> Self:
        """The state of rows (B', W'), where row b * W + w is hypothesis w of sentence b.

        Each of the B' lines holds hypotheses of one sentence, repeats allowed. Sentences keep their order.
        """


S = TypeVar("S", bound=State)
# Last token of each hypothesis (B, W), target tokens (B, W), state, C -> proposal of at most C candidates, next state.
Propose = Callable[[Ids, Ids, S, int], tuple[Proposal, S]]


def score(log_prob: float, length: int, penalty: float, reward: float) -> float:
    """(log p + reward * length) / length ** penalty, where the length counts `eos`.

    A penalty of 1 ranks by the mean log-probability of a token (Koehn & Knowles 2017), whatever the reward. A penalty
    of 0 and a reward tuned on dev give translations the length of the references (Murray & Chiang 2018).
    """
    return (log_prob + reward * length) / math.pow(length, penalty)


def search(
    propose: Propose[S],
    state: S,
    requests: Sequence[Request],
    config: SearchConfig,
    bos: int,
    eos: int,
    rngs: Sequence[np.random.Generator] = (),
    reserved: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """The best translations of each of N sentences, best first: at least one, at most `config.beam` = K.

    Of the candidates of a step, those with `eos` among the K best are finished, and the K best others are the next
    beam. A sentence leaves the batch when K of its hypotheses are finished or its limit is reached.

    Args:
        propose: one step of an engine.
        state: the engine's state of the N sentences before their first token.
        requests: one for each sentence.
        config: the settings.
        bos: the token before the first.
        eos: the token that ends a translation.
        rngs: where `config.sample` is set, the random numbers of each sentence; then K must be 1.
        reserved: tokens that stand in a translation only if its request requires them.
    """
    finished: list[list[Hypothesis]] = [[] for _ in requests]
    schedule, beam = forced_tokens(requests, eos), Beam.start(len(requests), bos)
    required = Required.of([r.required for r in requests], [limit_of(r) for r in requests], reserved)
    while len(beam.sentences):
        forced = schedule[beam.sentences, beam.step - 1][:, None]  # (B, 1)
        lacking = required.lacking(beam.sentences, beam.tokens)  # (B, W, R)
        upcoming = np.where(forced == FREE, first_of(lacking), forced)
        targets = np.where(upcoming == FREE, eos, upcoming)
        count = candidates_needed(config, beam.step) + len(reserved)
        proposal, state = propose(beam.tokens[:, :, -1], targets, state, count)
        urgent = required.urgent(beam.sentences, beam.step, lacking, proposal.tokens[:, :, 0] == eos)
        forced = np.where((forced == FREE) & urgent, upcoming, forced)  # (B, W)
        tokens, log_probs = constrain(beam, proposal, forced, config, eos)
        if reserved:
            first = np.where(forced == FREE, proposal.target_log_probs, -np.inf).astype(np.float64)
            tokens, log_probs = required.allow(lacking, tokens, log_probs, first, eos)
        totals = beam.log_probs[:, :, None] + log_probs  # (B, W, C)
        if config.sample:
            places = draw(tokens, log_probs, config.sample, [rngs[i] for i in beam.sentences.tolist()])
        elif required.tokens.size:
            places = best_of_each(totals, held_after(lacking, tokens), 2 * config.beam)
        else:
            places = best(totals, 2 * config.beam)
        candidates = Candidates.take(tokens, totals, places)
        for sentence, hypothesis in endings(beam, candidates, config, eos):
            finished[sentence].append(hypothesis)
        others = unfinished(candidates, config.beam, eos)
        full = np.array([len(finished[i]) >= config.beam for i in beam.sentences.tolist()])
        kept = np.flatnonzero(~(full | np.isneginf(others.log_probs).all(1)))  # at its limit a sentence has no others
        beam, rows = beam.extend(kept, others, proposal.source)
        if len(rows):
            state = state.select(rows)
    return [sorted(hypotheses, key=lambda h: -h.score)[: config.beam] for hypotheses in finished]


def limit_of(request: Request) -> int:
    """The most tokens of a translation, `eos` included, with room for the prefix and what is required."""
    return max(request.limit, len(request.prefix) + len(request.required) + 1)


def forced_tokens(requests: Sequence[Request], eos: int) -> Ids:
    """The token (N, T) that each request forces at each step: its prefix, then FREE, then `eos` from its limit on."""
    limits = [limit_of(request) for request in requests]
    forced = np.full((len(requests), max(limits, default=0)), FREE, np.int64)
    for row, request, limit in zip(forced, requests, limits, strict=True):
        row[: len(request.prefix)] = request.prefix
        row[limit - 1 :] = eos
    return forced


class Beam(NamedTuple):
    """The unfinished hypotheses before a step: W for each of B sentences."""

    sentences: Ids  # (B,) which of the N sentences
    tokens: Ids  # (B, W, t) `bos` and the tokens so far
    sources: Ids  # (B, W, t - 1) the source position of each token
    log_probs: Totals  # (B, W)

    @classmethod
    def start(cls, sentences: int, bos: int) -> "Beam":
        """One hypothesis for each sentence, without tokens."""
        shape = (sentences, 1)
        return cls(np.arange(sentences), np.full((*shape, 1), bos), np.zeros((*shape, 0), np.int64), np.zeros(shape))

    @property
    def step(self) -> int:
        """The number t of the step, from 1 on; hypotheses have t - 1 tokens."""
        return int(self.tokens.shape[2])

    def extend(self, kept: Ids, candidates: "Candidates", source: Ids) -> tuple["Beam", Ids]:
        """The next beam: the candidates (B, K) of the sentences `kept` (B',); and the row (B', K) that each continues.

        `source` (B, W) is the source position of the token that continues each hypothesis.
        """
        parents, tokens = candidates.parents[kept], candidates.tokens[kept]
        at = kept[:, None], parents
        return Beam(
            self.sentences[kept],
            np.concatenate((self.tokens[at], tokens[:, :, None]), axis=2),
            np.concatenate((self.sources[at], source[at][:, :, None]), axis=2),
            candidates.log_probs[kept],
        ), kept[:, None] * self.tokens.shape[1] + parents


class Candidates(NamedTuple):
    """Hypotheses continued by one token: C for each of B sentences, best first."""

    parents: Ids  # (B, C) which of the W hypotheses is continued
    tokens: Ids  # (B, C) the next token
    log_probs: Totals  # (B, C), -inf: not allowed

    @classmethod
    def take(cls, tokens: Ids, totals: Totals, places: Ids) -> "Candidates":
        """Those at places (B, C), of W * C', of next tokens (B, W, C') and the totals (B, W, C') with them."""
        flat = len(tokens), -1
        return cls(
            places // tokens.shape[2],
            np.take_along_axis(tokens.reshape(flat), places, 1),
            np.take_along_axis(totals.reshape(flat), places, 1),
        )


def candidates_needed(config: SearchConfig, step: int) -> int:
    """How many continuations of each hypothesis a step reads.

    The K best others may all continue one hypothesis, behind its `eos` and, with a ban of n-grams, up to `step` banned
    tokens. Sampling reads the whole vocabulary.
    """
    if config.sample:
        return WHOLE_VOCABULARY
    return config.beam + 1 + (step if config.no_repeat_ngram else 0)


def constrain(
    beam: Beam, proposal: Proposal, forced: Ids, config: SearchConfig, eos: int
) -> tuple[Ids, NDArray[np.float64]]:
    """The tokens and log-probabilities (B, W, C) of the proposal, -inf where a token is not allowed.

    Where a token is forced (B, W), it is the first candidate of its hypothesis, and no other is allowed.
    """
    tokens, log_probs = proposal.tokens, proposal.log_probs.astype(np.float64)
    if beam.step <= config.min_length:
        log_probs[tokens == eos] = -np.inf
    if config.no_repeat_ngram:
        log_probs[repeats(beam.tokens[:, :, 1:], tokens, config.no_repeat_ngram)] = -np.inf
    if (only := forced != FREE).any():
        tokens = np.where(only[..., None], forced[..., None], tokens)
        log_probs[only] = -np.inf
        log_probs[only, 0] = proposal.target_log_probs[only]
    return tokens, log_probs


def repeats(prefixes: Ids, tokens: Ids, n: int) -> NDArray[np.bool_]:
    """Which tokens (B, W, C) complete an n-gram that their prefix (B, W, t) has already (Paulus et al. 2018)."""
    banned = np.zeros(tokens.shape, np.bool_)
    last = prefixes[:, :, prefixes.shape[2] - n + 1 :]
    for start in range(prefixes.shape[2] - n + 1):
        same = (prefixes[:, :, start : start + n - 1] == last).all(axis=2)  # (B, W)
        banned |= same[:, :, None] & (tokens == prefixes[:, :, start + n - 1, None])
    return banned


def best(totals: Totals, count: int) -> Ids:
    """The places (B, C) in W * C' of the `count` largest of totals (B, W, C'), best first; at a tie the earlier."""
    places: Ids = np.argsort(-totals.reshape(len(totals), -1), axis=1, kind="stable")[:, :count]
    return places


def draw(tokens: Ids, log_probs: LogProbs, temperature: float, rngs: Sequence[np.random.Generator]) -> Ids:
    """The place (B, 1) of one token of each sentence, drawn in proportion to p ** (1 / temperature).

    The largest of log p / temperature + a Gumbel number for each token (Maddison et al. 2014) is such a draw.
    """
    noise = np.stack([rng.gumbel(size=tokens.shape[2]) for rng in rngs])  # (B, V), by token: candidates may tie
    with np.errstate(over="ignore"):
        perturbed = log_probs[:, 0] / temperature + np.take_along_axis(noise, tokens[:, 0], 1)
    places: Ids = perturbed.argmax(1)[:, None]
    return places


def endings(beam: Beam, candidates: Candidates, config: SearchConfig, eos: int) -> Iterator[tuple[int, Hypothesis]]:
    """The hypotheses that end with `eos` and are among the K best of their sentence, each with its sentence."""
    ended = (candidates.tokens == eos) & np.isfinite(candidates.log_probs)
    ended[:, config.beam :] = False
    for b, c in zip(*ended.nonzero(), strict=True):
        parent, log_prob = candidates.parents[b, c], float(candidates.log_probs[b, c])
        tokens = beam.tokens[b, parent, 1:].tolist()
        ranked = score(log_prob, len(tokens) + 1, config.length_penalty, config.word_reward)
        yield int(beam.sentences[b]), Hypothesis(tokens, log_prob, ranked, beam.sources[b, parent].tolist())


def unfinished(candidates: Candidates, count: int, eos: int) -> Candidates:
    """The `count` best candidates that do not end; where there are fewer, others with a log-probability of -inf."""
    ended = candidates.tokens == eos
    order = np.argsort(ended, axis=1, kind="stable")[:, :count]
    parents, tokens = (np.take_along_axis(x, order, 1) for x in candidates[:2])
    return Candidates(parents, tokens, np.take_along_axis(np.where(ended, -np.inf, candidates.log_probs), order, 1))
