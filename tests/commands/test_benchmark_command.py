"""What `benchmark` measures, and that it measures: the figures themselves are the machine's own affair."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from shell import call, refused, worked
from tiny_models import every_pair, tiny

from seq2seq.reporting import benchmark

SECTIONS = ["products: GFLOP/s of (M, K) x (K, N)", "training", "size", "translating, start-up apart"]
SECTIONS.append("the whole command, from its start to its end")


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread, in this process, which has torch already; and commands are not run."""
    monkeypatch.setattr(benchmark, "available_threads", lambda: 1)
    monkeypatch.setattr(benchmark, "apart", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(benchmark, "command", lambda *arguments: 1.5)
    monkeypatch.setattr(benchmark, "seconds", lambda function: time.perf_counter() - time.perf_counter() + 1e-3)


@pytest.mark.usefixtures("together")
def test_it_measures_training_and_translating(recipe: Path, corpus: Path) -> None:
    arguments = ["--recipe", recipe, "--data", corpus, "--src", "en", "--tgt", "de", "--updates", 3, "--sentences", 4]
    found = json.loads(worked(call("benchmark", *arguments, "--json")).out)
    assert list(found) == ["versions", *SECTIONS]
    [young] = found["training"]
    assert young["parameters"] > 10_000
    assert young["tgt_tokens_per_s"] > 0
    assert [(row["form"], row["mb"] > 0) for row in found["size"]] == [(x, True) for x in ("torch", "onnx", "int8")]
    rows = found["translating, start-up apart"]
    assert [(row["form"], row["beam"]) for row in rows] == [(x, k) for x in ("torch", "onnx", "int8") for k in (1, 5)]
    assert all(0 < row["p50_ms"] <= row["p99_ms"] for row in rows)
    assert [row["sentences"] for row in found[SECTIONS[-1]]] == [1, 4] * 3
    assert all(row["seconds"] == 1.5 for row in found[SECTIONS[-1]])


@pytest.mark.usefixtures("together")
def test_a_trained_model_trains_no_more(model: Path, corpus: Path) -> None:
    before = {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}
    text = worked(call("benchmark", "--model", model, "--data", corpus, "--sentences", 2)).out
    assert [line for line in text.splitlines() if line in SECTIONS] == [x for x in SECTIONS if x != "training"]
    assert {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()} == before


def test_what_cannot_be_is_refused(model: Path) -> None:
    refused(call("benchmark", "--model", model, "--recipe", "tatoeba"), "--recipe")
    refused(call("benchmark", "--recipe", "tatoebe"), "tatoebe", "tatoeba")


def test_a_process_of_its_own_has_memory_of_its_own() -> None:
    ballast = torch.ones(50_000_000)  # 200 MB
    assert benchmark.memory() - benchmark.apart(benchmark.memory) > ballast.numel() * 4 / 2**20 * 0.9


def test_the_best_of_several_tries_counts() -> None:
    naps = iter([0.0, 0.02, *[0.03, 0.01] * 100])
    function: Callable[[], Any] = lambda: time.sleep(next(naps))  # noqa: E731
    assert 0.01 <= benchmark.seconds(function, tries=4, least=0.01) < 0.02


@every_pair
def test_the_work_of_a_sentence_is_its_products(cell: str, context: str) -> None:
    """Counted by torch as it multiplies; a cell's products are fused, so they stand apart."""
    model, (s, t) = tiny(cell, context), (5, 7)
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        mask = torch.ones(1, s, dtype=torch.bool)
        model(torch.ones(1, s, dtype=torch.int64), mask, torch.ones(1, t, dtype=torch.int64), torch.ones(1, t) > 0)
    layers = [(layer, s) for layer in model.encoder.layers] + [(model.decoder.layers, t)]
    fused = 2 * sum(n * w.numel() for layer, n in layers for w in layer.parameters() if w.ndim == 2)
    slots = 1 if context == "last" else s
    # A fixed context is averaged at every step, twice, and its words once; once a sentence would do.
    averaging = 2 * t * slots * (2 * 8 + 6) if model.decoder.context.fixed else 0
    counted = counter.get_total_flops()
    assert benchmark.work(model, s, t) == pytest.approx(counted + (fused if counted < fused else 0) - averaging)
