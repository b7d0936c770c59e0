"""Files, plain, packed (gz, bz2, xz, zst) or inside an archive (zip, tar), as bytes. It does not know text.

An archive of many files is read in about one pass, however many of them are opened within `archives_kept_open`.
"""

import bz2
import gzip
import io
import lzma
import os
import sys
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, cast

from seq2seq.errors import InputError


class File(NamedTuple):
    """A file, or a member of an archive."""

    path: Path
    member: str = ""  # its name in the archive `path`, with / between folders

    def __str__(self) -> str:
        return str(self.path / self.member)

    @property
    def plain_name(self) -> str:
        """The name without the folder, and without the ending of a packer."""
        name = PurePosixPath(self.member or self.path.name).name
        return name.removesuffix(self.packing)

    @property
    def packing(self) -> str:
        """The ending of the packer, `.gz` for example; empty if the file is not packed."""
        suffix = PurePosixPath(self.member or self.path.name).suffix
        return suffix if suffix.lower() in PACKERS else ""


def _open_zst(stream: BinaryIO) -> BinaryIO:
    try:
        import zstandard
    except ImportError:
        raise InputError(
            "a .zst file needs the package zstandard; install it: pip install 'seq2seq[corpora]', or unpack the file"
        ) from None
    return cast(BinaryIO, io.BufferedReader(_Whole(zstandard.ZstdDecompressor(), stream)))


class _Whole(io.RawIOBase):
    """The unpacked bytes of all frames of a zstd stream; that the last is cut off is an error."""

    def __init__(self, unpacker: object, stream: BinaryIO) -> None:
        self._new, self._stream, self._rest = unpacker.decompressobj, stream, b""  # type: ignore[attr-defined]
        self._frame = self._new()
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._rest:
            data = (self._frame.unused_data if self._frame.eof else b"") or self._stream.read(1 << 17)
            if not data:
                if self._begun and not self._frame.eof:
                    raise EOFError
                return 0
            if self._frame.eof:
                self._frame = self._new()
            self._begun = True
            self._rest = self._frame.decompress(data)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


PACKERS: dict[str, tuple[str, Callable[[BinaryIO], BinaryIO]]] = {
    ".gz": ("gzip", lambda stream: cast(BinaryIO, gzip.GzipFile(fileobj=stream))),
    ".bz2": ("bzip2", lambda stream: cast(BinaryIO, bz2.BZ2File(stream))),
    ".xz": ("xz", lambda stream: cast(BinaryIO, lzma.open(stream))),  # noqa: SIM115 (`opened` closes it)
    ".lzma": ("xz", lambda stream: cast(BinaryIO, lzma.open(stream))),  # noqa: SIM115 (`opened` closes it)
    ".zst": ("zstd", _open_zst),
}
_PACKED_TARS = {".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz"}
PACKERS |= {ending: PACKERS[packer] for ending, packer in _PACKED_TARS.items()}
ARCHIVES = ("zip", "tar")  # endings
_MOST_OPEN = 4  # archives of a kind; two files of lines are read side by side
_SMALL = 1 << 16  # bytes of a member of a tar that is kept when it is passed
_MOST_KEPT = 1 << 26  # bytes of them all


@contextmanager
def opened(file: File) -> Iterator[BinaryIO]:
    """The unpacked bytes of a file, as a stream.

    Raises:
        InputError: also while the stream is read: the file cannot be read, or is damaged.
    """
    name, unpack = PACKERS.get(file.packing.lower(), ("", None))
    try:
        with ExitStack() as stack:
            member = _open_in_zip if is_zip(file) else _open_in_tar
            stream = member(file, stack) if file.member else stack.enter_context(file.path.open("rb"))
            yield stack.enter_context(unpack(stream)) if unpack else stream
    except (zipfile.BadZipFile, tarfile.TarError):
        raise InputError(f"{file} is damaged; pack it again, or unpack it") from None
    except OSError as e:
        if e.errno is None or isinstance(e, gzip.BadGzipFile):
            raise _damaged(file, name) from None
        raise InputError(f"cannot read {file}: {e.strerror}; check the path") from None
    except Exception as e:
        if isinstance(e, EOFError | zlib.error | lzma.LZMAError) or type(e).__name__ == "ZstdError":
            raise _damaged(file, name) from None
        raise


def _open_in_zip(file: File, stack: ExitStack) -> BinaryIO:
    archive, named = _archives(stack).zip(file.path)
    try:
        return cast(BinaryIO, stack.enter_context(archive.open(named[file.member])))
    except (NotImplementedError, RuntimeError) as e:  # an unknown packer, an encrypted archive
        raise InputError(f"{file} cannot be unpacked ({e}); unpack the archive with another program") from None


def _member(info: zipfile.ZipInfo) -> str:
    """The name of a member. Some programs of Windows write a backslash for the separator that the format demands."""
    return info.filename.replace("\\", "/")


def _open_in_tar(file: File, stack: ExitStack) -> BinaryIO:
    return stack.enter_context(_archives(stack).tar_member(file))


