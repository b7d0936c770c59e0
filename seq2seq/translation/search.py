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
from seq2seq.errors import InputError
from seq2seq.translation.beam import (
    FREE,
    Beam,
    Candidates,
    Ids,
    LogProbs,
    best,
    best_of_each,
    draw,
    repeats,
    unfinished,
    with_target,
)
from seq2seq.translation.constraints import (
    STRAY,
    Constraints,
    Lacking,
    Options,
    Progress,
    Vocabulary,
)
from seq2seq.translation.loops import completes
from seq2seq.translation.phrase_text import Wish

PLAIN = Vocabulary()  # without constraints
WHOLE_VOCABULARY = 2**31  # a number of candidates above any vocabulary's size
SAMPLES = 30  # that are drawn of each sentence where others choose among them (Eikema & Aziz 2020)


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
        2.0,
        "most tokens of a translation: max_ratio * source tokens + max_extra, or min_length if that is more",
        low=0.0,
        high=100.0,
    )
    max_extra: int = setting(10, "tokens that max_ratio's limit allows in addition", low=1, high=10_000)
    max_length: int = setting(0, "most tokens of a translation of any source; 0: no such limit", low=0, high=100_000)
    min_length: int = setting(0, "fewest tokens of a translation", low=0, high=100_000)
    no_repeat_ngram: int = setting(0, "no n-gram of this length occurs twice in a translation; 0: no ban", low=0)
    sample: float = setting(
        0.0, "temperature T: sample `beam` translations, each token from p ** (1 / T); 0: search", low=0
    )
    seed: int = setting(1, "seed of sampling", low=0, high=2**31)

    def __post_init__(self) -> None:
        if 0 < self.max_length < self.min_length:
            raise InputError(
                f"min_length {self.min_length} is above max_length {self.max_length}; lower one, or raise the other"
            )

    def limit(self, source_tokens: int) -> int:
        """The most tokens, `eos` included, of a translation of a source of this length; the fewest must fit."""
        limit = max(int(self.max_ratio * source_tokens) + self.max_extra, self.min_length + 1)
        return min(limit, self.max_length + 1) if self.max_length else limit


class Request(NamedTuple):
    """What is requested for one sentence."""

    limit: int  # most tokens of a translation, `eos` included
    prefix: Sequence[int] = ()  # the first tokens of every translation; a long prefix raises the limit
    required: Sequence[int] = ()  # tokens that every translation has once; all different
    wish: Wish = Wish()  # phrases that every translation has, or no translation


class Hypothesis(NamedTuple):
    """A finished translation."""

    tokens: list[int]  # without `eos`
    log_prob: float  # nats, of the tokens and `eos`
    score: float  # what translations are ranked by, see `score`
    sources: list[int]  # for each token the source position before EOS with the largest attention weight


class Proposal(NamedTuple):
    """The continuations of each hypothesis that an engine proposes. Log-probabilities are in nats."""

    tokens: Ids  # (B, W, C) the most probable next tokens, best first
    log_probs: LogProbs  # (B, W, C)
    target_log_probs: LogProbs  # (B, W) of the target token
    source: Ids  # (B, W) the source position before EOS with the largest attention weight


class State(Protocol):
    """An engine's state of W hypotheses for each of B sentences."""

    def select(self, rows: Ids) -> Self:
        """The state of rows (B', W'), where row b * W + w is hypothesis w of sentence b.

        Each of the B' lines holds hypotheses of one sentence, repeats allowed. Sentences keep their order.
        """


S = TypeVar("S", bound=State)
# Last token of each hypothesis (B, W), target tokens (B, W), state, C -> proposal of at most C candidates, next state.
Propose = Callable[[Ids, Ids, S, int], tuple[Proposal, S]]


Number = TypeVar("Number", float, NDArray[np.float64])


