"""`torchrun scripts/train.py`: ranks compute what workers compute, to the bit, and stop and resume together."""

import signal
import socket
import time
from pathlib import Path

import pytest
from languages_task import TINY, write_text
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


def torchrun(*argv: object) -> Result:
    return python(*launched(*argv))


@pytest.mark.skipif(not CAN_FORK, reason="workers are forked, which is safe on Linux only")
def test_ranks_give_the_weights_of_workers_to_the_bit_also_when_resumed(corpus: Path, recipe: Path) -> None:
    arguments = ["--recipe", recipe, "--data", corpus, *NOISE, *VECTORS]
    worked(torchrun(*arguments, "--out", "ranks", "--set", "training.updates=20"))
    resumed = worked(torchrun("--resume", "ranks", "--set", "training.updates=30", "--device", "cpu"))
    assert resumed.out.count("The model is in ranks") == 1
    assert resumed.err.count("epoch 10  update 30") == 1
    worked(call("train", *arguments, "--out", "forked", "--set", "training.updates=30", "--set", "training.workers=2"))
    for name in ("model.safetensors", "training/step-00000030.safetensors"):
        one, other = (load_file(Path(run) / name) for run in ("ranks", "forked"))
        assert one.keys() == other.keys()
        assert all((one[key] == other[key]).all() for key in one)
    assert Path("ranks/config.toml").read_bytes() == Path("forked/config.toml").read_bytes()


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


def test_a_signal_stops_all_ranks_and_the_state_is_saved(corpus: Path, recipe: Path) -> None:
    arguments = ["--recipe", recipe, "--data", corpus, *NOISE, "--set", "training.updates=1000000", "--out", "run"]
    with start(*launched(*arguments)) as process:
        assert process.stderr
        for line in process.stderr:
            if b"dev BLEU" in line:
                break
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        err = process.stderr.read().decode()
    assert "stopped after update" in err
    assert "go on with --resume" in err
    steps = sorted(int(path.stem.partition("-")[2]) for path in Path("run/training").iterdir())
    assert f"stopped after update {steps[-1]};" in err
