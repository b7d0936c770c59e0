"""A translation server: LibreTranslate's interface for programs, and a page for people that uses it.

The routes are listed in `specification`, the fields of requests and answers in `interface`. A failure is
{"error": MESSAGE}. This module knows HTTP: handlers, status codes. How texts wait for a model is `worker`'s concern.
"""

import asyncio
import functools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from seq2seq.errors import InputError
from seq2seq.languages.codes import name_of
from seq2seq.serving import interface, specification
from seq2seq.serving.assets import PAGE, asset
from seq2seq.serving.bodies import Bodies
from seq2seq.serving.detection import Detector
from seq2seq.serving.files import ENDINGS, Downloads, supported
from seq2seq.serving.gate import Access, Gate
from seq2seq.serving.keys import Key, Keys
from seq2seq.serving.limits import Limits, Rates, RefusedError
from seq2seq.serving.metrics import CONTENT_TYPE, Metrics
from seq2seq.serving.translations import Client, Translations
from seq2seq.serving.worker import Direction, Worker, report
from seq2seq.translation.translator import LineTranslator

MOST_SUGGESTED = 100_000_000  # bytes of the file of suggestions

T = TypeVar("T")


@dataclass(frozen=True)
class ServerSettings:
    """What an operator may choose."""

    downloads: Path  # the folder of translated documents, which several processes may share
    version: str = ""
    limits: Limits = field(default_factory=Limits)
    keys: Mapping[str, Key] = field(default_factory=dict)
    access: Access = field(default_factory=Access)
    suggestions: Path | None = None  # the file that takes suggestions, one JSON object a line


def application(translators: Mapping[Direction, LineTranslator], settings: ServerSettings) -> ASGIApp:
    """The ASGI application that serves these models."""
    server = Server(translators, settings)
    methods = dict[tuple[str, str], list[str]]()
    for endpoint in specification.ENDPOINTS:
        methods.setdefault((endpoint.path, endpoint.name), []).append(endpoint.method)
    routes = [Route(path, guarded(getattr(server, name)), methods=each) for (path, name), each in methods.items()]
    failures = dict.fromkeys((RefusedError, InputError, HTTPException, ClientDisconnect), answer_failure)
    app = Starlette(routes=routes, lifespan=server.run_worker, exception_handlers=failures)
    return server.metrics.measured(Gate(app, settings.access))