def score(log_prob: Number, length: int, penalty: float, reward: float) -> Number:
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
    rngs: "Sequence[np.random.Generator]" = (),
    vocabulary: Vocabulary = PLAIN,
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
        vocabulary: what constraints need to know of it.
    """
    finished: list[list[Hypothesis]] = [[] for _ in requests]
    counts = np.zeros(len(requests), np.int64)  # of `finished`
    limits = [limit_of(request, vocabulary) for request in requests]
    schedule, beam = forced_tokens(requests, limits, eos), Beam.start(len(requests), bos)
    constraints = Constraints(requests, limits, vocabulary, eos)
    progress = constraints.start()
    while len(beam.sentences):
        forced = schedule[beam.sentences, beam.step - 1][:, None]  # (B, 1)
        lacking = constraints.lacking(beam.sentences, beam.tokens, progress)
        upcoming = np.where(forced == FREE, lacking.target, forced)  # (B, W)
        targets = np.where(upcoming == FREE, eos, upcoming)
        step = Step(beam, forced, lacking, progress)
        count = candidates_needed(config, beam.step, constraints)
        proposal, after = propose(beam.tokens[:, :, -1], targets, state, count)
        options = step.options(proposal, constraints, config)
        if constraints.phrases is not None and step.stuck(options, constraints).any():
            wide, _ = propose(beam.tokens[:, :, -1], targets, state, WHOLE_VOCABULARY)
            options = step.freed(options, wide, constraints, config)
        totals = beam.log_probs[:, :, None] + options.log_probs  # (B, W, C)
        if config.sample:
            places = draw(options.tokens, options.log_probs, config.sample, [rngs[i] for i in beam.sentences.tolist()])
        elif constraints.shares:
            places = best_of_each(totals + options.order, options.groups, options.late, 2 * config.beam)
        else:
            places = best(totals, 2 * config.beam)
        candidates = Candidates.take(options.tokens, totals, places)
        for sentence, hypothesis in endings(beam, candidates, config, eos, progress.strayed):
            finished[sentence].append(hypothesis)
            counts[sentence] += 1
        others, full = unfinished(candidates, config.beam, eos), counts[beam.sentences] >= config.beam
        kept = np.flatnonzero(~(full | np.isneginf(others.log_probs).all(1)))  # at its limit a sentence has no others
        progress = constraints.extend(progress, lacking, kept, others, proposal.source)
        beam, rows = beam.extend(kept, others, proposal.source)
        state = after.select(rows) if len(rows) else after
    return [sorted(hypotheses, key=lambda h: -h.score)[: config.beam] for hypotheses in finished]


def limit_of(request: Request, vocabulary: Vocabulary) -> int:
    """The most tokens of a translation, `eos` included, with room for the prefix and what it must hold."""
    phrases, needed = vocabulary.phrases, len(request.required)
    if phrases is not None:
        needed += sum(int(phrases.full[phrases.numbers[phrase]]) * count for phrase, count in request.wish.wanted)
    return max(request.limit, len(request.prefix) + needed + 1)


def forced_tokens(requests: Sequence[Request], limits: Sequence[int], eos: int) -> Ids:
    """The token (N, T) that each request forces at each step: its prefix, then FREE, then `eos` from its limit on."""
    forced = np.full((len(requests), max(limits, default=0)), FREE, np.int64)
    for row, request, limit in zip(forced, requests, limits, strict=True):
        row[: len(request.prefix)] = request.prefix
        row[limit - 1 :] = eos
    return forced


class Step(NamedTuple):
    """What is known before an engine's proposal."""

    beam: Beam
    forced: Ids  # (B, 1) the token that the request forces, or FREE
    lacking: Lacking
    progress: Progress

    def options(
        self, proposal: Proposal, constraints: Constraints, config: SearchConfig, free: bool = False
    ) -> Options:
        """The candidates of a proposal; with `free`, whatever phrases the sentences have."""
        best = proposal.tokens[:, :, 0]
        urgent = constraints.urgent(self.lacking, self.progress, best, samples=config.sample > 0)
        forced = np.where((self.forced == FREE) & urgent, self.lacking.target, self.forced)  # (B, W)
        tokens, log_probs = constrain(self.beam, proposal, forced, config, constraints)
        target = np.where(forced == FREE, self.lacking.target, FREE)
        if (target != FREE).any():
            tokens, log_probs = with_target(tokens, log_probs, target, proposal.target_log_probs)
        forced = np.zeros_like(self.forced) if free else self.forced
        return constraints.options(self.lacking, self.progress, tokens, log_probs, forced, proposal.source)

    def stuck(self, options: Options, constraints: Constraints) -> NDArray[np.bool_]:
        """Which of the sentences (B,) have no candidate that their phrases allow."""
        totals = self.beam.log_probs[:, :, None] + options.log_probs
        sentences = self.beam.sentences
        has_phrases = constraints.wants[sentences] | constraints.avoids[sentences]
        stuck: NDArray[np.bool_] = np.isneginf(totals).all((1, 2)) & has_phrases & (self.forced[:, 0] == FREE)
        return stuck

    def freed(self, options: Options, wide: Proposal, constraints: Constraints, config: SearchConfig) -> Options:
        """The options, where none was allowed those of a wide proposal; where none of these is, whatever is wished."""
        options = self.widened(options, self.options(wide, constraints, config), self.stuck(options, constraints))
        stuck = self.stuck(options, constraints)
        return self.widened(options, self.options(wide, constraints, config, free=True), stuck)

    def widened(self, options: Options, wide: Options, stuck: NDArray[np.bool_]) -> Options:
        """The options, with those of a wider proposal for the sentences that are stuck."""
        width = options.tokens.shape[2]
        for whole, part in zip(wide, options, strict=True):
            whole[~stuck, :, :width] = part[~stuck]
        wide.log_probs[~stuck, :, width:] = -np.inf
        return wide


