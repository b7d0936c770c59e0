"""Serve translations: a page in the browser, and LibreTranslate's interface for programs.

    seq2seq serve                                   # the models that ship, on http://127.0.0.1:8000
    seq2seq serve --model DIR --model DIR2          # these, each in its direction
    seq2seq serve --model DIR --memory DIR2         # with a translation memory, as translate does
    curl http://127.0.0.1:8000/translate -d '{"q": "A cat sleeps.", "source": "en", "target": "de"}'

Only this machine is answered, until --host 0.0.0.0 lets others in; nobody has to say who they are. Ctrl-C ends it.
"""

import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from seq2seq.commands.shared import (
    beam_option,
    device_options,
    example,
    memory_options,
    open_model,
    path_option,
    put,
    quiet_option,
    remembering,
    run,
    shipped_models,
    stated,
)
from seq2seq.errors import InputError
from seq2seq.translation.translator import LineTranslator


@click.command("serve", **example(__doc__))
@path_option(
    "--model", "models", multiple=True, metavar="DIR", help="model folder, one a direction (default: those that ship)"
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", help="where to listen", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="0: any free one", show_default=True)
@beam_option
@memory_options
@device_options
@quiet_option
def command(  # noqa: D103 (its help is the module's docstring)
    models: Sequence[Path],
    host: str,
    port: int,
    beam: int | None,
    memory: str | None,
    memory_share: float | None,
    device: str,
    threads: int | None,
    quiet: bool,
) -> None:
    try:
        import uvicorn

        from seq2seq.serving.server import application
    except ImportError:
        raise InputError(
            "serve needs the packages starlette and uvicorn; install them: pip install 'seq2seq[serve]'"
        ) from None
    translators: dict[tuple[str, str], LineTranslator] = {}
    for folder in models or shipped_models().values():
        bundle, _ = open_model([folder], device, threads)
        direction = bundle.src, bundle.tgt
        if direction in translators:
            raise InputError(f"{folder} translates from {bundle.src} to {bundle.tgt}, as another --model does already")
        bundle = remembering(bundle, memory, memory_share)
        config = replace(bundle.search, **stated(beam=beam))
        translators[direction] = LineTranslator(bundle, config, alignments=bundle.engine.aligns)
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as e:
        raise InputError(f"cannot listen on {host}, port {port}: {e.strerror}; give another --host or --port") from None
    if not quiet:
        name, number = listening.getsockname()[:2]
        put(f"http://{f'[{name}]' if ':' in name else name}:{number}")
    server = uvicorn.Server(uvicorn.Config(application(translators), log_level="warning", lifespan="on"))
    server.run(sockets=[listening])


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
