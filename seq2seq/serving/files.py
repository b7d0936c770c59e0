"""Translated documents that wait to be downloaded, for some minutes, in a folder that is removed at the end.

Several processes may share the folder: a document's name is a secret, and its age is that of its file.
"""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePath

from seq2seq.documents.formats import FORMATS
from seq2seq.serving.limits import RefusedError

KEPT_SECONDS = 600
MOST_BYTES = 500_000_000  # of all documents together

ENDINGS = sorted({ending for _, endings in FORMATS.values() for ending in endings})
_NAME = re.compile(r"([\w-]{22})\.([\w.-]{1,120})")


def supported(name: str) -> bool:
    """Whether a file of this name is of a format that can be translated."""
    return name.lower().endswith(tuple(ENDINGS))


class Downloads:
    """The documents of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, content: bytes, name: str, target: str) -> str:
        """Keep a document; returns the secret name under which it is found, which ends with its own name.

        Args:
            content: the document.
            name: what the original was called.
            target: the language it was translated to, which becomes part of the name.

        Raises:
            RefusedError: too much is kept (503).
        """
        self.drop_old()
        if sum(size for _, size, _ in self._files()) + len(content) > MOST_BYTES:
            raise RefusedError(503, "too many documents wait to be downloaded; try again later", 60)
        path = PurePath(name.replace("\\", "/"))
        stem, ending = (re.sub(r"[^\w-]+", "_", part, flags=re.ASCII) for part in (path.stem, path.suffix[1:]))
        secret = f"{secrets.token_urlsafe(16)}.{stem.strip('_')[:80] or 'document'}_{target}.{ending[:20]}"
        partial = self.folder / f".{secret}"
        partial.write_bytes(content)
        partial.replace(self.folder / secret)
        return secret

    def find(self, secret: str) -> tuple[Path, str] | None:
        """The document of a secret name, and what it is called; None if there is none."""
        self.drop_old()
        match = _NAME.fullmatch(secret)
        path = self.folder / secret
        return (path, match[2]) if match and path.is_file() else None

    def drop_old(self) -> None:
        """Remove the documents that were kept long enough."""
        for path, _, changed in self._files():
            if time.time() - changed > KEPT_SECONDS:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[Path, int, float]]:
        """The path, size and time of each document."""
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # another process removed it
                status = path.stat()
                yield path, status.st_size, status.st_mtime
