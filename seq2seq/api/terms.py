"""Glossaries and phrases to avoid, from files, or as values of Python. Knows no model."""

import codecs
import os
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from seq2seq.errors import InputError
from seq2seq.languages.codes import named_direction
from seq2seq.segments.glossary import (
    Glossary,
    Terms,
    avoided_phrase,
    glossary_of,
    merged,
    parse_avoided,
    parse_glossary,
)
from seq2seq.text.directions import Direction

FilePath = str | os.PathLike[str]
GlossarySource = FilePath | Mapping[str, str] | Sequence[FilePath | tuple[str, str]]
AvoidSource = FilePath | Sequence[str]


def read_terms(
    glossaries: Sequence[FilePath],
    avoided: Sequence[FilePath],
    direction: Direction,
    languages: Collection[str],
    fitting: bool = False,
) -> Terms:
    """The terms of some files, for translations in a direction; of two glossaries with one phrase the later counts.

    Args:
        glossaries: files of terms; the first line of each may name its languages.
        avoided: files of phrases.
        direction: of the translations.
        languages: of the model.
        fitting: a glossary of another direction is left out.

    Raises:
        InputError: a file cannot be read, a line is wrong, or a glossary has another direction.
    """
    header = partial(named_direction, languages)
    read = [parse_glossary(_lines(path), os.fspath(path), header) for path in glossaries]
    for path, glossary in zip(glossaries, read, strict=True):
        if glossary.direction not in (None, direction) and not fitting:
            src, tgt = glossary.direction or direction
            raise InputError(
                f"{path} is a glossary from {src} to {tgt}, and not from {' to '.join(direction)}; "
                "give one of this direction, or translate in its own"
            )
    read = [glossary for glossary in read if glossary.direction in (None, direction)]
    phrases = [phrase for path in avoided for phrase in parse_avoided(_lines(path), os.fspath(path))]
    return Terms(merged(read), tuple(dict.fromkeys(phrases)))


def terms_of(
    glossary: Any, avoided: Any, direction: Direction, languages: Collection[str], fitting: bool = False
) -> Terms:
    """The terms of the arguments `glossary` and `avoid` of `Translator.translate`, for translations in a direction.

    Args:
        glossary: None, the path of a file, a dict of phrases and their translations, or a list of paths or of pairs.
        avoided: None, the path of a file, or a list of phrases.
        direction, languages, fitting: as for `read_terms`.

    Raises:
        InputError: as `read_terms`; or one phrase has two translations.
        TypeError: an argument is of another type.
    """
    files, pairs = list[FilePath](), list[tuple[str, str]]()
    if isinstance(glossary, str | os.PathLike):
        files = [glossary]
    elif isinstance(glossary, Mapping):
        pairs = list(glossary.items())
    elif glossary is not None:
        items = list(glossary) if isinstance(glossary, Sequence) else [None]
        files = [item for item in items if isinstance(item, str | os.PathLike)]
        pairs = [(item[0], item[1]) for item in items if isinstance(item, tuple | list) and len(item) == 2]
        if len(files) + len(pairs) != len(items):
            raise TypeError(f"glossary takes a path, a dict, or a list of paths or pairs of str, not {glossary!r}")
    if not all(isinstance(phrase, str) for pair in pairs for phrase in pair):
        raise TypeError("glossary takes phrases as str")
    lists, phrases = list[FilePath](), list[str]()
    if isinstance(avoided, str | os.PathLike):
        lists = [avoided]
    elif avoided is not None:
        if not isinstance(avoided, Sequence) or not all(isinstance(phrase, str) for phrase in avoided):
            raise TypeError(f"avoid takes a path, or a list of phrases as str, not {avoided!r}")
        phrases = list(avoided)
    found = read_terms(files, lists, direction, languages, fitting)
    own = glossary_of(pairs)
    phrases = [avoided_phrase(phrase) for phrase in phrases]
    return Terms(merged([Glossary(found.glossary), own]), tuple(dict.fromkeys([*found.avoided, *phrases])))


def _lines(path: FilePath) -> list[str]:
    """The lines of a file.

    Raises:
        InputError: it cannot be read, or is neither UTF-8 nor UTF-16 with its mark.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check the path") from None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # "Unicode text" of spreadsheets
        try:
            return data.decode("utf-16").split("\n")
        except UnicodeDecodeError:
            raise InputError(f"{path}: not UTF-16, as it begins; save the file as UTF-8") from None
    lines = list[str]()
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        try:
            lines.append(line.decode())
        except UnicodeDecodeError:
            raise InputError(f"{path}, line {number}: not UTF-8; save the file as UTF-8") from None
    return lines
