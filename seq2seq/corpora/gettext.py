"""PO and MO files of gettext: each finished entry is a message and its translation; a plural gives a pair a form.

The language of the translations is that of the header, or else of the file's name: `bin.po` may be of any language. The
messages are in English, unless the header has X-Source-Language. A msgid that is a key (`label_save`) stands for the
text in its comment `#. Default: "Save"`, as Zope and Plone write it; a key without one is left out. Where few msgids
look like keys, one without a dot is none: `column_alias` is a word of a syntax. Nor is `_Open`, whose underscore marks
an access key.

polib decodes the strings. It takes the first and the last character of a string for quotes, whatever they are, and ends
at the first line that it does not know; so this module checks each line, and gives polib the entries without faults.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from itertools import chain
from typing import Any

from seq2seq.corpora.findings import Findings
from seq2seq.corpora.packed import File, as_path, opened
from seq2seq.corpora.request import Request, Row
from seq2seq.corpora.text_lines import marked_encoding
from seq2seq.errors import InputError
from seq2seq.languages.codes import fits, tag_of

_LANGUAGE = ("Language", "Language-Code", "X-Poedit-Language")  # in the header; the latter two of Zope and Poedit
_INSTALLED = "LC_MESSAGES"  # the folder, in that of a language, of the catalogues of programs
_KEY = re.compile(r"(?=.*[_.])\w{2,}(?:[.-]\w{2,})*")
_ACCESS_KEY = re.compile(r"[^_]*_[^\W\d_][^_]*")  # _Open, E_xit, 開く(_O)
_KEYED = 0.25  # share of the msgids of a catalogue of keys that look like keys, at least
_KEYWORD = re.compile(r"(msgctxt|msgid_plural|msgid|msgstr\[\d\]|msgstr|(?=\"))\s*(.*)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_STRINGS_OF_ENTRY = re.compile('(c"*)?i"*(s"*|p"*(x"*)+)')  # the kinds of its lines, as below
_KINDS = {"msgctxt": "c", "msgid": "i", "msgid_plural": "p", "msgstr": "s", "": '"'}  # x: msgstr[0] and so on
_UNDECODED = re.compile("[\udc80-\udcff]")
Entries = Callable[[], Iterable[Any]]


@dataclass
class _Entry:
    """The lines from the first comment to the last msgstr."""

    lines: list[tuple[int, str, str]] = field(default_factory=list)  # number, kind, what polib is to read (empty: none)
    kinds: str = ""  # of the lines with strings, or of the obsolete ones
    fault: tuple[int, str] | None = None  # the first line that is none of a PO file, and what is wrong there

    def add(self, number: int, kind: str, text: str, problem: str) -> None:
        self.lines.append((number, kind, text))
        self.kinds += kind if kind not in "#?" else ""
        if problem and not self.fault:
            self.fault = number, problem

    @property
    def is_whole(self) -> bool:
        """Whether the lines without faults are an entry."""
        return bool(_STRINGS_OF_ENTRY.fullmatch("".join(kind for _, kind, text in self.lines if text and kind != "#")))

    @property
    def line(self) -> int:
        """The line where it begins, after its comments."""
        return next(number for number, kind, _ in self.lines if kind != "#")

    @property
    def is_obsolete(self) -> bool:
        return self.kinds.startswith("~")

    @property
    def has_translation(self) -> bool:
        return "s" in self.kinds or "x" in self.kinds

    def is_ended_by(self, kind: str, last: str) -> bool:
        """Whether a line begins another entry, by its kind and that of the line before it."""
        if not kind or not self.kinds:
            return bool(kind and not last and self.fault)  # text between blank lines stands alone
        if self.is_obsolete or kind == "~":
            return not (self.is_obsolete and kind == "~")
        if self.has_translation:
            return kind in "#ci" or (kind == "?" and not last)
        return (kind in "ci" and "i" in self.kinds) or (kind == "c" and "c" in self.kinds)


def rows(file: File, request: Request, findings: Findings) -> Iterator[Row]:
    """The pairs of a PO or MO file. A file of other languages has none.

    Raises:
        InputError: the file is damaged and `findings` does not skip it, or polib is not installed.
    """
    installed, named = _installed_language(file), language_of_name(file)
    header: dict[str, str] = {}
    entries: Entries = list
    if not installed or _is_wanted(installed, request):  # others are not opened: a system has a thousand of them
        try:
            header, entries = _opened(file, findings)
        except InputError:
            if not named or _is_wanted(named, request):
                raise
    said = _said(header) or named
    if said and not _is_wanted(said, request):
        findings.languages[said] = None
        findings.unread.append(str(file))
        return
    catalogue = list(entries())
    sides = _languages(file, said, header, request, findings)
    has_keys = sum(map(_looks_like_key, catalogue)) >= _KEYED * len(catalogue)
    for number, entry in enumerate(catalogue if sides else (), 1):
        findings.line = getattr(entry, "linenum", number)  # an MO file has no lines
        pairs = [pair for pair in _pairs(entry) if all(pair)]
        fuzzy = "fuzzy" in getattr(entry, "flags", ())  # an entry of an MO file has none
        if fuzzy or not pairs:
            findings.left_out["fuzzy entries" if fuzzy else "untranslated entries"] += 1
            continue
        if _looks_like_key(entry) and (has_keys or "." in entry.msgid) and not _default(entry):
            findings.left_out["entries with a key in the place of a text"] += 1
            continue
        yield from (dict(zip(sides, map(_one_line, pair), strict=True)) for pair in pairs)


def _is_wanted(language: str, request: Request) -> bool:
    return any(fits(language, wanted) for wanted in request.languages)


def _opened(file: File, findings: Findings) -> tuple[dict[str, str], Entries]:
    """The fields of the header, and what reads the entries.

    Raises:
        InputError: an MO file is damaged, or the bytes of a PO file are not in its encoding.
    """
    if file.plain_name.lower().endswith(".mo"):
        catalogue = _compiled(file)
        return catalogue.metadata, lambda: catalogue
    entries = _entries(_lines(file))
    before = list[_Entry]()
    for entry in entries:
        before.append(entry)
        if entry.kinds and not entry.is_obsolete:
            break
    header = _parsed(before[-1:], file).metadata
    return header, lambda: _catalogue(chain(before, entries), file, findings)


def _polib(file: File) -> Any:
    try:
        import polib
    except ImportError:
        raise InputError(
            f"{file} needs the package polib; install it: pip install 'seq2seq[corpora]', or give another format"
        ) from None
    return polib


def _compiled(file: File) -> Any:
    """What polib reads of an MO file."""
    polib = _polib(file)
    with as_path(file) as path:
        try:
            return polib.mofile(str(path))
        except Exception as e:  # a damaged file raises several types
            reason = str(e).replace(str(path), str(file))
            raise InputError(f"{file} cannot be read: {reason or 'it is damaged'}; correct it") from None


# ---- PO --------------------------------------------------------------------------------------------------------------


def _lines(file: File) -> Iterator[tuple[str, str]]:
    """The lines of a PO file, each with the name of the encoding; bytes that are not in it become surrogates.

    Raises:
        InputError: the encoding has no such bytes as the file does.
    """
    polib = _polib(file)
    with opened(file) as stream:
        data = stream.read()
    encoding = marked_encoding(data) or polib.detect_encoding(b"\n" + data)  # that of the header, or UTF-8
    try:
        text = TextIOWrapper(BytesIO(data), encoding, errors="surrogateescape")
        for number, line in enumerate(text):
            yield (line if number else line.removeprefix("\ufeff")).strip(), encoding
    except (UnicodeError, LookupError):  # of UTF-16; of an encoding that is none of text
        raise InputError(f"{file} is not valid {encoding.upper()}; save the file as UTF-8") from None


def _entries(lines: Iterable[tuple[str, str]]) -> Iterator[_Entry]:
    """The entries, and lines that are no part of one, in the order of the file."""
    entry, last = _Entry(), ""
    for number, (line, encoding) in enumerate(lines, 1):
        kind, text, problem = _read(line)
        if _UNDECODED.search(line):
            text, problem = "", f"not valid {encoding.upper()}"
        if entry.is_ended_by(kind, last):
            following = _Entry()
            while entry.lines[-1][1] == "#":  # a comment after an entry that lacks its end is of the next
                following.lines.insert(0, entry.lines.pop())
            yield entry
            entry = following
        if kind:
            entry.add(number, kind, text, problem)
        last = kind
    yield entry


def _read(line: str) -> tuple[str, str, str]:
    """The kind of a line (of a string as above, # a comment, ~ obsolete, ? another), its text for polib, its fault."""
    if line[:2] in ("#,", "#."):
        return "#", f"{line[:2]} {line[2:].strip()}", ""
    if line[:1] in ("", "#"):
        return "~" if line[:2] == "#~" else line[:1], "", ""
    found = _KEYWORD.fullmatch(line)
    if not found:
        return "?", "", "no comment and no keyword of a PO file with a string in quotes"
    kind = _KINDS.get(found[1], "x")
    if not _STRING.fullmatch(found[2]):
        return kind, "", "a string without a quote at both ends, or with text beside it"
    return kind, f"{found[1]} {found[2]}".strip(), ""


class _Lines(str):
    """Text whose lines end at "\\n" only, as those of a file do; `str` ends them at U+2028, too."""

    def splitlines(self, keepends: bool = False) -> list[str]:
        return self.split("\n")


def _catalogue(entries: Iterable[_Entry], file: File, findings: Findings) -> Any:
    """What polib reads of the entries without faults, and of a header the lines without.

    Raises:
        InputError: there is a fault and `findings` does not skip it.
    """
    sound = list[_Entry]()
    first = True
    for entry in entries:
        fault = entry.fault
        if not fault and entry.kinds and not entry.is_obsolete and not entry.is_whole:
            fault = entry.line, "an entry that is not a msgid, or msgid and msgid_plural, with its msgstr"
        if fault:
            findings.fault(str(file), f"line {fault[0]}", fault[1], "correct it")
        is_header = first and any(text == 'msgid ""' for _, _, text in entry.lines)
        first &= not entry.kinds or entry.is_obsolete
        if is_header or not fault:
            sound.append(entry)
    return _parsed(sound, file)


def _parsed(entries: Iterable[_Entry], file: File) -> Any:
    """What polib reads of the lines without faults of those entries that are whole with them; linenum is their line."""
    text, places = [""], [0]  # which begins with a line's end: polib opens a text that names a file
    for entry in entries:
        if entry.is_whole:
            ordered = sorted(entry.lines, key=lambda item: item[1] != "#")  # no comment between the lines of a string
            text += [written for _, _, written in ordered if written]
            places += [entry.line] * (len(text) - len(places))
    catalogue = _polib(file).pofile(_Lines("\n".join(text)))
    for read in catalogue:
        read.linenum = places[max(read.linenum, 2) - 1]  # polib has 0 for what begins its text
    return catalogue


def _pairs(entry: Any) -> list[tuple[str, str]]:
    if not entry.msgid_plural:
        return [(_default(entry) or entry.msgid, entry.msgstr)]
    forms = [text for _, text in sorted(entry.msgstr_plural.items(), key=lambda item: int(item[0]))] or [""]
    single = [(entry.msgid, forms[0])] if len(forms) > 1 else []
    return [*single, (entry.msgid_plural, forms[-1])]


def _default(entry: Any) -> str:
    """The text that a msgid such as `label_save` stands for, if a comment says it."""
    found = re.search(r'^Default:\s*"(.+)"\s*$', getattr(entry, "comment", ""), re.MULTILINE)
    return found[1].replace('\\"', '"') if found and re.fullmatch(r"\S+[_.-]\S+", entry.msgid) else ""


def _looks_like_key(entry: Any) -> bool:
    """Whether the msgid may be a key such as `label_save` or `page.title`, whether or not a comment says its text."""
    msgid, msgstr = entry.msgid, entry.msgstr
    has_access_key = _ACCESS_KEY.fullmatch(msgid) and (msgid[0] == "_" or _ACCESS_KEY.fullmatch(msgstr))
    return bool(_KEY.fullmatch(msgid)) and msgid != msgstr and not has_access_key


def _one_line(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text).strip()


def language_of_name(file: File) -> str:
    """The language that a path says: `de.po`, `messages_de.po`, `locale/de/LC_MESSAGES/app.mo`, `de/app.po`."""
    folders, stem = _folders(file)[-2:], file.plain_name.rpartition(".")[0]
    own = [] if folders[-1:] == [_INSTALLED] else [stem, *re.findall(r"[._-]([a-z]{2,3}(?:[-_]\w{2,4})?)$", stem)]
    return _first_language([*own, *reversed(folders)])


def _installed_language(file: File) -> str:
    """The language that the place of a file says where programs are installed; empty elsewhere."""
    folders = _folders(file)
    return _first_language(folders[-2:-1]) if folders[-1:] == [_INSTALLED] else ""


def _folders(file: File) -> list[str]:
    return [folder.partition(".")[0] for folder in (file.path / file.member).parts[:-1]]  # without an encoding


def _first_language(names: Iterable[str]) -> str:
    return next((name for name in names if re.fullmatch(r"[A-Za-z]{2,3}([-_@]\w+)*", name) and tag_of(name)), "")


def _said(header: dict[str, str]) -> str:
    """The language that the header says; empty if it does not."""
    return next(filter(None, (header.get(name, "").strip() for name in _LANGUAGE)), "")


def _languages(
    file: File, said: str, header: dict[str, str], request: Request, findings: Findings
) -> tuple[str, str] | tuple[()]:
    """The languages, as the request names them, of the messages and of their translations; none: of other languages.

    `said` is what the file says of the latter; empty if nothing.
    """
    source = header.get("X-Source-Language", "").strip() or "en"
    findings.languages |= dict.fromkeys(filter(None, (source, said)))
    wanted = request.languages
    original = [language for language in wanted if fits(source, language)]
    translated = [language for language in wanted if said and fits(said, language) and not fits(source, language)]
    if not said and original and request.alone and not request.sparse:
        translated = [language for language in wanted if language != original[0]]
        findings.note(f"{file} does not say its language: its translations are taken as {translated[0]}")
    if translated and original:
        return original[0], translated[0]
    if original and not said:
        findings.nameless.append(str(file))
    findings.unread.append(str(file))
    return ()
