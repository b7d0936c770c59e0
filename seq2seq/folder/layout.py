"""The files of a model folder except weights: their names, the resolved settings (TOML) and the tokenizers.

    config.toml                 resolved settings; in every model folder
    tokenizer.model             joint tokenizer, whose first `target_pieces` pieces (config.toml, [seq2seq]) are the
                                target vocabulary; or tokenizer.src.model and tokenizer.tgt.model
    known-words.json            words of the training text, by which names that the model cannot know are told
    model.safetensors           weights of a trained model
    encoder.onnx, decoder.onnx  graphs of an exported model
    metrics.jsonl, tensorboard/ metrics of each validation
    README.md                   model card
    training/step-*.safetensors training states, named by their updates, for example step-00001234
    taught.jsonl                synthetic pairs: translations and back-translations by the teachers
    report.html                 the report's page
    job.txt                     names the job of torchrun that trains here
    stopped.tsv                 sentence pairs of the update at which training diverged
    manifest.json               SHA-256 of the files that are loaded again

This module does not know tensors, so that an exported model is loaded without torch.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seq2seq import config
from seq2seq.errors import InputError
from seq2seq.folder import files
from seq2seq.text.known_words import KnownWords
from seq2seq.text.preparation import LONGEST
from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig

FORMAT = 1
CONFIG, WEIGHTS, TRAINING = "config.toml", "model.safetensors", "training"
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
JOINT, SIDES = "tokenizer.model", ("tokenizer.src.model", "tokenizer.tgt.model")
WORDS = "known-words.json"
METRICS, CARD, STOPPED, PLOTS, REPORT = "metrics.jsonl", "README.md", "stopped.tsv", "tensorboard", "report.html"
JOB = "job.txt"
SYNTHETIC = "taught.jsonl"  # the name that folders of earlier versions have
RECIPE = "recipe"  # key in config.toml: the recipe that the settings come from
TARGET_PIECES = "target_pieces"  # key in config.toml: size of the target vocabulary of a joint tokenizer
TOKENIZER = "tokenizer"  # metadata key in weights and graphs: the fingerprint of their tokenizers
# What folders have that are older than a setting.
OLDER: dict[tuple[str, str], Any] = {
    ("model", "lexical"): False,
    ("tokenizer", "placeholders"): 0,
    ("text", "normalisation"): 0,
    ("text", "longest"): LONGEST,
    ("text", "names"): 0.0,
    ("text", "lowercase"): 0.0,
    ("text", "unpunctuated"): 0.0,
}


def holds_model(folder: Path) -> bool:
    """Whether the folder holds a model or a run that has not written one yet."""
    return any((folder / name).exists() for name in (CONFIG, WEIGHTS, TRAINING, ENCODER, DECODER))


def is_exported(folder: Path) -> bool:
    """Whether the folder holds an exported model (ONNX), which needs no torch."""
    return (folder / DECODER).exists()


def tokenizer_names(joint: bool) -> tuple[str, str]:
    """The file names of the source and the target tokenizer."""
    return (JOINT, JOINT) if joint else SIDES


def tokenizer_files(folder: Path) -> list[str]:
    """The names of the tokenizer files in a folder, and of its known words."""
    return [name for name in (JOINT, *SIDES, WORDS) if (folder / name).exists()]


def common_files(folder: Path, joint: bool) -> list[str]:
    """The names of the files that a model of any form is loaded from, its weights or graphs apart."""
    return [CONFIG, *dict.fromkeys(tokenizer_names(joint)), *([WORDS] if (folder / WORDS).exists() else [])]


def training_states(folder: Path) -> list[str]:
    """The paths of the training states in a folder, relative to it, oldest first."""
    return sorted(f"{TRAINING}/{path.name}" for path in (folder / TRAINING).glob("step-*.safetensors"))


def updates_of(training_state: str) -> int:
    """The updates after which a training state was written, by its path."""
    return int(Path(training_state).stem.removeprefix("step-"))


def save_settings(
    folder: Path,
    sections: Mapping[str, Any],
    src_tokenizer: Tokenizer,
    tgt_tokenizer: Tokenizer,
    recipe: str | None = None,
) -> None:
    """Write the resolved settings, one dataclass per section, and the tokenizers; a run does so before it trains."""
    joint = sections["tokenizer"].joint
    entries = {"format": FORMAT, RECIPE: recipe, TARGET_PIECES: len(tgt_tokenizer) if joint else None}
    metadata = {name: value for name, value in entries.items() if value is not None}
    tokenizers = [src_tokenizer] if joint else [src_tokenizer, tgt_tokenizer]
    for name, tokenizer in zip(tokenizer_names(joint), tokenizers, strict=False):
        files.publish(folder, name, tokenizer.model_bytes)
    if src_tokenizer.known_words:
        files.publish(folder, WORDS, src_tokenizer.known_words.to_json())
    files.publish(folder, CONFIG, config.to_toml({"seq2seq": metadata, **sections}).encode())


def read_settings(folder: Path) -> dict[str, dict[str, Any]]:
    """The sections of a model folder's config.toml, without [seq2seq], whose format is checked.

    Raises:
        InputError: the folder or the file is missing or damaged, or was written by a later version.
    """
    if not folder.is_dir():
        raise InputError(f"there is no model folder {folder}; check the path, or train a model there")
    if not (folder / CONFIG).is_file():
        raise InputError(f"{folder} is not a model folder: {CONFIG} is missing; check the path, or train a model there")
    sections = config.read(folder / CONFIG)
    version = sections.pop("seq2seq", {}).get("format")
    if version != FORMAT:
        raise InputError(f"{folder / CONFIG} has format {version!r}, this version reads {FORMAT}; update seq2seq")
    for (section, name), value in OLDER.items():
        sections.setdefault(section, {}).setdefault(name, value)
    return sections


def read_recipe_name(folder: Path) -> str | None:
    """The name of the recipe that a model was trained with, if its folder records one."""
    name = _read_metadata(folder).get(RECIPE)
    return name if isinstance(name, str) else None


def read_tokenizers(folder: Path, settings: TokenizerConfig) -> tuple[Tokenizer, Tokenizer]:
    """The source and the target tokenizer, the former with the known words if the folder has them.

    Raises:
        InputError: a file is missing or damaged, or the tokenizer has fewer pieces.
    """
    src, tgt = _read_tokenizers(folder, settings)
    path = folder / WORDS
    try:
        src.known_words = KnownWords.from_json(path.read_bytes())
    except FileNotFoundError:
        pass
    except (ValueError, RecursionError):
        raise InputError(f"{path} is damaged; restore it, or remove it: then no names are kept") from None
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check its permissions") from None
    return src, tgt


def _read_tokenizers(folder: Path, settings: TokenizerConfig) -> tuple[Tokenizer, Tokenizer]:
    """The tokenizers alone.

    In folders of earlier versions, which have no `target_pieces`, a joint tokenizer is used whole for both.
    """
    src, tgt = (folder / name for name in tokenizer_names(settings.joint))
    tokenizer = Tokenizer.load(src)
    if src != tgt:
        return tokenizer, Tokenizer.load(tgt)
    pieces = _read_metadata(folder).get(TARGET_PIECES)
    if pieces is None:
        return tokenizer, tokenizer
    if type(pieces) is not int:
        raise InputError(
            f"{folder / CONFIG}: seq2seq.{TARGET_PIECES} = {pieces!r} is not a whole number; restore the file"
        )
    try:
        return tokenizer, tokenizer.first(pieces)
    except InputError:
        raise InputError(
            f"{folder}: the tokenizer is not the one that fits {CONFIG}; restore the folder's own"
        ) from None


def _read_metadata(folder: Path) -> dict[str, Any]:
    """The section [seq2seq] of config.toml."""
    return config.read(folder / CONFIG).get("seq2seq", {})


def fingerprint(*tokenizers: Tokenizer) -> str:
    """The SHA-256 of each tokenizer; weights and graphs record it to detect another tokenizer."""
    return " ".join(hashlib.sha256(t.model_bytes).hexdigest() for t in tokenizers)
