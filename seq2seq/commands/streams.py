"""Text input and output of the commands, in UTF-8 whatever the locale. This module does not know models."""

import gzip
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from seq2seq.errors import InputError, WorkError

_PACKED = (".bz2", ".xz", ".lzma", ".zst", ".zip", ".7z", ".tar", ".tgz")  # neither unpacked nor packed here
STANDARD = Path("-")  # as a file name: standard input or output


def lines_of(path: Path | None, errors: str = "") -> Iterator[str]:
    r"""The lines of a file, plain or `.gz`, or of standard input (None or "-"), as they are read.

    They end at `\n` alone, and a `\r` before it is removed. `errors` is the value of the command's --errors, if it has
    that option: with "replace", invalid UTF-8 becomes U+FFFD.

    Raises:
        InputError: the file cannot be read, or a line is not UTF-8.
    """
    for line in ended_lines_of(path, errors):
        yield line.removesuffix("\n").removesuffix("\r")


def ended_lines_of(path: Path | None, errors: str = "") -> Iterator[str]:
    """As `lines_of`, each line with its end as it is in the file.

    Raises:
        InputError: as `lines_of`.
    """
    with opened(path) as stream:
        yield from _decoded(stream, name_of(path), errors)


def name_of(path: Path | None) -> str:
    """What messages call an input."""
    return "standard input" if path is None or path == STANDARD else str(path)


@contextmanager
def opened(path: Path | None) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked where it ends with .gz, or of standard input (None or "-").

    Raises:
        InputError: it cannot be read, or inside the context it turns out not to be a whole gzip file.
    """
    if path is None or path == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        stream = gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # noqa: SIM115 (closed below)
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror or e}; check the path") from None
    try:
        with stream:
            yield cast(BinaryIO, stream)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(
            f"cannot read {path}: it is not a whole gzip file; pack it again, or unpack it and drop the .gz"
        ) from None


def _decoded(stream: Iterable[bytes], name: str, errors: str) -> Iterator[str]:
    for number, line in enumerate(stream, 1):
        try:
            text = line.decode("utf-8", errors or "strict")
        except UnicodeDecodeError:
            if name.lower().endswith(_PACKED):
                raise InputError(f"{name} is packed; unpack it, or pack it with gzip (.gz)") from None
            hint = ", or give --errors replace" if errors else ""
            raise InputError(f"{name}, line {number}: not valid UTF-8; convert the text to UTF-8{hint}") from None
        yield text.removeprefix("\ufeff") if number == 1 else text


@contextmanager
def output(path: Path | None) -> Iterator[BinaryIO]:
    """A stream to standard output (None or "-"), or to a file that appears at `path` only once it is complete.

    A file that ends with .gz is packed.

    Raises:
        InputError: no file can be written there.
        WorkError: the disk is full.
    """
    if path is None or path == STANDARD:
        yield sys.stdout.buffer
        return
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; name a file in it")
    if path.name.lower().endswith(_PACKED):
        raise InputError(f"cannot write {path}: of packed files only .gz is written; name another file")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}; create it, or check the path")
    if path.exists() and not path.is_file():  # a pipe or a device, which must not be replaced by a file
        with path.open("wb") as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))  # the target of a link, which stays a link
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as file:
            if target.suffix.lower() == ".gz":
                with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield file
        partial.replace(target)
    except OSError as e:
        failure = WorkError if e.filename is None else InputError  # it failed while writing, or while opening
        state = "the file that was there is unchanged" if target.is_file() else "check the path"
        raise failure(f"cannot write {path}: {e.strerror}; {state}") from None
    finally:
        partial.unlink(missing_ok=True)


def put(line: str, file: BinaryIO | None = None) -> None:
    """Write a line to a file, by default to standard output, and flush it."""
    file = file or sys.stdout.buffer
    file.write(line.encode("utf-8", errors="replace") + b"\n")
    file.flush()


def put_json(result: Any) -> None:
    """Write one JSON object to standard output."""
    put(json.dumps(result, ensure_ascii=False))
