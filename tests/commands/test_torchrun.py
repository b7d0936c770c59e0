"""`torchrun`: ranks compute what workers compute, to the bit, stop and resume together, and go on after a kill.

The commands that the guide shows are those that run here.
"""

import json
import os
import re
import shlex
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from languages_task import TINY, write_text
from running import children
from safetensors.torch import load_file
from shell import ROOT, Result, call, python, start, worked

from seq2seq.processes import CAN_FORK

NOISE = ["--set", "model.dropout=0.2", "--set", "training.validate_every=10", "--device", "cpu"]
VECTORS = ["--set", "training.word_vectors=skipgram"]  # which only rank 0 learns


def launched(*argv: object) -> list[object]:
    """The arguments of python for `torchrun --nproc-per-node 2 scripts/train.py ARGV`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", 2, "--master-port", port]
    return [*launcher, ROOT / "scripts" / "train.py", *argv]


def documented(kind: str, run: str, corpus: Path, host: str = "") -> list[object]:
    """The arguments of python for the one command with torchrun of the guide that contains `kind`."""
    guide = (ROOT / "docs" / "guide.md").read_text("utf-8").replace("\\\n", "")
    [command] = [line for line in re.findall("^torchrun .*$", guide, re.MULTILINE) if kind in line]
    places = {"RUN": run, "DIR": corpus, "HOST:29400": host}
    return [
        "-m",
        "torch.distributed.run",
        *(places.get(word, word) for word in shlex.split(command, comments=True)[1:]),
    ]


def torchrun(*argv: object) -> Result:
    return python(*launched(*argv))


@pytest.mark.skipif(not CAN_FORK, reason="workers are forked, which is safe on Linux only")
def test_ranks_stop_at_a_signal_go_on_and_give_the_weights_of_workers_to_the_bit(corpus: Path, recipe: Path) -> None:
    arguments = ["--recipe", recipe, *NOISE, *VECTORS]
    command = documented("--nproc-per-node 2 --max-restarts", "ranks", corpus)
    with start(*command, *arguments, "--set", "training.updates=1000000") as process:
        assert process.stderr
        for line in process.stderr:
            if b"dev BLEU" in line:
                break
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        err = process.stderr.read().decode()
    assert "stopped after update" in err
    assert "go on with --resume" in err
    step = max(int(path.stem.partition("-")[2]) for path in Path("ranks/training").iterdir())
    assert f"stopped after update {step};" in err

    total = (step // 10 + 2) * 10
    command = documented("--resume", "ranks", corpus)
    resumed = worked(python(*command, "--set", f"training.updates={total}", "--device", "cpu"))
    assert resumed.out.count("The model is in ranks") == 1
    assert len(re.findall(rf"epoch \d+  update {total}\b", resumed.err)) == 1
    workers = ["--set", f"training.updates={total}", "--set", "training.workers=2"]
    text = ["--data", corpus, "--src", "en", "--tgt", "de"]
    worked(call("train", *text, *arguments, "--out", "forked", *workers))
    for name in ("model.safetensors", f"training/step-{total:08}.safetensors"):
        one, other = (load_file(Path(run) / name) for run in ("ranks", "forked"))
        assert one.keys() == other.keys()
        assert all((one[key] == other[key]).all() for key in one)
    assert Path("ranks/config.toml").read_bytes() == Path("forked/config.toml").read_bytes()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the ranks of a torchrun are found in /proc")
def test_two_machines_go_on_by_themselves_after_a_rank_was_killed(corpus: Path, recipe: Path) -> None:
    """Two torchruns of two ranks each. The scores, whose translations the ranks share, are those of one process.

    The updates after the first validation are so many that a busy machine kills the rank before the last of them.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"localhost:{free.getsockname()[1]}"
    arguments = [*documented("--nnodes", "run", corpus, host), "--recipe", recipe, *NOISE]
    logs, metrics = [Path("err-0"), Path("err-1")], Path("run/metrics.jsonl")
    with ExitStack() as stack:
        machines = [
            stack.enter_context(
                start(
                    *arguments,
                    *("--set", "training.updates=200"),
                    stderr=stack.enter_context(log.open("wb")),
                    stdout=stack.enter_context(log.with_suffix(".out").open("wb")),
                )
            )
            for log in logs
        ]
        end = time.monotonic() + 200
        while not metrics.exists():
            assert time.monotonic() < end and all(machine.poll() is None for machine in machines)
            time.sleep(0.02)
        other = machines["run: " in logs[0].read_text()]  # the one that does not print, without rank 0
        os.kill(children(other.pid)[0], signal.SIGKILL)
        assert [machine.wait(end - time.monotonic()) for machine in machines] == [0, 0]
    out, err = ("".join(log.with_suffix(suffix).read_text() for log in logs) for suffix in (".out", ""))
    assert len(re.findall(r"run: the job was started again; it goes on after update 1?\d0$", err, re.MULTILINE)) == 1
    assert len(re.findall(r"epoch \d+  update 200\b", err)) == 1
    rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(10, 201, 10))
    best = max(rows, key=lambda row: (row["dev_bleu"], row["dev_chrf"], -row["dev_loss"]))
    for options, expected in (
        (["--split", "dev", "--beam", 1], [f"BLEU = {best['dev_bleu']:.2f} ", f"chrF2 = {best['dev_chrf']:.2f} "]),
        (["--split", "test"], re.findall("^test  (.*)$", out, re.MULTILINE)),
    ):
        alone = worked(call("evaluate", "--model", "run", "--data", corpus, *options)).out
        assert len(expected) == 2 and all(score in alone for score in expected)


@pytest.mark.skipif(not CAN_FORK, reason="workers are forked, which is safe on Linux only")
def test_ranks_train_two_directions_as_workers_do() -> None:
    data = write_text(Path("data"), 60, dev=10, test=10)
    Path("tiny.toml").write_text(TINY)
    directions = ["--langs", "en,de", "--directions", "en-de,de-en", "--set", "data.temperature=4"]
    arguments = ["--recipe", "tiny.toml", "--data", data, *directions, "--device", "cpu", "--quiet"]
    worked(torchrun(*arguments, "--out", "ranks"))
    worked(call("train", *arguments, "--out", "forked", "--set", "training.workers=2"))
    assert Path("ranks/model.safetensors").read_bytes() == Path("forked/model.safetensors").read_bytes()
    assert Path("ranks/config.toml").read_bytes() == Path("forked/config.toml").read_bytes()


def test_an_error_is_printed_once(corpus: Path, recipe: Path) -> None:
    result = torchrun("--recipe", recipe, "--data", corpus, *NOISE, "--set", "training.workers=3", "--out", "new")
    assert result.status != 0
    assert result.err.count("error: training.workers = 3, but torchrun started 2 ranks") == 1
    assert not Path("new").exists()
