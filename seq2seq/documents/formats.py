"""The formats of documents: their names, the endings of their files, and the modules that read them."""

import importlib
from pathlib import Path
from typing import cast

from seq2seq.documents.document import Format
from seq2seq.errors import InputError

LINES = "lines"

# Name of each format: its module, and the endings of its files.
FORMATS: dict[str, tuple[str, tuple[str, ...]]] = {
    LINES: ("plain.lines", (".txt",)),
    "paragraphs": ("plain.paragraphs", ()),
    "markdown": ("web.markdown", (".md", ".markdown")),
    "html": ("web.hypertext", (".html", ".htm", ".xhtml")),
    "srt": ("subtitles.subrip", (".srt",)),
    "vtt": ("subtitles.webvtt", (".vtt",)),
    "ass": ("subtitles.ass", (".ass", ".ssa")),
    "po": ("messages.gettext_po", (".po", ".pot")),
    "xliff": ("messages.xliff", (".xlf", ".xliff")),
    "json": ("messages.json_strings", (".json", ".arb")),
    "android": ("messages.android", ("strings.xml",)),
    "csv": ("plain.tables", (".csv",)),
    "tsv": ("plain.tables", (".tsv",)),
    "docx": ("office.word_document", (".docx",)),
    "pptx": ("office.presentation", (".pptx",)),
    "odt": ("office.open_document", (".odt", ".ods", ".odp")),
    "epub": ("office.epub", (".epub",)),
}


def format_name(name: str | None, source: Path | None, target: Path | None) -> str:
    """The format of a document: `name` if it is given, otherwise by the ending of the source; "lines" for others.

    Raises:
        InputError: there is no such format, or the target has the ending of another one.
    """
    if name is not None and name not in FORMATS:
        raise InputError(f"there is no format {name!r}; there are: {', '.join(FORMATS)}")
    found = name or _by_ending(source) or LINES
    other = _by_ending(target) if source and not name else None
    if other and found != LINES and other not in (found, LINES):
        raise InputError(
            f"{source} is read as {found}, but {target} is named as {other}; a document keeps its format: "
            "name the output like the input, or give --format"
        )
    return found


def load_format(name: str) -> Format:
    """The module that reads a format.

    Raises:
        InputError: a package that it needs is not installed.
    """
    try:
        return cast(Format, importlib.import_module(f"seq2seq.documents.{FORMATS[name][0]}"))
    except ImportError as e:
        raise InputError(
            f"documents of the format {name} need the package {e.name}; install it: pip install 'seq2seq[documents]'"
        ) from None


def _by_ending(path: Path | None) -> str | None:
    """The format whose files have the ending of this path; None if there is none."""
    if path is None:
        return None
    name = path.name.lower().removesuffix(".gz")
    return next((known for known, (_, endings) in FORMATS.items() if name.endswith(endings)), None)
