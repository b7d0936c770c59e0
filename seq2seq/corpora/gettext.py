"""PO and MO files of gettext: each finished entry is a message and its translation; a plural gives a pair a form.

The language of the translations is that of the header or of the file's name, and the messages are in English, unless
the header has X-Source-Language. A msgid that is a key (`label_save`) stands for the text in its comment
`#. Default: "Save"`, as Zope and Plone write it; a key without one is left out.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from seq2seq.corpora.findings import Findings
from seq2seq.corpora.packed import File, as_path, marked_encoding
from seq2seq.corpora.request import Request, Row
from seq2seq.errors import InputError
from seq2seq.languages.codes import fits, tag_of

_LANGUAGE = ("Language", "Language-Code", "X-Poedit-Language")  # in the header; the latter two of Zope and Poedit
_KEY = re.compile(r"(?=.*[_.])\w{2,}(?:[.-]\w{2,})*")


def rows(file: File, request: Request, findings: Findings) -> Iterator[Row]:
    """The pairs of a PO or MO file. A file of other languages has none.

    Raises:
        InputError: the file is damaged, or polib is not installed.
    """
    if (said := _own_language(file)) and not any(fits(said, language) for language in request.languages):
        findings.languages[said] = None
        findings.unread.append(str(file))
        return
    entries = _load(file)
    sides = _languages(file, entries.metadata, request, findings)
    if not sides:
        return
    for entry in entries:
        if entry.obsolete:
            continue
        pairs = [pair for pair in _pairs(entry) if all(pair)]
        fuzzy = "fuzzy" in getattr(entry, "flags", ())  # an entry of an MO file has none
        if fuzzy or not pairs:
            findings.left_out["fuzzy entries" if fuzzy else "untranslated entries"] += 1
            continue
        if _is_key(entry):
            findings.left_out["entries with a key in the place of a text"] += 1
            continue
        yield from (dict(zip(sides, map(_one_line, pair), strict=True)) for pair in pairs)


def _load(file: File) -> Any:
    try:
        import polib
    except ImportError:
        raise InputError(
            f"{file} needs the package polib; install it: pip install 'seq2seq[corpora]', or give another format"
        ) from None
    with as_path(file) as path:
        try:
            if file.plain_name.lower().endswith(".mo"):
                return polib.mofile(str(path))
            with path.open("rb") as stream:  # otherwise the header says the encoding
                encoding = marked_encoding(stream.read(4))
            return polib.pofile(str(path), **({"encoding": encoding} if encoding else {}))
        except Exception as e:  # a damaged file raises several types
            reason = str(e).replace(str(path), str(file))
            raise InputError(f"{file} cannot be read: {reason or 'it is damaged'}; correct it") from None


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


def _is_key(entry: Any) -> bool:
    """Whether the msgid is a key such as `label_save` or `page.title`, and nothing says the text."""
    return bool(_KEY.fullmatch(entry.msgid)) and entry.msgid != entry.msgstr and not _default(entry)


def _one_line(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text).strip()


def language_of_name(file: File) -> str:
    """The language that a path says: `de.po`, `messages_de.po`, `locale/de/LC_MESSAGES/app.mo`, `de/app.po`."""
    return _own_language(file) or _first_language(reversed(_folders(file)[-2:]))


def _own_language(file: File) -> str:
    """The language that the name of a file says, or its place as programs are installed; empty if none."""
    folders, stem = _folders(file), file.plain_name.rpartition(".")[0]
    if folders[-1:] == ["LC_MESSAGES"]:
        return _first_language(folders[-2:-1])
    return _first_language([stem, *re.findall(r"[._-]([a-z]{2,3}(?:[-_]\w{2,4})?)$", stem)])


def _folders(file: File) -> list[str]:
    return [folder.partition(".")[0] for folder in (file.path / file.member).parts[:-1]]  # without an encoding


def _first_language(names: Iterable[str]) -> str:
    return next((name for name in names if re.fullmatch(r"[A-Za-z]{2,3}([-_@]\w+)*", name) and tag_of(name)), "")


def _languages(file: File, header: dict[str, str], request: Request, findings: Findings) -> tuple[str, str] | tuple[()]:
    """The languages, as the request names them, of the messages and of their translations; none: of other languages."""
    said = next(filter(None, (header.get(name, "").strip() for name in _LANGUAGE)), "") or language_of_name(file)
    source = header.get("X-Source-Language", "").strip() or "en"
    findings.languages |= dict.fromkeys(filter(None, (source, said)))
    wanted = request.languages
    if not said and request.alone and len(wanted) == 2:
        findings.note(f"{file} does not say its language: its translations are taken as {wanted[1]}")
        return wanted[0], wanted[1]
    translated = [language for language in wanted if said and fits(said, language) and not fits(source, language)]
    original = [language for language in wanted if fits(source, language)]
    if translated and original:
        return original[0], translated[0]
    findings.unread.append(str(file))
    return ()
