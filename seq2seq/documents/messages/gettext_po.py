"""PO and POT files of gettext: each msgid is translated into its msgstr; all other bytes stay as they are.

What is translated: entries without a translation, and fuzzy ones, which lose the flag `fuzzy` and the lines of the
previous msgid (`#|`); with `options.everything`, all. Of an entry with plural forms, the msgid fills the form for n = 1
by the rule of the header, the msgid_plural all others; the msgid_plural fills that form, too, if it is for more numbers
and only the msgid_plural has a placeholder for the number. A msgid that is a key (`label_save`) stands for the text in
its comment `#. Default: "Save"`, as Zope and Plone write it: that text is translated.

polib decodes the strings and finds errors, some entries at a time. It would write the whole file anew, so this module
finds the lines of each msgstr itself and replaces those alone. A translation is one line, or one for each line of its
text; a msgstr that says the same already keeps its lines. Comments, obsolete entries and the header are not read by
polib, and stay.
"""

import codecs
import gettext
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, dropwhile, takewhile
from re import compile, fullmatch, search
from typing import BinaryIO, NamedTuple

import polib

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment

_BATCH = 1 << 18  # bytes that polib parses at once
_MOST_FORMS = 16  # of a plural; the languages with the most have 6
_NUMBERS = range(200)  # that a rule is tried with

_OPEN_STRING = compile(r'[^"#]*+"(?!(?:[^"\\]|\\.)*+"\s*$)')  # polib cuts off the last character, whatever it is

_DEFAULT = compile(rb'#\.\s*Default:\s*"(.+)"\s*$')  # the text that a key stands for

BLANK, COMMENT, FLAGS, PREVIOUS, OBSOLETE, CONTINUED, KEYWORD, MSGSTR = range(8)  # kinds of lines
_COMMENTS = {b"#,": FLAGS, b"#|": PREVIOUS, b"#~": OBSOLETE}


@dataclass
class _Entry:
    """Lines from the first comment to the last msgstr, with their kinds; or lines without an entry."""

    line: int  # number of the first
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    size: int = 0
    read: bool = False  # whether polib finds an entry in them
    has_msgstr: bool = False

    def add(self, kind: int, line: bytes) -> None:
        self.lines.append((kind, line))
        self.size += len(line)
        self.read |= kind in (KEYWORD, CONTINUED, MSGSTR)
        self.has_msgstr |= kind == MSGSTR


def _english(n: int) -> int:
    return int(n != 1)


