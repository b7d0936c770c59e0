"""Runs commands as at a shell, in this process or in a new one, and checks their status and output."""

import io
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from running import children

from seq2seq.commands import main

ROOT = Path(__file__).resolve().parent.parent.parent

# An English-German toy language of 60 sentences, of which dev and test hold every fifteenth each. test2 holds sentences
# with reversed word order: the model has not learnt their translations, so its search settings matter.
SUBJECTS = {"A cat": "Eine Katze", "Two dogs": "Zwei Hunde", "The man": "Der Mann", "A child": "Ein Kind"}
VERBS = {"sleeps": "schläft", "runs": "rennt", "sings": "singt", "eats": "isst", "waits": "wartet"}
WHEN = {"here": "hier", "there": "dort", "today": "heute"}
PAIRS = [
    (f"{subject} {verb} {when}.", f"{SUBJECTS[subject]} {VERBS[verb]} {WHEN[when]}.")
    for subject in SUBJECTS
    for verb in VERBS
    for when in WHEN
]
PARTS = {
    "train": [pair for i, pair in enumerate(PAIRS) if i % 15 not in (3, 11)],
    "dev": PAIRS[3::15],
    "test": PAIRS[11::15],
    "test2": [(" ".join(reversed(en.split())), de) for en, de in PAIRS[::3]],
}

# A model that learns almost the whole language in a second. A line is one sentence, wherever its full stop is.
RECIPE = """
[text]
sentences = false
longest = 200
names = 0.0
lowercase = 0.0
unpunctuated = 0.0
[tokenizer]
kind = "bpe"
vocab_size = 380
placeholders = 0
[model]
lexical = false
embedding = 32
encoder_hidden = [16, 16]
hidden = 32
dropout = 0.0
readout_dropout = 0.0
[training]
updates = 120
validate_every = 60
batch_tokens = 150
learning_rate = 0.01
schedule = "constant"
warmup = 10
label_smoothing = 0.0
ema = 0.9
precision = "fp32"
"""

# Options of `train` for a run of two updates.
QUICK = ["--set", "training.updates=2", "--set", "training.validate_every=1", "--device", "cpu", "--threads", "1"]


class Result(NamedTuple):
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard output, each of which must end with a newline."""
        assert self.out == "" or self.out.endswith("\n")
        return self.out.split("\n")[:-1]


class Terminal(io.TextIOWrapper):
    """A stream that reports to be a terminal."""

    def isatty(self) -> bool:
        return True


def call(*argv: object, stdin: str | bytes = "", terminal: bool = False) -> Result:
    """Run `seq2seq ARGV` in this process."""
    kind = Terminal if terminal else io.TextIOWrapper
    inputs = stdin.encode() if isinstance(stdin, str) else stdin
    streams = [kind(io.BytesIO(content), encoding="utf-8", newline="") for content in (inputs, b"", b"")]
    with mock.patch.multiple(sys, **dict(zip(("stdin", "stdout", "stderr"), streams, strict=True))):
        status = main([str(arg) for arg in argv])
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:] if stream.flush() is None)
    return Result(status, out, err)


def train(recipe: Path, corpus: Path, *options: object) -> Result:
    """Run `seq2seq train` for two updates, unless the options say otherwise."""
    return call("train", "--recipe", recipe, "--data", corpus, *QUICK, *options)


def card(folder: Path) -> str:
    """The model card of a model folder."""
    return (folder / "README.md").read_text(encoding="utf-8")


def environment() -> dict[str, str]:
    """Environment of a new process: this checkout, one thread, all warnings shown, output buffered as at a shell."""
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default", "PYTHONUNBUFFERED": ""}
    return {**os.environ, **own}


class Process(subprocess.Popen[bytes]):
    """A process that is killed, with those that it has started, where its `with` block fails.

    `Popen` waits for its end there, and a server or a job that hangs has none.
    """

    def __exit__(self, failure: object, *details: object) -> None:
        pids = [self.pid] if failure and self.poll() is None else []
        for pid in pids:  # the list grows; whoever would start others anew is killed first
            started = children(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            pids += started
        super().__exit__(failure, *details)  # type: ignore[arg-type]


def start(*argv: object, **streams: Any) -> Process:
    """Start `python ARGV` in a new process."""
    return Process(
        [sys.executable, *map(str, argv)],
        env=environment(),
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )


def python(*argv: object, stdin: str = "", **streams: Any) -> Result:
    """Run `python ARGV` in a new process to its end."""
    with start(*argv, **streams) as process:
        out, err = process.communicate(stdin.encode(), timeout=120)
    return Result(process.returncode, (out or b"").decode(), (err or b"").decode())


def worked(result: Result) -> Result:
    """The result, after checking that the command succeeded."""
    assert result.status == 0, result.err
    assert "error" not in result.err
    return result


def refused(result: Result, *names: str, status: int = 2) -> None:
    """Check that a command failed with one line on standard error, which contains `names`, and no other output."""
    assert result.status == status, result.err
    assert result.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", result.err), result.err
    for name in names:
        assert name in result.err


def snapshot(folder: Path) -> dict[str, bytes]:
    """The content of all files below a folder, by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def write_part(folder: Path, part: str, pairs: list[tuple[str, str]]) -> None:
    """Write one part of a corpus as two files of lines."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, lines in zip(("en", "de"), zip(*pairs, strict=True), strict=True):
        (folder / f"{part}.{language}").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
