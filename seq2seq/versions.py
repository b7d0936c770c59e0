"""Which version of everything computes here: what has to be the same for the bytes to be the same."""

import platform
from contextlib import suppress
from importlib import metadata

from seq2seq import __version__

PACKAGES = ("torch", "sentencepiece", "sacrebleu", "datasets", "safetensors", "numpy")  # what a result depends on
OPTIONAL = ("onnxruntime",)


def versions() -> str:
    """One line: seq2seq, Python, the packages, the system and the processor's kind."""
    packages = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    for name in OPTIONAL:
        with suppress(metadata.PackageNotFoundError):
            packages.append(f"{name} {metadata.version(name)}")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}"
    return ", ".join([f"seq2seq {__version__}", python, *packages, machine])
