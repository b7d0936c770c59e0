"""A server in a thread of the tests."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from seq2seq.serving import server
from seq2seq.serving.running import PatientProtocol
from seq2seq.translation.translator import LineTranslator

Translators = Mapping[tuple[str, str], LineTranslator]
Serving = Callable[..., AbstractContextManager[str]]


@contextmanager
def running(translators: Translators, folder: Path, **settings: Any) -> Iterator[str]:
    """The address of a server."""
    app = server.application(translators, server.ServerSettings(folder, **settings))
    config = uvicorn.Config(
        app, port=0, log_level="critical", lifespan="on", http=PatientProtocol, timeout_graceful_shutdown=5
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(30)
    assert not thread.is_alive()
