"""Requests to a server, and its answers."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.error import HTTPError


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    content: Any  # of JSON the value, otherwise bytes
    headers: Mapping[str, str]


def ask(url: str, body: bytes | None = None, method: str | None = None, **headers: str) -> Answer:
    """Send a request; `headers` are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method or ("GET" if body is None else "POST"))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return _read(answer.status, answer)
    except HTTPError as e:
        with e:
            return _read(e.code, e)


def _read(status: int, answer: Any) -> Answer:
    content = answer.read()
    headers = {name.lower(): value for name, value in answer.headers.items()}
    is_json = headers.get("content-type", "").startswith("application/json")
    return Answer(status, json.loads(content) if is_json and content else content, headers)


def ask_json(url: str, fields: Any, **headers: str) -> Answer:
    """Send fields as JSON."""
    return ask(url, json.dumps(fields).encode(), content_type="application/json", **headers)


def multipart(fields: Mapping[str, str | list[str] | tuple[str, bytes]]) -> tuple[bytes, str]:
    """A body of fields and files, (name, content), and its content type."""
    parts = []
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            file, content = value if isinstance(value, tuple) else ("", value.encode())
            named = f'; filename="{file}"' if file else ""
            parts.append(f'--cut\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content)
    return b"\r\n".join([*parts, b"--cut--\r\n"]), "multipart/form-data; boundary=cut"
