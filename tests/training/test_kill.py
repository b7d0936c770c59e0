"""Killed fifty times at random moments (SIGKILL) and resumed, a run ends with the bytes of an uninterrupted one."""

import json
import multiprocessing
import os
import random
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
import torch
from reversal_task import assert_same, begin, chosen, corpus, end, resumed

from seq2seq.folder import checkpoint, layout
from seq2seq.training import resume
from seq2seq.training.settings import Settings

KILLS = 50
TEXT = corpus(60, 8)
TIMEOUT = 60.0  # seconds


def settings() -> Settings:
    """Of a run that writes a checkpoint after every second update."""
    model = {"dropout": 0.2, "word_dropout": 0.1}
    return chosen({"epochs": 3, "validate_every": 2, "metric": "loss", "average_last": 2}, model, sampling=0.3)


def train(folder: Path, delay: float, ready: Event) -> None:
    """Begin or resume the run. Each step of writing a file is delayed, or few kills would interrupt one."""
    torch.set_num_threads(1)
    for owner, name in ((os, "fsync"), (Path, "open"), (Path, "replace"), (Path, "unlink")):
        real = getattr(owner, name)

        def late(*arguments: Any, real: Any = real, **named: Any) -> Any:
            time.sleep(delay)
            return real(*arguments, **named)

        setattr(owner, name, late)
    trainer = resumed(folder, TEXT) if any((folder / "training").glob("step-*")) else begin(folder, settings(), TEXT)
    ready.set()
    trainer.run(quiet=True)


@pytest.fixture
def server() -> Any:
    """Starts processes that have imported everything. Forking this process is not safe, because it has threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["seq2seq.training.trainer", "torch._dynamo"])
    return context


def partial_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".partial")]


def test_a_run_that_is_killed_fifty_times_ends_as_an_uninterrupted_one(tmp_path: Path, server: Any) -> None:
    begin(tmp_path / "whole", settings(), TEXT).run(quiet=True)
    whole = end(tmp_path / "whole")
    rng, kills, torn, runs = random.Random(1), 0, 0, 0
    while kills < KILLS or runs == 0:
        folder, step = tmp_path / str(runs), 0
        while True:
            ready = server.Event()
            process = server.Process(target=train, args=(folder, rng.choice((0.0, 0.01, 0.03)), ready))
            process.start()
            assert ready.wait(TIMEOUT)
            process.join(rng.uniform(0.0, 0.5) if kills < KILLS else TIMEOUT)
            if process.exitcode is not None:
                assert process.exitcode == 0
                break
            process.kill()
            process.join()
            kills += 1
            torn += bool(partial_files(folder))
            step = checked_step(folder, step)
        assert_same(end(folder), whole)
        runs += 1
    assert kills >= KILLS
    assert torn >= 5  # some kills interrupted the writing of a file


def checked_step(folder: Path, before: int) -> int:
    """Check that every file is whole; returns the step that the run resumes from, at least `before`."""
    metrics = folder / "metrics.jsonl"
    steps = [json.loads(line)["step"] for line in metrics.read_text().splitlines()] if metrics.exists() else []
    assert steps == list(range(2, 2 * len(steps) + 1, 2))
    if (folder / layout.WEIGHTS).exists():
        checkpoint.load_model(folder)
    if not any((folder / "training").glob("step-*")):
        assert before == 0
        return 0
    step = int(resume.load(folder)[1]["step"])
    assert step >= before
    assert step >= steps[-1] - 2  # only updates since the last checkpoint are repeated
    return step
