"""Servers of the tests, and what they serve."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from reversal_task import Learnt
from served import Serving, Translators, running

from seq2seq.api.models import open_model, shipped_models
from seq2seq.folder.checkpoint import load_model
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator


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
