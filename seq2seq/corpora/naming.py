"""What the name of a file means: the part of a corpus, the language or the pair of languages, the format.

This module looks at names alone and opens no file.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from seq2seq.corpora.packed import ARCHIVES, File, is_archive
from seq2seq.languages.codes import distance, fits, is_regional, is_spoken_in, side_of, tag_of

HEADED = ("tsv", "csv", "tab", "txt")  # kinds of tables whose first line may be a header
TABLES = (*HEADED[:3], "jsonl", "ndjson", "parquet", "json", "txt")
CATALOGUES = ("po", "mo", "xliff", "xlf", "sdlxliff", "mqxliff", "mxliff")  # the last are XLIFF of three programs
PAIRED = ("tmx", *CATALOGUES)
_SET = r"(?:[._-]?(?:sets?|data))?"
_DEV = rf"(?:dev|validation|valid|val){_SET}"
_TEST = rf"(?:test|tst|newstest|devtest)(?:s|ing|{_SET})"
_HELD_OUT = rf"(?:eval|evaluation|held[._-]?out){_SET}\d*"
_TUNING = rf"(?<!fine[._-])(?<!instruction[._-])tun(?:e|ing){_SET}"  # fine-tuning is training
_TEST_NAME = re.compile(rf"{_TEST}(?![a-z])|{_HELD_OUT}$")  # testset, test2016, test_unseen; not testament
_WORD = re.compile(  # in any place of a name
    rf"(?<![a-z])(?:(train(?:ing)?)|({_DEV}|newsdev|{_TUNING})|({_TEST}\d*|{_HELD_OUT}))(?![a-z])", re.IGNORECASE
)
_SHARD = re.compile(r"-\d{5}-of-(\d{5})$")
_NUMBER = re.compile(r"-\d{5}(?=-of-\d{5}\.)")
_LOCALE = r"[A-Za-z]{2,3}(?:-[A-Z]{2}|_[A-Za-z]{2}|_[A-Z][a-z]{3}|@[a-z]+)?"  # pt-BR, pt_BR, sr_Latn, ca@valencia
_REGIONAL = re.compile(r"(?:.*[^A-Za-z])?([a-z]{2,3})[-_]([A-Z]{2})")  # de_DE, strings.pt-BR
_TAG = r"([A-Za-z]{2,3}(?:[-_@][A-Za-z]+)?)"
_CATALOGUE = re.compile(  # test, de-test, test_pt_BR
    rf"(?:{_TAG}[._-])?(?:({_DEV}|{_TUNING})\d*|({_TEST}\d*|{_HELD_OUT})|(train))(?:[._-]{_TAG})?"
)
_PAIRS = (
    re.compile(r"(?:(.*?)[._-]?)\b([A-Za-z]{2,3})[-_]([A-Za-z]{2,3})$"),  # de-en, de_en
    re.compile(rf"(?:(.*?)[._-]?)\b({_LOCALE})-({_LOCALE})$"),  # en-pt_BR, as OPUS has it, en-US-de-DE
)
_ABOUT = re.compile(
    r"(_about|readme|licen[cs]es?|copying|copyrights?|citations?|authors|notices?|sha\d+sums?|md5sums?)(?![^\W_\d])",
    re.IGNORECASE,
)
_OURS = ("dropped.tsv", "suspects.tsv")  # what `corpus` writes beside the parts


class Name(NamedTuple):
    """What a name says."""

    stem: str  # without language, pair of languages, ending and number of a shard
    kind: str  # the ending of a format; empty for lines of one language
    language: str  # of lines, as the request names it
    foreign: bool = False  # it names a pair of languages that is not the requested one, or so does a folder
    pair: bool = False  # it names the requested pair
    shards: int = 0  # into how many files the part is divided; 0: it is whole
    distance: int = 0  # of the name of the language from that in the request, as `codes.distance` has it
    place: Path = Path()  # of lines in a folder of their language: the folders, with * for this one


def understood(file: File, languages: Sequence[str], sides: bool, folders: Sequence[str]) -> Name | None:
    """What the name of a file says; None if it is of no known format and in none of the languages.

    Args:
        file: the file.
        languages: to look for.
        sides: whether `source` and `target` (`src` and `tgt`) stand for the languages, of which there are two.
        folders: of the file in its source, which may be named by a pair of languages.
    """
    if file.plain_name.startswith("."):
        return None
    rest, dot, ending = file.plain_name.rpartition(".")
    kind = ending.lower() if dot else ""
    distant = 0  # of the language that was found last

    def language_of(word: str) -> str:
        nonlocal distant
        distant, language = spoken(word, languages, sides)
        return language

    language = language_of(ending)
    if language and (language == ending or kind not in (*TABLES, *PAIRED)):
        return _with_pair(rest, "", language, languages, folders)._replace(distance=distant)
    if dot and part_of(ending) and (language := language_of(rest)):
        return _with_pair(ending, "", language, languages, folders)._replace(distance=distant)
    if kind == "txt":
        stem, language = _lines_of_txt(rest, language_of)
        return _with_pair(stem, "" if language else kind, language, languages, folders)._replace(distance=distant)
    return _with_pair(rest, kind, "", languages, folders) if kind in (*TABLES, *PAIRED) else None


def spoken(word: str, languages: Sequence[str], sides: bool) -> tuple[int, str]:
    """The language that a word of a name stands for, after its distance; empty if it stands for none."""
    if sides and (side := side_of(word)) is not None:
        return 0, languages[side]
    fitting = [(distance(word, lang), lang) for lang in languages if "." not in word and fits(word, lang)]
    return min(fitting, default=(0, ""), key=lambda item: item[0])


def as_table(file: File, languages: Sequence[str], folders: Sequence[str]) -> Name:
    """What the name of a `.txt` file says if it is a table: `deu.txt` may be that, or lines in German."""
    return _with_pair(file.plain_name.rpartition(".")[0], "txt", "", languages, folders)


def _lines_of_txt(rest: str, language_of: Callable[[str], str]) -> tuple[str, str]:
    """Stem and language of `train.en.txt`, `train_pt-BR.txt`, `english.txt`, `en-train.txt`; no language if none."""
    words = list(re.finditer("[^._-]+", rest))
    if len(words) > 1 and part_of(rest[words[1].start() :]) and (language := language_of(words[0][0])):
        return rest[words[1].start() :], language
    for start in (0, *(word.start() for word in words[-2:])):
        if language := language_of(rest[start:]):
            return rest[: max(start - 1, 0)], language
    return rest, ""


def _with_pair(stem: str, kind: str, language: str, languages: Sequence[str], folders: Sequence[str]) -> Name:
    shard = _SHARD.search(stem)
    stem, named = split_pair(_SHARD.sub("", stem), languages)
    pairs = [named, *(split_pair(folder, languages)[1] for folder in folders)]
    foreign = any(_is_foreign(pair, kind, languages) for pair in pairs if pair)
    requested = bool(named) and _all_fit(named, languages)
    if named and not requested:
        stem = f"{stem}.{'-'.join(named)}".strip(".")
    if kind in TABLES and (regional := _REGIONAL.fullmatch(stem)) and is_regional(*regional.groups()):
        foreign |= not _all_fit(["-".join(regional.groups())], languages)  # whose columns need not be named
    return Name(stem, kind, language, foreign, requested, int(shard[1]) if shard else 0)


def _is_foreign(pair: tuple[str, ...], kind: str, languages: Sequence[str]) -> bool:
    """Whether a pair is not the requested one. The name of a catalogue may be of a locale: its header tells."""
    is_locale = kind in CATALOGUES and is_spoken_in(*pair) and _all_fit(["-".join(pair)], languages)
    return not (_all_fit(pair, languages) or is_locale)


def split_pair(stem: str, languages: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A name without the pair of languages at its end, and that pair: `Books.de-en` gives `Books`, (de, en).

    A name that can be read in two ways (`x.en-pt_BR` may end in Portuguese, or in Breton) is read as the languages that
    are looked for, or else as the longer one. Otherwise a language in small letters with a region in capitals is one
    language: `pt_BR`, `en_ES`.
    """
    found = [match for match in (pattern.fullmatch(stem) for pattern in _PAIRS) if match]
    pairs = [(match[1] or "", (match[2], match[3])) for match in found if tag_of(match[2]) and tag_of(match[3])]
    readings = [(rest, pair) for rest, pair in pairs if tag_of(pair[0]) != tag_of(pair[1])]  # pt_PT is one language
    fitting = [reading for reading in readings if _all_fit(reading[1], languages)]
    others = [(rest, pair) for rest, pair in readings if not is_regional(*pair)]
    return [(stem, ()), *others, *fitting][-1]


