"""Flat arrays that are made once, kept in the user's cache, and mapped into memory, read-only, by all who need them.

A store is a folder of files, one an array, with a description that is written last. It is made in parts, in parallel;
parts that were made before a kill are kept. A store is named by a key of all that it depends on, the program among
that. It is opened only if its description has this key and each file has the size and the checksum that stand there;
otherwise it is made again. All stores together take at most MOST_BYTES, but for those of the last hours.

This module does not know what the arrays mean.
"""

import hashlib
import json
import mmap
import os
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.display import Display
from seq2seq.errors import WorkError
from seq2seq.folder import files
from seq2seq.folder.user_cache import cache_folder
from seq2seq.processes import CAN_FORK, ProcessPool, available_threads
from seq2seq.text.mapped import Origin
from seq2seq.versions import versions

# Flat arrays, not Arrow: what is stored is bytes, ids and offsets, of which numpy maps any place without a copy and
# without a library between (`datasets` makes a Python object of each row that is read, and is an optional package).
MOST_BYTES, RECENT = 30 * 2**30, 6 * 3600
_ABOUT, _PART = "about.json", "part-{:06d}.npz"
_SIZES, _ENDS = ".sizes", ".ends"
_ROOMS = ("corpora", "segments", "text", "training")  # whose code decides what is stored

Arrays = Mapping[str, NDArray[Any]]


class Store(NamedTuple):
    """The arrays of a folder, mapped read-only, and what else was written down."""

    folder: Path
    arrays: dict[str, NDArray[Any]]
    about: dict[str, Any]
    new: bool = False  # whether it was made just now


def opened_cache(say: Callable[[str], None], quiet: bool) -> Origin | None:
    """The user's cache of texts, without those that are too many; None, with a note, if it cannot be written."""
    try:
        folder = cache_folder() / "text"
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{folder} cannot be written")
        origin = Origin(folder, "", say, quiet)
        _remove_unused(origin)
    except (OSError, RuntimeError) as e:  # RuntimeError: there is no home
        say(f"note: the text is held in memory, since there is no cache ({e}); set XDG_CACHE_HOME to a folder")
        return None
    return origin


def key_of(*parts: Any) -> str:
    """A name for what depends on these JSON values and on this program."""
    return hashlib.blake2b(json.dumps([program(), *parts]).encode(), digest_size=12).hexdigest()


@cache
def program() -> str:
    """Names the program that makes the stores: its versions, and the content of the modules that matter."""
    digest = hashlib.blake2b(versions().encode(), digest_size=12)
    for room in _ROOMS:
        spec = find_spec(f"seq2seq.{room}")
        for path in sorted(Path(next(iter(spec.submodule_search_locations))).glob("*.py")):  # type: ignore[union-attr, arg-type]
            digest.update(path.read_bytes())
    return digest.hexdigest()


# ---- a store ---------------------------------------------------------------------------------------------------------


def stored(origin: Origin, name: str, key: str, make: Callable[[Path], dict[str, Any]]) -> Store:
    """The store of this name and key: opened if it is whole, otherwise made.

    Args:
        origin: the cache.
        name: what it holds, for its folder.
        key: of all that it depends on.
        make: writes its parts into a folder, which may hold some of them already, and returns the rest of its content.

    Raises:
        WorkError: the disk is full or the cache cannot be written.
    """
    folder = origin.cache / f"{name}-{key}"
    try:
        with _locked(folder):
            found = _opened(folder, key)
            if found is None:
                if (folder / _ABOUT).exists():
                    origin.say(f"{folder} is damaged; it is made again")
                    shutil.rmtree(folder)
                folder.mkdir(parents=True, exist_ok=True)
                _assemble(folder, key, make(folder))
                found = _opened(folder, key)
                found = found and found._replace(new=True)
    except OSError as e:
        raise WorkError(
            f"cannot write {folder}: {e.strerror}; make room there, set XDG_CACHE_HOME to another folder, or train in "
            "memory (--set data.mapped_above=1000000)"
        ) from None
    assert found is not None
    with suppress(OSError):
        os.utime(folder)  # used now
    return found


