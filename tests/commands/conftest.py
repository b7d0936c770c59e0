"""One tiny corpus and one tiny model a session, made by the command that makes them for a shell."""

import json
from pathlib import Path

import pytest
from shell import PARTS, RECIPE, Result, call, worked, write_part


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where corpus, recipe and model lie; to be read, not written."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="session")
def corpus(place: Path) -> Path:
    """Its folder."""
    for part, pairs in PARTS.items():
        write_part(place / "corpus", part, pairs)
    return place / "corpus"


@pytest.fixture(scope="session")
def recipe(place: Path) -> Path:
    """What the tiny model is trained with."""
    path = place / "tiny.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(place: Path, corpus: Path, recipe: Path) -> Result:
    """How the training of the tiny model went, with --json."""
    arguments = ["--data", corpus, "--src", "en", "--tgt", "de", "--out", place / "model", "--device", "cpu"]
    return worked(call("train", "--recipe", recipe, *arguments, "--json"))


@pytest.fixture(scope="session")
def model(trained: Result) -> Path:
    """Its folder."""
    return Path(json.loads(trained.out)["folder"])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts in an empty folder."""
    monkeypatch.chdir(tmp_path)