def _all_fit(pair: Iterable[str], languages: Sequence[str]) -> bool:
    return all(any(fits(tag, language) for language in languages) for tag in pair)


def shards(file: File, count: int) -> list[str]:
    """The names of all the files into which a part is divided, of which this is one."""
    return [_NUMBER.sub(f"-{i:05}", file.plain_name) for i in range(count)]


def part_of(stem: str) -> str:
    """The part that a file or split of this name belongs to: train, dev or test...; empty if none."""
    lower = stem.lower()
    if re.fullmatch(_DEV, lower):
        return "dev"
    if re.fullmatch(rf"{_TEST}\d*", lower):
        return lower
    return stem if _TEST_NAME.match(stem) else "train" if stem == "train" else ""


def part_named(name: Name) -> str:
    """The part that a file is by its very name; empty if none."""
    if name.kind in CATALOGUES:
        return _part_of_catalogue(name.stem)
    part = part_of(name.stem)
    is_title = name.kind in PAIRED and re.fullmatch("[a-z]+[A-Z].*", part)  # of a document: testOfSomething
    return "" if is_title else part


def is_test_beside_train(name: Name) -> bool:
    """Whether a file is a test part if there is a train part beside it, as testcoco is, which alone may be any text."""
    return name.kind not in PAIRED and name.stem.lower().startswith("test") and not part_of(name.stem)