class Server:
    """The models, the limits, and the handlers of the routes."""

    def __init__(self, translators: Mapping[Direction, LineTranslator], settings: ServerSettings) -> None:
        self.settings, self.limits = settings, settings.limits
        self.worker = Worker(translators, settings.limits)
        self.directions = list(translators)
        self.codes = list(dict.fromkeys(code for direction in self.directions for code in direction))
        self.translations = Translations(self.worker, self.directions, Detector(self.codes))
        self.keys, self.rates = Keys(settings.keys, settings.limits), Rates()
        self.bodies, self.downloads, self.metrics = Bodies(settings.limits), Downloads(settings.downloads), Metrics()

    @asynccontextmanager
    async def run_worker(self, app: Starlette) -> AsyncIterator[None]:
        """While inside, texts are translated."""
        self.worker.start()
        yield
        await asyncio.to_thread(self.worker.end)

    # ---- translations ------------------------------------------------------------------------------------------------

    async def translate(self, request: Request) -> Response:
        """POST /translate."""
        async with self.bodies.fields(request, self.limits.text_bytes) as fields:
            asked = interface.parse(fields, interface.TranslateRequest)
        client = self._client(request, asked.api_key)
        texts = interface.texts_of(asked.q, client.limits)
        self.metrics.characters.inc(sum(map(len, texts.texts)))
        work = self.translations.translate(client, asked, texts)
        return await self._unless_left(request, work, self.limits.seconds)

    async def detect(self, request: Request) -> Response:
        """POST /detect."""
        async with self.bodies.fields(request, self.limits.text_bytes) as fields:
            asked = interface.parse(fields, interface.DetectRequest)
        client = self._client(request, asked.api_key)
        texts = interface.texts_of(asked.q, client.limits)
        found = await asyncio.to_thread(self.translations.detector.detect, texts.texts)
        return encoded([interface.Detected(each.confidence, each.language) for each in found])

    async def translate_file(self, request: Request) -> Response:
        """POST /translate_file."""
        async with self.bodies.fields(request, self.limits.file_bytes) as fields:
            file = fields.pop("file", None)
            asked = interface.parse(fields, interface.FileFields)
            client = self._client(request, asked.api_key)
            if not isinstance(file, UploadFile) or not file.filename:
                raise RefusedError(400, '"file" is missing; send a document as a file of multipart/form-data')
            if not supported(file.filename):
                kinds = ", ".join(ENDINGS)
                raise RefusedError(
                    400, f"documents named {PurePath(file.filename).suffix!r} are not known; send {kinds}"
                )
            work = self._file(request, client, asked, file)
            return await self._unless_left(request, work, self.limits.file_seconds)

    async def _file(
        self, request: Request, client: Client, asked: interface.FileFields, file: UploadFile
    ) -> interface.FileAnswer:
        name = file.filename or ""
        content, target = await self.translations.translate_file(client, asked, file.file, name)
        secret = await asyncio.to_thread(self.downloads.keep, content, name, target)
        return interface.FileAnswer(f"{request.base_url}download_file/{secret}")

    async def download_file(self, request: Request) -> Response:
        """GET /download_file/NAME."""
        found = self.downloads.find(request.path_params["name"])
        if found is None:
            raise RefusedError(404, "there is no such document, or no longer; translate it again")
        path, name = found
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return FileResponse(path, media_type="application/octet-stream", filename=name, headers=headers)

    async def suggest(self, request: Request) -> Response:
        """POST /suggest."""
        path = self.settings.suggestions
        if path is None:
            raise RefusedError(403, "this server takes no suggestions; its operator can switch them on")
        async with self.bodies.fields(request, self.limits.text_bytes) as fields:
            asked = interface.parse(fields, interface.SuggestRequest)
        client = self._client(request, asked.api_key)
        interface.texts_of([asked.q, asked.s], client.limits)
        kept = {name: getattr(asked, name) for name in ("q", "s", "source", "target")}
        await asyncio.to_thread(_append, path, json.dumps(kept, ensure_ascii=False).encode() + b"\n")
        return encoded(interface.SuggestAnswer(True))

    def _client(self, request: Request, key: str) -> Client:
        """Who asks; counts the request.

        Raises:
            RefusedError: the key is missing or not known, or the client asks too often.
        """
        address = request.client.host if request.client else ""
        name, limits = self.keys.check(key, address)
        self.rates.count(name, limits.requests_per_minute)
        return Client(name, limits)

    async def _unless_left(self, request: Request, work: Coroutine[Any, Any, T], seconds: float) -> Response:
        """The answer of the work, which is cancelled if the client leaves.

        Raises:
            RefusedError: it took too long (503).
        """
        task, left = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(request))
        try:
            done, _ = await asyncio.wait({task, left}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task in done:
                return encoded(task.result())
            if left in done:
                return Response(status_code=499)  # nobody receives it
            raise RefusedError(503, f"it took longer than {seconds:g} seconds; send less, or try again later", 30)
        finally:
            for each in (task, left):
                each.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

    # ---- about the server --------------------------------------------------------------------------------------------

    async def show_page(self, request: Request) -> Response:
        """GET /."""
        return asset(PAGE)

    async def show_asset(self, request: Request) -> Response:
        """GET /page/NAME."""
        return asset(request.path_params["name"])

    async def list_languages(self, request: Request) -> Response:
        """GET /languages: every language of a model, with those that it can be translated to."""
        targets = {code: [tgt for src, tgt in self.directions if src == code] for code in self.codes}
        return encoded([interface.Language(code, name_of(code), targets[code]) for code in self.codes])

    async def show_settings(self, request: Request) -> Response:
        """GET /frontend/settings."""
        source, target = self.directions[0]
        defaults = interface.LanguageDefaults(
            interface.NamedCode(source, name_of(source)), interface.NamedCode(target, name_of(target))
        )
        keyed, suggestions = bool(self.keys), self.settings.suggestions is not None
        characters, endings = self.limits.characters or -1, [name for name in ENDINGS if name.startswith(".")]
        return encoded(interface.Settings(characters, 500, keyed, keyed, suggestions, True, endings, defaults))

    async def report_health(self, request: Request) -> Response:
        """GET /health."""
        return encoded(interface.Health("ok"))

    async def show_metrics(self, request: Request) -> Response:
        """GET /metrics."""
        return Response(await asyncio.to_thread(self.metrics.page), media_type=CONTENT_TYPE)

    async def show_specification(self, request: Request) -> Response:
        """GET /spec."""
        return encoded(specification.openapi(self.settings.version, self.settings.access.prefix))

    async def show_docs(self, request: Request) -> Response:
        """GET /docs."""
        description = specification.openapi(self.settings.version, self.settings.access.prefix)
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return HTMLResponse(specification.page(description), headers={"Content-Security-Policy": policy})


Handler = Callable[[Request], Awaitable[Response]]


def guarded(handler: Handler) -> Handler:
    """The handler, whose unforeseen failure is logged without its message, which may hold a user's text."""

    @functools.wraps(handler)
    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except (RefusedError, InputError, HTTPException, ClientDisconnect):
            raise
        except Exception as failure:
            report(failure)
            raise RefusedError(500, "the server failed; its log says where") from None

    return handle


def encoded(answer: Any) -> Response:
    """The answer as JSON."""
    return Response(msgspec.json.encode(answer), media_type="application/json")


async def answer_failure(request: Request, failure: Exception) -> Response:
    """The answer to a request that failed: {"error": MESSAGE}."""
    headers = dict[str, str]()
    if isinstance(failure, RefusedError):
        status, message = failure.status, str(failure)
        if failure.retry_after is not None:
            headers["Retry-After"] = str(int(failure.retry_after))
    elif isinstance(failure, InputError):
        status, message = 400, str(failure)
    elif isinstance(failure, ClientDisconnect):
        status, message = 499, "the client left"
    else:
        assert isinstance(failure, HTTPException)
        status, message, headers = failure.status_code, str(failure.detail), dict(failure.headers or {})
        if status == 405 and request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    return Response(msgspec.json.encode(interface.Failure(message)), status, headers, media_type="application/json")


async def _disconnected(request: Request) -> None:
    """Return once the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _append(path: Path, line: bytes) -> None:
    """Append a line to a file, in one piece also beside other processes.

    Raises:
        RefusedError: the file is full, or cannot be written (503).
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size + len(line) > MOST_SUGGESTED:
                raise RefusedError(503, "the file of suggestions is full; ask the operator of this server")
            os.write(file, line)
        finally:
            os.close(file)
    except OSError as failure:
        report(failure)
        raise RefusedError(503, "the suggestion could not be kept; ask the operator of this server") from None
