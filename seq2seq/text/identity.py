"""What names a text: the files that it is read from, by their content. No text is decoded.

This module does not know what is done with the text.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

from seq2seq.corpora import hub, listing
from seq2seq.corpora.listing import Listing
from seq2seq.corpora.packed import File
from seq2seq.corpora.request import Request
from seq2seq.errors import InputError
from seq2seq.text.sources import weighted

PACKED = 4  # how many times larger the text of a packed file is, about


def megabytes(wheres: Sequence[str], request: Request) -> float:
    """About how much text is read of these sources, in any two languages of the request; a data set of the hub has 0.

    Raises:
        InputError: a source does not exist.
    """
    files = {  # each once, for instance an archive of many
        file.path: file
        for where in wheres
        for languages in combinations(request.languages, 2)
        for file in _files(_listing(where, request._replace(languages=languages)))
    }
    return sum(map(_size, files.values())) / 1e6


def identity(wheres: Sequence[str], request: Request) -> list[Any]:
    """What `sources.read` depends on, as JSON: the sources, the names of their files, the content of those it reads.

    Raises:
        InputError: a source does not exist, or a file cannot be read.
    """
    listings = [_listing(where, request) for where in wheres]
    paths = sorted({file.path for each in listings for file in _files(each)})
    with ThreadPoolExecutor(2) as threads:
        digests = dict(zip(paths, threads.map(_digest, paths), strict=True))
    return [
        list(request),
        [
            [
                where,
                [[part, [[str(file), digests[file.path]] for file in unit.files]] for part, unit in _units(each)],
                list(map(str, each.unread)),
            ]
            for where, each in zip(wheres, listings, strict=True)
        ],
    ]


def _listing(where: str, request: Request) -> Listing:
    path, _ = weighted(where)
    return Listing({}, []) if path.startswith(hub.PREFIX) else listing.of_path(Path(path), request)


def _units(found: Listing) -> Iterator[tuple[str, listing.Unit]]:
    return ((part, unit) for part, units in found.parts.items() for unit in units)


def _files(found: Listing) -> Iterator[File]:
    return (file for _, unit in _units(found) for file in unit.files)


def _size(file: File) -> int:
    packed = file.packing or file.member or file.path.suffix.lower() == ".parquet"
    return file.path.stat().st_size * (PACKED if packed else 1)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check the path") from None
