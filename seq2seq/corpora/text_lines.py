r"""The text of a file, as a whole and as lines.

Lines end at `\n` alone, and at `\r` in a file without `\n`, as old Macs wrote it. Text is UTF-8 unless it begins as
UTF-16 or UTF-32 does. This module does not know what the text means.
"""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from seq2seq.corpora.findings import Findings
from seq2seq.corpora.packed import File, opened
from seq2seq.errors import InputError

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark begins this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def marked_encoding(start: bytes) -> str:
    """The encoding that a byte order mark at the start of a text says; empty if there is none, or that of UTF-8.

    Two characters of ASCII in UTF-16 are known without a mark.
    """
    shape = bytes(byte > 0 for byte in start[:4])
    unmarked = {b"\1\0\1\0": "utf-16-le", b"\0\1\0\1": "utf-16-be"}.get(shape, "")
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), unmarked)


def lines(file: File, findings: Findings) -> Iterator[str | None]:
    r"""The lines of a file, without the `\n` or `\r\n` at the end; None for a line that is not valid.

    `str.splitlines` would also split at form feeds, U+0085 and U+2028, which are text and may occur on one side only.

    Raises:
        InputError: the file cannot be read or is damaged; a line is not valid and `findings` does not skip it.
    """
    with opened(file) as stream:
        buffered = stream if hasattr(stream, "peek") else io.BufferedReader(cast(io.RawIOBase, stream))
        if wide := marked_encoding(buffered.peek(4)[:4]):
            yield from _wide_lines(buffered, file, wide)
            return
        for number, line in enumerate(buffered, 1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                findings.fault(str(file), f"line {number}", "not valid UTF-8", "save the file as UTF-8")
                yield None
                continue
            if number == 1:
                yield from _ended(text.removeprefix("\ufeff"))
            else:
                yield text.removesuffix("\n").removesuffix("\r")


def _wide_lines(stream: BinaryIO, file: File, encoding: str) -> Iterator[str]:
    """The lines of a text in UTF-16 or UTF-32."""
    number = 0
    text = io.TextIOWrapper(stream, encoding, newline="\n")
    try:
        for line in text:
            number += 1
            if number == 1:
                yield from _ended(line)
            else:
                yield line.removesuffix("\n").removesuffix("\r")
    except UnicodeError:
        name = encoding.upper()
        raise InputError(f"{file}: not valid {name} after line {number}; save the file as UTF-8") from None
    finally:
        text.detach()  # `opened` closes the stream


def _ended(first: str) -> list[str]:
    r"""The line without its end, or the lines of a file that has `\r` for `\n`, which is all in its first line."""
    if first.endswith("\n"):
        return [first.removesuffix("\n").removesuffix("\r")]
    return first.removesuffix("\r").split("\r")


def read_text(file: File) -> str:
    """The whole text of a file, in UTF-8 or as a byte order mark says.

    Raises:
        InputError: the file cannot be read, is damaged or is not valid.
    """
    with opened(file) as stream:
        data = stream.read()
    encoding = marked_encoding(data) or "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeError as e:
        place = f", line {data.count(10, 0, e.start) + 1}" if isinstance(e, UnicodeDecodeError) else ""
        raise InputError(f"{file}{place}: not valid {encoding[:5].upper()}; save the file as UTF-8") from None
