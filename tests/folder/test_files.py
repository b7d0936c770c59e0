"""Atomic writes, and the manifest."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from seq2seq.errors import InputError, WorkError
from seq2seq.folder import files

# ---- writing ---------------------------------------------------------------------------------------------------------


def test_a_file_is_flushed_to_the_disk_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written and flushed under a temporary name, then renamed, then the folder flushed."""
    path, events = tmp_path / "folder" / "file", []
    real = {"fsync": os.fsync, "replace": Path.replace}

    def fsync(fd: int) -> None:
        events.append(("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file", path.read_bytes()))
        real["fsync"](fd)

    def replace(self: Path, target: Path) -> Path:
        assert self.parent == target.parent
        events.append(("rename", self.read_bytes()))
        return real["replace"](self, target)

    files.write(path, b"old")
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    files.write(path, b"new")
    assert events == [("file", b"old"), ("rename", b"new"), ("folder", b"new")]
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("where", ["fsync", "replace", "open"])
@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "No space left on device"), (errno.EIO, "Input/output")])
def test_if_writing_fails_the_old_file_is_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, code: int, words: str
) -> None:
    path = tmp_path / "file"
    files.write(path, b"old")

    def fail(*arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os if where == "fsync" else Path, where, fail)
    with pytest.raises(WorkError) as error:
        files.write(path, b"new")
    monkeypatch.undo()
    assert str(error.value).startswith(f"cannot write {path}: {words}")
    assert str(error.value).endswith("; what was there before is untouched")
    assert path.read_bytes() == b"old"
    files.write(path, b"new")  # the failure left nothing that prevents it
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Half a file would take space on a full disk."""

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os if where == "fsync" else Path, where, fail)
    with pytest.raises(WorkError):
        files.write(tmp_path / "file", b"new")
    assert list(tmp_path.iterdir()) == []


def test_writing_below_a_file_is_a_work_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WorkError, match="cannot write"):
        files.write(tmp_path / "file" / "below", b"")


# ---- the manifest ----------------------------------------------------------------------------------------------------


def refusal(folder: Path, *names: str) -> str:
    with pytest.raises(InputError) as error:
        files.verify(folder, *names)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_any_flipped_bit_of_a_listed_file_is_detected(tmp_path: Path) -> None:
    content = b"some content"
    files.publish(tmp_path, "below/file", content)
    files.publish(tmp_path, "other", b"")
    files.verify(tmp_path, "below/file", "other")
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / "below" / "file").write_bytes(flipped)
        assert str(tmp_path / "below" / "file") in refusal(tmp_path, "other", "below/file")
        files.verify(tmp_path, "other")
    for wrong in (b"", content[:-1], content + b"\0"):
        (tmp_path / "below" / "file").write_bytes(wrong)
        refusal(tmp_path, "below/file")


def test_the_manifest_holds_sha256_digests(tmp_path: Path) -> None:
    files.publish(tmp_path, "file", b"abc")  # the digest is the example of FIPS 180-2
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert json.loads((tmp_path / files.MANIFEST).read_text()) == {"file": [digest]}


def test_a_file_that_is_not_listed_is_not_checked(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"whatever")
    files.verify(tmp_path, "file")
    files.publish(tmp_path, "other", b"")
    files.verify(tmp_path, "file")


def test_the_manifest_matches_the_folder_during_a_replacement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each step of it, the file, old or new, matches the manifest."""
    files.publish(tmp_path, "file", b"old")
    contents = []
    for name in ("mkdir", "open", "replace", "unlink"):
        real = getattr(Path, name)

        def step(self: Path, *arguments: Any, real: Any = real, **named: Any) -> Any:
            if watching:
                watching.clear()
                files.verify(tmp_path, "file")
                contents.append((tmp_path / "file").read_bytes())
                watching.append(True)
            return real(self, *arguments, **named)

        monkeypatch.setattr(Path, name, step)
    watching = [True]
    files.publish(tmp_path, "file", b"new")
    watching.clear()
    assert len(contents) > 6
    assert set(contents) == {b"old", b"new"}
    files.verify(tmp_path, "file")
    (tmp_path / "file").write_bytes(b"old")  # no longer valid
    refusal(tmp_path, "file")


def test_a_file_that_cannot_be_replaced_matches_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.publish(tmp_path, "file", b"old")
    real = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if target.name == "file":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(WorkError):
        files.publish(tmp_path, "file", b"new")
    files.verify(tmp_path, "file")
    monkeypatch.undo()
    files.publish(tmp_path, "file", b"newer")
    files.verify(tmp_path, "file")


def test_a_removed_file_is_removed_from_the_manifest(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        files.publish(tmp_path, name, b"")
    (tmp_path / "mine").write_bytes(b"")
    files.remove(tmp_path, ["a", "c", "never there"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", files.MANIFEST, "mine"]
    assert list(json.loads((tmp_path / files.MANIFEST).read_text())) == ["b"]
    files.remove(tmp_path, ["b"])
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b'{"file": "x"}', b"\xff", b"[" * 100_000, b"null"])
def test_a_damaged_manifest_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / files.MANIFEST).write_bytes(content)
    assert f"{tmp_path / files.MANIFEST} is damaged" in refusal(tmp_path, "file")
