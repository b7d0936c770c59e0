"""A translation server: LibreTranslate's interface for programs, and a page for people that uses it.

    GET  /           the page
    GET  /languages  [{"code": "en", "name": "en", "targets": ["de"]}, ..]
    POST /translate  a request and its answer: see `interface`
    GET  /health     {"status": "ok"}

A failure is {"error": MESSAGE}, with status 400 for a wrong request and 500 for a failed translation. This module knows
HTTP: routes, the size of a request, status codes. How lines wait for a model is `batcher`'s concern.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from seq2seq.errors import InputError
from seq2seq.serving.batcher import Batcher
from seq2seq.serving.interface import Direction, build_answer, parse_translate
from seq2seq.translation.translator import LineTranslator

MAX_BYTES = 100_000  # of a request
PAGE_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"


def application(translators: Mapping[Direction, LineTranslator]) -> Starlette:
    """The ASGI application that serves these models."""
    server = Server(translators)
    routes = [
        Route("/", server.show_page),
        Route("/languages", server.list_languages),
        Route("/translate", server.translate, methods=["POST"]),
        Route("/health", server.report_health),
    ]
    failures = dict.fromkeys((InputError, HTTPException, Exception), answer_failure)
    return Starlette(routes=routes, lifespan=server.run_batchers, exception_handlers=failures)


class Server:
    """The models' request queues, one per direction, and the handlers of the routes."""

    def __init__(self, translators: Mapping[Direction, LineTranslator]) -> None:
        self.batchers = {direction: Batcher(translator) for direction, translator in translators.items()}
        self.page = files("seq2seq.serving").joinpath("page.html").read_text(encoding="utf-8")

    @asynccontextmanager
    async def run_batchers(self, app: Starlette) -> AsyncIterator[None]:
        """While inside, the queues are served."""
        tasks = [asyncio.create_task(batcher.run()) for batcher in self.batchers.values()]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def show_page(self, request: Request) -> HTMLResponse:
        """GET /."""
        return HTMLResponse(self.page, headers={"Content-Security-Policy": PAGE_POLICY})

    async def list_languages(self, request: Request) -> JSONResponse:
        """GET /languages: every language of a model, with those that it can be translated to."""
        codes = dict.fromkeys(code for direction in self.batchers for code in direction)
        return JSONResponse(
            [
                {"code": code, "name": code, "targets": [tgt for src, tgt in self.batchers if src == code]}
                for code in codes
            ]
        )

    async def translate(self, request: Request) -> JSONResponse:
        """POST /translate."""
        parsed = parse_translate(await read_json(request), list(self.batchers))
        candidates = await self.batchers[parsed.direction].translate(parsed.lines)
        return JSONResponse(build_answer(parsed, candidates))

    async def report_health(self, request: Request) -> JSONResponse:
        """GET /health."""
        return JSONResponse({"status": "ok"})


async def answer_failure(request: Request, failure: Exception) -> JSONResponse:
    """The answer to a request that failed: {"error": MESSAGE}."""
    status = 500
    if isinstance(failure, HTTPException):
        status = failure.status_code
    elif isinstance(failure, InputError):
        status = 400
    return JSONResponse({"error": str(failure)}, status)


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in the body of a request.

    Raises:
        InputError: the body is too large, or holds no JSON object.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise InputError(f"the request has more than {MAX_BYTES} bytes; send the text in parts")
    try:
        content = json.loads(body)
    except ValueError:
        raise InputError("the request is not JSON in UTF-8; send a JSON object") from None
    if not isinstance(content, dict):
        raise InputError('the request is not a JSON object; send {"q": TEXT, "source": CODE, "target": CODE}')
    return content
