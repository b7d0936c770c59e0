"""Serve translations over HTTP: a page for the browser, and LibreTranslate's API for programs.

    seq2seq serve                                   # the models that ship, on http://127.0.0.1:8000
    seq2seq serve --model DIR --model DIR2          # these, each in its directions
    seq2seq serve --model DIR --memory DIR2         # with a translation memory, as translate does
    seq2seq serve --host 0.0.0.0 --api-keys FILE    # for other machines, with keys
    curl http://127.0.0.1:8000/translate -d '{"q": "A cat sleeps.", "source": "en", "target": "de"}'

It listens to this machine only; --host 0.0.0.0 opens it to others. Ctrl-C ends it, after what was accepted is answered.
A trained model is exported to int8 once, into the user's cache, where onnx is installed; --exact computes it as it is.
"""

import ipaddress
import os
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seq2seq.api.computing import notifier, torch_threads
from seq2seq.api.exported import exported_once
from seq2seq.api.models import open_model, remembered, shipped_models, trained_form, with_translation_memory
from seq2seq.commands.options import (
    BeamOption,
    ComputeOptions,
    MemoryOptions,
    QuietOption,
    grouped,
    specified,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.serve_options import AccessOptions, LimitOptions, ServeOptions
from seq2seq.commands.streams import put
from seq2seq.errors import InputError, Interrupted
from seq2seq.text.directions import Direction, listed
from seq2seq.translation.translator import LineTranslator
from seq2seq.versions import versions

if TYPE_CHECKING:
    from seq2seq.serving.server import ServerSettings


@click.command("serve", **help_of(__doc__))
@grouped(
    options=ServeOptions,
    access=AccessOptions,
    limits=LimitOptions,
    search=BeamOption,
    memory=MemoryOptions,
    compute=ComputeOptions,
    report=QuietOption,
)
def command(  # noqa: D103 (its help is the module's docstring)
    options: ServeOptions,
    access: AccessOptions,
    limits: LimitOptions,
    search: BeamOption,
    memory: MemoryOptions,
    compute: ComputeOptions,
    report: QuietOption,
) -> None:
    access.check()
    if options.workers > 1 and (compute.threads or 1) > 1:
        raise InputError(f"--workers {options.workers} compute with one thread each; leave out --threads, or --workers")
    prefix = access.url_prefix.rstrip("/")
    with tempfile.TemporaryDirectory(prefix="seq2seq-serve-") as folder:
        if options.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # is read when the server is imported
        try:
            from seq2seq.serving.running import serve
            from seq2seq.serving.server import application
        except ImportError as e:
            raise InputError(f"serve needs the package {e.name}; install it: pip install 'seq2seq[serve]'") from None
        settings = replace(_settings(options.host, access, limits), downloads=Path(folder, "downloads"))
        settings.downloads.mkdir()
        _listening(options.host, options.port).close()  # a port in use is told before the slow export of models
        translators = _translators(options, search, memory, compute, report)
        with _listening(options.host, options.port) as listening:
            if not report.quiet:
                name, number = listening.getsockname()[:2]
                put(f"http://{f'[{name}]' if ':' in name else name}:{number}{prefix}")
            with torch_threads(1 if options.workers > 1 else compute.threads):
                signum = serve(lambda: application(translators, settings), listening, options.workers)
    if signum:
        raise Interrupted(signum, "")


def _translators(
    options: ServeOptions, search: BeamOption, memory: MemoryOptions, compute: ComputeOptions, report: QuietOption
) -> dict[Direction, LineTranslator]:
    """The model of each direction.

    Raises:
        InputError: a model cannot be opened, or two are of one direction.
    """
    exact = options.exact or compute.device == "cuda"
    threads = 1 if options.workers > 1 else compute.threads
    translators = dict[Direction, LineTranslator]()
    for folder in options.models or dict.fromkeys(shipped_models().values()):
        chosen = trained_form(folder) if exact else exported_once(folder, notifier(report.quiet))
        bundle, _ = open_model([chosen], compute.device, threads)
        helped = remembered(bundle, memory.memory)
        if len(helped) < len(bundle.known):
            notifier(report.quiet)(f"note: --memory has text of {listed(helped)}; the others are served without it")
        for src, tgt in bundle.known:
            if (src, tgt) in translators:
                raise InputError(f"{folder} translates from {src} to {tgt}, as another --model does; leave one out")
            one = bundle.toward((src, tgt))
            if (src, tgt) in helped:
                one = with_translation_memory(one, memory.memory, memory.memory_share)
            config = replace(bundle.search, **specified(search))
            translators[src, tgt] = LineTranslator(one, config)
    return translators


def _settings(host: str, access: AccessOptions, limits: LimitOptions) -> "ServerSettings":
    """What the options say. A server that only this machine can reach is checked for being reached by a page."""
    from seq2seq.serving.gate import LOOPBACK, Access
    from seq2seq.serving.keys import read_keys
    from seq2seq.serving.limits import Limits
    from seq2seq.serving.server import ServerSettings

    hosts = None
    if _is_loopback(host) or access.allow_host:
        hosts = frozenset(name.lower() for name in (host, *LOOPBACK, *access.allow_host))
    return ServerSettings(
        Path(),
        versions().partition(",")[0].removeprefix("seq2seq "),
        Limits(
            characters=limits.char_limit,
            texts=limits.batch_limit,
            requests_per_minute=limits.req_limit,
            seconds=limits.timeout,
            file_seconds=5 * limits.timeout,
        ),
        read_keys(access.api_keys) if access.api_keys else {},
        Access(hosts, tuple(access.cors), access.url_prefix.rstrip("/")),
        access.suggestions,
    )


def _is_loopback(host: str) -> bool:
    """Whether an address to listen on is that of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    """The socket to listen on.

    Raises:
        InputError: the address is not this machine's, or the port is in use.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as e:
        raise InputError(f"cannot listen on {host}, port {port}: {e.strerror}; give another --host or --port") from None


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
