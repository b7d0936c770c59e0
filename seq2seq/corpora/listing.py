"""Which files of a folder or of an archive are the parts of a corpus: train, dev, test...

A file named `train` is the train part. Where there is none, every file of pairs that is no other part is. No file is
passed over in silence: those that are not read are listed. This module reads names, and the first line of `.txt` files
and of tables whose names are of other languages.
"""

import glob
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from seq2seq.corpora import naming
from seq2seq.corpora.columns import names_languages
from seq2seq.corpora.findings import Findings, few
from seq2seq.corpora.naming import CATALOGUES, HEADED, PAIRED, TABLES, Name
from seq2seq.corpora.packed import ARCHIVES, File, archives_kept_open, is_archive, members
from seq2seq.corpora.request import Request
from seq2seq.corpora.text_lines import lines
from seq2seq.errors import InputError


class Unit(NamedTuple):
    """What is read as one: a file of pairs, or the files of the two languages in the order of the request."""

    files: tuple[File, ...]
    kind: str = ""
    named: bool = False  # its name says the two languages
    shard: bool = False  # the part is divided into files of a fixed number


class Listing(NamedTuple):
    """The units of each part, the files that are not read, and notes for the user."""

    parts: dict[str, list[Unit]]
    unread: list[File]
    notes: tuple[str, ...] = ()


Named = dict[File, Name]
_NAMED = 5  # files that a message names


