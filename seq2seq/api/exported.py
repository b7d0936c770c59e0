"""The exported form of a trained model, made once and kept in the user's cache.

The cache holds one model folder for each model that was exported, named by its weights and settings. So a model folder
may be read-only, and a changed model is exported anew.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from seq2seq.errors import InputError, WorkError
from seq2seq.folder import layout
from seq2seq.folder.user_cache import cache_folder
from seq2seq.processes import CAN_FORK, ProcessPool
from seq2seq.versions import versions

GRAPHS = 4  # version of the graphs; the cache may have those of earlier ones, which align worse or have no memory


def exported_once(folder: Path, notify: Callable[[str], None]) -> Path:
    """The folder of the model exported to int8; `folder` itself where that is not possible, or it is exported already.

    Args:
        folder: the trained model.
        notify: is called with a message where it is exported, or cannot be.
    """
    if layout.is_exported(folder) or not (folder / layout.WEIGHTS).is_file():
        return folder
    if not all(map(find_spec, ("onnx", "onnxruntime", "torch"))):
        notify(f"note: {folder} is served in its trained form; pip install 'seq2seq[onnx]' makes it faster")
        return folder
    try:
        cached = cache_folder() / "exported" / _name(folder)
        if layout.is_exported(cached):
            return cached
        notify(f"{folder}: exporting to int8, once, into {cached} (--exact serves the trained form)")
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent, prefix=".partial-") as partial:
            return _export(folder, Path(partial) / "model", cached)
    except (OSError, RuntimeError, WorkError, InputError) as e:  # RuntimeError: there is no home
        notify(f"note: {folder} is served in its trained form: it cannot be exported ({e})")
        return folder


def _export(folder: Path, partial: Path, cached: Path) -> Path:
    """Export the model to `partial`, and move it to `cached`."""

    def export_in(worker: int, request: Any) -> None:
        if worker == workers - 1:
            from seq2seq.onnx.export import export

            export(folder, partial, "int8")

    workers = 2 if CAN_FORK else 1  # in a process of its own, so that this one does without torch
    with ProcessPool(workers, export_in) as pool:
        pool.run([None] * workers)
    try:
        partial.replace(cached)
    except OSError:
        if not layout.is_exported(cached):  # another process may have been faster
            shutil.rmtree(cached, ignore_errors=True)
            partial.replace(cached)
    return cached


def _name(folder: Path) -> str:
    """Names the model by the content of its files, and by the versions that it is made with."""
    digest = hashlib.sha256(f"{GRAPHS}, {versions()}".encode())
    for name in (layout.CONFIG, layout.WEIGHTS, *layout.tokenizer_files(folder)):
        digest.update(name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
    return f"{folder.resolve().name[:40]}-{digest.hexdigest()[:20]}"
