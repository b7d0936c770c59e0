"""Text files: their character set, and their lines with the line endings as they are. Knows no format."""

import codecs
import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

from seq2seq.errors import InputError

CODECS = {  # by the byte order mark
    codecs.BOM_UTF8: ("utf-8", "UTF-8"),
    codecs.BOM_UTF16_LE: ("utf-16-le", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16-be", "UTF-16"),
}
CHUNK = 1 << 16  # bytes
_WORD = re.compile(r"[^\W_]")


class TextFile(NamedTuple):
    """A text file that is read once, in constant memory."""

    mark: bytes  # byte order mark, or nothing
    codec: str
    lines: Iterator[str]  # each with its line ending: \n, \r\n or \r, which the last line may lack

    def encode(self, text: str) -> bytes:
        """The text in the file's character set."""
        return text.encode(self.codec)


def read_text(source: BinaryIO) -> TextFile:
    """The text of `source`: in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        InputError: (from `lines`) text in another character set, or something that is not text; with the line.
    """
    start = source.read(CHUNK)
    mark = next((mark for mark in CODECS if start.startswith(mark)), b"")
    codec, name = CODECS.get(mark, CODECS[codecs.BOM_UTF8])
    chunks = chain([start[len(mark) :]], iter(lambda: source.read(CHUNK), b""))
    return TextFile(mark, codec, _lines(chunks, codec, name))


def has_words(text: str) -> bool:
    """Whether the text holds a letter or a digit."""
    return _WORD.search(text) is not None


def one_line(text: str) -> str:
    """The text with spaces for its line ends: what may stand in one line of a document."""
    return re.sub(r"[ \t]*[\r\n]+[ \t]*", " ", text)


def trimmed(text: str) -> tuple[str, str, str]:
    """The white space before the text, the text, and the white space after it."""
    core = text.strip()
    start = len(text) - len(text.lstrip()) if core else len(text)
    return text[:start], core, text[start + len(core) :]


def _lines(chunks: Iterator[bytes], codec: str, name: str) -> Iterator[str]:
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(), translate=False)
    number, unfinished = 1, list[str]()
    for chunk in chain((chunk for chunk in chunks if chunk), [b""]):
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            place = number + _line_ends(error.object[: error.start].decode(codec, "ignore"))
            raise InputError(f"line {place}: not {name}; save the text as UTF-8") from None
        if "\0" in text:
            place = number + _line_ends(text[: text.index("\0")])
            raise InputError(f"line {place}: a NUL character; is this text? Save it as UTF-8")
        for line in io.StringIO(text, newline=""):
            unfinished.append(line)
            if line[-1] in "\r\n":
                yield "".join(unfinished)
                unfinished.clear()
                number += 1
    if unfinished:
        yield "".join(unfinished)


def _line_ends(text: str) -> int:
    return sum(1 for _ in io.StringIO(text + ".", newline="")) - 1
