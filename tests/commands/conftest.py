"""One tiny corpus, and one tiny model that the train command trains on it once."""

import json
from pathlib import Path

import pytest
from once import once
from shell import PARTS, RECIPE, Result, call, worked, write_part


def write_texts(folder: Path) -> Path:
    """The folder, with the corpus and the recipe."""
    for part, pairs in PARTS.items():
        write_part(folder / "corpus", part, pairs)
    (folder / "tiny.toml").write_text(RECIPE, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the corpus and the recipe, which tests only read."""
    return once(tmp_path_factory, "place", write_texts)


@pytest.fixture(scope="session")
def corpus(place: Path) -> Path:
    """The folder of the corpus."""
    return place / "corpus"


@pytest.fixture(scope="session")
def recipe(place: Path) -> Path:
    """The recipe of the tiny model."""
    return place / "tiny.toml"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, corpus: Path, recipe: Path) -> Result:
    """The result of training the tiny model, which tests only read, with --json."""

    def train(folder: Path) -> Result:
        arguments = ["--data", corpus, "--src", "en", "--tgt", "de", "--out", folder / "model", "--device", "cpu"]
        return worked(call("train", "--recipe", recipe, *arguments, "--json"))

    return once(tmp_path_factory, "trained", train)


@pytest.fixture(scope="session")
def model(trained: Result) -> Path:
    """The folder of the tiny model."""
    return Path(json.loads(trained.out)["folder"])


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """The folder of the tiny model in its fast form, with which a command starts without torch."""

    def export(folder: Path) -> Path:
        worked(call("export", "--model", model, "--out", folder / "fast"))
        return folder / "fast"

    return once(tmp_path_factory, "exported", export)


@pytest.fixture(autouse=True)
def empty_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
