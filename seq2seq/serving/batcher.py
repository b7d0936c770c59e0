"""The request queue of a model: lines that arrive while the model is busy are translated together next.

A batch changes no translation, so each line is translated as it would be alone. First come, first served: the lines of
all requests wait in one queue of any length. Knows neither HTTP nor which request a line comes from.
"""

import asyncio
from typing import NamedTuple

from seq2seq.translation.translator import LineTranslator, Translation

MAX_LINES = 64  # lines that are translated at once


class Waiting(NamedTuple):
    """A line in the queue, and the future of its candidates."""

    line: str
    candidates: asyncio.Future[list[Translation]]


class Batcher:
    """A model and the queue of lines that wait for it."""

    def __init__(self, translator: LineTranslator) -> None:
        self.translator = translator
        self.queue: asyncio.Queue[Waiting] = asyncio.Queue()

    async def translate(self, lines: list[str]) -> list[list[Translation]]:
        """Wait for the candidates of each line, best first; an empty line has none.

        Raises:
            Exception: what translating the lines raised.
        """
        loop = asyncio.get_running_loop()
        waiting = [Waiting(line, loop.create_future()) for line in lines]
        for item in waiting:
            self.queue.put_nowait(item)
        return await asyncio.gather(*(item.candidates for item in waiting))

    async def run(self) -> None:
        """Translate the lines in the queue, until cancelled."""
        while True:
            batch = await self._next_batch()
            try:
                results = await asyncio.to_thread(self._translate_batch, [item.line for item in batch])
            except Exception as e:
                for item in batch:
                    if not item.candidates.done():
                        item.candidates.set_exception(e)
            else:
                for item, candidates in zip(batch, results, strict=True):
                    if not item.candidates.done():  # cancelled if the client is gone
                        item.candidates.set_result(candidates)

    async def _next_batch(self) -> list[Waiting]:
        """Wait for a line, and take what else is in the queue, up to MAX_LINES."""
        batch = [await self.queue.get()]
        while len(batch) < MAX_LINES and not self.queue.empty():
            batch.append(self.queue.get_nowait())
        return batch

    def _translate_batch(self, lines: list[str]) -> list[list[Translation]]:
        return list(self.translator.stream(lines, lambda message: None))
