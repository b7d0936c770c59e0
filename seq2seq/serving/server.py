"""A translation server: LibreTranslate's interface for programs, and a page for people that speaks it.

    GET  /           the page
    GET  /languages  [{"code": "en", "name": "en", "targets": ["de"]}, ..]
    POST /translate  {"q": TEXT or [TEXT, ..], "source": "en", "target": "de", "alternatives": N, "alignments": true}
                     -> {"translatedText": .., "alternatives": [..], "alignments": [..]}, a list of each for a list
    GET  /health     {"status": "ok"}

A text is translated line by line. A failure is {"error": WHAT}. Lines that come while a model is busy are translated
together next, and since a batch changes nothing, each as it would be alone.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from seq2seq.errors import InputError
from seq2seq.translation.translator import LineTranslator, Translation

LARGEST = 100_000  # bytes of a request
TOGETHER = 64  # lines that are translated at once, at most

Direction = tuple[str, str]  # the languages that a model translates from and to
Answer = asyncio.Future[list[Translation]]


class Batcher:
    """A model, and the lines that wait for it."""

    def __init__(self, translator: LineTranslator) -> None:
        self.translator = translator
        self.waiting: asyncio.Queue[tuple[str, Answer]] = asyncio.Queue()

    async def candidates(self, lines: list[str]) -> list[list[Translation]]:
        """The candidates of each line, best first; an empty line has none."""
        answers: list[Answer] = [asyncio.get_running_loop().create_future() for _ in lines]
        for each in zip(lines, answers, strict=True):
            self.waiting.put_nowait(each)
        return await asyncio.gather(*answers)

    async def work(self) -> None:
        """Translate what waits, for good."""
        while True:
            some = [await self.waiting.get()]
            while len(some) < TOGETHER and not self.waiting.empty():
                some.append(self.waiting.get_nowait())
            try:
                found = await asyncio.to_thread(self._translated, [line for line, _ in some])
            except Exception as e:
                for _, answer in some:
                    if not answer.done():
                        answer.set_exception(e)
            else:
                for (_, answer), candidates in zip(some, found, strict=True):
                    if not answer.done():  # who asked may be gone
                        answer.set_result(candidates)

    def _translated(self, lines: list[str]) -> list[list[Translation]]:
        return list(self.translator.stream(lines, lambda message: None))


def application(translators: Mapping[Direction, LineTranslator]) -> Starlette:
    """The server of these models, as ASGI knows one."""
    batchers = {direction: Batcher(translator) for direction, translator in translators.items()}
    page = files("seq2seq.serving").joinpath("page.html").read_text(encoding="utf-8")

    async def languages(request: Request) -> JSONResponse:
        known = dict.fromkeys(code for direction in batchers for code in direction)
        return JSONResponse(
            [{"code": code, "name": code, "targets": [to for of, to in batchers if of == code]} for code in known]
        )

    async def translate(request: Request) -> JSONResponse:
        asked = await read(request)
        texts, direction, count = wanted(asked, list(batchers))
        lines = [text.split("\n") for text in texts]
        found = iter(await batchers[direction].candidates([line for each in lines for line in each]))
        results = [[next(found) for _ in each] for each in lines]
        answer: dict[str, Any] = {"translatedText": [ranked(each, 0) for each in results]}
        if count:
            answer["alternatives"] = [alternatives(each, count) for each in results]
        if asked.get("alignments"):
            answer["alignments"] = [[c[0].alignment if c else [] for c in each] for each in results]
        return JSONResponse(answer if isinstance(asked["q"], list) else {name: x[0] for name, x in answer.items()})

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def show(request: Request) -> HTMLResponse:
        inside = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
        return HTMLResponse(page, headers={"Content-Security-Policy": inside})

    @asynccontextmanager
    async def run_batchers(app: Starlette) -> AsyncIterator[None]:
        at_work = [asyncio.create_task(batcher.work()) for batcher in batchers.values()]
        yield
        for task in at_work:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    routes = [
        Route("/", show),
        Route("/languages", languages),
        Route("/translate", translate, methods=["POST"]),
        Route("/health", health),
    ]
    failures = dict.fromkeys((InputError, HTTPException, Exception), refuse)
    return Starlette(routes=routes, lifespan=run_batchers, exception_handlers=failures)


async def refuse(request: Request, failure: Exception) -> JSONResponse:
    """Say in one line what went wrong."""
    status = (
        failure.status_code if isinstance(failure, HTTPException) else 400 if isinstance(failure, InputError) else 500
    )
    return JSONResponse({"error": str(failure)}, status)


async def read(request: Request) -> dict[str, Any]:
    """The object that a request holds.

    Raises:
        InputError: it holds none, or is too large.
    """
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST:
            raise InputError(f"the request has more than {LARGEST} bytes; send the text in parts")
    try:
        asked = json.loads(content)
    except ValueError:
        raise InputError("the request is not JSON in UTF-8") from None
    if not isinstance(asked, dict):
        raise InputError('the request is not a JSON object; send {"q": TEXT, "source": CODE, "target": CODE}')
    return asked


def wanted(asked: Mapping[str, Any], directions: Sequence[Direction]) -> tuple[list[str], Direction, int]:
    """The texts, the direction and the number of alternatives that are asked for.

    Raises:
        InputError: something is missing, of a wrong type, or not to be had.
    """
    q, source, target, count = (asked.get(name) for name in ("q", "source", "target", "alternatives"))
    texts: list[Any] = q if isinstance(q, list) else [q]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise InputError('"q" is what to translate: a text, or a list of texts')
    fits = [(of, to) for of, to in directions if source in (of, "auto", None) and target == to]
    if not fits:
        known = ", ".join(f"{of} to {to}" for of, to in directions)
        raise InputError(f"no model here translates from {source!r} to {target!r}; there is {known}")
    if type(count or 0) is not int or (count or 0) < 0:
        raise InputError(f'"alternatives" = {count!r} is no number of texts')
    return texts, fits[0], count or 0


def ranked(lines: list[list[Translation]], rank: int) -> str:
    """A text whose lines are those candidates, or the last where there are fewer."""
    return "\n".join(found[min(rank, len(found) - 1)].text if found else "" for found in lines)


def alternatives(lines: list[list[Translation]], count: int) -> list[str]:
    """As many other texts, as far as there are: they differ from the best and from one another."""
    others = dict.fromkeys(ranked(lines, rank) for rank in range(1, max(map(len, lines))))
    return [text for text in others if text != ranked(lines, 0)][:count]