class _Header(NamedTuple):
    """What the header says of the file."""

    charset: str = "utf-8"
    forms: int = 0  # of a plural; 0: not known
    rule: Callable[[int], int] = _english  # the form for a number
    source: str = ""  # language of the messages
    language: str = ""  # of the translations


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events; some hundred entries are in memory at a time.

    Raises:
        InputError: a line is none of a PO file, or not in the character set of the header.
    """
    entries = _entries(source)
    before = list[_Entry]()
    for entry in entries:
        before.append(entry)
        if entry.has_msgstr:
            break
    header = _header(before[-1])
    options.check_languages(header.source, header.language, before[-1].line)
    batch, size = list[_Entry](), 0
    for entry in chain(before, entries):
        batch.append(entry)
        size += entry.size
        if size > _BATCH:
            yield from _batch(batch, header, options)
            batch, size = [], 0
    yield from _batch(batch, header, options)


def _entries(source: BinaryIO) -> Iterator[_Entry]:
    """The entries of the file, at least one, and all its lines in them."""
    entry, last = _Entry(1), COMMENT
    for number, line in enumerate(source, 1):
        if number == 1 and line.startswith(codecs.BOM_UTF8):
            entry.add(COMMENT, codecs.BOM_UTF8)
            line = line.removeprefix(codecs.BOM_UTF8)
        kind = _kind(line)
        complete = entry.has_msgstr and kind not in (MSGSTR, CONTINUED, BLANK)
        if complete or (last == OBSOLETE and kind not in (OBSOLETE, BLANK)) or (entry.size > _BATCH and not entry.read):
            yield entry
            entry = _Entry(number)
        entry.add(kind, line)
        last = last if kind == BLANK else kind
    yield entry


def _kind(line: bytes) -> int:
    words = line.split(None, 1)
    if not words:
        return BLANK
    if words[0].startswith(b"#"):
        return _COMMENTS.get(words[0][:2], COMMENT)
    if words[0].startswith(b'"'):
        return CONTINUED
    return MSGSTR if words[0].startswith(b"msgstr") else KEYWORD


class _Lines(str):
    """Text whose lines end at "\\n" only, as those of a file do; `str` ends them at U+2028, too."""

    number = 0  # of the line that was read last

    def splitlines(self, keepends: bool = False) -> Iterator[str]:  # type: ignore[override]
        for number, line in enumerate(self.split("\n")):
            self.number = number
            yield line


class _AllEntries(polib.POFile):  # type: ignore[misc]
    """Entries with the header among them, which polib would look for and take out."""

    def find(self, *args: object, **kwargs: object) -> None:
        """No header."""


def _parsed(entries: list[_Entry], charset: str) -> list[polib.POEntry]:
    """What polib reads of those entries that have an msgid, without comments.

    Raises:
        InputError: a line is not in the character set, or wrong.
    """
    lines = b"".join(_read(kind, line, entry) for entry in entries for kind, line in entry.lines)
    first = entries[0].line
    try:
        text = _Lines("\n" + lines.decode(charset))  # begins with a line's end: polib opens a text that names a file
    except UnicodeError as error:
        line = first + lines.count(b"\n", 0, getattr(error, "start", 0))
        raise InputError(f"line {line}: not {charset}, the character set that the header names") from None
    for number, written in enumerate(text.split("\n")):
        if _OPEN_STRING.match(written):
            raise InputError(
                f"line {first + number - 1}: not an entry of a PO file: a string is not closed, or has text beside it"
            )
    try:
        found = polib.pofile(text, encoding=charset, klass=_AllEntries)
    except (OSError, ValueError, IndexError):
        raise InputError(f"line {first + text.number - 1}: not an entry of a PO file") from None
    return list(found)


def _read(kind: int, line: bytes, entry: _Entry) -> bytes:
    """The line, or an empty one where polib is not to read it."""
    if kind in (CONTINUED, KEYWORD, MSGSTR) or (kind == FLAGS and entry.has_msgstr):
        return line
    return b"\n" if line.endswith(b"\n") else b""


def _header(entry: _Entry) -> _Header:
    """The header, if the entry is one.

    Raises:
        InputError: its character set is not known.
    """
    parsed = _parsed([entry], "latin-1")[0] if entry.has_msgstr else None
    if not parsed or not _is_header(parsed):
        return _Header()
    fields = {name.strip().lower(): value for name, _, value in (x.partition(":") for x in parsed.msgstr.split("\n"))}
    charset = fields.get("content-type", "").partition("charset=")[2].strip() or "utf-8"
    if charset.upper() == "CHARSET":  # of a template that nobody has filled in
        charset = "utf-8"
    ascii_bytes = bytes(range(1, 128))
    try:
        known = ascii_bytes.decode(charset) == ascii_bytes.decode("ascii")
    except (LookupError, UnicodeError, ValueError):
        known = False
    if not known:
        raise InputError(f"line {entry.line}: the character set {charset!r} is not known; convert the file to UTF-8")
    return _Header(
        charset,
        *_plural(fields.get("plural-forms", "")),
        fields.get("x-source-language", ""),
        fields.get("language", "").strip() or fields.get("language-code", ""),
    )


def _plural(value: str) -> tuple[int, Callable[[int], int]]:
    """Number of forms and their rule, of `nplurals=2; plural=n != 1;`; (0, the rule of English) if it is no such."""
    fields = {name.strip(): expression.strip() for name, _, expression in (x.partition("=") for x in value.split(";"))}
    try:
        forms, rule = int(fields["nplurals"]), gettext.c2py(fields["plural"])
        if 0 < forms <= _MOST_FORMS and all(0 <= rule(n) < forms for n in _NUMBERS):
            return forms, rule
    except (KeyError, ValueError, ArithmeticError):
        pass
    return 0, _english


def _is_header(parsed: polib.POEntry) -> bool:
    return parsed.msgid == "" and parsed.msgctxt is None


def _batch(entries: list[_Entry], header: _Header, options: DocumentOptions) -> Iterator[Event]:
    if not entries:
        return
    each = iter(_parsed(entries, header.charset))
    for entry in entries:
        parsed = next(each, None) if entry.read else None
        if entry.read and parsed is None:
            raise InputError(f"line {entry.line}: not an entry of a PO file")
        if parsed is None or not entry.has_msgstr or _is_header(parsed):
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


def _translated(entry: _Entry, parsed: polib.POEntry, header: _Header, options: DocumentOptions) -> Iterator[Event]:
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
        yield _without_fuzzy(kind, line) if fuzzy else line
    for form in forms:
        yield _slot(form, header.charset, newline, entry.line) if form in filled else form.lines
        yield form.end


def _without_fuzzy(kind: int, line: bytes) -> bytes:
    """A line of an entry that is not fuzzy any more: nothing, if it says what the msgid was before."""
    if kind == FLAGS:
        body = line.rstrip(b"\r\n")
        flags = [flag for flag in body.split(b",") if flag.strip() != b"fuzzy"]
        return b",".join(flags) + line[len(body) :] if len(flags) > 1 else b""
    return b"" if kind == PREVIOUS else line


def _forms(entry: _Entry, parsed: polib.POEntry, header: _Header, newline: bytes) -> list[_Form]:
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
        for index in range(header.forms):
            if index not in parsed.msgstr_plural:
                end, forms[-1] = forms[-1].end, forms[-1]._replace(end=newline)
                forms.append(_Form(_source(index, parsed, header), "", b"msgstr[%d] " % index, b"", end))
    return forms


def _text(entry: _Entry, parsed: polib.POEntry, header: _Header) -> str:
    """The text to translate of an entry without plural: the msgid, or what it stands for if it is a key."""
    comments = (_DEFAULT.match(line.strip()) for kind, line in entry.lines if kind == COMMENT)
    default = next(filter(None, comments), None)
    if default is None or not fullmatch(r"\S+[_.-]\S+", parsed.msgid):
        return str(parsed.msgid)
    return str(polib.unescape(default[1].decode(header.charset, "replace")))


def _source(index: int, parsed: polib.POEntry, header: _Header) -> str:
    """The text to translate for the form: of the msgid if the form is for n = 1."""
    one, several = str(parsed.msgid), str(parsed.msgid_plural)
    if header.rule(1) != index or header.forms == 1:
        return several
    others = any(header.rule(n) == index for n in _NUMBERS[2:])
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
