"""Atomic writes, and the manifest of a folder: the SHA-256 of each listed file.

A file is written under a temporary name, flushed to the disk and renamed, so a reader finds the old or the new content
complete. While a listed file is replaced, the manifest holds both digests, so it matches the folder at any moment a
program may be killed. A folder without a manifest, or a file that is not listed, is not checked.

This module does not know which files a model folder has.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from seq2seq.errors import InputError, WorkError

MANIFEST = "manifest.json"


def write(path: Path, content: bytes) -> None:
    """Replace a file atomically: its content is the old or the new one, complete, even after a power cut.

    Raises:
        WorkError: the disk is full or the folder cannot be written; the old file is unchanged.
    """
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as e:
        raise WorkError(f"cannot write {path}: {e.strerror}; what was there before is untouched") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Check, before anything is computed, that a folder that need not exist yet can be written.

    Raises:
        InputError: it cannot.
    """
    if folder.is_symlink() and not folder.exists():
        raise InputError(f"--out {folder} is a link to {folder.readlink()}, which is not there; give another folder")
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise InputError(f"--out {folder}: {existing} is a file; give a folder")
    if not os.access(existing, os.W_OK):
        raise InputError(f"--out {folder}: {existing} cannot be written; give another folder")


def publish(folder: Path, name: str, content: bytes) -> None:
    """Write a file of the folder and list it in the manifest.

    Raises:
        WorkError: as `write`.
        InputError: the manifest is damaged.
    """
    listed = _read_manifest(folder)
    digest = hashlib.sha256(content).hexdigest()
    if listed.get(name) != [digest]:
        _write_manifest(folder, {**listed, name: [*listed.get(name, []), digest]})
    write(folder / name, content)
    _write_manifest(folder, {**listed, name: [digest]})


def remove(folder: Path, names: Sequence[str]) -> None:
    """Remove those of these files that exist, and their entries in the manifest."""
    listed = _read_manifest(folder)
    for name in names:
        (folder / name).unlink(missing_ok=True)
    remaining = {name: digests for name, digests in listed.items() if name not in names}
    if not remaining:
        (folder / MANIFEST).unlink(missing_ok=True)
    elif remaining != listed:
        _write_manifest(folder, remaining)


def verify(folder: Path, *names: str) -> None:
    """Compare the SHA-256 of these files with the manifest.

    Raises:
        InputError: one differs from the file that was written, or the manifest is damaged.
    """
    listed = _read_manifest(folder)
    for name in names:
        if name in listed:
            with (folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest not in listed[name]:
                raise InputError(
                    f"{folder / name} is damaged or was replaced: its SHA-256 is not the one in {MANIFEST}; "
                    f"restore it, or delete its entry in {MANIFEST} if you changed it yourself"
                )


def _read_manifest(folder: Path) -> dict[str, list[str]]:
    """The valid digests of each listed file; two while it is replaced."""
    path = folder / MANIFEST
    try:
        listed = json.loads(path.read_bytes())
        if not all(isinstance(digests, list) for digests in listed.values()):
            raise ValueError
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, RecursionError):
        raise InputError(f"{path} is damaged; restore it, or remove it to skip the check") from None
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check its permissions") from None
    return listed  # type: ignore[no-any-return]


def _write_manifest(folder: Path, listed: Mapping[str, list[str]]) -> None:
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(listed[name])}" for name in sorted(listed))
    write(folder / MANIFEST, f"{{\n{lines}\n}}\n".encode())
