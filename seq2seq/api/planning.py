"""The options of `train`, and the plan of a run that they specify: where it is written, and its settings.

All of it is checked before any text is read.
"""

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import torch

from seq2seq.api import finetuning, fitting
from seq2seq.api.models import places
from seq2seq.api.translator import FolderPath, Types, check_types
from seq2seq.config import parse_override
from seq2seq.errors import InputError
from seq2seq.folder import files, layout
from seq2seq.training import settings
from seq2seq.training.automatic import AUTO
from seq2seq.training.settings import Settings
from seq2seq.training.workers import default_workers

RECIPE = "tatoeba"
RUNS = Path("artifacts/runs")
WITH_RESUME = {"resume", "data", "set", "seed", "device", "threads", "quiet", "minutes"}  # options it does not exclude


_PATH, _PATHS = (str, os.PathLike), (str, os.PathLike, Sequence)
_TYPES: Types = {  # of the options that are not checked where they are used
    **dict.fromkeys(("src", "tgt"), ((str,), "a language as a str")),
    **dict.fromkeys(("langs", "directions", "columns"), ((str, Sequence), "a list of str, or a str with commas")),
    **dict.fromkeys(("out", "recipe", "resume", "finetune"), (_PATH, "a path")),
    **dict.fromkeys(("data", "teachers", "mono"), (_PATHS, "a path, or a list of paths")),
    **dict.fromkeys(("overwrite", "quiet"), ((bool,), "True or False")),
    "minutes": ((int, float), "a number"),
    "set": ((Mapping, Sequence), "a mapping of settings, or a list of strings such as 'model.hidden=512'"),
}


class TrainOptions(TypedDict, total=False):
    """The keyword arguments of `train`."""

    data: FolderPath | Sequence[FolderPath] | None
    columns: str | Sequence[str] | None
    errors: str | None
    src: str | None
    tgt: str | None
    langs: str | Sequence[str] | None
    directions: str | Sequence[str] | None
    out: FolderPath | None
    recipe: FolderPath | None
    set: Mapping[str, Any] | Sequence[str] | None
    teachers: FolderPath | Sequence[FolderPath]
    mono: FolderPath | Sequence[FolderPath]
    resume: FolderPath | None
    finetune: FolderPath | None
    minutes: float | None
    overwrite: bool
    seed: int | None
    device: str
    threads: int | None
    quiet: bool


class Plan(NamedTuple):
    """A run before its text is read; with the recipe `auto`, some of its settings follow from the text."""

    folder: Path
    settings: Settings
    recipe: str | None
    resume: bool  # whether it goes on with an earlier run
    explicit: dict[str, dict[str, Any]]  # settings that do not come from a recipe, by section
    notes: tuple[str, ...] = ()  # for the user


def plan(options: TrainOptions, ranks: int) -> Plan:
    """The folder and the settings that the options specify. No text is read and nothing is written.

    Raises:
        InputError: options exclude each other, a setting is wrong, or the folder holds something that would be lost.
    """
    check_types(options, _TYPES)
    overrides = options.get("set") or {}
    if resume := options.get("resume"):
        others = TrainOptions.__annotations__.keys() - WITH_RESUME
        if any(options.get(name) for name in others) or options.get("seed") is not None:
            raise InputError(
                "--resume goes on with the folder's own settings; give only --set training.* with it, and --data "
                "where the text has moved"
            )
        given = assignments(overrides)
        if any(section != "training" for section, _, _ in given):
            raise InputError("--resume with --set: only training.* may change; train a new model to change the rest")
        folder = Path(resume)
        sections, recipe = layout.read_settings(folder), layout.read_recipe_name(folder)
        sections["data"] = sections.get("data", {}) | _data_settings(options)
        explicit = sections
    else:
        out, overwrite = options.get("out"), options.get("overwrite", False)
        if out:
            check_folder(Path(out), overwrite)
        given = assignments(overrides)
        _check_once(options, given)
        if (seed := options.get("seed")) is not None:
            given.append(("training", "seed", seed))
        recipe = os.fspath(options.get("recipe") or _default_recipe(options, given))
        sections = settings.recipe(recipe)
        explicit = {"data": _data_settings(options)}
        if base := options.get("finetune"):
            sections = finetuning.sections_from(Path(base), sections, recipe, given)
            explicit = sections if recipe == AUTO else explicit
        sections["data"] = sections.get("data", {}) | _data_settings(options)
        explicit = settings.override(explicit | {"data": sections["data"]}, given)
        folder = Path(out) if out else new_folder(recipe)
        check_folder(folder, overwrite)
    fitting.check_minutes(options.get("minutes"), bool(resume), settings.override({}, given), ranks)
    names = {(section, name) for section, name, _ in given}
    if ("training", "epochs") in names and ("training", "updates") not in names:
        given.append(("training", "updates", 0))  # those of the recipe, or of the run so far, do not count
    resolved = settings.resolve(settings.override(sections, given))
    notes: tuple[str, ...] = ()
    if resume and ranks > 1 and ("training", "workers") not in names:
        resolved, notes = _with_ranks(resolved, ranks)
    resolved.data.all_directions()  # checks them
    if base := options.get("finetune"):
        named = finetuning.own_languages(Path(base), resolved.data, resolved.tokenizer)
        explicit["data"] |= named
        resolved = resolved._replace(data=replace(resolved.data, **named))
    by_recipe = resolved.training.finetuned and not (resume or options.get("finetune"))
    if by_recipe or ("training", "finetuned") in names:
        raise InputError("training.finetuned names the model of --finetune; give --finetune MODEL instead")
    return Plan(folder, completed(resolved, ranks), recipe, bool(resume), explicit, notes)


