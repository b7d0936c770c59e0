"""What every request passes first: its address is put in order, and its Host and Origin are checked.

A page of another site may not use a server that listens on this machine only, neither directly (Origin) nor under a
name of its own that leads here (Host: DNS rebinding). Knows no routes.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Access:
    """From where the server may be used."""

    hosts: frozenset[str] | None = None  # the names that it is reached under, without ports; None: any
    origins: tuple[str, ...] = ()  # other sites whose pages may use it, as https://example.org; "*": all
    prefix: str = ""  # what the path of each request begins with, such as /mt


class Gate:
    """An ASGI application in front of another."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.access = access
        self._app: ASGIApp = app
        if access.origins:
            allowed = {"allow_methods": ["GET", "POST"], "allow_headers": ["*"], "max_age": 86400}
            self._app = CORSMiddleware(app, allow_origins=access.origins, **allowed)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = self._refusal(Headers(scope=scope)) or self._moved(scope)
        await (response or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> Response | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self.access.hosts is None:
            return None
        if hostname(host) not in self.access.hosts:
            return _forbidden("this server is not known under that name; --allow-host adds a name")
        if origin is None or origin in self.access.origins or "*" in self.access.origins:
            return None
        if urlsplit(origin).netloc.lower() != host.lower():
            return _forbidden("pages of that site may not use this server; --cors adds a site")
        return None

    def _moved(self, scope: Scope) -> Response | None:
        """Put the path in order: no doubled slashes, none at the end, and the prefix as the application's root."""
        prefix, path = self.access.prefix, re.sub("/{2,}", "/", scope["path"])
        if prefix and path == prefix and scope["method"] in ("GET", "HEAD"):
            return RedirectResponse(f"{prefix}/")  # so that the page's relative addresses are below it
        if prefix and path != prefix and not path.startswith(f"{prefix}/"):
            return JSONResponse({"error": f"there is nothing here; all addresses begin with {prefix}"}, 404)
        inside = path[len(prefix) :].rstrip("/") or "/"
        scope["root_path"], scope["path"] = prefix, prefix + inside
        return None


def hostname(host: str) -> str:
    """The name in a Host header, without its port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def _forbidden(message: str) -> JSONResponse:
    return JSONResponse({"error": message}, 403)
