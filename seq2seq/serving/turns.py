"""Whose turn it is: batches of units from waiting tasks, so that a large request goes on in turns with small ones.

Round robin over clients, and over the tasks of a client; kinds of tasks take turns as well, since a batch is of one
kind. Costs are source tokens times beam width. A turn costs at most TURN, a batch at most BATCH, unless one unit costs
more (deficit round robin, Shreedhar and Varghese 1995, without deficits: a turn is never overdrawn by more than that).

In a batch each task has one turn. It goes on to further tasks only while each client that waits has one, so clients
have equal shares. So of one of C clients with R tasks each task has a turn in one of the next
R * ceil(C * TURN / BATCH) batches of its kind, whatever the others hold; with K kinds, in K times as many. A task that
was alone for a while has several turns at once: short turns would make it slower, and hurt nobody by being long.

Padding is not counted: the search groups units by length, and pads at most `batch_tokens` of a translator at once.
Knows neither threads nor models.
"""

from collections import Counter, OrderedDict, deque

from seq2seq.serving.tasks import Kind, Need, Task

TURN, BATCH = 160, 5120
ALONE, TURNS_ALONE = 8, 4  # batches that a task was alone for, and the turns that it has in one after these


class Batch:
    """Units that are searched for together."""

    def __init__(self) -> None:
        self.needs: list[Need] = []
        self.cost = 0
        self.full = False

    def take_turn(self, task: Task) -> bool:
        """Take units of a task for one turn; returns whether there were any, and room for one."""
        share, before = TURN, len(self.needs)
        while need := task.peek():
            if self.needs and self.cost + need.cost > BATCH:
                self.full = True
                break
            if need.cost > share < TURN:
                break
            self.needs.append(task.pop())
            self.cost += need.cost
            share -= need.cost
        return len(self.needs) > before


class Turns:
    """The tasks that wait, in the order in which they have their turns."""

    def __init__(self) -> None:
        self._kinds: OrderedDict[Kind, OrderedDict[str, deque[Task]]] = OrderedDict()
        self._tasks, self._alone = set[Task](), 0

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def add(self, client: str, task: Task) -> None:
        """A task of a client waits; nothing changes if it does already."""
        if task in self._tasks:
            return
        self._tasks.add(task)
        self._kinds.setdefault(task.kind, OrderedDict()).setdefault(client, deque()).append(task)

    def next_batch(self) -> list[Need]:
        """The units to search for next. It may be empty though a task waits: then segments were read, and all known."""
        if not self._kinds:
            return []
        kind = next(iter(self._kinds))
        clients, batch = self._kinds.pop(kind), Batch()
        most = TURNS_ALONE if self._alone >= ALONE else 1
        turns, resting = Counter[Task](), list[tuple[str, Task]]()  # resting: has nothing to search for in this batch
        while clients and not batch.full and all(turns[tasks[0]] < most for tasks in clients.values()):
            for client in list(clients):
                tasks = clients[client]
                task = tasks.popleft()
                if not turns[task]:
                    task.begin_batch()
                taken = batch.take_turn(task)
                if batch.full and not taken:
                    tasks.appendleft(task)
                    break
                turns[task] += 1
                clients.move_to_end(client)
                if not task.waiting:
                    self._tasks.remove(task)
                elif taken:
                    tasks.append(task)
                else:
                    resting.append((client, task))
                if not tasks:
                    del clients[client]
        for client, task in resting:
            clients.setdefault(client, deque()).append(task)
        if clients:
            self._kinds[kind] = clients
        self._alone = self._alone + 1 if len(turns.keys() | self._tasks) == 1 else 0
        return batch.needs
