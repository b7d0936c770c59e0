"""`torchrun scripts/train.py`: ranks compute what workers compute, to the bit, and stop and resume together."""

import re
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
def test_ranks_stop_at_a_signal_go_on_and_give_the_weights_of_workers_to_the_bit(corpus: Path, recipe: Path) -> None:
    arguments = ["--recipe", recipe, "--data", corpus, *NOISE, *VECTORS]
    with start(*launched(*arguments, "--out", "ranks", "--set", "training.updates=1000000")) as process:
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
    resumed = worked(torchrun("--resume", "ranks", "--set", f"training.updates={total}", "--device", "cpu"))
    assert resumed.out.count("The model is in ranks") == 1
    assert len(re.findall(rf"epoch \d+  update {total}\b", resumed.err)) == 1
    workers = ["--set", f"training.updates={total}", "--set", "training.workers=2"]
    worked(call("train", *arguments, "--out", "forked", *workers))
    for name in ("model.safetensors", f"training/step-{total:08}.safetensors"):
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
