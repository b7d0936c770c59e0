"""The files of the page for people, and the headers that they are sent with. They need no other server."""

from functools import cache
from importlib.resources import files

from starlette.responses import Response

from seq2seq.serving.limits import RefusedError

PAGE = "page.html"
MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def asset(name: str) -> Response:
    """The file of this name.

    Raises:
        RefusedError: there is none (404).
    """
    content = _contents().get(name)
    if content is None:
        raise RefusedError(404, "the page has no such file")
    return Response(content, media_type=MEDIA_TYPES[name.rpartition(".")[2]], headers=HEADERS)


@cache
def _contents() -> dict[str, bytes]:
    """The content of each file."""
    return {each.name: each.read_bytes() for each in files("seq2seq.serving").joinpath("page").iterdir()}
