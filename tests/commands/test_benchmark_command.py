"""The tables of `benchmark` and their order. The figures themselves depend on the machine."""

import json
from pathlib import Path
from typing import Any

import pytest
from shell import call, refused, worked

from seq2seq.reporting import benchmark, peak

TABLES = [
    "products: GFLOP/s of (M, K) x (K, N)",
    "training",
    "size",
    "translating, start-up apart",
    "the whole command, from its start to its end",
]
FORMS = "torch", "onnx", "int8"


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread, measurements in this process, which has imported torch already, and no command is run."""

    def run(function: Any, *arguments: Any) -> Any:
        return function(*arguments)

    monkeypatch.setattr(benchmark, "available_threads", lambda: 1)
    monkeypatch.setattr(benchmark, "run_isolated", run)
    monkeypatch.setattr(benchmark, "time_command", lambda *arguments: 1.5)
    monkeypatch.setattr(peak, "best_seconds", lambda function: 1e-3)


@pytest.mark.usefixtures("in_this_process")
def test_training_and_translation_are_measured(recipe: Path, corpus: Path) -> None:
    arguments = ["--recipe", recipe, "--data", corpus, "--src", "en", "--tgt", "de", "--updates", 3, "--sentences", 4]
    tables = json.loads(worked(call("benchmark", *arguments, "--json")).out)
    assert list(tables) == ["versions", *TABLES]
    [training] = tables["training"]
    assert training["parameters"] > 10_000
    assert training["tgt_tokens_per_s"] > 0
    assert [(row["form"], row["mb"] > 0) for row in tables["size"]] == [(form, True) for form in FORMS]
    rows = tables["translating, start-up apart"]
    assert [(row["form"], row["beam"]) for row in rows] == [(form, beam) for form in FORMS for beam in (1, 5)]
    assert all(0 < row["p50_ms"] <= row["p99_ms"] for row in rows)
    assert [row["sentences"] for row in tables[TABLES[-1]]] == [1, 4] * 3
    assert all(row["seconds"] == 1.5 for row in tables[TABLES[-1]])


@pytest.mark.usefixtures("in_this_process")
def test_with_model_only_translation_is_measured(model: Path, corpus: Path) -> None:
    before = {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}
    text = worked(call("benchmark", "--model", model, "--data", corpus, "--sentences", 2)).out
    assert [line for line in text.splitlines() if line in TABLES] == [x for x in TABLES if x != "training"]
    assert {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()} == before


def test_wrong_options_are_refused(model: Path) -> None:
    refused(call("benchmark", "--model", model, "--recipe", "tatoeba"), "--recipe")
    refused(call("benchmark", "--model", model, "--updates", 3), "--updates")
    refused(call("benchmark", "--recipe", "tatoebe"), "tatoebe", "tatoeba")
