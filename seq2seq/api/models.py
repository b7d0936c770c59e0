"""Opens model folders, trained or exported, alone or as an ensemble.

This module imports torch only when a model needs it.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.api.computing import check_device, notifier, torch_device
from seq2seq.errors import InputError
from seq2seq.text.directions import Direction, directions_of, listed, name_of

if TYPE_CHECKING:
    from seq2seq.text.corpus import DataConfig
    from seq2seq.translation.bundle import Bundle

MEMORY_SHARE = 0.3  # weight of a translation memory, chosen on Multi30k
INT8 = "int8"  # folder of the exported form of a model that ships, beside the trained one


def shipped_models(trained: bool = False) -> dict[Direction, Path]:
    """The folders of the models that ship, by direction: exported to int8, where onnxruntime is installed.

    With `trained` they are the trained models. A model of many languages is the folder of several directions.
    """
    from seq2seq.folder.layout import is_exported
    from seq2seq.text.artifacts import artifacts

    folders = sorted(path for path in (artifacts() / "models").iterdir() if path.is_dir())
    models = {direction: folder for folder in folders for direction in directions_in(folder)}
    if trained or find_spec("onnxruntime") is None:
        return models
    return {way: path / INT8 if is_exported(path / INT8) else path for way, path in models.items()}


def trained_form(folder: Path) -> Path:
    """The folder of the trained model beside which an exported form of a model lies; of another model its own."""
    from seq2seq.folder.layout import WEIGHTS

    return folder.parent if folder.name == INT8 and (folder.parent / WEIGHTS).is_file() else folder


def directions_in(folder: Path) -> list[Direction]:
    """The directions of a folder's model, which is not opened.

    Raises:
        InputError: the folder has no settings that can be read.
    """
    from seq2seq.folder import layout

    return directions_of(layout.read_settings(folder).get("data", {}))


def open_model(
    folders: Sequence[Path], device: str = "auto", threads: int | None = None, workers: int | None = 1
) -> "tuple[Bundle, int]":
    """The model of a folder, trained or exported, and the number of processes to translate with.

    Several folders of trained models are an ensemble, which uses the search settings of the first.

    Args:
        folders: one model folder, or several.
        device: one of `computing.DEVICES`.
        threads: CPU threads; None: torch's own number, for an exported model all cores. Torch's number is not changed.
        workers: number of processes; None: one per thread where processes can be forked, otherwise 1.

    Raises:
        InputError: a folder holds no complete model, or the model cannot compute as requested.
    """
    from seq2seq.folder import layout
    from seq2seq.processes import CAN_FORK, available_threads

    check_device(device)
    if device == "cuda":
        folders = [trained_form(path) for path in folders]
    folder, *others = folders
    if exported := [path for path in folders if layout.is_exported(path)]:
        if others:
            raise InputError(f"{exported[0]} is an exported model, which cannot be in an ensemble; give trained models")
        if device == "cuda":
            raise InputError(f"{folder} is an exported model, which computes on the CPU; leave out --device cuda")
        try:
            from seq2seq.onnx.runtime import load
        except ImportError:
            raise InputError(
                f"{folder} is an exported model, which needs the package onnxruntime; "
                "install it: pip install 'seq2seq[onnx]'"
            ) from None
        threads = threads or available_threads()
        count = _processes(workers, threads, CAN_FORK)
        return load(folder, 1 if count > 1 else threads), count  # the engine's threads do not survive forking
    try:
        import torch
    except ImportError:
        raise InputError(
            f"{folder} is a trained model, which needs the package torch; install it, or export the model"
        ) from None
    from seq2seq.folder.checkpoint import load_ensemble

    where = torch_device(device)
    bundle = load_ensemble(folders, where)
    return bundle, _processes(workers, threads or torch.get_num_threads(), CAN_FORK and where == "cpu")


def _processes(workers: int | None, threads: int, can_fork: bool) -> int:
    """The number of processes: `workers`, by default one per thread where the model can be forked."""
    if workers and workers > 1 and not can_fork:
        raise InputError(f"--workers {workers} needs Linux and --device cpu; leave it out")
    return workers or (threads if can_fork else 1)


def places(data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None) -> tuple[str, ...]:
    """Where text is: a place or several, as strings; None: none.

    Raises:
        TypeError: `data` is neither a path nor a list of paths.
        InputError: a list or a path is empty, which would mean the corpus that ships, or the current folder.
    """
    if data is None:
        return ()
    paths = [data] if isinstance(data, str | os.PathLike) else data
    if not isinstance(paths, Sequence) or not all(isinstance(path, str | os.PathLike) for path in paths):
        raise TypeError(f"a text is given as a path, or as a list of paths, not as {data!r}")
    places = tuple(os.fspath(path) for path in paths)
    if not places or not all(places):
        raise InputError("the list of texts, or a path in it, is empty; give paths, or None")
    return places


def data_of(bundle: "Bundle", where: str | Sequence[str]) -> "DataConfig":
    """The settings to read text with, in the bundle's direction or in all of them; `where` is its place or places.

    Raises:
        InputError: a place has a weight, which only training uses.
    """
    from seq2seq.text.corpus import DataConfig
    from seq2seq.text.sources import check_unweighted

    check_unweighted([where] if isinstance(where, str) else where)
    languages = tuple(dict.fromkeys(language for direction in bundle.directions for language in direction))
    directions = tuple(map(name_of, bundle.directions))
    where = where if isinstance(where, str) else tuple(where)
    return DataConfig(where=where, src=bundle.src, tgt=bundle.tgt, languages=languages, directions=directions)


def remembered(bundle: "Bundle", memory: str | Sequence[str] | None) -> "Sequence[Direction]":
    """The directions of a model of many languages that the text `memory` can be a translation memory for.

    Without a memory, or of a model of one direction, those that it knows.

    Raises:
        InputError: the text does not exist, or has none of the directions.
    """
    if not memory or not bundle.directions:
        return bundle.known
    from seq2seq.text import corpus, multilingual

    config = data_of(bundle, memory)
    if found := multilingual.directions_in(config):
        return found
    raise InputError(f"{', '.join(corpus.wheres(config))} has no text of {listed(bundle.known)}; check --memory")


def with_translation_memory(bundle: "Bundle", memory: str | Sequence[str] | None, share: float | None) -> "Bundle":
    """The bundle with a translation memory: the train part of the text `memory`, with the weight `share`.

    Without a memory it is returned as it is.

    Raises:
        InputError: the text does not exist, an earlier version exported the model, or a share has no memory.
    """
    if not memory:
        if share is not None:
            raise InputError(f"--memory-share {share:g} goes with --memory; give the text of the memory")
        return bundle
    if share is not None and not 0 < share < 1:
        raise InputError(f"the share of the memory is {share:g}; give a number between 0 and 1")
    bundle.check_memory()
    from seq2seq.training import mapped_corpus, mapped_rows

    try:
        pairs = mapped_corpus.load_train(data_of(bundle, memory), notifier(quiet=False), quiet=False)
    except InputError as e:  # the message may suggest options that only train has
        raise InputError(re.sub("; [^;]*--(data|src)[^;]*$", "; check --memory", str(e))) from None
    how = bundle.reading
    if how and how.keeping.names:  # what the memory has translations of is not unknown
        names = how.keeping.names.with_words(mapped_rows.source_words(pairs))
        how = replace(how, keeping=replace(how.keeping, names=names))
    read = mapped_rows.prepared(pairs, how) if how else pairs
    ids = mapped_rows.encoded(read, (bundle.src_tokenizer, bundle.tgt_tokenizer))
    return bundle._replace(reading=how).with_memory(*ids, share or MEMORY_SHARE)
