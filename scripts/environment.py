"""The project's Python environment in .venv: created once, and again only when its requirements have changed.

    python3 scripts/environment.py

Uses the standard library alone, under Python 3.11 or newer. Once everything is installed it needs no network.
"""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def environment() -> Path:
    """Create .venv if it is missing or outdated, and return the path of its Python."""
    if sys.version_info < (3, 11):  # noqa: UP036 (this is the file that a person with an older Python runs)
        raise SystemExit(f"error: this is Python {sys.version.split()[0]}; run it with Python 3.11 or newer")
    folder = ROOT / ".venv"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    fingerprint = hashlib.sha256(sys.version.encode() + str(ROOT).encode())
    for name in ("pyproject.toml", "constraints.txt"):
        fingerprint.update((ROOT / name).read_bytes())
    stamp = folder / "installed"
    if stamp.is_file() and stamp.read_text() == fingerprint.hexdigest():
        return python
    print(f"installing into {folder} (once; torch is large)", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    options = ["--quiet", "--disable-pip-version-check", "-c", "constraints.txt"]
    if not sys.dont_write_bytecode:  # each module is compiled when it is first imported, most never
        options.append("--no-compile")
    if status := subprocess.run([python, "-m", "pip", "install", *options, "-e", ".[dev]"], cwd=ROOT).returncode:
        raise SystemExit(f"error: pip could not install the project (status {status}); its messages are above")
    stamp.write_text(fingerprint.hexdigest())
    return python


if __name__ == "__main__":
    environment()
