"""Writes small files of parallel text in every format, and reads them with the package."""

import bz2
import gzip
import json
import lzma
import zipfile
from pathlib import Path

import zstandard

from seq2seq.corpora.request import Request
from seq2seq.corpora.source import Text, read

PAIRS = [
    ("A cat sleeps.", "Eine Katze schläft."),
    ("Two dogs run.", "Zwei Hunde rennen."),
    ("I see it.", "Ich sehe es."),
]
BOTH = ("en", "de")

PACK = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a file, packed as its ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packing = path.suffix if path.suffix in PACK else ""
    path.write_bytes(PACK[packing](text.encode(encoding)))
    return path


def lines(texts: list[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def side(i: int) -> str:
    """One side of the pairs as lines."""
    return lines([pair[i] for pair in PAIRS])


def table(separator: str, header: str = "") -> str:
    return lines([*([header] if header else []), *(separator.join(pair) for pair in PAIRS)])


def zipped(path: Path, **files: str) -> Path:
    """A zip archive of text files; `__` stands for `.` and `_in_` for `/` in their names."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_in_", "/").replace("__", ".").replace("_to_", "-"), text)
    return path


def tmx(pairs: list[tuple[str, str]], languages: tuple[str, str] = ("en-US", "de-DE"), head: str = "") -> str:
    """A TMX document; the texts are XML."""
    variant = '<tuv xml:lang="{}"><seg>{}</seg></tuv>'
    units = "".join(f"<tu>{variant.format(languages[0], a)}{variant.format(languages[1], b)}</tu>\n" for a, b in pairs)
    return f'<?xml version="1.0"?>\n{head}<tmx version="1.4"><header srclang="en"/><body>\n{units}</body></tmx>\n'


def po(pairs: list[tuple[str, str]], language: str = "de", more: str = "") -> str:
    """A PO file."""
    entries = "".join(f"msgid {json.dumps(a)}\nmsgstr {json.dumps(b, ensure_ascii=False)}\n\n" for a, b in pairs)
    said = f'"Language: {language}\\n"\n' if language else ""
    return f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n{said}\n{entries}{more}'


def xliff(pairs: list[tuple[str, str]], version: int = 1, target: str = "de") -> str:
    """An XLIFF document, of version 1.2 or 2.0."""
    if version == 1:
        units = "".join(
            f'<trans-unit id="{i}"><source>{a}</source><target>{b}</target></trans-unit>'
            for i, (a, b) in enumerate(pairs)
        )
        files = f'<file source-language="en" target-language="{target}" original="x"><body>{units}</body></file>'
        return f'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">{files}</xliff>'
    units = "".join(
        f'<unit id="{i}"><segment><source>{a}</source><target>{b}</target></segment></unit>'
        for i, (a, b) in enumerate(pairs)
    )
    return (
        f'<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" trgLang="{target}">'
        f'<file id="f">{units}</file></xliff>'
    )


def read_train(where: Path, languages: tuple[str, ...] = BOTH, **request: object) -> list[tuple[str, str]]:
    """The train part of a source."""
    return read_all(where, languages, **request).parts["train"]


def read_all(where: Path, languages: tuple[str, ...] = BOTH, **request: object) -> Text:
    return read(str(where), Request(languages, **request))  # type: ignore[arg-type]
