"""Zip archives: what is not replaced is copied as it is, and none unpacks to more than it may."""

import io
import struct
import zipfile

import pytest
from archives import PICTURE, entries, members, zipped

from seq2seq.documents.office import archive as module
from seq2seq.documents.office.archive import Archive
from seq2seq.errors import InputError

MEMBERS = {"mimetype": b"x/y", "a/": b"", "ä 日.xml": b"<a/>", "b.png": PICTURE, "c.xml": b"<c/>" * 99}


def opened(data: bytes) -> Archive:
    return Archive(io.BytesIO(data))


def test_an_archive_is_written_as_it_was() -> None:
    data = b"before the archive" + zipped(MEMBERS)
    archive = opened(data)
    assert archive.names() == list(MEMBERS)
    assert archive.read("b.png") == PICTURE
    assert archive.written() == data


@pytest.mark.parametrize("name", [name for name in MEMBERS if not name.endswith("/")])
def test_one_member_is_replaced(name: str) -> None:
    data = zipped(MEMBERS)
    archive = opened(data)
    archive.replace(name, b"other content" * 9)
    assert members(archive.written()) == {**MEMBERS, name: b"other content" * 9}
    assert entries(archive.written()) == entries(data)


def test_what_is_packed_is_copied_and_not_packed_again() -> None:
    """Packed members with sizes behind them, as a program writes that cannot seek, and with extra fields."""

    class Pipe(io.BytesIO):
        def seek(self, *where: int) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pipe:
        for name in ("a", "b"):
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.extra = struct.pack("<2H4s", 0xCAFE, 4, b"data")
            info.compress_type = zipfile.ZIP_DEFLATED
            with pipe.open(info, "w", force_zip64=True) as member:
                member.write(PICTURE)
    data = out.getvalue()
    archive = opened(data)
    archive.replace("b", b"new")
    written = archive.written()
    assert members(written) == {"a": PICTURE, "b": b"new"}
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(io.BytesIO(written)) as after:
        packed, size = after.getinfo("a"), before.getinfo("a").compress_size
        assert packed.compress_size == size
        assert before.getinfo("a").flag_bits & 8
        assert not packed.flag_bits & 8
        assert packed.extra == struct.pack("<2H4s", 0xCAFE, 4, b"data")


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    flat = io.BytesIO()
    with zipfile.ZipFile(flat, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("a.xml", bytes(40 << 20))
    with pytest.raises(InputError, match=r"a.xml: unpacks to more than \d+ times its size"):
        opened(flat.getvalue())
    monkeypatch.setattr(module, "MOST_BYTES", 10000)
    with pytest.raises(InputError, match="would unpack to more"):
        opened(zipped(MEMBERS))


def test_a_member_that_lies_about_its_size_is_an_error() -> None:
    data = bytearray(zipped({"a.xml": b"x" * 5000}))
    at = data.rindex(b"PK\1\2") + 24
    data[at : at + 4] = struct.pack("<L", 100)
    with pytest.raises(InputError, match=r"a.xml: is broken"):
        opened(bytes(data)).read("a.xml")


def changed(data: bytes, offset: int, value: int) -> bytes:
    """The archive with a byte of the directory's first entry changed."""
    at = data.index(b"PK\1\2") + offset
    return data[:at] + bytes([value]) + data[at + 1 :]


def test_what_these_formats_do_not_have_is_refused() -> None:
    data = zipped({"a.xml": b"x"})
    for broken, message in [
        (changed(data, 8, 1), "a.xml: is encrypted"),
        (changed(data, 10, 12), "a.xml: is compressed by a method"),
        (changed(data, 42, 3), "a.xml: is not whole"),
        (changed(data, 20, 255), "a.xml: is not whole"),
        (b"", "not a whole zip archive"),
        (data[:40], "not a whole zip archive"),
    ]:
        with pytest.raises(InputError, match=message):
            opened(broken)
    with pytest.warns(UserWarning, match="Duplicate name"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as twice:
            twice.writestr("a", "1")
            twice.writestr("a", "2")
    with pytest.raises(InputError, match="same name"):
        opened(out.getvalue())
    with pytest.raises(InputError, match="b: is missing"):
        opened(data).read("b")
