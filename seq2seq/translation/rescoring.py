r"""Rescoring: other models score the n best hypotheses of a unit, and the weighted sum ranks them.

    total(y) = score(y) + length |y| ** (1 - a) + sum over the rescorers i of w_i log p_i / n_i ** a

Here `score` is the search's own, a its length penalty, and n_i the number of tokens that rescorer i predicts, EOS
counted. A rescorer of the model's direction has log p_i(y | x); one of the other direction log p_i(x | y), which is a
noisy channel (Yee et al. 2019). log p_i is found by teacher forcing, of the texts as rescorer i's tokenizer divides
them. A rescorer of the model's direction also adds its own n best to the list (Liu et al. 2016), with the model's
score; it may write from right to left (Sennrich et al. 2016), but then adds nothing to what begins with a prefix.

This module knows neither files nor how weights are found.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.errors import InputError
from seq2seq.segments.keeping import Keeping
from seq2seq.segments.pieces import is_piece, piece
from seq2seq.text.directions import listed
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.consensus import Consensus
from seq2seq.translation.search import Hypothesis, SearchConfig
from seq2seq.translation.translator import LineTranslator
from seq2seq.translation.unit_search import UnitSearch
from seq2seq.translation.units import Unit

Floats = NDArray[np.float64]


class Rescorer(NamedTuple):
    """A model that scores hypotheses of another."""

    name: str  # for messages
    bundle: Bundle  # in the direction in which it scores
    weight: float  # 0 or more
    channel: bool  # it scores the source, given the translation

    @classmethod
    def of(cls, name: str, bundle: Bundle, weight: float, model: Bundle) -> "Rescorer":
        """The rescorer of a model, in the model's direction or the other one; if it knows both, in the other one.

        Raises:
            InputError: it knows neither, or reads text in another way than the model.
        """
        direction = model.src, model.tgt
        chosen = next((way for way in (direction[::-1], direction) if way in bundle.known), None)
        if chosen is None:
            raise InputError(
                f"--rescore {name} translates {listed(bundle.known)}, not {listed([direction])} or back; "
                "give a model of these languages"
            )
        if _way(bundle) != _way(model):
            raise InputError(
                f"--rescore {name} reads text in another way than the model: {_way(bundle)}, not {_way(model)}; give "
                "a model that was trained with the same settings [text] and tokenizer.placeholders"
            )
        return cls(name, bundle.toward(chosen), weight, chosen != direction)


def _way(bundle: Bundle) -> str:
    """What texts of a unit depend on, as messages name it."""
    version, pieces = (how.normalisation, how.pieces) if (how := bundle.reading) else (0, 0)
    return f"normalisation {version} and {pieces} placeholders"


class Table(NamedTuple):
    """The hypotheses of a unit with what ranks them: H hypotheses, R rescorers."""

    hypotheses: list[Hypothesis]  # the model's own, best first, and then those that rescorers added
    features: Floats  # (H, 1 + R) what the length weight and the weight of each rescorer multiply
    log_probs: Floats  # (H, R) log p_i, nats
    origins: NDArray[np.bool_]  # (H, 1 + R) whether the model, and each rescorer, found it

    def totals(self, weights: Floats) -> Floats:
        """The score (H,) of each by weights (1 + R,); -inf where only rescorers without a weight found it."""
        scores = np.array([hypothesis.score for hypothesis in self.hypotheses])
        active = np.concatenate([[True], weights[1:] > 0])
        totals: Floats = scores + (self.features * weights).sum(1)
        return np.where(self.origins[:, active].any(1), totals, -np.inf)

    def ranked(self, weights: Floats) -> list[Hypothesis]:
        """The hypotheses with these scores, best first; equal ones in the order that they stand in."""
        totals = self.totals(weights)
        order = np.argsort(-totals, kind="stable")
        return [self.hypotheses[i]._replace(score=float(totals[i])) for i in order if math.isfinite(totals[i])]


class Rescoring:
    """Ranks the hypotheses of a model by the weighted sum of the module's docstring, or by consensus among them.

    Args:
        bundle: the model.
        config: settings of the search; the rescorers that add hypotheses search by them, too.
        rescorers: the models.
        length: weight of the length.
        consensus: see `seq2seq.translation.consensus`; None: the sum ranks.
        batch_tokens: most tokens of a batch; changes no result.
    """

    def __init__(
        self,
        bundle: Bundle,
        config: SearchConfig,
        rescorers: Sequence[Rescorer],
        length: float = 0.0,
        consensus: Consensus | None = None,
        batch_tokens: int = 1024,
    ) -> None:
        self.bundle, self.config, self.rescorers, self.consensus = bundle, config, rescorers, consensus
        self.weights = np.array([length, *(rescorer.weight for rescorer in rescorers)])
        self.unit_search = UnitSearch(bundle, config, batch_tokens)
        self.models = [  # samples of several models are drawn with different numbers
            LineTranslator(rescorer.bundle, replace(config, seed=config.seed + number), batch_tokens)
            for number, rescorer in enumerate(rescorers, 1)
        ]

    def __repr__(self) -> str:
        """Names everything that translations depend on."""
        models = [(rescorer.name, rescorer.weight) for rescorer in self.rescorers]
        return f"Rescoring({models}, length={self.weights[0]}, {self.consensus})"

    def __call__(self, units: Sequence[Unit], found: list[list[Hypothesis]]) -> list[list[Hypothesis]]:
        """The hypotheses of each unit, best first, at most as many as the beam is wide.

        Their scores are the weighted sums, or the expected utilities. `found` are those of the model's search.
        """
        tables = self.tables(units, found)
        if self.consensus:
            return [self._by_consensus(table, self.consensus)[: self.config.beam] for table in tables]
        return [table.ranked(self.weights)[: self.config.beam] for table in tables]

    def _by_consensus(self, table: Table, consensus: Consensus) -> list[Hypothesis]:
        """The hypotheses with different texts, ranked by their expected utilities."""
        ranked = np.argsort(-table.totals(self.weights), kind="stable")
        texts = [self._text(table.hypotheses[i]) for i in ranked]
        shares = np.full(len(ranked), 1 / len(ranked))
        if not self.config.sample:
            log_probs = np.array([hypothesis.log_prob for hypothesis in table.hypotheses])
            log_probs = (log_probs + (table.log_probs * self.weights[1:]).sum(1))[ranked]
            shares = np.exp(log_probs - log_probs.max())
            shares /= shares.sum()
        places = consensus.ranked(texts, shares)
        return [table.hypotheses[ranked[place]]._replace(score=expected) for place, expected in places]

    # ---- the table ---------------------------------------------------------------------------------------------------

    def tables(self, units: Sequence[Unit], found: list[list[Hypothesis]]) -> list[Table]:
        """The hypotheses of each unit, those that rescorers add among them, with what ranks them."""
        if not units:
            return []
        sources = self._sources(units)
        pools, origins = self._pools(units, sources, found)
        texts = [[self._text(h) for h in pool] for pool in pools]
        pairs = [(source, text) for source, of_unit in zip(sources, texts, strict=True) for text in of_unit]
        penalty = self.config.length_penalty
        lengths = [len(h.tokens) + 1 for pool in pools for h in pool]
        columns, log_probs = [[math.pow(n, 1 - penalty) for n in lengths]], list[list[float]]()
        for rescorer, model in zip(self.rescorers, self.models, strict=True):
            scored = _scored(model, [pair[::-1] for pair in pairs] if rescorer.channel else pairs)
            log_probs.append([log_prob for log_prob, _ in scored])
            columns.append([log_prob / math.pow(length, penalty) for log_prob, length in scored])
        features, raw = np.array(columns).T, np.array(log_probs).T.reshape(len(pairs), len(self.rescorers))
        ends = np.cumsum([len(pool) for pool in pools])[:-1]
        split = zip(pools, np.split(features, ends), np.split(raw, ends), origins, strict=True)
        return [Table(*each) for each in split]

    def _sources(self, units: Sequence[Unit]) -> list[str]:
        """The source text of each unit."""
        lead = len(self.bundle.lead)
        return [self.bundle.src_tokenizer.decode(unit.ids[lead:]) for unit in units]

    def _pools(
        self, units: Sequence[Unit], sources: Sequence[str], found: list[list[Hypothesis]]
    ) -> tuple[list[list[Hypothesis]], list[NDArray[np.bool_]]]:
        """The hypotheses of each unit, the model's own first; and which models found them, see `Table.origins`.

        A translation that several models found stands in the list once; samples stand in it as often as drawn.
        """
        pools = [list(hypotheses) for hypotheses in found]
        finders = [[{0} for _ in pool] for pool in pools]
        for number, (rescorer, model) in enumerate(zip(self.rescorers, self.models, strict=True), 1):
            if rescorer.channel:
                continue
            others = self._others(model, units, sources)
            places = [{self._text(h): i for i, h in reversed(list(enumerate(pool)))} for pool in pools]
            new = [
                [text for text in dict.fromkeys(texts) if text not in known]
                for texts, known in zip(others, places, strict=True)
            ]
            scored = self._forced(units, new)
            for row, texts in enumerate(others):
                for text in texts:
                    place = places[row].get(text)
                    if place is not None and not self.config.sample:
                        finders[row][place].add(number)
                    elif place is not None or text in scored[row]:
                        pools[row].append(scored[row][text] if place is None else pools[row][place])
                        finders[row].append({number})
        models = range(len(self.rescorers) + 1)
        return pools, [np.array([[model in each for model in models] for each in names]) for names in finders]

    def _text(self, hypothesis: Hypothesis) -> str:
        return self.bundle.tgt_tokenizer.decode(hypothesis.tokens)

    def _others(self, model: LineTranslator, units: Sequence[Unit], sources: Sequence[str]) -> list[list[str]]:
        """The translations that another model of this direction finds, or samples, for each unit."""
        own, other = self.bundle.tgt_tokenizer, model.bundle.tgt_tokenizer
        prefixes = other.encode([own.decode(unit.prefix) for unit in units])
        requests, result = dict[int, Unit](), [list[str]() for _ in units]
        encoded = zip(units, model.bundle.src_tokenizer.encode(sources), prefixes, strict=True)
        for row, (unit, ids, prefix) in enumerate(encoded):
            if model.bundle.right_to_left and (prefix or unit.wish.wanted or unit.wish.avoided.phrases):
                continue  # it writes the prefix last, and phrases are followed from left to right
            required = [other.placeholders[own.placeholders.index(token)] for token in unit.required]
            wish = unit.wish._replace(terms=())  # positions of the model's own tokens
            ids = [*model.bundle.lead, *ids]
            requests[row] = unit._replace(ids=ids, prefix=prefix, required=required, wish=wish)
        for row, hypotheses in zip(requests, model.search(list(requests.values())), strict=True):
            result[row] = [other.decode(h.tokens) for h in hypotheses]
        return result

    def _forced(self, units: Sequence[Unit], texts: Sequence[Sequence[str]]) -> list[dict[str, Hypothesis]]:
        """The hypothesis of each text, as the model scores it, where its search could have found it."""
        tokens = [self.bundle.tgt_tokenizer.encode(of_unit) for of_unit in texts]
        found = self.unit_search.forced(units, tokens)
        return [{text: h for text, h in zip(*each, strict=True) if h} for each in zip(texts, found, strict=True)]


def _scored(model: LineTranslator, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
    """log p(b | a) of each pair (a, b) of texts of units, in nats, and the number of tokens of b, EOS counted."""
    bundle, different = model.bundle, list(dict.fromkeys(pairs))
    if not pairs:
        return []
    src, tgt = zip(*(renumbered(*pair) for pair in different), strict=True)
    how = bundle.reading and replace(bundle.reading, keeping=Keeping(nothing=True))  # what is kept are pieces already
    sides = model.encoded(src, tgt, how)
    scored = zip(model.token_log_probs(*sides), (len(ids) + 1 for ids in sides[1]), strict=True)
    by_pair = dict(zip(different, scored, strict=True))
    return [by_pair[pair] for pair in pairs]


def renumbered(src: str, tgt: str) -> tuple[str, str]:
    """The pair with its numbered pieces in the order in which the source has them, as in training."""
    order = dict.fromkeys(letter for letter in src + tgt if is_piece(letter))
    table = str.maketrans({letter: piece(number) for number, letter in enumerate(order)})
    return src.translate(table), tgt.translate(table)