@archives_kept_open()
def of_path(where: Path, request: Request) -> Listing:
    """The parts of a folder or a file.

    Raises:
        InputError: it is not there, is no file of pairs, or it is not clear which file is a part.
    """
    if where.is_dir():
        found = list(_walk(where))
        files, others = ([File(path) for path in found if path.is_file() == wanted] for wanted in (True, False))
        top = [file for file in files if file.path.parent == where]
        if "train" in _explicit(_names(top, request, where)):
            others = [*(file for file in files if file.path.parent != where), *others]
            files = top
        listing = _listing(files, where, request)
        return listing._replace(unread=listing.unread + [file for file in others if not naming.is_about(file)])
    if not where.exists() and where.parent.is_dir():  # what the names of two files of lines begin with
        named = [File(path) for path in sorted(where.parent.glob(f"{glob.escape(where.name)}.*")) if path.is_file()]
        if pairs := list(
            _units({f: n for f, n in _names(named, request, where.parent).items() if not n.kind}, request)
        ):
            return Listing({"train": pairs[:1]}, [])
    if not where.is_file():
        if where.exists():
            raise InputError(f"{where} is neither a file nor a folder; write the text to a file, and give that")
        raise InputError(f"{where} is not there; check --data")
    return _of_file(File(where), request)


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder, in the order of their names, without hidden folders.

    What is no file is among them: a link to a folder, which is not followed, a link to nothing, a pipe.
    """
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield from _walk(path)
        elif path.is_symlink() or not path.is_dir():
            yield path


def _of_file(file: File, request: Request) -> Listing:
    """The parts of a file: it is the train part; `train.tsv` may have dev and test beside it, lines have a partner."""
    if is_archive(file):
        return _listing(members(file.path), file.path, request)
    beside = [File(path) for path in sorted(file.path.parent.iterdir()) if path.is_file() and path != file.path]
    names = _names([file, *beside], request, file.path.parent)
    name = names.get(file)
    if name and not name.kind and not name.pair and naming.part_of(name.stem):
        name = None  # the folder is meant, with its other parts
    if name and not name.kind:
        same = [f for f, n in names.items() if (n.stem, n.kind) == (name.stem, "")]
        if len(same) == 2 and {names[f].language for f in same} == set(request.languages):
            return Listing({"train": [_pair(same, names, request)]}, [])
        if file.plain_name.lower().endswith(".txt"):
            name = naming.as_table(file, request.languages, ())
        else:
            raise _alone(file, name.language, request)
    without_tabs = name is not None and _is_note(file, name)
    if name is None or without_tabs:
        reason = " (its first line has no tab between two languages)" if without_tabs else ""
        raise InputError(
            f"{file} is not a .{', .'.join((*TABLES, *PAIRED, *ARCHIVES))} file of pairs{reason}; "
            "give one, or the folder of a text"
        )
    train = {"train": [Unit((file,), name.kind, name.pair)]}
    names = {f: n for f, n in (names | {file: name}).items() if n.kind == name.kind and n.kind in TABLES}
    others = {part: found for part, found in _explicit(names).items() if part != "train"}
    shown = ", ".join(f.path.name for found in others.values() for f in found)
    if naming.part_named(name) != "train":
        note = f"{file}: beside it, not read: {shown}; what is beside a file is read if that is named train.{name.kind}"
        return Listing(train, [], (note,) if shown else ())
    parts = {part: _part(part, found, names, request) for part, found in others.items()}
    return Listing(train | parts, [], (f"{file}: beside it, read as {', '.join(parts)}: {shown}",) if shown else ())


def _names(files: Iterable[File], request: Request, where: Path) -> Named:
    """What the names of the files say, and those of their folders in the source, as far as they say anything."""
    named = dict[File, Name]()
    folders = {f: (*f.path.relative_to(where).parts, *PurePosixPath(f.member).parts)[:-1] for f in files}
    for sides in (False,) if request.sparse else (False, True):
        names = {file: naming.understood(file, request.languages, sides, folders[file]) for file in folders}
        named = _in_folders({file: name for file, name in names.items() if name is not None}, request, sides)
        if any(name.language for name in named.values()):
            break
    for file, name in named.items():
        if not name.kind and file.plain_name.lower().endswith(".txt"):
            partners = {n.language for f, n in named.items() if n.stem == name.stem and not n.kind and f != file}
            if not partners - {name.language}:
                named[file] = naming.as_table(file, request.languages, folders[file])
    for file, name in named.items():
        if name.foreign and name.kind in HEADED and _has_header(file, request):
            named[file] = name._replace(foreign=False)
    return _without_variants(named if sides else named | _in_both(named, request))


def _in_both(named: Named, request: Request) -> Named:
    """The names of lines that are there in both languages by their own names, whatever a folder is named by."""
    texts: dict[tuple[Path, str], Named] = {}
    for file, name in named.items():
        if not name.kind:
            texts.setdefault((_place(file, name), name.stem), {})[file] = name._replace(foreign=False)
    both = (text for text in texts.values() if {name.language for name in text.values()} == set(request.languages))
    return {file: name for text in both for file, name in text.items()}


def _has_header(file: File, request: Request) -> bool:
    """Whether the first line names the languages of the request, which counts before the name of the file."""
    with suppress(InputError):  # a file that is damaged, which nobody has named
        return names_languages([cell.strip(' "') for cell in re.split("[,;|\t]", _first_line(file))], request)
    return False


def _in_folders(named: Named, request: Request, sides: bool) -> Named:
    """The names, with a language for those of lines in a folder of it: `en/a.txt` and `de/a.txt`, or `a.en`, `a.de`."""
    beside = Counter((Path(str(file)).parent, name.stem) for file, name in named.items() if not name.kind)
    texts: dict[tuple[Path, str], Named] = {}
    for file, name in named.items():
        folders = Path(str(file)).parent
        if name.kind not in ("", "txt") or beside[folders, name.stem] > 1:
            continue
        for i, folder in enumerate(folders.parts):
            distance, language = naming.spoken(folder, request.languages, sides)
            if language and name.language in ("", language):
                place = Path(*folders.parts[:i], "*", *folders.parts[i + 1 :])
                found = name._replace(kind="", language=language, distance=distance, place=place)
                texts.setdefault((place, name.stem), {})[file] = found
    result = dict(named)
    for text in texts.values():
        if {name.language for name in text.values()} == set(request.languages):
            result |= text
    return result


def _place(file: File, name: Name) -> Path:
    """The folder of a text, with * for that of a language."""
    return name.place if name.place.parts else Path(str(file)).parent


def _without_variants(named: Named) -> Named:
    """The names without those of lines in a variant of a language, where others of the same text are in itself."""
    nearest: dict[tuple[Path, str, str], int] = {}
    places = {file: (_place(file, name), name.stem, name.language) for file, name in named.items()}
    for file, name in named.items():
        nearest[places[file]] = min(name.distance, nearest.get(places[file], name.distance))
    return {file: name for file, name in named.items() if name.kind or name.distance == nearest[places[file]]}


def _explicit(names: Named) -> dict[str, list[File]]:
    """The files of each part that is named exactly so, with any test* beside a train part; of lines with both sides.

    A `.txt` file without tabs is no part to validate or test on, but a note.
    """
    parts: dict[str, list[File]] = {}
    for file, name in names.items():
        part = naming.part_named(name)
        if part and not name.foreign and (part == "train" or not _is_note(file, name)):
            parts.setdefault(part, []).append(file)
    tests: dict[str, list[File]] = {}
    for file, name in names.items() if "train" in parts else ():
        if naming.is_test_beside_train(name) and not name.foreign and not _is_note(file, name):
            tests.setdefault(name.stem, []).append(file)
    return parts | {stem: found for stem, found in tests.items() if names[found[0]].kind or len(found) > 1}


def _listing(files: list[File], where: Path, request: Request) -> Listing:
    """The parts of these files, of which archives count as their members."""
    for archive in [file for file in files if is_archive(file) and file.path != where]:
        files = [file for file in files if file != archive] + members(archive.path)
    compiled = {f"{str(file).removesuffix('.po')}.mo" for file in files if str(file).endswith(".po")}
    files = [file for file in files if str(file) not in compiled]
    names = _names(files, request, where)
    explicit = _explicit(names)
    parts = {part: units for part, found in explicit.items() if (units := _part(part, found, names, request))}
    if "train" not in parts:
        taken = {file for units in parts.values() for unit in units for file in unit.files}
        rest = {file: name for file, name in names.items() if file not in taken and not name.foreign}
        for unit in _units(rest, request):
            name = names[unit.files[0]]
            folder = _place(unit.files[0], name)
            folder = folder.parent if folder.name == "*" else folder
            part = naming.part_said(name, folder.name if folder != where else "") or "train"
            if part == "train" or part not in explicit:
                parts.setdefault(part, []).append(unit)
    read = {file for units in parts.values() for unit in units for file in unit.files}
    return Listing(parts, [file for file in files if file not in read and not naming.is_about(file)])


def _part(part: str, files: list[File], names: Named, request: Request) -> list[Unit]:
    """The units of a part, from the files that are named so: one table, its shards, catalogues, or two files of lines.

    Raises:
        InputError: a side or a shard is missing, or there is more than one text.
    """
    folders = {Path(str(file)).parent for file in files}
    if len({(names[file].kind, names[file].shards) for file in files}) == 1 and (count := names[files[0]].shards):
        there = {file.plain_name for file in files}
        lacking = [name for name in naming.shards(files[0], count) if name not in there]
        if lacking and len(folders) == 1:
            problem = f"the {part} part has {count} files, of which {len(files)} are there"
            raise InputError(f"{folders.pop()}: {problem}; add {few(lacking, _NAMED)}")
        if len(files) == count and not lacking:
            return [Unit((file,), names[file].kind, shard=True) for file in files]
    if all(names[file].kind in CATALOGUES for file in files):  # of several languages, each in a folder
        return [Unit((file,), names[file].kind, names[file].pair) for file in files]
    if len(files) == 1:
        name = names[files[0]]
        if name.kind:
            return [Unit((files[0],), name.kind, name.pair)]
        if request.sparse:
            return []
        raise _alone(files[0], name.language, request)
    if sorted(names[file].language for file in files) != sorted(request.languages):
        listed = ", ".join(map(str, files))
        advice = f"name the two sides {part}.{request.languages[0]} and {part}.{request.languages[1]}"
        if len(folders) > 1:
            advice = "give each folder as a --data of its own"
        raise InputError(f"more than one file is the {part} part: {listed}; keep one, or {advice}")
    return [_pair(files, names, request)]


def _alone(file: File, language: str, request: Request) -> InputError:
    other = next(lang for lang in request.languages if lang != language)
    return InputError(f"{file} has no .{other} file beside it; add it, or check --src and --tgt")


def _pair(files: list[File], names: Named, request: Request) -> Unit:
    return Unit(tuple(sorted(files, key=lambda file: request.languages.index(names[file].language))))


def _units(names: Named, request: Request) -> Iterator[Unit]:
    """All texts of these files: files of pairs, and pairs of files with the same name but for the language."""
    groups: dict[tuple[Path, str], list[File]] = {}
    for file, name in names.items():
        if not name.kind:
            groups.setdefault((_place(file, name), name.stem), []).append(file)
        elif not _is_note(file, name):
            yield Unit((file,), name.kind, name.pair)
    for files in groups.values():
        if sorted(names[file].language for file in files) == sorted(request.languages):
            yield _pair(files, names, request)


def _is_note(file: File, name: Name) -> bool:
    """Whether a `.txt` file that is no text in lines is no table either."""
    return name.kind == "txt" and "\t" not in _first_line(file)


def _first_line(file: File) -> str:
    return next((line or "" for line in lines(file, Findings(skip=True))), "")