def candidates_needed(config: SearchConfig, step: int, constraints: Constraints) -> int:
    """How many continuations of each hypothesis a step reads.

    The K best others may all continue one hypothesis, behind its `eos` and, with a ban of n-grams, up to `step` banned
    tokens. Sampling reads the whole vocabulary.
    """
    if config.sample:
        return WHOLE_VOCABULARY
    return config.beam + 1 + (step if config.no_repeat_ngram else 0) + constraints.most_barred


def constrain(
    beam: Beam, proposal: Proposal, forced: Ids, config: SearchConfig, constraints: Constraints
) -> tuple[Ids, NDArray[np.float64]]:
    """The tokens and log-probabilities (B, W, C) of the proposal, -inf where a token is not allowed.

    Where a token is forced (B, W), it is the first candidate of its hypothesis, and no other is allowed.
    """
    tokens, log_probs = proposal.tokens, proposal.log_probs.astype(np.float64)
    if beam.step <= config.min_length:
        log_probs[tokens == constraints.eos] = -np.inf
    if config.no_repeat_ngram:
        log_probs[repeats(beam.tokens[:, :, 1:], tokens, config.no_repeat_ngram)] = -np.inf
    if constraints.loops is not None and beam.step > 1:
        log_probs[completes(beam.tokens[:, :, 1:], tokens, constraints.loops)] = -np.inf
    if (only := forced != FREE).any():
        tokens = np.where(only[..., None], forced[..., None], tokens)
        log_probs[only] = -np.inf
        log_probs[only, 0] = proposal.target_log_probs[only]
    return tokens, log_probs


def endings(
    beam: Beam, candidates: Candidates, config: SearchConfig, eos: int, strayed: Ids
) -> Iterator[tuple[int, Hypothesis]]:
    """The hypotheses that end with `eos` and are among the K best of their sentence, each with its sentence.

    For ranking them, STRAY is taken from the log-probability for each of the tokens that `strayed` (B, W) counts.
    """
    ended = (candidates.tokens == eos) & np.isfinite(candidates.log_probs)
    ended[:, config.beam :] = False
    sentences, places = ended.nonzero()
    if not len(sentences):
        return
    at = sentences, candidates.parents[sentences, places]
    log_probs = candidates.log_probs[sentences, places]
    ranked = score(log_probs - STRAY * strayed[at], beam.step, config.length_penalty, config.word_reward)
    columns = beam.sentences[sentences], beam.tokens[at][:, 1:], log_probs, ranked, beam.sources[at]
    for sentence, *fields in zip(*(column.tolist() for column in columns), strict=True):
        yield sentence, Hypothesis(*fields)