def part_said(name: Name, folder: str) -> str:
    """The part that a word in a file's name says, or else the name of its folder; empty if none.

    Such names are `opus.de-en-train`, `TED.dev2010`, `flores200_devtest`, `my_test_set` and `valid.tok`. Of several
    words the last one counts. The name of a catalogue must be such a word alone, or with a language: a program may be
    called app-dev or test-tools.
    """
    if name.kind in CATALOGUES:
        return _part_of_catalogue(folder)
    if not (found := [*_WORD.finditer(name.stem)]):
        return part_of(folder)
    train, dev, test = found[-1].groups()
    return "train" if train else "dev" if dev else str(test).lower()


def _part_of_catalogue(stem: str) -> str:
    found = _CATALOGUE.fullmatch(stem)
    if not found or any(tag and not tag_of(tag) for tag in (found[1], found[5])):
        return ""
    return "dev" if found[2] else found[3] or found[4]


def is_about(file: File) -> bool:
    """Whether a file is about the text, as a README or a licence is, or hidden.

    In a format of parallel text `authors.tsv` is text. What may be such a format, `.txt` or lines of a language, is
    about the text only if its name says nothing else: `LICENSE.txt`, `README.de`, not `citation_corpus.txt`.
    """
    name = file.plain_name
    if name.startswith(".") or name.lower() in _OURS:
        return True
    stem, dot, ending = name.rpartition(".")
    kind = ending.lower() if dot else ""
    if is_archive(file) or kind in (*ARCHIVES, *PAIRED, *(table for table in TABLES if table != "txt")):
        return False
    return bool(_ABOUT.fullmatch(stem) if kind == "txt" or (dot and tag_of(ending)) else _ABOUT.match(name))
