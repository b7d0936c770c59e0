"""A request's segments on their way through a model, a few at a time, and a bounded cache of what was searched for.

A segment gives units: sentences, or parts of long ones. So a segment of any size is translated in small portions, and
its candidates are those of `LineTranslator.stream`. Knows neither threads nor other requests.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

from seq2seq.segments.segment import Segment
from seq2seq.translation.assembly import Candidate
from seq2seq.translation.phrase_text import Wish
from seq2seq.translation.search import Hypothesis
from seq2seq.translation.translator import LineTranslator, Steps
from seq2seq.translation.units import Unit

MOST_READ = 2000  # characters of segments that a task reads for one batch, unless one segment is longer
SEGMENT_COST = 40  # characters that take as long to read as a segment by itself

EMPTY = Segment("")

Kind = tuple[str, str, bool]  # the languages translated from and to, and whether the beam is wide
Key = tuple[Kind, tuple[int, ...], tuple[int, ...], Wish]  # all that hypotheses depend on


class Cache:
    """The hypotheses of units that were searched for last; a key holds the unit itself."""

    def __init__(self, most: int = 5000) -> None:
        self.most = most  # units
        self._found: OrderedDict[Key, list[Hypothesis]] = OrderedDict()

    def get(self, key: Key) -> list[Hypothesis] | None:
        """The hypotheses; None if they are not there."""
        if key in self._found:
            self._found.move_to_end(key)
        return self._found.get(key)

    def put(self, key: Key, hypotheses: list[Hypothesis]) -> None:
        """Keep the hypotheses, and drop those that were not asked for longest."""
        self._found[key] = hypotheses
        if len(self._found) > self.most:
            self._found.popitem(last=False)


class Stage:
    """A segment between two steps of its translation: units whose hypotheses are waited for."""

    def __init__(self, steps: Steps, row: int) -> None:
        self.steps, self.row = steps, row  # the row of the segment in its task
        self.hypotheses: list[list[Hypothesis]] = []
        self.missing = 0


class Need(NamedTuple):
    """A unit to search for, for one place of a task."""

    task: "Task"
    stage: Stage
    place: int
    unit: Unit
    key: Key
    cost: int  # source tokens, EOS counted, times the width of the beam


class Task:
    """The segments of a request.

    Args:
        kind: in which direction, and how, they are translated.
        translator: the model for it.
        segments: the segments.
        most: candidates of each segment that are wanted.
        cache: hypotheses of units.
    """

    def __init__(
        self, kind: Kind, translator: LineTranslator, segments: Sequence[Segment], most: int, cache: Cache
    ) -> None:
        self.kind, self.translator, self.segments, self.most, self.cache = kind, translator, segments, most, cache
        self.results: list[list[Candidate]] = [[] for _ in segments]
        self.left = len(segments)  # segments without a result
        self.failure: Exception | None = None
        self.cancelled = False  # nobody waits for the results
        self._next = self._read = 0  # the next segment; characters that were read for this batch
        self._needs = deque[Need]()

    @property
    def done(self) -> bool:
        """Whether nothing is left to do, or nobody waits for it."""
        return self.cancelled or self.failure is not None or not self.left

    @property
    def waiting(self) -> bool:
        """Whether there is something to search for, or to read."""
        return not self.done and (bool(self._needs) or self._next < len(self.segments))

    def begin_batch(self) -> None:
        """A batch begins: segments may be read again."""
        self._read = 0

    def peek(self) -> Need | None:
        """The next unit to search for; None if there is none in this batch."""
        while not self.done:
            if self._needs:
                need = self._needs[0]
                if (found := self.cache.get(need.key)) is None:
                    return need
                self._needs.popleft()
                self.give(need, found)
            elif self._next < len(self.segments) and self._read < MOST_READ:
                row, self._next = self._next, self._next + 1
                if self.segments[row] == EMPTY:  # it has no candidates
                    self.left -= 1
                    self._read += 1
                    continue
                self._read += len(self.segments[row].text) + SEGMENT_COST
                self._advance(Stage(self.translator.steps(self.segments[row], self.most), row), None)
            else:
                return None
        return None

    def pop(self) -> Need:
        """Take the next unit; `peek` returned it."""
        return self._needs.popleft()

    def give(self, need: Need, found: list[Hypothesis] | Exception) -> None:
        """Give the task the hypotheses of a unit that it needs, or the failure of its search."""
        if isinstance(found, Exception):
            self.failure = found
            return
        need.stage.hypotheses[need.place] = found
        need.stage.missing -= 1
        if not need.stage.missing and not self.done:
            self._advance(need.stage, need.stage.hypotheses)

    def _advance(self, stage: Stage, hypotheses: list[list[Hypothesis]] | None) -> None:
        """Go on with a segment until it needs further units, or has its candidates."""
        try:
            units = next(stage.steps) if hypotheses is None else stage.steps.send(hypotheses)
            while not units:
                units = stage.steps.send([])
        except StopIteration as end:
            [self.results[stage.row]] = end.value
            self.left -= 1
        except Exception as failure:
            self.failure = failure
        else:
            stage.hypotheses, stage.missing = [[] for _ in units], len(units)
            for place, unit in enumerate(units):
                key = self.kind, tuple(unit.ids), tuple(unit.required), unit.wish
                cost = (len(unit.ids) + 1) * self.translator.config.beam
                self._needs.append(Need(self, stage, place, unit, key, cost))