class _Tar:
    """A tar archive that is read forwards: a packed one has no other order. The `stack` closes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passed = set[str]()
        with ExitStack() as stack:
            stream = stack.enter_context(opened(File(path)))
            self._archive = stack.enter_context(tarfile.open(fileobj=stream, mode="r|"))
            self.stack = stack.pop_all()

    def files(self) -> Iterator[tuple[tarfile.TarInfo, BinaryIO]]:
        """The files from here on; each can be read until the next."""
        while info := self._archive.next():
            if info.isfile():
                self.passed.add(info.name)
                yield info, cast(BinaryIO, self._archive.extractfile(info))


class _Archives:
    """Open archives: of a zip the index is read once, a tar goes on from where it is, with what was small before."""

    def __init__(self, most_kept: int) -> None:
        self._owner = _worker()
        self._zips: dict[Path, tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]] = {}
        self._tars = list[_Tar]()  # which nobody reads now
        self._small: dict[File, bytes] = {}
        self._room = most_kept
        self._closed = False

    @property
    def is_own(self) -> bool:
        """Whether they were opened by this thread of this process: another would move the place in a file."""
        return self._owner == _worker()

    def zip(self, path: Path) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
        """A zip archive and its members by their names."""
        if path not in self._zips:
            archive = zipfile.ZipFile(path)
            self._zips[path] = archive, {_member(info): info for info in archive.infolist()}
            if len(self._zips) > _MOST_OPEN:
                self._zips.pop(next(iter(self._zips)))[0].close()  # a member that is read stays open
        return self._zips[path]

    def tar_names(self, path: Path) -> list[str]:
        """The names of the files in a tar archive, in its order."""
        tar = _Tar(path)
        with tar.stack:
            return [self._keep(path, info, content).member for info, content in tar.files()]

    @contextmanager
    def tar_member(self, file: File) -> Iterator[BinaryIO]:
        """A member of a tar archive as a stream."""
        if file in self._small:
            yield io.BytesIO(self._small[file])
            return
        before = [tar for tar in self._tars if tar.path == file.path and file.member not in tar.passed]
        tar = max(before, key=lambda tar: len(tar.passed)) if before else _Tar(file.path)
        if before:
            self._tars.remove(tar)
        try:
            yield self._found(tar, file.member)
        except GeneratorExit:  # a reader that wants no more of the member
            self._put_back(tar)
            raise
        except BaseException:
            tar.stack.__exit__(*sys.exc_info())  # it names the archive if that is damaged
            raise
        self._put_back(tar)

    def _found(self, tar: _Tar, name: str) -> BinaryIO:
        for info, content in tar.files():
            if info.name == name:
                return content
            self._keep(tar.path, info, content)
        raise tarfile.ReadError(f"{name} was there before")

    def _keep(self, path: Path, info: tarfile.TarInfo, content: BinaryIO) -> File:
        file = File(path, info.name)
        if info.size <= min(_SMALL, self._room) and file not in self._small:
            self._small[file] = content.read()
            self._room -= info.size
        return file

    def _put_back(self, tar: _Tar) -> None:
        self._tars.append(tar)
        while self._tars and (self._closed or len(self._tars) > _MOST_OPEN):
            self._tars.pop(0).stack.close()

    def close(self) -> None:
        """Close all but those that are read, which close at the end of that."""
        self._closed = True
        for archive, _ in self._zips.values():
            archive.close()
        for tar in self._tars:
            tar.stack.close()


_kept_open: ContextVar[_Archives | None] = ContextVar("_kept_open", default=None)


def _worker() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def _archives(stack: ExitStack) -> _Archives:
    """Those that are kept open, or others that `stack` closes."""
    archives = _kept_open.get()
    if archives is None or not archives.is_own:
        archives = _Archives(most_kept=0)
        stack.callback(archives.close)
    return archives


@contextmanager
def archives_kept_open() -> Iterator[None]:
    """Within, and in the same thread, archives stay open between their members. It is no use around a `yield`."""
    with ExitStack() as stack:
        archives = _kept_open.get()
        if archives is None or not archives.is_own:
            archives = _Archives(_MOST_KEPT)
            stack.callback(archives.close)
            stack.callback(_kept_open.reset, _kept_open.set(archives))
        yield


def _damaged(file: File, name: str) -> InputError:
    if not name:
        return InputError(f"{file} is damaged; pack it again")
    return InputError(f"{file} is not a complete {name} file; pack it again, or unpack it and drop the {file.packing}")


def is_zip(file: File) -> bool:
    """Whether a file is a zip archive, or in one, by the archive's name."""
    return file.path.suffix.lower() == ".zip"


def is_archive(file: File) -> bool:
    """Whether a file is an archive, by its name; one inside an archive is not opened."""
    if file.member:
        return False
    return is_zip(file) or file.plain_name.lower().endswith(".tar") or file.packing.lower() in _PACKED_TARS


def members(path: Path) -> list[File]:
    """The files in an archive, in its order.

    Raises:
        InputError: it is no archive.
    """
    try:
        with ExitStack() as stack:
            archives = _archives(stack)
            names = archives.zip(path)[1] if is_zip(File(path)) else archives.tar_names(path)
            return [File(path, name) for name in names if not name.endswith("/")]
    except (zipfile.BadZipFile, tarfile.TarError):
        kind = "zip" if is_zip(File(path)) else "tar"
        raise InputError(f"{path} is not a complete {kind} archive; pack it again, or unpack it") from None
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check the path") from None


@contextmanager
def as_path(file: File) -> Iterator[Path]:
    """The path of a plain file with this content: its own, or that of a temporary copy."""
    if not file.member and not file.packing:
        yield file.path
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "unpacked"
        with opened(file) as stream, path.open("wb") as copy:
            while block := stream.read(1 << 20):
                copy.write(block)
        yield path
