"""The weights of rescoring that score best on dev: exact line searches, one weight after another (Och 2003).

Along one weight the total of each hypothesis is a straight line, so the best hypothesis of a unit changes at few points
only. Between two of them the score of dev is constant; the best of all such intervals is taken. An optimiser that sees
the score at single points alone would be lost on so many steps.

This module knows neither files nor metrics: `Objective` says how translations are scored.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seq2seq.segments.segment import Segment
from seq2seq.translation.rescoring import Rescoring, Table
from seq2seq.translation.translator import LineTranslator
from seq2seq.translation.units import Unit

HIGHEST, LONGEST = 10.0, 5.0  # of a rescorer's weight, and of the length's, which may be negative
ROUNDS = 10  # over all weights, at most
_NARROW = 1e-5  # no interval of weights is tried that is narrower
_GAIN = 1e-9  # of the score, that counts as one
_DIGITS = 4  # of weights, where the interval is wide enough

Floats = NDArray[np.float64]


class Objective(Protocol):
    """A metric of a corpus that is a function of sums over its sentences."""

    def statistics(self, hyp: str, ref: str) -> Floats:
        """What a translation adds to the sums."""

    def value(self, sums: Floats) -> float:
        """The score of a corpus; higher is better."""


class Tuned(NamedTuple):
    """The weights that were found, and what they gain on dev."""

    weights: Floats  # (1 + R,) of the length and of each rescorer
    value: float  # the objective with these weights
    before: float  # the objective without rescoring
    texts: list[str]  # the translations with these weights


class Dev:
    """The dev lines with the hypotheses of their units, which are searched for and scored once.

    Args:
        translator: the model, without rescoring.
        rescoring: the models; their weights are not used.
        lines: one line each.
        refs: their references.
        objective: the metric.
    """

    def __init__(
        self,
        translator: LineTranslator,
        rescoring: Rescoring,
        lines: Sequence[str],
        refs: Sequence[str],
        objective: Objective,
    ) -> None:
        self.translator, self.rescoring, self.lines, self.refs = translator, rescoring, lines, refs
        self.objective = objective
        self.known = dict[tuple[int, ...], Table]()
        units = [next(translator.steps(Segment(line))) for line in lines]
        self._learn([unit for of_line in units for unit in of_line])
        self.tables = [[self.known[_key(unit)] for unit in of_line] for of_line in units]
        self.scored: list[dict[bytes, tuple[str, Floats]]] = [{} for _ in lines]  # by the order of the hypotheses

    def _learn(self, units: Sequence[Unit]) -> None:
        """Find and score the hypotheses of units that are not known."""
        new = list({_key(unit): unit for unit in units if _key(unit) not in self.known}.values())
        tables = self.rescoring.tables(new, self.translator.search(new))
        self.known |= zip(map(_key, new), tables, strict=True)

    def translation(self, line: int, weights: Floats) -> tuple[str, Floats]:
        """The translation of a line by these weights, and its statistics."""
        orders = [np.argsort(-table.totals(weights), kind="stable") for table in self.tables[line]]
        key = b"".join(order.tobytes() for order in orders) + (weights[1:] > 0).tobytes()
        if key not in self.scored[line]:
            text = self._translated(line, weights)
            self.scored[line][key] = text, self.objective.statistics(text, self.refs[line])
        return self.scored[line][key]

    def _translated(self, line: int, weights: Floats) -> str:
        steps, beam = self.translator.steps(Segment(self.lines[line]), 1), self.translator.config.beam
        units = next(steps)
        try:
            while True:
                self._learn(units)
                units = steps.send([self.known[_key(unit)].ranked(weights)[:beam] for unit in units])
        except StopIteration as end:
            [candidates] = end.value
            return candidates[0].segment.text if candidates else ""

    def value(self, weights: Floats) -> float:
        """The objective of all lines by these weights."""
        return self.objective.value(np.sum([self.translation(i, weights)[1] for i in range(len(self.lines))], axis=0))

    def best_along(self, weights: Floats, number: int, low: float, high: float) -> float:
        """The value of one weight, between `low` and `high`, with the best objective; of several the lowest.

        It is the middle of an interval in which no unit's best hypothesis changes.
        """
        at = weights.copy()
        at[number] = (low + high) / 2  # so that the weight counts as one
        events = list[tuple[float, int]]()
        for line, tables in enumerate(self.tables):
            for table in tables:
                totals = table.totals(at)
                used = np.isfinite(totals)
                slopes = table.features[used, number]
                events += [(w, line) for w in crossings(totals[used] - at[number] * slopes, slopes, low, high)]
        events.sort()
        ends = [low, *(w for w, _ in events), high]
        waiting, found = set(range(len(self.lines))), (-np.inf, low)
        parts, total = [np.zeros(0)] * len(self.lines), np.zeros(1)
        for step, (start, end) in enumerate(pairwise(ends)):
            if step:
                waiting.add(events[step - 1][1])
            if end - start < _NARROW:
                continue
            at[number] = middle(start, end)
            for line in sorted(waiting):
                _, new = self.translation(line, at)
                total = total + new - (parts[line] if len(parts[line]) else 0)
                parts[line] = new
            waiting.clear()
            if (value := self.objective.value(total)) > found[0] + _GAIN:
                found = value, at[number]
        return found[1]


def _key(unit: Unit) -> tuple[int, ...]:
    """What the hypotheses of a unit depend on."""
    return *unit.ids, -1, *unit.prefix, -1, *unit.required


def middle(start: float, end: float) -> float:
    """The middle of an interval, with few digits if that is inside."""
    exact = (start + end) / 2
    rounded = round(exact, _DIGITS)
    return rounded if start < rounded < end else exact


def crossings(totals: Floats, slopes: Floats, low: float, high: float) -> list[float]:
    """Where between `low` and `high` the largest of the lines totals + w * slopes becomes another, in order."""
    result, w = list[float](), low
    best = max(range(len(totals)), key=lambda i: (totals[i] + w * slopes[i], slopes[i]))
    while True:
        steeper = np.flatnonzero(slopes > slopes[best])
        if not len(steeper):
            return result
        at = (totals[best] - totals[steeper]) / (slopes[steeper] - slopes[best])
        w = float(at.min())
        if w >= high:
            return result
        result.append(max(w, low))
        reached = steeper[at <= w]
        best = int(reached[slopes[reached].argmax()])


def tune(dev: Dev, start: Floats) -> Tuned:
    """The weights that one weight after another, each at its best, lead to, from none and from `start` (1 + R,).

    They are at least as good on dev as no rescoring. The weight of the length is left at 0 where it changes nothing.
    """
    zero = np.zeros(len(start))
    before = dev.value(zero)
    bounds = [(-LONGEST, LONGEST), *[(0.0, HIGHEST)] * (len(start) - 1)]
    if dev.translator.config.length_penalty == 1:
        bounds[0] = 0.0, 0.0
    best, value = zero, before
    for weights in (zero, start):
        found, reached = _ascended(dev, weights, bounds)
        if reached > value + _GAIN:
            best, value = found, reached
    return Tuned(best, value, before, [dev.translation(line, best)[0] for line in range(len(dev.lines))])


def _ascended(dev: Dev, weights: Floats, bounds: Sequence[tuple[float, float]]) -> tuple[Floats, float]:
    """The weights after changing one at a time as long as that gains, and their objective."""
    value = dev.value(weights)
    for _ in range(ROUNDS):
        before = value
        for number, (low, high) in enumerate(bounds):
            if low == high:
                continue
            for w in (0.0, dev.best_along(weights, number, low, high)):
                changed = weights.copy()
                changed[number] = w
                if (reached := dev.value(changed)) > value + _GAIN:
                    weights, value = changed, reached
        if value <= before + _GAIN:
            break
    return weights, value
