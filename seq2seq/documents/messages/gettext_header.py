"""The header of a PO file: its character set, its languages and the forms of a plural; and the header of a template,
completed for a language.
"""

import gettext
import re
from collections.abc import Callable
from typing import NamedTuple

import polib

from seq2seq.documents.messages.gettext_entries import CONTINUED, MSGSTR, Entry, parsed_of, without_fuzzy
from seq2seq.errors import InputError
from seq2seq.segments.numbers import locale_of

_MOST_FORMS = 16  # of a plural; the languages with the most have 6
NUMBERS = range(200)  # that a rule is tried with


def _english(n: int) -> int:
    return int(n != 1)


class Header(NamedTuple):
    """What the header says of the file."""

    charset: str = "utf-8"
    forms: int = 0  # of a plural; 0: not known
    rule: Callable[[int], int] = _english  # the form for a number
    source: str = ""  # language of the messages
    language: str = ""  # of the translations
    is_open: bool = False  # whether there is a header, and it names no language


def header_of(entry: Entry) -> Header:
    """The header, if the entry is one.

    Raises:
        InputError: its character set is not known.
    """
    parsed = parsed_of([entry], "latin-1")[0] if entry.has_msgstr else None
    if not parsed or not is_header(parsed):
        return Header()
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
    language = fields.get("language", "").strip() or fields.get("language-code", "")
    source = fields.get("x-source-language", "")
    return Header(charset, *_plural(fields.get("plural-forms", "")), source, language, not language)


def complete(entry: Entry, language: str) -> Entry:
    """A header that names no language with that of the translations and its plural forms, and without the flag `fuzzy`.

    So programs take what was a template: `msgfmt` refuses the plural forms of one, Babel a fuzzy header.

    Args:
        entry: the header.
        language: as BCP 47 writes it.
    """
    from babel.messages.plurals import get_plural

    locale = locale_of(language)
    values = {b"Language": str(locale or language.replace("-", "_")).encode()}
    if locale:
        values[b"Plural-Forms"] = get_plural(locale).plural_forms.encode()
    lines = [
        (kind, without_fuzzy(kind, line).replace(b"charset=CHARSET", b"charset=UTF-8")) for kind, line in entry.lines
    ]
    for name, value in values.items():
        field = rb'(?i)((?:"|\\n)%s:)' % name
        last = max(place for place, (kind, _) in enumerate(lines) if kind in (MSGSTR, CONTINUED))
        if any(re.search(field, line) for _, line in lines):
            unfilled = re.compile(field + rb'[ \t]*(?:nplurals=INTEGER;[^"\\]*)?(?=\\n)')
            lines = [(kind, unfilled.sub(rb"\g<1> " + value, line)) for kind, line in lines]
        elif end := re.search(rb'\\n"[ \t]*(\r?\n)$', lines[last][1]):
            lines.insert(last + 1, (CONTINUED, b'"%s: %s\\n"%s' % (name, value, end[1])))
    completed = Entry(entry.line)
    for kind, line in lines:
        completed.add(kind, line)
    return completed


def _plural(value: str) -> tuple[int, Callable[[int], int]]:
    """Number of forms and their rule, of `nplurals=2; plural=n != 1;`; (0, the rule of English) if it is no such."""
    fields = {name.strip(): expression.strip() for name, _, expression in (x.partition("=") for x in value.split(";"))}
    try:
        forms, rule = int(fields["nplurals"]), gettext.c2py(fields["plural"])
        if 0 < forms <= _MOST_FORMS and all(0 <= rule(n) < forms for n in NUMBERS):
            return forms, rule
    except (KeyError, ValueError, ArithmeticError):
        pass
    return 0, _english


def is_header(parsed: polib.POEntry) -> bool:
    """Whether what polib reads of an entry is the header."""
    return parsed.msgid == "" and parsed.msgctxt is None
