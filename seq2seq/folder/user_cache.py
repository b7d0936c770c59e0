"""The folder of what this program makes once and keeps for later: it may be deleted at any time."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """This program's folder in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "seq2seq"
