"""Which columns of a table hold which language: by its header, by the names a person gave, or by what they hold.

This module does not know how a table is stored.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from seq2seq.corpora.column_names import language_in, said_side_of, says_part, short, side_in
from seq2seq.corpora.findings import Findings
from seq2seq.corpora.request import PART, SAID, Request
from seq2seq.errors import InputError
from seq2seq.languages.codes import SIDES, fits, matches, side_of, tag_of

_CELLS, _CHARACTERS = 8, 30  # of a row, and of a cell, that a message shows
SAMPLE = 100  # rows that are looked at where there is no header
NAMES = "check --src and --tgt, which name the columns"
_USUAL = {"id", "key", "text", "score", "translation", "sentence", "domain", "split", "line", *chain(*SIDES)}
_NUMBERS = re.compile(r"[\d\s.,:/+-]*")
_ATTRIBUTION = re.compile(r"CC-BY\b")  # the third column of the files of manythings.org/anki


class Columns(NamedTuple):
    """The place of each language in a row, and of what is said of each row: SAID and PART."""

    places: dict[str, int]
    width: int  # number of columns
    names: tuple[str, ...]  # of all columns; empty if there is no header


def names_languages(cells: Sequence[str], request: Request) -> bool:
    """Whether the cells of the first row name two of the languages, as no text and its translation do."""
    named = list(map(language_in, _names(cells)))
    return sum(any(fits(name, language) for name in named) for language in request.languages) >= 2


def is_header(cells: Sequence[str], request: Request) -> bool:
    """Whether the cells of the first row may be names of columns: `German` and `Deutsch` may also be a pair."""
    if names_languages(cells, request):
        return True
    cells = _names(cells)
    known = [cell.lower() in _USUAL or tag_of(cell) or side_of(short(cell)) is not None for cell in cells if cell]
    text = any(". " in cell for cell in cells)  # `Ms. Sato` begins as a tag with an encoding does
    return (bool(known) and all(known) and not text) or bool(_sides(cells))


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    """The cells without the mark of a comment that a header may begin with."""
    return tuple(cell.strip().removeprefix("#").lstrip() for cell in cells)


def by_header(cells: Sequence[str], request: Request, findings: Findings, file: str) -> Columns:
    """The columns that a header names. A language that it does not name has no place.

    Raises:
        InputError: two columns fit a language equally well.
    """
    names = _names(cells)
    spoken = tuple(map(language_in, names))
    found, exact = dict[str, int](), 0
    for row in (names, spoken):
        exact = len(found)
        free = ["" if i in found.values() else name for i, name in enumerate(row)]
        missing = [language for language in request.languages if language not in found]
        named = matches(filter(None, free), missing, file)
        found |= {language: free.index(name) for language, name in named.items()}
    said = {side: i for i, name in enumerate(names) if (side := said_side_of(name)) is not None}
    sides = _sides(names) if not exact and len(found) < len(request.languages) else ()
    if sides and len(said) == 2:
        found = dict(zip((*request.languages[:2], *SAID), (*sides, said[0], said[1]), strict=True))
    elif sides and not request.sparse:
        found = dict(zip(request.languages, sides, strict=True))
    parts = [i for i, name in enumerate(names) if says_part(name) and i not in found.values()]
    if found and len(parts) == 1:
        findings.part_column, found[PART] = names[parts[0]], parts[0]
    tags = {tag_of(short) for name, short in zip(names, spoken, strict=True) if name.lower() not in _USUAL}
    findings.of_many |= len(tags - {None}) > 2
    return Columns(found, len(names), names)


def _sides(names: Sequence[str]) -> tuple[int, ...]:
    """The columns to translate from and to, by names that each say a side; none if that is not clear."""
    names = ["" if said_side_of(name) is not None else name for name in names]
    for side_of_name in (side_of, lambda name: side_of(short(name)), side_in):
        sides = [[i for i, name in enumerate(names) if side_of_name(name) == side] for side in (0, 1)]
        if all(len(side) == 1 for side in sides):
            return sides[0][0], sides[1][0]
    return ()


def shown(cells: Sequence[str]) -> str:
    """The cells of a row, shortened, for a message."""
    some = [cell if len(cell) <= _CHARACTERS else f"{cell[:_CHARACTERS]}..." for cell in cells[:_CELLS]]
    rest = [f"{len(cells) - _CELLS} more"] if len(cells) > _CELLS else []
    return ", ".join([*some, *rest])


def by_position(rows: Sequence[Sequence[str]], name: str, request: Request, findings: Findings, file: str) -> Columns:
    """The columns of a table without a header; none if the request is sparse and nothing says their languages.

    Args:
        rows: the first rows.
        name: of the file without endings; it may say which languages the columns hold.
        request: with the names of the columns, if a person gave them.
        findings: receives a note on what is assumed.
        file: the file, as messages name it.

    Raises:
        InputError: the names that were given do not fit, or it is not clear which columns hold the two languages.
    """
    count = width_of(rows)
    if request.columns:
        found = matches([c for c in request.columns if c != "-"], request.languages, "--columns")
        if len(request.columns) != count and rows:
            given = f"--columns names {len(request.columns)} columns, but {file} has {count}"
            raise InputError(f"{given}; name each column, - for one that is passed over")
        return Columns({lang: request.columns.index(c) for lang, c in found.items()}, count, request.columns)
    kinds = [_kind([row[i] for row in rows if len(row) == count]) for i in range(count)]
    text = [i for i, kind in enumerate(kinds) if kind == "text"]
    example = ",".join([*request.languages, *["-"] * (count - 2)])
    if count == 1:
        raise InputError(
            f"{file} has one column (first row: {rows[0][0][:40]!r}); separate the two languages by tabs (.tsv, .txt) "
            "or by commas, semicolons or bars (.csv)"
        )
    if len(text) != 2 and not request.sparse:
        seen = f"{file} has no header that names the languages, and {len(text)} columns of text"
        first = f" (first row: {shown(rows[0])})" if rows else ""
        raise InputError(f"{seen}{first}; name the columns, for example --columns {example} (train, corpus)")
    order, reason = _order(name, request, "attribution" in kinds)
    if len(text) != 2 or not order:
        return Columns({}, count, ())
    places = dict(zip(order, text, strict=True))
    taken = " and ".join(f"column {place + 1} is taken as {language}" for language, place in places.items())
    findings.note(
        f"{file} has no header: {taken}, {reason} (first row: {shown(rows[0])}); if that is wrong, give --columns"
    )
    return Columns(places, count, ())


def width_of(rows: Sequence[Sequence[str]]) -> int:
    """The number of columns that most rows have."""
    return Counter(map(len, rows)).most_common(1)[0][0] if rows else 0


def _kind(cells: Sequence[str]) -> str:
    """What a column holds: text, numbers or attribution."""
    cells = [cell for cell in cells if cell.strip()]
    if cells and all(map(_ATTRIBUTION.match, cells)):
        return "attribution"
    return "numbers" if all(map(_NUMBERS.fullmatch, cells)) else "text"


def _order(name: str, request: Request, attributed: bool) -> tuple[list[str], str]:
    """The languages of the two columns of text, and why; none if the request is sparse and nothing says them."""
    named, languages = list[str](), request.languages
    for word in re.split(r"[^A-Za-z]+", name):
        named += [lang for lang in languages if word and fits(word, lang) and lang not in named]
    if len(named) == 2:
        return named, "as the file's name says"
    english = [language for language in languages if fits("en", language)]
    if english and len(named) == 1 and named != english:
        return [*english, *named], "as in the files of manythings.org/anki"
    if request.sparse:
        return [], ""
    if english and attributed:
        other = [language for language in languages if language not in english]
        return [*english, *other], "as in the files of manythings.org/anki"
    return list(languages), "as --src and --tgt say"
