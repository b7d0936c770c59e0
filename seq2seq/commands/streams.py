"""Text in and out of the commands, always UTF-8, whatever the locale. This module knows nothing of models."""

import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from seq2seq.errors import InputError, WorkError

STANDARD = Path("-")  # as a file: standard input, or standard output


def lines_of(path: Path | None, errors: str = "") -> Iterator[str]:
    r"""The lines of a file, plain or `.gz`, or of standard input (None or "-"), as they are read.

    They are broken at `\n` alone, and lose a `\r` at their end. `errors` is the value of the command's --errors, where
    it has one: with "replace", bytes that are not UTF-8 become U+FFFD.

    Raises:
        InputError: the file cannot be read, or a line is not UTF-8.
    """
    if path is None or path == STANDARD:
        yield from _decoded(sys.stdin.buffer, "standard input", errors)
        return
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield from _decoded(stream, str(path), errors)
    except (OSError, EOFError, zlib.error) as e:
        raise InputError(f"cannot read {path}: {getattr(e, 'strerror', '') or e}; check the path") from None


def _decoded(stream: Iterable[bytes], name: str, errors: str) -> Iterator[str]:
    for number, line in enumerate(stream, 1):
        try:
            text = line.decode("utf-8", errors or "strict")
        except UnicodeDecodeError:
            hint = ", or give --errors replace" if errors else ""
            raise InputError(f"{name}, line {number}: not valid UTF-8; convert the text to UTF-8{hint}") from None
        yield (text.removeprefix("\ufeff") if number == 1 else text).removesuffix("\n").removesuffix("\r")


@contextmanager
def output(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output (None or "-"), or a file that is put in its place only once it is whole.

    Raises:
        InputError: no file can be written there.
        WorkError: the disk is full.
    """
    if path is None or path == STANDARD:
        yield sys.stdout.buffer
        return
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}; make it, or check the path")
    if path.exists() and not path.is_file():  # a pipe or a device, which no file may replace
        with path.open("wb") as stream:
            yield stream
        return
    target = path.resolve()  # of a link
    beside = target.with_name(f".{target.name}.partial")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(target)
    except OSError as e:
        failure = WorkError if e.filename is None else InputError  # in writing, or already in opening
        raise failure(f"cannot write {path}: {e.strerror}; what was there before is untouched") from None
    finally:
        beside.unlink(missing_ok=True)


def put(line: str, file: BinaryIO | None = None) -> None:
    """Write a line, on standard output where no file is given, and flush it."""
    file = file or sys.stdout.buffer
    file.write(line.encode("utf-8", errors="replace") + b"\n")
    file.flush()


def put_json(result: Any) -> None:
    """Write one JSON object on standard output."""
    put(json.dumps(result, ensure_ascii=False))
