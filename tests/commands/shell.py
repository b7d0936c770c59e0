"""What a person does at a shell: type a command, pipe text in, read what comes out, and see it refused."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from seq2seq.commands import main

ROOT = Path(__file__).resolve().parent.parent.parent

# An English-German language of 60 sentences; every fifteenth is in dev, every fifteenth in test. test2 makes no sense:
# nobody knows its translations by heart, so that how they are searched for matters.
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

# Enough to learn that language almost by heart in a second.
RECIPE = """
[tokenizer]
kind = "bpe"
vocab_size = 380
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


class Result(NamedTuple):
    """What a command leaves behind."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output, line by line; every line must end."""
        assert self.out == "" or self.out.endswith("\n")
        return self.out.split("\n")[:-1]


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def call(*argv: object, stdin: str | bytes = "", terminal: bool = False) -> Result:
    """`seq2seq ARGV` in this process."""
    kind = Terminal if terminal else io.TextIOWrapper
    given = stdin.encode() if isinstance(stdin, str) else stdin
    streams = [kind(io.BytesIO(content), encoding="utf-8", newline="") for content in (given, b"", b"")]
    with mock.patch.multiple(sys, **dict(zip(("stdin", "stdout", "stderr"), streams, strict=True))):
        status = main([str(arg) for arg in argv])
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:] if stream.flush() is None)
    return Result(status, out, err)


def environment() -> dict[str, str]:
    """Of a process of its own: this checkout, one thread, every warning shown, output held back as at a shell."""
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default", "PYTHONUNBUFFERED": ""}
    return {**os.environ, **own}


def start(*argv: object, **streams: Any) -> "subprocess.Popen[bytes]":
    """`python ARGV` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, *map(str, argv)],
        env=environment(),
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )


def python(*argv: object, stdin: str = "", **streams: Any) -> Result:
    """`python ARGV`, to its end."""
    with start(*argv, **streams) as process:
        out, err = process.communicate(stdin.encode(), timeout=120)
    return Result(process.returncode, (out or b"").decode(), (err or b"").decode())


def worked(result: Result) -> Result:
    """The result, after a look that all went well."""
    assert result.status == 0, result.err
    assert "error" not in result.err
    return result


def refused(result: Result, *names: str, status: int = 2) -> None:
    """One line on standard error that names what is wrong, and nothing else anywhere."""
    assert result.status == status, result.err
    assert result.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", result.err), result.err
    for name in names:
        assert name in result.err


def snapshot(folder: Path) -> dict[str, bytes]:
    """Everything below a folder, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def write_part(folder: Path, part: str, pairs: list[tuple[str, str]]) -> None:
    """One part of a corpus as two files of lines."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, lines in zip(("en", "de"), zip(*pairs, strict=True), strict=True):
        (folder / f"{part}.{language}").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
