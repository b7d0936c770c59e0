"""Servers in a thread of the tests."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from reversal_task import Learnt

from seq2seq.api.models import open_model, shipped_models
from seq2seq.folder.checkpoint import load_model
from seq2seq.serving import server
from seq2seq.serving.running import PatientProtocol
from seq2seq.translation.search import SearchConfig
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


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    """Starts a server: `with serving(translators, limits=...) as url`."""

    def serve(translators: Translators, **settings: Any) -> AbstractContextManager[str]:
        return running(translators, tmp_path, **settings)

    return serve


@pytest.fixture(scope="session")
def reverser(learnt: Learnt) -> LineTranslator:
    """Translates digits to their reverse."""
    return LineTranslator(load_model(learnt.folder), SearchConfig(beam=3), alignments=True)


@pytest.fixture(scope="session")
def shipped() -> Translators:
    """The models that ship, with a narrow beam."""
    folders = shipped_models()
    opened = {folder: open_model([folder], "cpu")[0] for folder in dict.fromkeys(folders.values())}
    bundles = {direction: opened[folder].toward(direction) for direction, folder in folders.items()}
    return {direction: LineTranslator(bundle, replace(bundle.search, beam=2)) for direction, bundle in bundles.items()}


@pytest.fixture(scope="module")  # no server is left beside the tests of other rooms, some of which fork
def languages(shipped: Translators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the models that ship."""
    folder = tmp_path_factory.mktemp("downloads")
    with running(shipped, folder, suggestions=folder.parent / "suggestions.jsonl") as url:
        yield url
