"""The thread that translates: it takes batches in turns from the requests that wait, and gives each its results.

A batch changes no translation. A unit whose search fails fails alone; a request whose client left is dropped. Knows
neither HTTP nor what the segments come from.
"""

import asyncio
import logging
import threading
import traceback
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from seq2seq.segments.glossary import Terms
from seq2seq.segments.segment import Segment
from seq2seq.serving.limits import Limits, RefusedError
from seq2seq.serving.tasks import Cache, Key, Kind, Need, Task
from seq2seq.serving.turns import Turns
from seq2seq.translation.assembly import Candidate
from seq2seq.translation.search import Hypothesis
from seq2seq.translation.translator import LineTranslator
from seq2seq.translation.units import Unit

Direction = tuple[str, str]

NO_TERMS = Terms()
WIDE = 11  # beam for more alternatives than the models' own beams give

_log = logging.getLogger("seq2seq.serving")


class Waiting(NamedTuple):
    """A request that waits for its task."""

    client: str
    task: Task
    future: asyncio.Future[list[list[Candidate]]]
    loop: asyncio.AbstractEventLoop


class Worker:
    """The models, and the requests that wait for them.

    Args:
        translators: the model of each direction.
        limits: how much may wait.
    """

    def __init__(self, translators: Mapping[Direction, LineTranslator], limits: Limits) -> None:
        self.translators = dict[Kind, LineTranslator]()
        for (src, tgt), narrow in translators.items():
            config = replace(narrow.config, beam=max(WIDE, narrow.config.beam))
            wide = LineTranslator(narrow.bundle, config, narrow.batch_tokens)
            self.translators |= {(src, tgt, False): narrow, (src, tgt, True): wide}
        self.limits = limits
        self.characters = Counter[str]()  # that wait, of each client
        self.requests = Counter[str]()  # that wait, of each client
        self.batches = 0  # that were translated
        self._cache, self._turns = Cache(), Turns()
        self._arrived, self._wake, self._ended = deque[Waiting](), threading.Event(), False
        self._tasks = dict[int, Waiting]()  # by the identity of the task
        self._thread = threading.Thread(target=self._run, name="translations", daemon=True)

    # ---- called in the thread of the event loop ----------------------------------------------------------------------

    def start(self) -> None:
        """Begin to translate."""
        self._thread.start()

    def end(self) -> None:
        """Stop after the batch that is being translated."""
        self._ended = True
        self._wake.set()
        self._thread.join()

    async def translate(
        self,
        client: str,
        kind: Kind,
        segments: Sequence[Segment],
        most: int,
        alignments: bool = False,
        terms: Terms = NO_TERMS,
    ) -> list[list[Candidate]]:
        """Wait for at most so many candidates of each segment, best first; a blank one has none.

        Raises:
            RefusedError: too much waits already (503), or translating a segment failed (500).
        """
        size = sum(len(segment.text) + 1 for segment in segments)
        self._check_room(client, size)
        loop = asyncio.get_running_loop()
        translator = self.translators[kind]
        if alignments or terms:  # each unit holds its own terms
            bundle = translator.bundle._replace(terms=terms)
            alignments = alignments and translator.bundle.engine.aligns
            translator = LineTranslator(bundle, translator.config, alignments=alignments)
        task = Task(kind, translator, segments, most, self._cache)
        waiting = Waiting(client, task, loop.create_future(), loop)
        self.characters[client] += size
        self.requests[client] += 1
        try:
            self._arrived.append(waiting)
            self._wake.set()
            return await waiting.future
        finally:
            task.cancelled = True
            for counter, count in ((self.characters, size), (self.requests, 1)):
                counter[client] -= count
                if not counter[client]:
                    del counter[client]

    def _check_room(self, client: str, size: int) -> None:
        most, mine = self.limits.waiting_characters, self.characters[client]
        if (mine and mine + size > most // 2) or self.requests[client] >= self.limits.waiting_requests:
            raise RefusedError(503, "too much of yours waits already; try again when some of it is answered", 5)
        if self.characters.total() + size > most:
            raise RefusedError(503, "too many requests wait; try again later", 5)

    # ---- called in the thread that translates ------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait()
            self._wake.clear()
            while not self._ended and self._try_step():
                pass

    def _try_step(self) -> bool:
        """`step`; an unforeseen failure ends all requests that wait, and not the thread."""
        try:
            return self.step()
        except Exception as failure:
            report(failure)
            self._turns = Turns()
            for waiting in self._tasks.values():
                waiting.task.failure = waiting.task.failure or failure
            self._deliver()
            return True

    def step(self) -> bool:
        """Translate one batch; returns whether anything may be left to do."""
        while self._arrived:
            waiting = self._arrived.popleft()
            self._tasks[id(waiting.task)] = waiting
            self._turns.add(waiting.client, waiting.task)
        waited = bool(self._turns)
        needs = self._turns.next_batch()
        last = [need for need in needs if not need.task.waiting]
        for group in (last, [need for need in needs if need.task.waiting]):  # what is complete now does not wait
            if group:
                self._search(group)
            self._deliver()
        return waited

    def _search(self, needs: Sequence[Need]) -> None:
        """Search for the units, each different one once, and give the hypotheses to their tasks."""
        by_key = dict[Key, list[Need]]()
        for need in needs:
            by_key.setdefault(need.key, []).append(need)
        units = [same[0].unit for same in by_key.values()]
        found = searched(self.translators[needs[0].task.kind], units)
        self.batches += 1
        for (key, same), hypotheses in zip(by_key.items(), found, strict=True):
            if not isinstance(hypotheses, Exception):
                self._cache.put(key, hypotheses)
            for need in same:
                need.task.give(need, hypotheses)
                if need.task.waiting:  # perhaps again, since the segment needs another search
                    self._turns.add(self._tasks[id(need.task)].client, need.task)

    def _deliver(self) -> None:
        """Give the results of the tasks that are done to the requests that wait for them."""
        done = [waiting for waiting in self._tasks.values() if waiting.task.done]
        for waiting in done:
            del self._tasks[id(waiting.task)]
            if waiting.task.failure and not waiting.task.cancelled:
                report(waiting.task.failure)
        for loop in {waiting.loop for waiting in done}:
            loop.call_soon_threadsafe(_set_results, [waiting for waiting in done if waiting.loop is loop])


def searched(translator: LineTranslator, units: Sequence[Unit]) -> list[list[Hypothesis] | Exception]:
    """The hypotheses of each unit, or the failure of its search alone."""
    try:
        return list(translator.search(units))
    except Exception as failure:
        if len(units) == 1:
            return [failure]
    half = len(units) // 2
    return [*searched(translator, units[:half]), *searched(translator, units[half:])]


def report(failure: Exception) -> None:
    """Log a failure that is no mistake of the user: its type and place, but not its message, which may hold text."""
    _log.error("%s at\n%s", type(failure).__name__, "".join(traceback.format_tb(failure.__traceback__)))


def _set_results(done: Sequence[Waiting]) -> None:
    for waiting in done:
        if waiting.future.done():  # its client left
            continue
        if waiting.task.failure:
            waiting.future.set_exception(RefusedError(500, "the translation failed; the server's log says where"))
        else:
            waiting.future.set_result(waiting.task.results)
