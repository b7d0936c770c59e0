"""Serve translations over HTTP: a page for the browser, and LibreTranslate's API for programs.

    seq2seq serve                                   # the models that ship, on http://127.0.0.1:8000
    seq2seq serve --model DIR --model DIR2          # these, each in its directions
    seq2seq serve --model DIR --memory DIR2         # with a translation memory, as translate does
    curl http://127.0.0.1:8000/translate -d '{"q": "A cat sleeps.", "source": "en", "target": "de"}'

It listens to this machine only; --host 0.0.0.0 opens it to others. There is no authentication. Ctrl-C ends it.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from seq2seq.api.computing import torch_threads
from seq2seq.api.models import open_model, shipped_models, with_translation_memory
from seq2seq.commands.options import (
    BeamOption,
    ComputeOptions,
    MemoryOptions,
    QuietOption,
    grouped,
    option,
    path_option,
    specified,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import put
from seq2seq.errors import InputError
from seq2seq.translation.translator import LineTranslator


@dataclass(frozen=True)
class ServeOptions:
    """The models, and the address to listen on."""

    models: Sequence[Path] = path_option(
        "--model", multiple=True, metavar="DIR", help="model folder, one per direction (default: those that ship)"
    )
    host: str = option("--host", metavar="ADDRESS", default="127.0.0.1", help="address to listen on", show_default=True)
    port: int = option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8000,
        help="port to listen on; 0: any free one",
        show_default=True,
    )


@click.command("serve", **help_of(__doc__))
@grouped(options=ServeOptions, search=BeamOption, memory=MemoryOptions, compute=ComputeOptions, report=QuietOption)
def command(  # noqa: D103 (its help is the module's docstring)
    options: ServeOptions, search: BeamOption, memory: MemoryOptions, compute: ComputeOptions, report: QuietOption
) -> None:
    try:
        import uvicorn

        from seq2seq.serving.server import application
    except ImportError:
        raise InputError(
            "serve needs the packages starlette and uvicorn; install them: pip install 'seq2seq[serve]'"
        ) from None
    translators: dict[tuple[str, str], LineTranslator] = {}
    for folder in options.models or shipped_models().values():
        bundle, _ = open_model([folder], compute.device, compute.threads)
        for src, tgt in bundle.known:
            if (src, tgt) in translators:
                raise InputError(f"{folder} translates from {src} to {tgt}, as another --model does; leave one out")
            one = with_translation_memory(bundle.toward((src, tgt)), memory.memory, memory.memory_share)
            config = replace(bundle.search, **specified(search))
            translators[src, tgt] = LineTranslator(one, config, alignments=bundle.engine.aligns)
    host, port = options.host, options.port
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as e:
        raise InputError(f"cannot listen on {host}, port {port}: {e.strerror}; give another --host or --port") from None
    if not report.quiet:
        name, number = listening.getsockname()[:2]
        put(f"http://{f'[{name}]' if ':' in name else name}:{number}")
    server = uvicorn.Server(uvicorn.Config(application(translators), log_level="warning", lifespan="on"))
    with torch_threads(compute.threads):
        server.run(sockets=[listening])


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
