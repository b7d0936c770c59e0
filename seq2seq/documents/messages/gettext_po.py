"""PO and POT files of gettext: each msgid is translated into its msgstr; all other bytes stay as they are.

What is translated: entries without a translation, and fuzzy ones, which lose the flag `fuzzy` and the lines of the
previous msgid (`#|`); with `options.everything`, all. Of an entry with plural forms, the msgid fills the form for n = 1
by the rule of the header, the msgid_plural all others; the msgid_plural fills that form, too, if it is for more numbers
and only the msgid_plural has a placeholder for the number. A msgid that is a key (`label_save`) stands for the text in
its comment `#. Default: "Save"`, as Zope and Plone write it: that text is translated. A header that names no language,
as that of a template, is completed for the target's (`gettext_header`).

polib decodes the strings and finds errors, some entries at a time. It would write the whole file anew, so this module
finds the lines of each msgstr itself and replaces those alone. A translation is one line, or one for each line of its
text; a msgstr that says the same already keeps its lines. Comments and obsolete entries are not read by polib, and
stay.
"""

from collections.abc import Iterator
from itertools import chain, dropwhile, takewhile
from re import compile, fullmatch, search
from typing import BinaryIO, NamedTuple

import polib

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.documents.messages.gettext_entries import (
    BATCH,
    COMMENT,
    CONTINUED,
    MSGSTR,
    Entry,
    entries_of,
    parsed_of,
    without_fuzzy,
)
from seq2seq.documents.messages.gettext_header import NUMBERS, Header, complete, header_of, is_header
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

_DEFAULT = compile(rb'#\.\s*Default:\s*"(.+)"\s*$')  # the text that a key stands for


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events; some hundred entries are in memory at a time.

    Raises:
        InputError: a line is none of a PO file, or not in the character set of the header.
    """
    entries = entries_of(source)
    before = list[Entry]()
    for entry in entries:
        before.append(entry)
        if entry.has_msgstr:
            break
    header = header_of(before[-1])
    if options.tgt and header.is_open:
        before[-1] = complete(before[-1], options.tgt)
        header = header_of(before[-1])
    options.check_languages(header.source, header.language, before[-1].line)
    batch, size = list[Entry](), 0
    for entry in chain(before, entries):
        batch.append(entry)
        size += entry.size
        if size > BATCH:
            yield from _batch(batch, header, options)
            batch, size = [], 0
    yield from _batch(batch, header, options)


def _batch(entries: list[Entry], header: Header, options: DocumentOptions) -> Iterator[Event]:
    if not entries:
        return
    each = iter(parsed_of(entries, header.charset))
    for entry in entries:
        parsed = next(each, None) if entry.read else None
        if entry.read and parsed is None:
            raise InputError(f"line {entry.line}: not an entry of a PO file")
        if parsed is None or not entry.has_msgstr or is_header(parsed):
            yield b"".join(line for _, line in entry.lines)
        else:
            yield from _translated(entry, parsed, header, options)


class _Form(NamedTuple):
    """One msgstr of an entry."""

    source: str
    present: str  # what it says now
    keyword: bytes  # with the white space on both sides
    lines: bytes  # as it is written now, without the last line's end
    end: bytes  # that, and what stands before the next form


def _translated(entry: Entry, parsed: polib.POEntry, header: Header, options: DocumentOptions) -> Iterator[Event]:
    """The lines of an entry, with a slot for each msgstr that is to be filled."""
    fuzzy = "fuzzy" in parsed.flags
    newline = b"\r\n" if any(line.endswith(b"\r\n") for _, line in entry.lines) else b"\n"
    forms = _forms(entry, parsed, header, newline)
    redo = fuzzy or options.everything
    filled = [form for form in forms if (redo or not form.present) and search(r"\w", form.source)]
    if not filled:
        yield b"".join(line for _, line in entry.lines)
        return
    for kind, line in takewhile(lambda line: line[0] != MSGSTR, entry.lines):
        yield without_fuzzy(kind, line) if fuzzy else line
    for form in forms:
        yield _slot(form, header.charset, newline, entry.line) if form in filled else form.lines
        yield form.end


def _forms(entry: Entry, parsed: polib.POEntry, header: Header, newline: bytes) -> list[_Form]:
    """Each msgstr that the entry has, and those that it lacks by the rule of the header."""
    present = list(parsed.msgstr_plural.items()) or [(-1, parsed.msgstr)]
    runs = list[tuple[list[bytes], list[bytes]]]()  # of each msgstr: its lines, and what stands between it and the next
    for kind, line in dropwhile(lambda line: line[0] != MSGSTR, entry.lines):
        if kind == MSGSTR:
            runs.append(([], []))
        runs[-1][kind not in (MSGSTR, CONTINUED)].append(line)
    if len(runs) != len(present) or any(b'"' not in lines[0] for lines, _ in runs):
        raise InputError(f"line {entry.line}: an entry with a msgstr that is no string, or that is there twice")
    forms = list[_Form]()
    for (index, text), (lines, rest) in zip(present, runs, strict=True):
        written = b"".join(lines)
        body = written.rstrip(b"\r\n")
        end = written[len(body) :] + b"".join(rest)
        source = _text(entry, parsed, header) if index < 0 else _source(index, parsed, header)
        forms.append(_Form(source, text, lines[0].partition(b'"')[0], body, end))
    if present[0][0] >= 0:
        while 0 < header.forms < len(forms) and not forms[-1].present:  # of a template, which has two
            forms[-2:] = [forms[-2]._replace(end=forms[-1].end)]
        for index in range(header.forms):
            if index not in parsed.msgstr_plural:
                end, forms[-1] = forms[-1].end, forms[-1]._replace(end=newline)
                forms.append(_Form(_source(index, parsed, header), "", b"msgstr[%d] " % index, b"", end))
    return forms


def _text(entry: Entry, parsed: polib.POEntry, header: Header) -> str:
    """The text to translate of an entry without plural: the msgid, or what it stands for if it is a key."""
    comments = (_DEFAULT.match(line.strip()) for kind, line in entry.lines if kind == COMMENT)
    default = next(filter(None, comments), None)
    if default is None or not fullmatch(r"\S+[_.-]\S+", parsed.msgid):
        return str(parsed.msgid)
    return str(polib.unescape(default[1].decode(header.charset, "replace")))


def _source(index: int, parsed: polib.POEntry, header: Header) -> str:
    """The text to translate for the form: of the msgid if the form is for n = 1."""
    one, several = str(parsed.msgid), str(parsed.msgid_plural)
    if header.rule(1) != index or header.forms == 1:
        return several
    others = any(header.rule(n) == index for n in NUMBERS[2:])
    return several if others and any(sign in several and sign not in one for sign in "%{") else one


def _slot(form: _Form, charset: str, newline: bytes, line: int) -> Slot:
    segment = Segment(form.source.strip())
    before, _, after = form.source.partition(segment.text)  # white space, such as a line's end, that gettext demands

    def put(translation: Segment) -> bytes:
        text = before + translation.text + after
        if text == form.present:
            return form.lines
        try:
            return form.keyword + newline.join(line.encode(charset) for line in _quoted(text))
        except UnicodeEncodeError as error:
            missing = error.object[error.start]
            raise InputError(
                f"line {line}: the file's character set {charset} has no {missing!r}; convert the file to UTF-8"
            ) from None

    return Slot(segment, put)


def _quoted(text: str) -> list[str]:
    """The lines of a string: one, or an empty one and then one for each line of the text."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    if not lines[-1]:
        lines.pop()
    return [f'"{polib.escape(line)}"' for line in (lines if len(lines) < 2 else ["", *lines])]
