"""Killed at any moment, a run has lost nothing: fifty SIGKILLs, and it ends in the bytes of one that was left alone."""

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
FOREVER = 60.0


def wanted() -> Settings:
    """A run that writes more than it learns."""
    model = {"dropout": 0.2, "word_dropout": 0.1}
    return chosen({"epochs": 3, "validate_every": 2, "metric": "loss", "average_last": 2}, model, sampling=0.3)


def train(folder: Path, delay: float, ready: Event) -> None:
    """Begin the run or take it up; each step of writing a file takes so long, or most kills would miss them."""
    torch.set_num_threads(1)
    for owner, name in ((os, "fsync"), (Path, "open"), (Path, "replace"), (Path, "unlink")):
        real = getattr(owner, name)

        def late(*arguments: Any, real: Any = real, **named: Any) -> Any:
            time.sleep(delay)
            return real(*arguments, **named)

        setattr(owner, name, late)
    trainer = resumed(folder, TEXT) if any((folder / "training").glob("step-*")) else begin(folder, wanted(), TEXT)
    ready.set()
    trainer.run(quiet=True)


@pytest.fixture
def nursery() -> Any:
    """Where processes come from that have imported everything; this one could not fork, it has threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["seq2seq.training.trainer", "torch._dynamo"])
    return context


def partial_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".partial")]


def test_fifty_kills_at_random_moments_cost_no_bit(tmp_path: Path, nursery: Any) -> None:
    begin(tmp_path / "whole", wanted(), TEXT).run(quiet=True)
    whole = end(tmp_path / "whole")
    draw, kills, torn, runs = random.Random(1), 0, 0, 0
    while kills < KILLS or runs == 0:
        folder, step = tmp_path / str(runs), 0
        while True:
            ready = nursery.Event()
            process = nursery.Process(target=train, args=(folder, draw.choice((0.0, 0.002, 0.01)), ready))
            process.start()
            assert ready.wait(FOREVER)
            process.join(draw.uniform(0.0, 0.5) if kills < KILLS else FOREVER)
            if process.exitcode is not None:
                assert process.exitcode == 0
                break
            process.kill()
            process.join()
            kills += 1
            torn += bool(partial_files(folder))
            step = looked_over(folder, step)
        assert_same(end(folder), whole)
        runs += 1
    assert kills >= KILLS
    assert torn >= 5  # some of them in the middle of a file


def looked_over(folder: Path, before: int) -> int:
    """Everything in the folder is whole; returns the step that it resumes from, which is not before an earlier one."""
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
    assert step >= steps[-1] - 2  # at most the work since the last checkpoint is done again
    return step
