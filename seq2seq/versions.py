"""The versions that determine the output bytes: of seq2seq, Python, the packages, the system and the processor type.

This module reads the metadata of installed packages and imports none of them.
"""

import platform
from contextlib import suppress
from importlib import metadata

from seq2seq import __version__

PACKAGES = ("torch", "sentencepiece", "sacrebleu", "datasets", "safetensors", "numpy", "onnxruntime")


def versions() -> str:
    """One line of names and versions. A package that is not installed is left out: an exported model needs no torch."""
    packages = []
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            packages.append(f"{name} {metadata.version(name)}")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}"
    return ", ".join([f"seq2seq {__version__}", python, *packages, machine])
