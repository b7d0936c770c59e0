"""Reads a source of parallel text: a folder, a file, an archive or a data set of the Hugging Face hub.

It changes and drops no sentence, except that white space with a line break inside a field becomes a space (in XML each
run of spaces, tabs and line breaks does), and that units that cannot be read are dropped where the request says so.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, zip_longest
from pathlib import Path
from typing import NamedTuple

from seq2seq.corpora import gettext, hub, json_rows, labels, listing, naming, parquet, tables, units
from seq2seq.corpora.findings import Findings, few
from seq2seq.corpora.listing import Unit
from seq2seq.corpora.packed import ARCHIVES, File, archives_kept_open
from seq2seq.corpora.request import Request, Row
from seq2seq.corpora.text_lines import lines
from seq2seq.errors import InputError, shown
from seq2seq.languages.codes import same

TABLES = naming.HEADED
READERS = {
    **dict.fromkeys(TABLES, tables.rows),
    **dict.fromkeys(("jsonl", "ndjson", "json"), json_rows.rows),
    "parquet": parquet.rows,
    **dict.fromkeys(("po", "mo"), gettext.rows),
    **dict.fromkeys(("tmx", "xliff", "xlf", "sdlxliff", "mqxliff", "mxliff"), units.rows),
}
_NAMED = 12  # files that a message names

Pairs = Sequence[tuple[str, str]]
Collect = Callable[[str, Iterator[tuple[str, str]]], Pairs]  # of a part's name and its pairs: keeps them


class NoTextError(InputError):
    """A source has no pair of two languages: it lacks the part, or no pair is left after cleaning."""


class Stretch(NamedTuple):
    """Pairs that follow each other in a file: the row of the first one among all train pairs, and its number there.

    The number is that of the line: in a table after the header, in TMX, XLIFF and PO where the unit or the msgid is.
    Otherwise it counts what was read, what was dropped as damaged included; in MO all entries.
    """

    start: int
    file: str  # the source, or of a source with several files the file
    number: int
    step: int = 1  # from the number of a pair to that of the next

    def number_of(self, row: int) -> int:
        """The number of the train pair `row`."""
        return self.number + self.step * (row - self.start)


class Text(NamedTuple):
    """What was read: the pairs of each part, the number of units that were dropped as damaged, notes for the user."""

    parts: dict[str, Pairs]
    damaged: dict[str, int]
    notes: list[str]
    unread: list[str]  # files of the source that were not read
    places: list[Stretch]  # of the train pairs


def _listed(part: str, pairs: Iterator[tuple[str, str]]) -> Pairs:
    return list(pairs)


@archives_kept_open()
def read(where: str, request: Request, only: str = "", collect: Collect = _listed) -> Text:
    """The pairs of each part (train, dev, test...) of a source, in the two languages of the request.

    Args:
        where: a folder, a file, or hf:OWNER/NAME[:CONFIG].
        request: what to read, and how.
        only: read this part alone if the source has it; otherwise all parts.
        collect: makes the pairs of a part, while they are read.

    Raises:
        InputError: the source does not exist, or a part is damaged or empty.
    """
    if same(*request.languages):
        src, tgt = request.languages
        both = f"both {src!r}" if src == tgt else f"{src!r} and {tgt!r}, which is one language"
        raise InputError(f"src and tgt are {both}; name two languages")
    findings = Findings(request.skip)
    if where.startswith(hub.PREFIX):
        with hub.quiet_libraries():
            splits = {part: data for name, data in hub.load(where).items() if (part := naming.part_of(name))}
            rows = {
                part: labels.read(hub.rows(data, request, findings, f"{where}, {part}"), request, findings, where)
                for part, data in splits.items()
            }
            wanted = {part: some for part, some in rows.items() if only not in rows or part == only}
            found = {
                part: collect(part, _pairs(some, request, where, part, findings, part != "train"))
                for part, some in wanted.items()
            }
            unread = [where] if request.sparse and not any(map(len, found.values())) else []
            return Text(_with_text(found), {}, findings.notes, unread, [Stretch(0, where, 1)])
    files = listing.of_path(Path(where), request)
    parts, damaged, places = {}, {}, list[Stretch]()
    for note in files.notes:
        findings.note(note)
    for part, texts in files.parts.items():
        if only not in files.parts or part == only:
            before = findings.dropped
            request = request._replace(alone=len(texts) == 1)
            counts = Counter[Unit]()
            rows_of_part = (row for unit in texts for row in _placed(unit, where, request, findings, counts))
            gaps = part != "train" and all(unit.kind for unit in texts)
            pairs = _pairs(rows_of_part, request, where, part, findings, gaps)
            parts[part] = collect(part, _noting(pairs, findings, places) if part == "train" else pairs)
            damaged[part] = findings.dropped - before
            if len(counts) > 1 and not (request.sparse or texts[0].shard):
                findings.note(_together(part, counts, where))
    unread = [*map(str, files.unread), *dict.fromkeys(findings.unread)]
    return Text(_with_text(parts), damaged, findings.notes, [_short(file, where) for file in unread], places)


def _placed(unit: Unit, where: str, request: Request, findings: Findings, counts: Counter[Unit]) -> Iterator[Row]:
    """The rows of a unit, which are counted, and of each of which `findings` has the place."""
    findings.line = 0
    complete = not (request.sparse and unit.kind)
    file = shown(where if request.alone else str(unit.files[0]))
    for row in _rows(unit, request, findings):
        findings.place = file, findings.line
        complete = complete or all(row.get(language, "").strip() for language in request.languages)
        counts[unit] += 1
        yield row
    if not complete:
        findings.unread.append(str(unit.files[0]))


def _noting(pairs: Iterator[tuple[str, str]], findings: Findings, places: list[Stretch]) -> Iterator[tuple[str, str]]:
    """The pairs, of which `places` receives the stretches: as few as the units of a file are alike."""
    for row, pair in enumerate(pairs):
        file, number = findings.place
        last = places[-1] if places else None
        if not last or file != last.file:
            places.append(Stretch(row, file, number))
        elif number != last.number_of(row):
            if row == last.start + 1:
                places[-1] = last._replace(step=number - last.number)
            else:
                places.append(Stretch(row, file, number))
        yield pair


def _with_text(parts: dict[str, Pairs]) -> dict[str, Pairs]:
    """The parts but those to validate and test on whose rows all lack a language."""
    return {part: pairs for part, pairs in parts.items() if part == "train" or len(pairs)}


def _pairs(
    rows: Iterable[Row], request: Request, where: str, part: str, findings: Findings, gaps: bool
) -> Iterator[tuple[str, str]]:
    """The pairs of the rows of a part; with `gaps`, a row of a table of many languages that lacks one is none."""
    (src, tgt), row = request.languages, None
    for row in rows:
        pair = row.get(src, ""), row.get(tgt, "")
        if all(side.strip() for side in pair) or not (request.sparse or (gaps and findings.of_many)):
            yield pair
        elif not request.sparse:
            findings.left_out[f"{part} rows without {src} or {tgt}"] += 1
    if row is None and not request.sparse:
        others = f", but text in {', '.join(findings.languages)}" if findings.languages else ""
        if reasons := findings.counted + findings.faults[:_NAMED]:
            others += f" ({'; '.join(reasons)})"
        advice = "fill it, or check --data"
        if nameless := [_short(file, where) for file in dict.fromkeys(findings.nameless)]:
            others = f": {few(nameless, _NAMED)} without a language of the translations"
            advice = "write it there (Language: in PO, target-language in XLIFF) or name the file so, as de.po"
        raise InputError(f"the {part} part of {where} holds no pairs of {src} and {tgt}{others}; {advice}")


def _together(part: str, counts: Counter[Unit], where: str) -> str:
    """A note on the texts that are a part together."""
    texts = [f"{_short(str(unit.files[0]), where)} ({count:,})" for unit, count in list(counts.items())[:_NAMED]]
    if rest := list(counts.values())[_NAMED:]:
        texts.append(f"{len(rest):,} more ({sum(rest):,})")
    return f"{where}: {part} is put together from {', '.join(texts)} pairs"


def _rows(unit: Unit, request: Request, findings: Findings) -> Iterator[Row]:
    if unit.kind:
        rows = READERS[unit.kind](unit.files[0], request, findings)
        yield from labels.read(rows, request, findings, str(unit.files[0]))
        return
    src, tgt = request.languages
    counts = [0, 0]
    for number, pair in enumerate(zip_longest(*(lines(file, findings) for file in unit.files), fillvalue=0), 1):
        for side in (0, 1):
            counts[side] += pair[side] != 0
        if isinstance(pair[0], str) and isinstance(pair[1], str):
            findings.line = number
            yield {src: pair[0], tgt: pair[1]}
    if counts[0] != counts[1]:
        one, other = (f"{file} has {count:,}" for file, count in zip(unit.files, counts, strict=True))
        raise InputError(f"{one} lines but {other}; line n of one must translate line n of the other")


@archives_kept_open()
def language_pairs(where: str, request: Request, part: str) -> list[tuple[str, str]]:
    """The pairs of the languages of the request, in their order, in which a part of a source holds text.

    A file with more than two languages is read once, and only until all pairs are found.

    Raises:
        InputError: as `read`.
    """
    request = request._replace(sparse=True, skip=True)
    wanted = list(combinations(request.languages, 2))
    found: set[tuple[str, str]] = set()
    if where.startswith(hub.PREFIX):
        with hub.quiet_libraries():
            for name, data in hub.load(where).items():
                if naming.part_of(name) == part:
                    findings = Findings(skip=True)
                    rows = hub.rows(data, request, findings, where)
                    _note_pairs(labels.read(rows, request, findings, where), wanted, found)
        return [pair for pair in wanted if pair in found]
    seen: set[File] = set()
    for pair in wanted:
        for unit in listing.of_path(Path(where), request._replace(languages=pair)).parts.get(part, []):
            if len(unit.files) == 2 or unit.named:
                found.add(pair)
            elif unit.files[0] not in seen:
                seen.add(unit.files[0])
                _note_pairs(_rows(unit, request, Findings(skip=True)), wanted, found)
    return [pair for pair in wanted if pair in found]


def units_of(where: str, request: Request, pairs: Iterable[tuple[str, str]]) -> Iterator[Unit]:
    """What a source on this machine offers for these pairs of languages, before any of it is read.

    Raises:
        InputError: as `read`.
    """
    for pair in () if where.startswith(hub.PREFIX) else pairs:
        for texts in listing.of_path(Path(where), request._replace(languages=pair)).parts.values():
            yield from texts


def _note_pairs(rows: Iterable[Row], wanted: list[tuple[str, str]], found: set[tuple[str, str]]) -> None:
    """Add the pairs of languages of the rows to `found`."""
    for row in rows:
        there = {language for language, text in row.items() if text.strip()}
        found.update(pair for pair in wanted if there.issuperset(pair))
        if len(found) == len(wanted):
            return


def _short(file: str, where: str) -> str:
    path = Path(file)
    return str(path.relative_to(where)) if Path(where) in path.parents else str(path)


def unread_note(where: str, unread: list[str], several: bool = False) -> str:
    """A note that names the files that were not read; `several`: more than two languages were looked for."""
    says = "see that it names its languages (in a header of columns or by --columns, in a PO or XLIFF file)"
    if unread == [where]:
        return shown(f"{where}: not read; {says}")
    more = f", and {says}" if several else ""
    return shown(f"{where}: not read: {few(unread, _NAMED)}; give what is to be used as a further --data{more}")


def nothing_found(where: str, request: Request, text: Text) -> NoTextError:
    """The error for a source without a train part: what is there, and what could be read."""
    src, tgt = request.languages
    if where.startswith(hub.PREFIX):
        return NoTextError(f"{where} has no train part; it needs a split named train; check --data, --src and --tgt")
    seen = [*(f"{part} part" for part in text.parts), *text.unread]
    there = f"there is: {few(seen, _NAMED)}" if seen else "it is empty"
    needed = f"train.{src} and train.{tgt}, or train.tsv, .csv, .jsonl or .parquet"
    kinds = ", ".join(f".{kind}" for kind in (*naming.PAIRED, *ARCHIVES))
    return NoTextError(
        f"{where} has no train part of {src} and {tgt} ({there}); it needs {needed}, or a file of pairs "
        f"({kinds}; plain or packed by gz, bz2, xz, zst); check --data, --src and --tgt"
    )
