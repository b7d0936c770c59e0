"""Files that are whole at any moment, and a folder's manifest: the SHA-256 of each file that counts.

A file is written beside its place, flushed to the disk and renamed, so a reader finds the old one or the new one whole.
While a listed file is replaced, the manifest names both, so a folder is right at whatever moment a program is killed.
A folder without a manifest, or a file that it does not list, is taken as it is.
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
    """Write a file so that at any moment it is the old one or the new one, whole, even through a power cut.

    Raises:
        WorkError: the disk is full or the folder cannot be written; the old file stands.
    """
    beside = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as e:
        raise WorkError(f"cannot write {path}: {e.strerror}; what was there before is untouched") from None
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def publish(folder: Path, name: str, content: bytes) -> None:
    """Write a file of the folder and list it in the manifest. Raises WorkError as `write`."""
    listed = _listed(folder)
    digest = hashlib.sha256(content).hexdigest()
    if listed.get(name) != [digest]:
        _list(folder, {**listed, name: [*listed.get(name, []), digest]})
    write(folder / name, content)
    _list(folder, {**listed, name: [digest]})


def remove(folder: Path, names: Sequence[str]) -> None:
    """Remove these files where they are there, and strike them from the manifest."""
    listed = _listed(folder)
    for name in names:
        (folder / name).unlink(missing_ok=True)
    left = {name: digests for name, digests in listed.items() if name not in names}
    if not left:
        (folder / MANIFEST).unlink(missing_ok=True)
    elif left != listed:
        _list(folder, left)


def verify(folder: Path, *names: str) -> None:
    """Compare these files with what the manifest says of them.

    Raises:
        InputError: one is not the file that was written, or the manifest is damaged.
    """
    listed = _listed(folder)
    for name in names:
        if name in listed:
            with (folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest not in listed[name]:
                raise InputError(
                    f"{folder / name} is damaged or was replaced: its SHA-256 is not the one in {MANIFEST}; "
                    f"restore it, or strike it from {MANIFEST} if you changed it yourself"
                )


def _listed(folder: Path) -> dict[str, list[str]]:
    path = folder / MANIFEST
    try:
        listed = json.loads(path.read_bytes())
        if not all(isinstance(digests, list) for digests in listed.values()):
            raise ValueError
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, RecursionError):
        raise InputError(f"{path} is damaged; restore it, or remove it to do without its check") from None
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check who may read it") from None
    return listed  # type: ignore[no-any-return]


def _list(folder: Path, listed: Mapping[str, list[str]]) -> None:
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(listed[name])}" for name in sorted(listed))
    write(folder / MANIFEST, f"{{\n{lines}\n}}\n".encode())
