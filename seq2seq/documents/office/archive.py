"""A zip archive whose members are replaced one by one: what is inside .docx, .pptx, .odt and .epub. Knows no XML.

A member that is not replaced is copied as it is compressed, without being read. An archive none of whose members was
replaced is written byte for byte as it was read.
"""

import copy
import io
import shutil
import struct
import tempfile
import weakref
import zipfile
import zlib
from typing import BinaryIO

from seq2seq.errors import InputError

MOST_BYTES = 2 << 30  # of all members together, unpacked; also what keeps each offset below the limit of 32 bits
MOST_RATIO, FREE_BYTES = 200, 32 << 20  # a member may unpack to more than FREE_BYTES only by a ratio up to MOST_RATIO
SPOOL_BYTES = 32 << 20  # an archive up to this size is held in memory, a larger one in a temporary file

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # first bytes of binary Office files, and of those with a password
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800  # bits of a member's flags
_ZIP64 = 1  # an extra field that repeats the sizes
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, OverflowError, RuntimeError, ValueError, struct.error)


class Archive:
    """A zip archive that was read from a stream, which need not be seekable.

    Raises:
        InputError: it is no zip archive, is broken or encrypted, or would unpack to too much.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 closed with the archive
        weakref.finalize(self, self._file.close)
        shutil.copyfileobj(source, self._file)
        self._size = self._file.tell()
        self._file.seek(0)
        if self._file.read(len(_OLE)) == _OLE:
            raise InputError("a binary Office file, or one with a password; save it without one in the newer format")
        try:
            self._zip = zipfile.ZipFile(self._file)
        except _BROKEN as error:
            raise InputError(f"not a whole zip archive ({error}), as .docx, .pptx, .odt and .epub are") from error
        self._infos = {info.filename: info for info in self._zip.infolist()}
        self._replaced = dict[str, bytes]()
        self._check()

    def _check(self) -> None:
        infos = self._zip.infolist()
        if len(self._infos) < len(infos):
            raise InputError("two members of the archive have the same name")
        if sum(info.file_size for info in infos) > MOST_BYTES:
            raise InputError(f"the archive would unpack to more than {MOST_BYTES >> 20} MiB")
        for info in infos:
            if info.flag_bits & _ENCRYPTED:
                raise InputError(f"{info.filename}: is encrypted; save the document without a password")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InputError(f"{info.filename}: is compressed by a method that these formats do not allow")
            if info.file_size > max(FREE_BYTES, MOST_RATIO * info.compress_size):
                raise InputError(f"{info.filename}: unpacks to more than {MOST_RATIO} times its size")
            self._start(info)

    def names(self) -> list[str]:
        """The names of the members, in their order."""
        return list(self._infos)

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def read(self, name: str) -> bytes:
        """The member, unpacked.

        Raises:
            InputError: there is none of that name, or it is broken.
        """
        if name not in self._infos:
            raise InputError(f"{name}: is missing in the archive")
        try:
            return self._zip.read(name)
        except _BROKEN as error:
            raise InputError(f"{name}: is broken ({error})") from error

    def replace(self, name: str, data: bytes) -> None:
        """Write the member with other content; its place, date, attributes and compression are kept."""
        self._replaced[name] = data

    def written(self) -> bytes:
        """The whole archive with what was replaced."""
        if not self._replaced:
            self._file.seek(0)
            return self._file.read()
        out, entries = io.BytesIO(), list[zipfile.ZipInfo]()
        for info in self._infos.values():
            entry = copy.copy(info)
            entry.flag_bits &= ~_DESCRIPTOR  # the sizes are in the header
            entry.extra = _without_zip64(info.extra)
            data = self._packed(entry)
            entry.header_offset = out.tell()
            out.write(entry.FileHeader(zip64=False))
            out.write(data)
            entries.append(entry)
        start = out.tell()
        for entry in entries:
            out.write(_central(entry))
        comment = self._zip.comment
        count, size = len(entries), out.tell() - start
        out.write(_END.pack(b"PK\5\6", 0, 0, count, count, size, start, len(comment)) + comment)
        return out.getvalue()

    def _packed(self, entry: zipfile.ZipInfo) -> bytes:
        """The bytes of the member as they are stored; the entry receives the sizes of a member that was replaced."""
        data = self._replaced.get(entry.filename)
        if data is None:
            self._file.seek(self._start(entry))
            return self._file.read(entry.compress_size)
        entry.CRC, entry.file_size = zlib.crc32(data), len(data)
        if entry.compress_type == zipfile.ZIP_DEFLATED:
            deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            data = deflate.compress(data) + deflate.flush()
        entry.compress_size = len(data)
        return data

    def _start(self, info: zipfile.ZipInfo) -> int:
        """Where the packed bytes of the member start.

        Raises:
            InputError: they are not all in the file.
        """
        self._file.seek(max(info.header_offset, 0))
        header = self._file.read(_LOCAL.size)
        if len(header) == _LOCAL.size and header.startswith(b"PK\3\4"):
            *_, name, extra = _LOCAL.unpack(header)
            start = info.header_offset + _LOCAL.size + int(name) + int(extra)
            if start + info.compress_size <= self._size:
                return start
        raise InputError(f"{info.filename}: is not whole; the archive is broken")


def _without_zip64(extra: bytes) -> bytes:
    kept, at = b"", 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind != _ZIP64:
            kept += extra[at : at + 4 + size]
        at += 4 + size
    return kept


def _central(entry: zipfile.ZipInfo) -> bytes:
    """The entry of a member in the directory at the archive's end."""
    flags = entry.flag_bits
    try:
        name = entry.filename.encode("ascii")
    except UnicodeEncodeError:
        name = entry.filename.encode()
        flags |= _UTF8
    year, month, day, hour, minute, second = entry.date_time
    return b"".join(
        [
            _CENTRAL.pack(
                b"PK\1\2",
                entry.create_version,
                entry.create_system,
                entry.extract_version,
                entry.reserved,
                flags,
                entry.compress_type,
                hour << 11 | minute << 5 | second // 2,
                (year - 1980) << 9 | month << 5 | day,
                entry.CRC,
                entry.compress_size,
                entry.file_size,
                len(name),
                len(entry.extra),
                len(entry.comment),
                0,
                entry.internal_attr,
                entry.external_attr,
                entry.header_offset,
            ),
            name,
            entry.extra,
            entry.comment,
        ]
    )
