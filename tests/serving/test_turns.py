"""Law 16: whose turn it is depends on what others ask for by a bound that is stated."""

import itertools
import math
from collections.abc import Sequence

import pytest

from seq2seq.serving.tasks import Kind, Need
from seq2seq.serving.turns import BATCH, TURN, Turns

ONE, OTHER = ("a", "b", False), ("b", "a", False)


class Units:
    """A task of units with these costs."""

    def __init__(self, costs: Sequence[int], kind: Kind = ONE) -> None:
        self.kind, self.costs, self.done = kind, list(costs), False

    @property
    def waiting(self) -> bool:
        return not self.done and bool(self.costs)

    def begin_batch(self) -> None:
        pass

    def peek(self) -> Need | None:
        return Need(self, None, 0, None, None, self.costs[0]) if self.waiting else None  # type: ignore[arg-type]

    def pop(self) -> Need:
        need = self.peek()
        assert need
        del self.costs[0]
        return need


def batches(turns: Turns) -> list[list[Need]]:
    """All batches until nothing waits."""
    found = []
    while turns:
        found.append(turns.next_batch())
        assert found[-1]
    return found


def fill(turns: Turns, tasks: Sequence[tuple[str, Units]]) -> None:
    for client, task in tasks:
        turns.add(client, task)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("clients", "others", "cost", "kinds"), list(itertools.product([1, 2, 40], [0, 1, 9], [1, 60, TURN], [1, 2]))
)
def test_a_small_task_waits_for_at_most_the_stated_number_of_batches(
    clients: int, others: int, cost: int, kinds: int
) -> None:
    """However much the others ask for."""
    turns, small = Turns(), Units([9])
    for client, _, kind in itertools.product(range(clients), range(others), [ONE, OTHER][:kinds]):
        fill(turns, [(f"client {client}", Units([cost] * 100, kind))])
    fill(turns, [(f"client {clients - 1}", small)])
    bound = kinds * (others + 1) * math.ceil(clients * TURN / BATCH)
    for count in itertools.count(1):
        if any(need.task is small for need in turns.next_batch()):  # type: ignore[comparison-overlap]
            break
        assert count < bound, "it is not among the next batches"


@pytest.mark.parametrize("cost", [1, 7, 100, TURN - 1, TURN, BATCH, 3 * BATCH])
def test_a_batch_keeps_its_bounds_and_nothing_is_lost(cost: int) -> None:
    turns, tasks = Turns(), [Units([cost] * 50), Units([1] * 50), Units([1, cost] * 20), Units([9])]
    fill(turns, [(f"client {i % 2}", task) for i, task in enumerate(tasks)])
    total = sum(len(task.costs) for task in tasks)
    found = batches(turns)
    assert sum(map(len, found)) == total
    for batch in found:
        assert sum(need.cost for need in batch) <= BATCH or len(batch) == 1


def test_clients_share_equally_whatever_the_number_of_their_tasks() -> None:
    turns, one = Turns(), Units([64] * 1000)
    fill(turns, [("one", one), *(("many", Units([64] * 1000)) for _ in range(50))])
    costs = [(need.task is one, need.cost) for _ in range(20) for need in turns.next_batch()]  # type: ignore[comparison-overlap]
    mine = sum(cost for own, cost in costs if own)
    assert mine == sum(cost for _, cost in costs) / 2


def test_a_task_that_is_done_is_passed_over() -> None:
    turns, left = Turns(), Units([9] * 1000)
    fill(turns, [("a", left), ("a", Units([9])), ("b", Units([9]))])
    left.done = True
    assert [len(batch) for batch in batches(turns)] == [2]


def test_a_task_alone_has_longer_turns_until_it_has_company() -> None:
    turns = Turns()
    fill(turns, [("a", Units([64] * 10_000))])
    sizes = [len(turns.next_batch()) for _ in range(20)]
    assert sizes[0] == TURN // 64 and sizes[-1] == 4 * sizes[0]
    fill(turns, [("a", Units([9]))])
    assert len(turns.next_batch()) <= sizes[-1] + 1 and len(turns.next_batch()) == sizes[0]


def test_a_task_is_in_the_rotation_once() -> None:
    turns, twice, other = Turns(), Units([64] * 100), Units([64] * 100)
    fill(turns, [("a", twice), ("a", twice), ("a", other)])
    tasks = [need.task for need in turns.next_batch()]
    assert tasks.count(twice) == tasks.count(other)  # type: ignore[arg-type]
