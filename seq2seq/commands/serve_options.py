"""The options of `serve`, in groups."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from seq2seq.commands.options import Number, option, path_option
from seq2seq.errors import InputError


@dataclass(frozen=True)
class ServeOptions:
    """The models, and the address to listen on."""

    models: Sequence[Path] = path_option(
        "--model", multiple=True, metavar="DIR", help="model folder, one per direction (default: those that ship)"
    )
    exact: bool = option(
        "--exact", is_flag=True, help="compute trained models as they are (default: in int8, exported once)"
    )
    host: str = option("--host", metavar="ADDRESS", default="127.0.0.1", help="address to listen on", show_default=True)
    port: int = option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8000,
        help="port to listen on; 0: any free one",
        show_default=True,
    )
    workers: int = option(
        "--workers",
        type=click.IntRange(1, 64),
        metavar="N",
        default=1,
        help="processes that share the requests; several compute with one thread each",
        show_default=True,
    )


@dataclass(frozen=True)
class AccessOptions:
    """Who may use the server, and from where."""

    api_keys: Path | None = path_option("--api-keys", help="TOML file of API keys and their limits; asks for one")
    cors: Sequence[str] = option(
        "--cors", multiple=True, metavar="ORIGIN", help="site whose pages may use the server; '*': all"
    )
    allow_host: Sequence[str] = option(
        "--allow-host", multiple=True, metavar="NAME", help="name that the server is reached under, as by a proxy"
    )
    url_prefix: str = option("--url-prefix", metavar="PATH", default="", help="what all addresses begin with: /mt")
    suggestions: Path | None = path_option("--suggestions", help="file that takes what is sent to /suggest")

    def check(self) -> None:
        """Check what would otherwise refuse each request: an address or a site that none can have, a file nowhere.

        Raises:
            InputError: an option has such a value.
        """
        prefix = self.url_prefix.rstrip("/")
        if prefix and not (prefix.startswith("/") and prefix.isascii() and not set(prefix) & set(" ?#%")):
            raise InputError(f"--url-prefix {self.url_prefix} is no path; give one such as /mt")
        for origin in self.cors:
            scheme, _, host = origin.partition("://")
            if origin not in ("*", "null") and (not scheme or not host or set(host) & set("/?#@ ")):
                raise InputError(f"--cors {origin} is no site; give one such as https://example.org, or '*'")
        for name in self.allow_host:
            if set(name) & set("/?#@ ") or (":" in name and not _is_address(name)):
                raise InputError(f"--allow-host {name} is no name; give one without port, such as mt.example.org")
        if self.suggestions and (self.suggestions.is_dir() or not self.suggestions.absolute().parent.is_dir()):
            raise InputError(f"--suggestions {self.suggestions} cannot be written; name a file in a folder that exists")


@dataclass(frozen=True)
class LimitOptions:
    """What a request may cost."""

    char_limit: int = option(
        "--char-limit",
        type=click.IntRange(1, 2_000_000),
        metavar="N",
        default=100_000,
        help="most characters of a request",
        show_default=True,
    )
    batch_limit: int = option(
        "--batch-limit",
        type=click.IntRange(1, 100_000),
        metavar="N",
        default=2000,
        help="most texts of a request",
        show_default=True,
    )
    req_limit: int = option(
        "--req-limit",
        type=click.IntRange(0),
        metavar="N",
        default=0,
        help="requests a minute of a client; 0: any number",
        show_default=True,
    )
    timeout: float = option(
        "--timeout",
        type=Number(1),
        metavar="SECONDS",
        default=120.0,
        help="longest time to translate a text; a document has five times as long",
        show_default=True,
    )


def _is_address(name: str) -> bool:
    """Whether a name is an IP address, which may hold colons."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
