"""The fields of a request: from its query string, and from a body that is JSON, a form or multipart.

A body is bounded in size, in time, and in what all bodies hold together. JSON is known by its first character as well,
since many programs send it as a form. Knows no field by name.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from seq2seq.serving.limits import Limits, RefusedError

MOST_FIELDS = 5000  # of a form
MOST_DRAINED = 4  # times the allowed size: as much of a body is read, so that the client reads the answer


class Bodies:
    """Reads bodies, and knows how many bytes of them are held."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.held = limits, 0

    @asynccontextmanager
    async def fields(self, request: Request, most: int) -> AsyncIterator[dict[str, Any]]:
        """The fields of a request; files of a multipart body are closed, and so deleted, at the end of the context.

        Args:
            request: the request.
            most: bytes of its body.

        Raises:
            RefusedError: the body is too large (413), too slow (408) or not understood (400), or too many arrive (503).
        """
        found = _form(request.url.query, "query string")
        content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        form = None
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                if content == "multipart/form-data":
                    parser = MultiPartParser(
                        request.headers,
                        self._chunks(request, most),
                        max_files=1,
                        max_fields=MOST_FIELDS,
                        max_part_size=most,
                    )
                    form = await parser.parse()
                    found |= _gathered(form.multi_items())
                else:
                    body = b"".join([chunk async for chunk in self._chunks(request, most)])
                    found |= _parsed(body, content == "application/json" or content.endswith("+json"))
        except TimeoutError:
            raise RefusedError(408, f"the body took longer than {self.limits.body_seconds:g} seconds") from None
        except (MultiPartException, KeyError, UnicodeDecodeError) as e:
            raise RefusedError(400, f"the body is no whole multipart form ({e}); send it again") from None
        try:
            yield found
        finally:
            if form is not None:
                await form.close()

    async def _chunks(self, request: Request, most: int) -> AsyncGenerator[bytes, None]:
        """The body, as it arrives; what has arrived counts as held until all is read."""
        refused = RefusedError(413, f"the body has more than {most} bytes; send it in parts")
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and (len(length) > 20 or int(length) > MOST_DRAINED * most):
            raise refused
        size = held = 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > MOST_DRAINED * most:
                    raise refused
                if size > most:
                    continue
                held += len(chunk)
                self.held += len(chunk)
                if self.held > self.limits.held_bytes:
                    raise RefusedError(503, "too many requests are arriving; try again later", 5)
                yield chunk
            if size > most:
                raise refused
        finally:
            self.held -= held


def _parsed(body: bytes, json: bool) -> dict[str, Any]:
    """The fields of a body that is JSON, as its type or its first character says, or else a form.

    Raises:
        RefusedError: it is none of both (400).
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return {}
    if json or text[:1] in b"{[":
        try:
            content = msgspec.json.decode(text)
        except RecursionError:
            raise RefusedError(400, "the JSON is nested too deeply; send one object") from None
        except ValueError as e:
            raise RefusedError(400, f"the body is not JSON in UTF-8 ({e}); send a JSON object") from None
        if not isinstance(content, dict):
            raise RefusedError(400, "the body is not a JSON object; send an object of fields")
        return content
    try:
        return _form(text.decode(), "body")
    except UnicodeDecodeError as e:
        raise RefusedError(400, f"the body is neither JSON nor a form in UTF-8 ({e}); send one of them") from None


def _form(text: str, what: str) -> dict[str, Any]:
    """The fields of an encoded form.

    Raises:
        RefusedError: it is not in UTF-8, or has too many fields (400).
    """
    try:
        return _gathered(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS))
    except ValueError as e:
        raise RefusedError(400, f"the {what} is no form in UTF-8 ({e}); encode it again") from None


def _gathered(pairs: list[tuple[str, str]] | list[tuple[str, str | UploadFile]]) -> dict[str, Any]:
    """The values by name; those of a name that comes several times as a list. Line ends are those of Unix."""
    fields = dict[str, Any]()
    for name, value in pairs:
        text = value.replace("\r\n", "\n") if isinstance(value, str) else value
        fields[name] = text if name not in fields else [*_listed(fields[name]), text]
    return fields


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
