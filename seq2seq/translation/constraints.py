"""What translations must hold, and must not, at each step of a search: which candidates are allowed, and in which turn.

A hypothesis cannot end before it holds every required token and every wanted phrase as often as its request says, and
it is never continued by what would complete an avoided phrase, or leave too little room for what it lacks. Of a
hypothesis that lacks something, the next token of it is always a candidate. The beam is shared among the candidates by
the number of tokens that they lack (Hokamp & Liu 2017; Post & Vilar 2018), for a whole batch at once (Hu et al. 2019).
A sentence without constraints is searched as if there were none.

Axes as in `search`; R wanted phrases of a sentence.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seq2seq.translation.beam import FREE, Candidates, Ids, Mask
from seq2seq.translation.loops import LONGEST, Weights
from seq2seq.translation.phrase_text import Wish
from seq2seq.translation.phrases import Phrases
from seq2seq.translation.required import NONE, Required, first_of

LogProbs = NDArray[np.float64]

# By how many nats candidates are thought worse, where they are compared with others for a place in the beam.
TOKEN_COST = 2.0  # for each token of a wanted phrase that is lacking
STRAY = 4.0  # for each token that translates a term of the source otherwise
RISK = 4.0  # for an avoided phrase, unless its last word goes on
_MOST_BARRED = 8  # tokens that go on with avoided phrases
_LATE = 1e4  # for going on where the hypothesis would end


class Asked(Protocol):
    """What is asked for one sentence: a `seq2seq.translation.search.Request`."""

    @property
    def required(self) -> Sequence[int]:
        """Tokens that a translation has once."""

    @property
    def wish(self) -> Wish:
        """Phrases that a translation has, or does not have."""


class Vocabulary(NamedTuple):
    """What constraints need to know of the target tokens."""

    reserved: Sequence[int] = ()  # tokens that stand in a translation only if its request requires them
    phrases: Phrases | None = None  # the phrases of the requests
    loops: Weights | None = None  # weights of the tokens (V,), if no translation may hold a loop; see `loops`


class Progress(NamedTuple):
    """How far hypotheses are with their wanted phrases."""

    states: Ids  # (B, W) of `Phrases`
    held: Ids  # (B, W, R) how often each phrase is complete
    strayed: Ids  # (B, W) tokens that translate something else where the source has a term


class Lacking(NamedTuple):
    """What the hypotheses before a step lack."""

    sentences: Ids  # (B,) which of the N sentences
    step: int  # the number of the step, from 1 on
    required: Ids  # (B, W, R') tokens, NONE for one that is held
    target: Ids  # (B, W) the next token of what is lacking, or NONE
    tokens: Ids  # (B, W) how many tokens of wanted phrases are lacking


class Options(NamedTuple):
    """The candidates of a step."""

    tokens: Ids  # (B, W, C)
    log_probs: LogProbs  # (B, W, C), -inf: not allowed
    order: LogProbs  # (B, W, C) added to the total where candidates are compared
    groups: Ids  # (B, W, C) among which the beam is shared
    late: Mask  # (B, W, C) which have a turn after all others, since their hypothesis would have ended


class Constraints:
    """The constraints of N sentences.

    Args:
        requests: of the sentences.
        limits: the most tokens of a translation of each, `eos` included.
        vocabulary: the target tokens.
        eos: the token that ends a translation.
    """

    def __init__(self, requests: Sequence[Asked], limits: Sequence[int], vocabulary: Vocabulary, eos: int) -> None:
        self.limits, self.eos, self.phrases = np.array(limits, np.int64), eos, vocabulary.phrases
        self.loops = vocabulary.loops
        self.required = Required.of([request.required for request in requests], vocabulary.reserved)
        wishes = [request.wish for request in requests]
        width = max([1, *(len(wish.wanted) for wish in wishes)])
        self.wanted, self.counts = np.zeros((2, len(requests), width), np.int64)  # (N, R) phrases, and how often
        self.lists = np.zeros(len(requests), np.int64)  # (N,) of avoided phrases
        places = [[place for term in wish.terms for place in term.positions] for wish in wishes]
        last = max([0, *(place for each in places for place in each)])
        self.terms = np.zeros((len(requests), last + 2), np.bool_)  # (N, S) positions of terms
        if self.phrases is not None:
            for row, wish in enumerate(wishes):
                self.lists[row] = self.phrases.lists[wish.avoided]
                self.terms[row, places[row]] = True
                for at, (phrase, count) in enumerate(wish.wanted):
                    self.wanted[row, at], self.counts[row, at] = self.phrases.numbers[phrase], count
        self.wants = np.array([len(wish.wanted) > 0 for wish in wishes], np.bool_)  # (N,)
        self.avoids = np.array([len(wish.avoided.phrases) > 0 for wish in wishes], np.bool_)  # (N,)

    @property
    def shares(self) -> bool:
        """Whether the beam is shared among groups."""
        return bool(self.required.tokens.size) or self.phrases is not None

    @property
    def most_barred(self) -> int:
        """How many of the best candidates of a hypothesis may not be allowed, as a rule."""
        most = len(self.required.reserved) + (0 if self.phrases is None else _MOST_BARRED)
        return most + (0 if self.loops is None else LONGEST)

    def start(self) -> Progress:
        """The progress of one hypothesis without tokens for each sentence."""
        count, width = self.wanted.shape
        state = 0 if self.phrases is None else self.phrases.start
        held, strayed = np.zeros((count, 1, width), np.int64), np.zeros((count, 1), np.int64)
        return Progress(np.full((count, 1), state), held, strayed)

    def extend(self, progress: Progress, lacking: Lacking, kept: Ids, candidates: Candidates, source: Ids) -> Progress:
        """The progress after candidates (B, K) of the sentences `kept` (B',).

        `source` (B, W) is the source position of the token that continues each hypothesis.
        """
        parents, tokens = candidates.parents[kept], candidates.tokens[kept]
        at, sentences = (kept[:, None], parents), lacking.sentences[kept]
        if self.phrases is None:
            return progress._replace(strayed=progress.strayed[at])
        states, events = self.phrases.step(progress.states[at], tokens)
        held = progress.held[at] + self.phrases.completed(events[..., None], self.wanted[sentences][:, None])
        strays = self._strays(sentences, source[at], self._tokens(sentences, states, held), lacking.tokens[at])
        return Progress(states, held, progress.strayed[at] + strays)

    def lacking(self, sentences: Ids, hypotheses: Ids, progress: Progress) -> Lacking:
        """What the hypotheses (B, W, t) of the sentences (B,) lack."""
        required = self.required.lacking(sentences, hypotheses)
        target, count = first_of(required), np.zeros_like(progress.states)
        if self.phrases is not None:
            count = self._tokens(sentences, progress.states, progress.held)
            wanted = self.wanted[sentences][:, None]  # (B, 1, R)
            lacks = self._lacks(sentences, progress.states, progress.held) > 0  # (B, W, R)
            # The phrase that has come furthest, or else the first.
            furthest = np.where(lacks, 1 + self.phrases.credit(progress.states[..., None], wanted), 0).argmax(2)
            chosen = np.take_along_axis(self.wanted[sentences], furthest, 1)  # (B, W)
            target = np.where(lacks.any(2), self.phrases.token(progress.states, chosen), target)
        return Lacking(sentences, hypotheses.shape[2], required, target, count)

    def urgent(self, lacking: Lacking, progress: Progress, best: Ids, samples: bool) -> Mask:
        """Which hypotheses (B, W) can continue with nothing but their target.

        Args:
            lacking: of the hypotheses.
            progress: of the hypotheses.
            best: the most probable token of each.
            samples: whether tokens are drawn.
        """
        if not self.shares:
            return np.zeros_like(best, np.bool_)
        count, ends = (lacking.required != NONE).sum(2), best == self.eos
        phrases = self.wants[lacking.sentences][:, None]  # they are urged by `options`
        room = self.limits[lacking.sentences][:, None] - lacking.step
        urgent: Mask = (count > 0) & ~phrases & (ends | (count >= room))
        if self.phrases is None or not samples:
            return urgent
        _, events = self.phrases.step(progress.states, np.maximum(lacking.target, 0))
        allowed = ~self.phrases.violates(events, self.lists[lacking.sentences][:, None])
        urgent |= ends & phrases & (lacking.target != NONE) & allowed
        return urgent

    def options(
        self, lacking: Lacking, progress: Progress, tokens: Ids, log_probs: LogProbs, forced: Ids, source: Ids
    ) -> Options:
        """The candidates (B, W, C), with those that are not allowed at -inf.

        Args:
            lacking: of the hypotheses.
            progress: of the hypotheses.
            tokens: of all candidates; the target of each hypothesis is among them.
            log_probs: of the tokens.
            forced: (B, 1) the token that a hypothesis continues with whatever it lacks, or FREE.
            source: (B, W) the source position of the token that continues each hypothesis.
        """
        if not self.shares and not self.required.reserved.size:
            none = np.zeros_like(tokens)
            return Options(tokens, log_probs, np.zeros_like(log_probs), none, none.astype(np.bool_))
        expected = (tokens[..., None] == lacking.required[:, :, None]).any(3)
        needed = (lacking.required != NONE).sum(2)[..., None] - expected  # (B, W, C) tokens that are lacking then
        ends = tokens == self.eos
        barred = np.isin(tokens, self.required.reserved) & ~expected
        if self.phrases is None:
            barred |= ends & (needed > 0)
            late = np.zeros_like(barred)
            return Options(tokens, np.where(barred, -np.inf, log_probs), np.zeros_like(log_probs), needed, late)
        of_phrases, violates, risks = self._by_phrases(self.phrases, lacking, progress, tokens)
        needed += of_phrases
        target, room = lacking.target[..., None], self.limits[lacking.sentences][:, None, None] - lacking.step - 1
        phrases = self.wants[lacking.sentences][:, None, None]
        short = (ends & (needed > 0)) | ((phrases | risks) & ~ends & (needed + risks > room) & (tokens != target))
        barred |= (short | violates) & (forced == FREE)[..., None]
        late = phrases & (target != NONE) & ends[:, :, :1] & np.ones_like(ends)
        strays = self._strays(lacking.sentences, source[..., None], of_phrases, lacking.tokens[..., None])
        strayed = progress.strayed[..., None] + (strays & ~ends)
        order = -TOKEN_COST * of_phrases - STRAY * strayed - RISK * risks - _LATE * (late & (tokens != target))
        return Options(tokens, np.where(barred, -np.inf, log_probs), order, 2 * needed + risks, late)

    def _by_phrases(
        self, phrases: Phrases, lacking: Lacking, progress: Progress, tokens: Ids
    ) -> tuple[Ids, Mask, Mask]:
        """Of candidates (B, W, C): tokens of wanted phrases that they lack; whether they complete an avoided phrase;
        and whether they do so if their last word ends here.
        """
        wanted = self.wanted[lacking.sentences][:, None, None]  # (B, 1, 1, R)
        lists = self.lists[lacking.sentences][:, None, None]
        states, events = phrases.step(progress.states[..., None], tokens)
        held = progress.held[:, :, None] + phrases.completed(events[..., None], wanted)  # (B, W, C, R)
        needed = self._tokens(lacking.sentences, states, held)
        _, at_end = phrases.step(states, np.array(self.eos))
        ends = tokens == self.eos
        return needed, phrases.violates(events, lists), phrases.violates(at_end, lists) & ~ends

    def _strays(self, sentences: Ids, source: Ids, after: Ids, before: Ids) -> Mask:
        """Whether a token translates a term of the source, but goes on with no wanted phrase.

        Args:
            sentences: (B,).
            source: (B, ...) the source position of each token.
            after, before: (B, ...) how many tokens of phrases are lacking after it, and before it.
        """
        at = np.minimum(source, self.terms.shape[1] - 1)  # the last of these is no term
        rows = sentences.reshape(-1, *(1,) * (source.ndim - 1))
        strays: Mask = self.terms[rows, at] & (after >= before)
        return strays

    def _tokens(self, sentences: Ids, states: Ids, held: Ids) -> Ids:
        """How many tokens of wanted phrases hypotheses (B, ...) lack; arguments as for `_lacks`."""
        assert self.phrases is not None
        lacks = self._lacks(sentences, states, held)
        wanted = _spread(self.wanted[sentences], states.ndim + 1)
        credit = np.where(lacks > 0, self.phrases.credit(states[..., None], wanted), 0).max(-1)
        tokens: Ids = (lacks * self.phrases.full[wanted]).sum(-1) - credit
        return tokens

    def _lacks(self, sentences: Ids, states: Ids, held: Ids) -> Ids:
        """How often hypotheses (B, ...) in these states, that hold each phrase (B, ..., R) so often, lack it."""
        assert self.phrases is not None
        wanted, counts = (_spread(table[sentences], states.ndim + 1) for table in (self.wanted, self.counts))
        lacks: Ids = np.maximum(0, counts - held - self.phrases.pending(states[..., None], wanted))
        return lacks


def _spread(table: Ids, axes: int) -> Ids:
    """A table (B, R) as an array (B, 1, .., R) of so many axes."""
    return table.reshape(len(table), *(1,) * (axes - 2), table.shape[1])
