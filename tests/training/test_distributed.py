"""Ranks share the translating of validations, and notice that they have read different texts."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch.distributed as dist
from reversal_task import begin, chosen, corpus

from seq2seq.errors import InputError
from seq2seq.training import validation
from seq2seq.training.distributed import ProcessGroup

T = TypeVar("T")


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[ProcessGroup], T]], list[T]]:
    """Calls a function with each rank of a group, whose ranks are threads; returns the results."""

    def run(count: int, function: Callable[[ProcessGroup], T]) -> list[T]:
        barrier, given, results = threading.Barrier(count, timeout=30), [None] * count, dict[int, T]()

        def gather(parts: list[Any], own: Any) -> None:
            given[int(threading.current_thread().name)] = own
            barrier.wait()
            parts[:] = given
            barrier.wait()

        def call(rank: int) -> None:
            results[rank] = function(ProcessGroup(rank, count))

        monkeypatch.setattr(dist, "all_gather_object", gather)
        threads = [threading.Thread(target=call, args=(rank,), name=str(rank)) for rank in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [results[rank] for rank in range(count)]

    return run


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_all_ranks_have_the_results_of_all_in_order_and_none_is_computed_twice(together: Any, count: int) -> None:
    computed = list[int]()

    def squares(items: Sequence[int]) -> list[int]:
        assert items
        computed.extend(items)
        return [item * item for item in items]

    expected = [i * i for i in range(7)]
    assert together(count, lambda ranks: ranks.share_out(range(7), squares)) == [expected] * count
    assert sorted(computed) == list(range(7))


@pytest.mark.parametrize("count", [2, 11])
def test_ranks_score_the_translations_of_one(
    tmp_path: Path, together: Any, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eleven: more than there are dev pairs."""
    scored = list[list[str]]()

    def score(translations: list[str], *rest: Any) -> Any:
        scored.append(translations)
        return real(translations, *rest)

    real = validation.score
    monkeypatch.setattr(validation, "score", score)
    trainers = [begin(tmp_path, chosen(), corpus(60, 8)) for _ in range(count)]
    weights = {name: 3 * weight for name, weight in trainers[0].weights.items()}  # of confident predictions
    alone = trainers[0].validator.validate(weights)
    assert len(set(scored[0])) > 4

    def validate(ranks: ProcessGroup) -> Any:
        validator = trainers[ranks.rank].validator
        validator.dev = {direction: dev._replace(process_group=ranks) for direction, dev in validator.dev.items()}
        return validator.validate(weights)

    for scores in together(count, validate):
        assert scores.loss == pytest.approx(alone.loss, rel=1e-6)
    assert scored == [scored[0]] * (1 + count)


def test_a_rank_that_has_read_another_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = begin(tmp_path, chosen(), corpus(60, 8))
    trainer.process_group = ProcessGroup(1, 2)
    monkeypatch.setattr(ProcessGroup, "broadcast_object", lambda self, make: "the text of rank 0")
    with pytest.raises(InputError, match="rank 1 has read another text than rank 0"):
        trainer.run(quiet=True)
