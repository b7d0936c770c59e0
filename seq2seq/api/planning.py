"""Where a run is written, and the settings that its options specify: checked before any text is read."""

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seq2seq.config import parse_override
from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.training import settings
from seq2seq.training.settings import Settings
from seq2seq.training.workers import default_workers

RECIPE = "tatoeba"
RUNS = Path("artifacts/runs")


def assignments(values: Mapping[str, Any] | Sequence[str]) -> list[tuple[str, str, Any]]:
    """Section, name and value of each setting of a mapping, or of strings such as "model.hidden=512".

    Raises:
        TypeError: `values` is a single string.
        InputError: a name has no section, or a string no value.
    """
    if isinstance(values, str):
        raise TypeError("set takes a mapping of settings, or a list of strings such as 'model.hidden=512'")
    if not isinstance(values, Mapping):
        return [parse_override(text) for text in values]
    assignments = []
    for key, value in values.items():
        section, dot, name = str(key).partition(".")
        if not (section and dot and name):
            raise InputError(f"set {key!r}: expected SECTION.NAME, for example 'model.hidden'")
        assignments.append((section, name, value))
    return assignments


def new_folder(recipe: str) -> Path:
    """The first of artifacts/runs/NAME, NAME-2, NAME-3 .. that is free."""
    name = Path(recipe).stem
    names = itertools.chain([name], (f"{name}-{i}" for i in itertools.count(2)))
    return next(RUNS / n for n in names if not (RUNS / n).exists())


def check_folder(folder: Path, overwrite: bool) -> None:
    """Check, before the text is read, that the folder can be written.

    Raises:
        InputError: it cannot, or without `overwrite` it holds a model or a model card.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise InputError(f"--out {folder}: {existing} is a file; give a folder")
    if not os.access(existing, os.W_OK):
        raise InputError(f"--out {folder}: {existing} cannot be written; give another folder")
    if layout.holds_model(folder) and not overwrite:
        raise InputError(f"{folder} holds a model; give another --out, --resume {folder}, or --overwrite")
    if (card := folder / layout.CARD).exists() and not overwrite:
        raise InputError(f"{card} would be lost to the model card; give another --out, or --overwrite")


def _with_workers(resolved: Settings, ranks: int) -> Settings:
    """The settings with the number of workers, of ranks if there are several, filled in: a resumed run repeats it.

    Raises:
        InputError: torchrun started another number of ranks than the settings name.
    """
    training = resolved.training
    if ranks > 1 and training.workers not in (0, ranks):
        raise InputError(
            f"training.workers = {training.workers}, but torchrun started {ranks} ranks; start as many, "
            "or give --set training.workers=0"
        )
    default = default_workers(torch.get_num_threads(), training.batch_tokens, resolved.model.hidden)
    return resolved._replace(training=replace(training, workers=ranks if ranks > 1 else training.workers or default))


def completed(resolved: Settings, ranks: int) -> Settings:
    """The settings with the absolute path of the text and the number of workers, which a resumed run needs."""
    where = resolved.data.where
    where = settings.absolute(where) if isinstance(where, str) else tuple(map(settings.absolute, where))
    data = replace(resolved.data, where=where)
    return _with_workers(resolved._replace(data=data), ranks)
