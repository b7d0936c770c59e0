"""JSON lines, and JSON files that hold an array of objects, with a text by language.

An object has the languages as names, or `translation` with such an object, as data sets of the Hugging Face hub have.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from seq2seq.corpora.columns import NAMES, by_header
from seq2seq.corpora.findings import Findings
from seq2seq.corpora.packed import File
from seq2seq.corpora.request import Request, Row, one_line
from seq2seq.corpora.text_lines import lines, read_text
from seq2seq.errors import InputError

Item = tuple[str, Any]  # its place, for example "line 3"; the value there
_TRANSLATION = "translation"
_SURROGATE = re.compile("[\ud800-\udfff]")


def rows(file: File, request: Request, findings: Findings) -> Iterator[Row]:
    """The rows of a .jsonl or .json file.

    Raises:
        InputError: a language is missing; a line is damaged and `findings` does not skip it.
    """
    known: dict[tuple[str, ...], dict[str, str]] = {}  # which names stand for the languages
    some, first = False, ""  # whether one of the objects had all languages; what the first of the others lacked
    for place, row in objects(file, findings):
        keys = tuple(row)
        if keys not in known:
            places = by_header(keys, request, findings, f"{file}, {place}").places
            known[keys] = {language: keys[column] for language, column in places.items()}
        names = known[keys]
        if not names and row.get(_TRANSLATION, "") is None:
            yield dict.fromkeys(request.languages, "")
            continue
        texts: Row = {}
        for language in dict.fromkeys((*request.languages, *names)):
            text = row.get(names.get(language, ""), "") or ""
            if language not in names:
                if request.sparse:
                    continue
                only = ", ".join(keys)
                first = first or f"{file}, {place}: no column {language!r}, only {only}; {NAMES}"
                if not (some or findings.skip):
                    raise InputError(first)
                findings.fault(str(file), place, f"no {language!r}, only {only}", "add it")
                break
            if not isinstance(text, str) and language not in request.languages:
                text = str(text)
            if not isinstance(text, str):
                findings.fault(str(file), place, f"{text!r} is not text", "put it in quotes")
                break
            if _SURROGATE.search(text):
                half = "half of a surrogate pair (\\ud800 to \\udfff)"
                findings.fault(str(file), place, half, "write both halves")
                break
            texts[language] = one_line(text)
        else:
            some = True
            yield texts
    if first and not some:
        raise InputError(first)


def objects(file: File, findings: Findings) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file, each with its place; of one with `translation` what that holds.

    Raises:
        InputError: something else is there, and `findings` does not skip it.
    """
    array = file.plain_name.lower().endswith(".json")
    for place, row in _array(file, findings) if array else _lines(file, findings):
        if isinstance(row, dict) and isinstance(row.get(_TRANSLATION), dict):
            row = row[_TRANSLATION]
        if isinstance(row, dict):
            yield place, row
        else:
            advice = "write objects in the array" if array else "write one object a line"
            findings.fault(str(file), place, "not a JSON object", advice)


def _lines(file: File, findings: Findings) -> Iterator[Item]:
    for number, line in enumerate(lines(file, findings), 1):
        if line is not None and not line.strip():
            findings.fault(str(file), f"line {number}", "the line is blank, not a JSON object", "delete it")
        elif line is not None:
            try:
                yield f"line {number}", json.loads(line)
            except (ValueError, RecursionError):
                yield f"line {number}", None


def _array(file: File, findings: Findings) -> Iterator[Item]:
    """The items of the array that a file holds, alone or in an object; of an array a column; or of JSON lines."""
    try:
        value = json.loads(read_text(file))
    except (ValueError, RecursionError) as e:
        if getattr(e, "msg", "") == "Extra data":  # a second value
            yield from _lines(file, findings)
            return
        raise InputError(
            f"{file} is not valid JSON ({e}); correct it, or write one object a line in a .jsonl"
        ) from None
    if isinstance(value, dict):
        arrays = [item for item in value.values() if isinstance(item, list)]
        if len(arrays) == len(value) > 1 and len(set(map(len, arrays))) == 1:  # a list for each column
            value = [dict(zip(value, items, strict=True)) for items in zip(*arrays, strict=True)]
        else:
            value = arrays[0] if len(arrays) == 1 else None
    if not isinstance(value, list):
        raise InputError(f"{file} holds no array of objects; write [{{...}}, ...], or one object a line in a .jsonl")
    yield from ((f"item {number}", item) for number, item in enumerate(value, 1))
