"""What lies in a model folder, tensors apart: the names of its files, resolved settings (TOML) and tokenizers.

    config.toml, tokenizer.model (or .src.model and .tgt.model): in every model folder; a target that shares a model
        takes its first pieces, as many as config.toml says under [seq2seq]
    model.safetensors: a trained model; encoder.onnx, decoder.onnx: an exported one
    metrics.jsonl, README.md, training/step-00001234.safetensors, tensorboard/: what training adds
    taught.jsonl: the pairs that teachers add to the training text
    report.html: the page that a person asked for
    stopped.tsv: the text at which the loss was no number any more
    manifest.json: the SHA-256 of what is loaded again

This module knows no tensor library: an exported model is loaded without one.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seq2seq import config
from seq2seq.errors import InputError
from seq2seq.folder import files
from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig

FORMAT = 1
CONFIG, WEIGHTS, TRAINING = "config.toml", "model.safetensors", "training"
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
JOINT, SIDES = "tokenizer.model", ("tokenizer.src.model", "tokenizer.tgt.model")
METRICS, CARD, STOPPED, PLOTS, SYNTHETIC = "metrics.jsonl", "README.md", "stopped.tsv", "tensorboard", "taught.jsonl"
REPORT = "report.html"
RECIPE = "recipe"  # what the settings began as
PIECES = "target_pieces"  # of a model that both sides share
TOKENIZER = "tokenizer"  # under this name weights and graphs remember the tokenizers they go with


def holds_model(folder: Path) -> bool:
    """Whether the folder holds a model or the beginnings of one."""
    return any((folder / name).exists() for name in (CONFIG, WEIGHTS, TRAINING, ENCODER, DECODER))


def exported(folder: Path) -> bool:
    """Whether the folder holds a model in the form that needs no torch."""
    return (folder / DECODER).exists()


def tokenizer_names(joint: bool) -> tuple[str, str]:
    """The file names of the source's and the target's tokenizer."""
    return (JOINT, JOINT) if joint else SIDES


def tokenizer_files(folder: Path) -> list[str]:
    """The names of the tokenizers that a folder holds."""
    return [name for name in (JOINT, *SIDES) if (folder / name).exists()]


def training_states(folder: Path) -> list[str]:
    """The names of the training states that a folder holds, oldest first."""
    return sorted(f"{TRAINING}/{path.name}" for path in (folder / TRAINING).glob("step-*.safetensors"))


def save_settings(
    folder: Path,
    sections: Mapping[str, Any],
    src_tokenizer: Tokenizer,
    tgt_tokenizer: Tokenizer,
    recipe: str | None = None,
) -> None:
    """Write the resolved settings, a dataclass a section, and the tokenizers, first thing in a run."""
    joint = sections["tokenizer"].joint
    known = {"format": FORMAT, RECIPE: recipe, PIECES: len(tgt_tokenizer) if joint else None}
    about = {name: value for name, value in known.items() if value is not None}
    both = [src_tokenizer] if joint else [src_tokenizer, tgt_tokenizer]
    for name, tokenizer in zip(tokenizer_names(joint), both, strict=False):
        files.publish(folder, name, tokenizer.model_bytes)
    files.publish(folder, CONFIG, config.to_toml({"seq2seq": about, **sections}).encode())


def read_settings(folder: Path) -> dict[str, dict[str, Any]]:
    """The sections of a model folder's config.toml, the format checked and left out.

    Raises:
        InputError: no such folder or file, damaged, or written by a later version.
    """
    if not folder.is_dir():
        raise InputError(f"there is no model folder {folder}; check the path, or train a model there")
    if not (folder / CONFIG).is_file():
        raise InputError(f"{folder} is not a model folder: {CONFIG} is missing; check the path, or train a model there")
    sections = config.read(folder / CONFIG)
    version = sections.pop("seq2seq", {}).get("format")
    if version != FORMAT:
        raise InputError(f"{folder / CONFIG} has format {version!r}, this version reads {FORMAT}; update seq2seq")
    sections.setdefault("model", {}).setdefault("lexical", False)  # a folder from before the setting does not say
    return sections


def read_recipe(folder: Path) -> str | None:
    """The name of the recipe that a model was trained by, where its folder says."""
    name = _about(folder).get(RECIPE)
    return name if isinstance(name, str) else None


def read_tokenizers(folder: Path, settings: TokenizerConfig) -> tuple[Tokenizer, Tokenizer]:
    """The source's and the target's tokenizer; of a folder that does not say how they share one, it is both.

    Raises:
        InputError: a file is missing or damaged.
    """
    src, tgt = (folder / name for name in tokenizer_names(settings.joint))
    tokenizer = Tokenizer.load(src)
    if src != tgt:
        return tokenizer, Tokenizer.load(tgt)
    pieces = _about(folder).get(PIECES)
    if pieces is None:
        return tokenizer, tokenizer
    if type(pieces) is not int:
        raise InputError(f"{folder / CONFIG}: seq2seq.{PIECES} = {pieces!r} is no number of pieces; restore the file")
    try:
        return tokenizer, tokenizer.first(pieces)
    except InputError:
        raise InputError(
            f"{folder}: the tokenizer is not the one that fits {CONFIG}; restore the folder's own"
        ) from None


def _about(folder: Path) -> dict[str, Any]:
    """What config.toml says of the folder itself, beside the settings."""
    return config.read(folder / CONFIG).get("seq2seq", {})


def fingerprint(*tokenizers: Tokenizer) -> str:
    """The SHA-256 of each tokenizer, by which weights and graphs know their own."""
    return " ".join(hashlib.sha256(t.model_bytes).hexdigest() for t in tokenizers)
