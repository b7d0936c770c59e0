"""One tiny corpus per session, and one tiny model trained on it by the train command."""

import json
from pathlib import Path

import pytest
from shell import PARTS, RECIPE, Result, call, worked, write_part


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the corpus, the recipe and the model, which tests only read."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="session")
def corpus(place: Path) -> Path:
    """The folder of the corpus."""
    for part, pairs in PARTS.items():
        write_part(place / "corpus", part, pairs)
    return place / "corpus"


@pytest.fixture(scope="session")
def recipe(place: Path) -> Path:
    """The recipe of the tiny model."""
    path = place / "tiny.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(place: Path, corpus: Path, recipe: Path) -> Result:
    """The result of training the tiny model with --json."""
    arguments = ["--data", corpus, "--src", "en", "--tgt", "de", "--out", place / "model", "--device", "cpu"]
    return worked(call("train", "--recipe", recipe, *arguments, "--json"))


@pytest.fixture(scope="session")
def model(trained: Result) -> Path:
    """The folder of the tiny model."""
    return Path(json.loads(trained.out)["folder"])


@pytest.fixture(autouse=True)
def empty_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