def _remove_unused(origin: Origin) -> None:
    """Remove the stores that were not used for the longest time, until all take at most MOST_BYTES.

    Those that were used in the last RECENT seconds stay, which a run may be making. A run that reads one that is
    removed goes on: its map stays until it ends.
    """
    folders = sorted((path for path in origin.cache.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    sizes = {path: sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) for path in folders}
    excess = sum(sizes.values()) - MOST_BYTES
    for path in folders:
        if excess > 0 and time.time() - path.stat().st_mtime > RECENT:
            shutil.rmtree(path, ignore_errors=True)
            path.with_name(path.name + ".lock").unlink(missing_ok=True)
            origin.say(f"{path} is removed: prepared texts take at most {MOST_BYTES / 2**30:.0f} GiB")
            excess -= sizes[path]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Inside the context no other process makes this store."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as file:
        with suppress(ImportError):  # where there is no fcntl, one process makes it
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _opened(folder: Path, key: str) -> Store | None:
    """The store, if it is whole and has this key."""
    try:
        about = json.loads((folder / _ABOUT).read_bytes())
        arrays = {name: _map(folder / name, *described) for name, described in about["arrays"].items()}
        return Store(folder, arrays, about["rest"]) if about["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _map(path: Path, dtype: str, size: int, checksum: int) -> NDArray[Any]:
    """The array in a file, mapped read-only.

    Raises:
        ValueError: the file is not as described.
    """
    with path.open("rb") as file:
        mapped: bytes | mmap.mmap = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    found = 0
    for start in range(0, size, 1 << 24):
        found = zlib.crc32(memoryview(mapped)[start : start + (1 << 24)], found)
    if len(mapped) != size or found != checksum:
        raise ValueError(f"{path} is damaged")
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)  # the pages that were compared do not count as this process's memory
    return np.frombuffer(mapped, dtype)


# ---- parts -----------------------------------------------------------------------------------------------------------


def write_part(folder: Path, number: int, arrays: Arrays) -> None:
    """Write a part whole, or not at all.

    Raises:
        WorkError: the disk is full or the folder cannot be written.
    """
    path = folder / _PART.format(number)
    temporary = path.with_suffix(".partial")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        temporary.replace(path)
    except OSError as e:
        raise WorkError(f"cannot write {path}: {e.strerror}; make room there, or set XDG_CACHE_HOME") from None


def whole_parts(folder: Path) -> int:
    """How many parts of a store that is not finished are there and whole, from the first on."""
    count = 0
    while (path := folder / _PART.format(count)).exists():
        try:
            with zipfile.ZipFile(path) as archive:
                if archive.testzip():
                    break
        except (zipfile.BadZipFile, EOFError, zlib.error):
            break
        count += 1
    return count


def make_parts(folder: Path, count: int, compute: Callable[[int], Arrays], origin: Origin, unit: str) -> None:
    """Make the parts of a store in parallel, all but those that are there.

    Args:
        folder: of the store.
        count: of all parts.
        compute: the arrays of a part, in any process.
        origin: who is told of the progress.
        unit: what a part is called.
    """

    def serve(worker: int, number: int) -> None:
        if number < count:
            write_part(folder, number, compute(number))

    done = whole_parts(folder)
    workers = max(1, min(available_threads(), count - done)) if CAN_FORK else 1
    with (
        Display(count, done, unit, origin.say, origin.quiet) as display,
        ProcessPool(workers, serve) as pool,
    ):
        for start in range(done, count, workers):
            pool.run(list(range(start, start + workers)))
            for _ in range(start, min(count, start + workers)):
                display.advance(str)


def _assemble(folder: Path, key: str, rest: Mapping[str, Any]) -> None:
    """Join the parts to one file an array, and describe them. Sizes `X.sizes` become positions `X.ends`, from 0 on."""
    described: dict[str, list[Any]] = {}
    ends: dict[str, int] = {}
    parts = sorted(folder.glob(_PART.format(0).replace("000000", "*")))
    for path in parts:
        with np.load(path, allow_pickle=False) as part:
            for name, array in part.items():
                if name.endswith(_SIZES):
                    name = name.removesuffix(_SIZES) + _ENDS
                    array = np.cumsum(array, dtype=np.int64) + ends.get(name, 0)
                    array = array if name in ends else np.concatenate([[0], array])
                    ends[name] = int(array[-1]) if len(array) else ends[name]
                dtype, size, checksum = described.get(name, [array.dtype.str, 0, 0])
                assert dtype == array.dtype.str
                with (folder / name).open("ab" if name in described else "wb") as file:
                    file.write(array.data)
                described[name] = [dtype, size + array.nbytes, zlib.crc32(array.data, checksum)]
    for name in described:
        with (folder / name).open("rb") as file:
            os.fsync(file.fileno())
    files.write(folder / _ABOUT, json.dumps({"key": key, "arrays": described, "rest": rest}).encode())
    for path in parts:
        path.unlink()