def _default_recipe(options: TrainOptions, assignments: Sequence[tuple[str, str, Any]]) -> str:
    """`auto` for text of one's own and for fine-tuning, RECIPE for the corpus that ships."""
    own = options.get("data") or any((section, name) == ("data", "where") for section, name, _ in assignments)
    return AUTO if own or options.get("finetune") else RECIPE


def _data_settings(options: TrainOptions) -> dict[str, Any]:
    """The settings of the section [data] that the options specify.

    Raises:
        InputError: options exclude each other.
    """
    values: dict[str, Any] = {name: options.get(name) for name in ("src", "tgt", "errors")}
    if languages := _listed(options.get("langs")):
        if values["src"] or values["tgt"]:
            raise InputError("--langs names all languages; leave out --src and --tgt, or --langs")
        values |= {"src": "", "tgt": "", "languages": languages, "directions": _listed(options.get("directions"))}
    elif options.get("directions"):
        raise InputError("--directions chooses among the directions of --langs; give --langs as well")
    elif values["src"] or values["tgt"]:
        values |= {"languages": [], "directions": []}  # in place of the recipe's
    if (data := options.get("data")) is not None:
        wheres = places(data)
        values["where"] = wheres[0] if len(wheres) == 1 else list(wheres)
    if columns := _listed(options.get("columns")):
        values["columns"] = columns
    for name, option in (("teachers", options.get("teachers")), ("monolingual", options.get("mono"))):
        values[name] = list(places(option)) if option else None
    return {name: value for name, value in values.items() if value is not None}


def _check_once(options: TrainOptions, given: Sequence[tuple[str, str, Any]]) -> None:
    """Check that no setting is given by an option and by `set`, of which one would have no effect.

    Raises:
        InputError: one is.
    """
    seed = {} if options.get("seed") is None else {"training.seed"}
    named = {*seed, *(f"data.{name}" for name in _data_settings(options))}
    if twice := next((name for section, key, _ in given if (name := f"{section}.{key}") in named), None):
        raise InputError(f"--set {twice} sets what an option sets as well; leave one of them out")


def _listed(names: str | Sequence[str] | None) -> list[str]:
    """A list of names, or names separated by commas, as a list.

    Raises:
        TypeError: something else is in the list.
    """
    listed = names.split(",") if isinstance(names, str) else names or ()
    if wrong := [name for name in listed if not isinstance(name, str)]:
        raise TypeError(f"languages, directions and columns are named by str, not by {wrong[0]!r}")
    return [name.strip() for name in listed]


# ---- parts of a plan ------------------------------------------------------------------------------------------------


def assignments(values: Mapping[str, Any] | Sequence[str]) -> list[tuple[str, str, Any]]:
    """Section, name and value of each setting of a mapping, or of strings such as "model.hidden=512".

    Raises:
        TypeError: `values` is a single string, or holds something else than strings.
        InputError: a name has no section, or a string no value.
    """
    if isinstance(values, str) or not (isinstance(values, Mapping) or all(isinstance(text, str) for text in values)):
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
    files.check_writable(folder)
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


def _with_ranks(resolved: Settings, ranks: int) -> tuple[Settings, tuple[str, ...]]:
    """The settings of a run that goes on with so many ranks, and what that changes."""
    before = resolved.training.workers
    resolved = resolved._replace(training=replace(resolved.training, workers=ranks))
    if before in (0, ranks):
        return resolved, ()
    note = (
        f"the run had {before} {'process' if before == 1 else 'processes'} and goes on with {ranks}: updates, batches "
        "and learning rates stay; a batch has other shares, each with its own dropout, so the weights will not be "
        "the same to the bit"
    )
    return resolved, (note,)


def completed(resolved: Settings, ranks: int) -> Settings:
    """The settings with the absolute path of the text and the number of workers, which a resumed run needs."""
    where = resolved.data.where
    where = settings.absolute(where) if isinstance(where, str) else tuple(map(settings.absolute, where))
    data = replace(resolved.data, where=where)
    return _with_workers(resolved._replace(data=data), ranks)
