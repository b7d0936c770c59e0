"""Requests beside one another: the same translations, failures alone, nothing for a client that left, bounded rooms."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from reversal_task import reversals

from seq2seq.segments.segment import Segment
from seq2seq.serving.limits import Limits, RefusedError
from seq2seq.serving.tasks import MOST_READ, SEGMENT_COST, Cache, Task
from seq2seq.serving.turns import BATCH
from seq2seq.serving.worker import Worker
from seq2seq.translation.search import Hypothesis
from seq2seq.translation.translator import LineTranslator
from seq2seq.translation.units import Unit

DIRECTION = ("digits", "stigid")
NARROW = (*DIRECTION, False)
LINES = [pair.src for pair in reversals(30, seed=11)]


class Watched(LineTranslator):
    """Keeps the numbers of units of each search, and fails at a unit of 7 tokens if it is told to."""

    fails = False

    def search(self, units: Sequence[Unit]) -> list[list[Hypothesis]]:
        self.sizes.append(len(units))
        if self.fails and any(len(unit.ids) == 7 for unit in units):
            raise RuntimeError("text of a " + "user")
        return super().search(units)


@pytest.fixture
def watched(reverser: LineTranslator) -> Watched:
    translator = Watched(reverser.bundle, reverser.config, alignments=True)
    translator.sizes = []  # type: ignore[attr-defined]
    return translator


def served(worker: Worker, work: Callable[[], Any]) -> Any:
    """The result of a coroutine beside the worker."""

    async def run() -> Any:
        worker.start()
        try:
            return await work()
        finally:
            await asyncio.to_thread(worker.end)

    return asyncio.run(run())


def texts(candidates: Sequence[Any]) -> list[list[str]]:
    return [[each.segment.text for each in found] for found in candidates]


def test_requests_beside_one_another_are_translated_as_if_alone(watched: Watched, reverser: LineTranslator) -> None:
    long = " ".join(random.Random(3).choices("0123456789", k=600))
    everything = [*LINES, "", long, f"{LINES[0]} ", long[:99]]
    expected = [[c.text for c in found] for found in reverser.stream(everything, lambda message: None)]
    worker = Worker({DIRECTION: watched}, Limits())

    async def ask() -> list[Any]:
        rows = [everything[i::7] for i in range(7)]
        return await asyncio.gather(
            *(worker.translate(f"client {i % 3}", NARROW, list(map(Segment, row)), 9) for i, row in enumerate(rows))
        )

    answers = served(worker, ask)
    for i, answer in enumerate(answers):
        assert texts(answer) == expected[i::7]
    assert len(watched.sizes) < len(everything)  # type: ignore[attr-defined]
    assert not worker.characters and not worker.requests


def test_a_unit_that_fails_fails_alone(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    bad = "1 2 3 4 5 6 7"
    assert len(watched.bundle.src_tokenizer.encode([bad])[0]) == 7
    good = [line for line in LINES if len(watched.bundle.src_tokenizer.encode([line])[0]) != 7]
    expected = watched.translate(good)
    watched.fails = True
    worker = Worker({DIRECTION: watched}, Limits())

    async def ask() -> list[Any]:
        requests = [[line] for line in [*good[:9], bad, *good[9:]]]
        return await asyncio.gather(
            *(worker.translate("one", NARROW, list(map(Segment, each)), 9) for each in requests), return_exceptions=True
        )

    answers = served(worker, ask)
    failure = answers.pop(9)
    assert isinstance(failure, RefusedError) and failure.status == 500
    assert [texts(answer)[0][0] for answer in answers] == expected
    assert (
        "RuntimeError" in caplog.text and "text of a user" not in caplog.text and "text of a user" not in str(failure)
    )


def test_an_unforeseen_failure_does_not_end_the_thread(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker({DIRECTION: watched}, Limits())

    async def ask() -> list[Any]:
        with monkeypatch.context() as patch:
            patch.setattr(worker, "_search", None)
            with pytest.raises(RefusedError) as refused:
                await worker.translate("one", NARROW, [Segment("3 1")], 1)
        assert refused.value.status == 500
        return await worker.translate("one", NARROW, [Segment("3 1")], 1)

    assert texts(served(worker, ask)) == [watched.translate(["3 1"])]


def test_work_for_a_client_that_left_is_dropped(watched: Watched) -> None:
    worker = Worker({DIRECTION: watched}, Limits())

    async def ask() -> int:
        segments = [Segment(" ".join(random.Random(i).choices("0123456789", k=20))) for i in range(3000)]
        leaving = asyncio.ensure_future(worker.translate("one", NARROW, segments, 9))
        while not worker.batches:
            await asyncio.sleep(0.01)
        leaving.cancel()
        await worker.translate("two", NARROW, [Segment("3 1")], 9)
        done = worker.batches
        await asyncio.sleep(0.2)
        assert worker.batches == done
        return done

    assert served(worker, ask) < 20
    assert not worker.characters


def test_a_repeated_unit_is_searched_for_once(watched: Watched) -> None:
    worker = Worker({DIRECTION: watched}, Limits())

    async def ask() -> list[Any]:
        first = await worker.translate("one", NARROW, [Segment("3 1")] * 500, 9)
        return [first, await worker.translate("two", NARROW, [Segment("3 1")], 9)]

    many, one = served(worker, ask)
    assert many == one * 500
    assert watched.sizes == [1]  # type: ignore[attr-defined]


def test_the_cache_is_bounded_and_compares_whole_units() -> None:
    cache = Cache(most=3)
    for i in range(5):
        cache.put((NARROW, (i,), ()), [])
    assert [cache.get((NARROW, (i,), ())) for i in range(5)] == [None, None, [], [], []]
    assert cache.get((("a", "b", False), (4,), ())) is None and cache.get((NARROW, (4,), (1,))) is None


def test_what_waits_is_bounded_and_nobody_takes_the_others_room(watched: Watched) -> None:
    worker = Worker({DIRECTION: watched}, Limits(waiting_characters=400, waiting_requests=3))

    async def ask() -> None:
        def begin(client: str, size: int) -> asyncio.Future[Any]:
            return asyncio.ensure_future(worker.translate(client, NARROW, [Segment("1" * size)], 9))

        begun = [begin("one", 99), begin("one", 99)]
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match="yours"):  # half of the room is the most
            await begin("one", 99)
        begun += [begin("two", 99), begin("three", 20)]
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match="too many") as refused:
            await begin("four", 99)
        assert refused.value.status == 503 and refused.value.retry_after
        begun += [begin("five", 0) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match="yours"):
            await begin("five", 0)
        for future in begun:
            future.cancel()

    asyncio.run(ask())


def test_a_huge_segment_is_translated_in_turns(watched: Watched) -> None:
    """A text without spaces gives units that are taken a few at a time; it is read in time that grows with its size."""
    task = Task(NARROW, watched, [Segment("1 " * 3000)], 9, Cache())
    taken = 0
    while need := task.peek():
        assert need.cost <= (watched.bundle.longest + 1) * watched.config.beam
        task.pop()
        taken += need.cost
    assert taken > BATCH


def test_reading_is_done_in_turns(watched: Watched) -> None:
    task = Task(NARROW, watched, [Segment(" ")] * 2000, 9, Cache())
    turns = 0
    while task.waiting:
        task.begin_batch()
        assert task.peek() is None
        turns += 1
    assert turns >= 2000 * SEGMENT_COST / MOST_READ and task.results == [[]] * 2000
