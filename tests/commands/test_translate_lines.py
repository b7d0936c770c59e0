"""`translate` from a file of lines to a file: on from where it stopped, with progress, whole or not at all."""

import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from shell import PAIRS, ROOT, Result, call, refused, start, worked

from seq2seq import display
from seq2seq.processes import CAN_FORK
from seq2seq.translation.translator import LineTranslator

TRANSLATE = ROOT / "scripts" / "translate.py"
LINES = [PAIRS[i * 7 % 60][0] if i % 11 else "" for i in range(150)]
BIG = "\ufeff" + "".join(line + ("\r\n" if i % 3 == 0 else "\n") for i, line in enumerate(LINES)) + "\x00 Hm\rm.\u2028"


def translate(model: Path, output: str, *options: object) -> Result:
    return call("translate", "--model", model, "--input", "big", "--output", output, *options)


@pytest.fixture
def big() -> None:
    Path("big").write_bytes(BIG.encode())


@pytest.fixture
def whole(model: Path, big: None) -> bytes:
    """The output of a job that was not interrupted."""
    worked(translate(model, "whole"))
    return Path("whole").read_bytes()


def stop_at(monkeypatch: pytest.MonkeyPatch, line: int, how: Any, worker: int = 0) -> None:
    """Make the worker that is given this line call `how`."""
    real = LineTranslator._serve

    def serve(self: LineTranslator, most: int | None, number: int, packed: list[Any]) -> Any:
        if number == worker and any(each[0] >= line for each in packed):
            how()
        return real(self, most, number, packed)

    monkeypatch.setattr(LineTranslator, "_serve", serve)


def test_a_file_has_the_lines_of_standard_output_and_its_own_line_breaks(model: Path, whole: bytes) -> None:
    expected = worked(call("translate", "--model", model, stdin=BIG)).out.encode()
    assert whole.replace(b"\r\n", b"\n") == expected
    ends = [line.endswith(b"\r") for line in whole.split(b"\n")[:-1]]
    assert ends == [i % 3 == 0 for i in range(len(LINES))] + [False]


def test_a_killed_job_goes_on_without_a_line_lost_or_doubled(model: Path, whole: bytes) -> None:
    arguments = ["--model", model, "--input", "big", "--output", "out", "--batch-tokens", "1", "--workers", "1"]
    with start(TRANSLATE, *arguments) as process:
        progress, end = Path(".out.progress"), time.monotonic() + 120
        while not (progress.exists() and progress.stat().st_size > 300):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.02)
        process.kill()
    done = len(progress.read_bytes().splitlines()) - 1
    assert 0 < done < len(LINES) and not Path("out").exists()
    refused(translate(model, "out", "--resume", "--beam", 1), "other options")
    worked(translate(model, "out", "--resume"))
    assert Path("out").read_bytes() == whole
    assert not progress.exists() and not list(Path().glob(".*.partial"))


@pytest.mark.skipif(not CAN_FORK, reason="worker processes are forked, which is safe on Linux only")
def test_a_killed_worker_ends_the_job_with_one_line_and_it_goes_on(
    model: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killing:
        stop_at(killing, 100, lambda: os.kill(os.getpid(), signal.SIGKILL), worker=1)
        result = translate(model, "out", "--workers", 2, "--quiet")
    refused(result, "a worker ended with status -9", "use fewer workers", "--resume to go on", status=1)
    assert not Path("out").exists() and Path(".out.progress").exists()
    worked(translate(model, "out", "--resume", "--workers", 1))
    assert Path("out").read_bytes() == whole


@pytest.mark.parametrize(
    "options",
    [
        ["--sample", 1.0, "--seed", 3],
        ["--nbest", 2],
        ["--scores", "--alignments"],
        ["--prefix", "prefixes", "--errors", "replace"],
    ],
    ids=lambda options: options[0],
)
def test_an_interrupted_job_ends_as_a_whole_one(
    model: Path, big: None, options: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of samples, which depend on the number of the line, and of several rows a line."""
    prefixes = "".join("Eine\n" if i % 2 else "\n" for i in range(len(LINES) + 1))
    Path("prefixes").write_text(prefixes, encoding="utf-8")
    worked(translate(model, "whole", *options))

    def interrupt() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stop_at(stopping, 100, interrupt)
        result = translate(model, "out", *options, "--workers", 1, "--quiet")
    assert (result.status, result.err) == (130, "stopped after 64 lines; repeat the command with --resume to go on\n")
    worked(translate(model, "out", *options, "--resume"))
    assert Path("out").read_bytes() == Path("whole").read_bytes()
    refused(translate(model, "out", *options, "--resume", "--score", "big"), "--score", "--resume")


def test_a_job_does_not_go_on_with_another_model_at_the_same_place(
    model: Path, big: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(model, "copy")
    with monkeypatch.context() as killing:
        stop_at(killing, 100, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert translate(Path("copy"), "out", "--workers", 1, "--quiet").status == 130
    manifest = Path("copy/manifest.json")
    manifest.write_bytes(manifest.read_bytes() + b" ")  # as of other weights
    refused(translate(Path("copy"), "out", "--resume"), "progress of another document, or of other options")


def test_what_cannot_be_read_is_found_before_anything_is_translated(
    model: Path, big: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 0, lambda: pytest.fail("something was translated"))
    Path("short").write_text("\n" * 3)
    Path("long").write_text("\n" * 1000)
    refused(translate(model, "out", "--prefix", "short"), "short has fewer lines")
    refused(translate(model, "out", "--prefix", "long"), "long has more lines")
    Path("big").write_bytes(BIG.encode() + b"\ncaf\xe9\n")
    refused(translate(model, "out"), f"big, line {len(LINES) + 2}: not valid UTF-8", "--errors replace")
    assert sorted(path.name for path in Path().iterdir()) == ["big", "long", "short"]


def test_progress_with_the_time_left(model: Path, big: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "FIRST", 0.0)
    monkeypatch.setattr(display, "SHARE", 0.0)
    errors = worked(translate(model, "out")).err
    assert re.search(r"^line 64 of 151 \(42%\), about \d+\.\d min left$", errors, re.MULTILINE)
    assert worked(translate(model, "out", "--quiet")).err == ""
