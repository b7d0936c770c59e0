"""Opens model folders, trained or exported, alone or as an ensemble; chooses the model of a direction.

A direction is a pair of languages, from and to. This module imports torch only where a model needs it.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.api.computing import torch_device
from seq2seq.errors import InputError

if TYPE_CHECKING:
    from seq2seq.translation.translator import Bundle

Direction = tuple[str, str]

MEMORY_SHARE = 0.3  # weight of a translation memory, chosen on Multi30k


def shipped_models() -> dict[Direction, Path]:
    """The folders of the models that ship, by direction."""
    from seq2seq.text.corpus import artifacts

    folders = sorted((artifacts() / "models").glob("*-*"))
    return {(src, tgt): path for path in folders for src, _, tgt in [path.name.partition("-")]}


def choose_direction(known: Collection[Direction], from_: str | None, to: str | None) -> Direction:
    """The direction to translate in, of those that a model knows.

    A single one need not be named. Of several the default is English to German; to English it is from German, to any
    other language from English.

    Raises:
        InputError: the model does not know the direction.
    """
    if len(known) == 1:
        [only] = known
        src, tgt = from_ or only[0], to or only[1]
    else:
        src = from_ or ("de" if to == "en" else "en")
        tgt = to or ("de" if src == "en" else "en")
    if (src, tgt) not in known:
        there = ", ".join(f"{a} to {b}" for a, b in known)
        raise InputError(f"no translation from {src} to {tgt}; there is {there}; choose one of these, or another model")
    return src, tgt


def open_model(
    folders: Sequence[Path], device: str = "auto", threads: int | None = None, workers: int | None = 1
) -> "tuple[Bundle, int]":
    """The model of a folder, trained or exported, and the number of processes to translate with.

    Trained models of several folders are an ensemble, which searches with the settings of the first.

    Args:
        folders: one model folder, or several.
        device: one of `computing.DEVICES`.
        threads: of the engine of an exported model; None: all cores. Torch's own number is left as it is.
        workers: the number of processes; None: as many as there are threads, where processes can be forked.

    Raises:
        InputError: a folder holds no whole model, or the model cannot compute in this way.
    """
    from seq2seq.folder import layout
    from seq2seq.processes import CAN_FORK, available_threads

    folder, *others = folders
    if exported := [path for path in folders if layout.is_exported(path)]:
        if others:
            raise InputError(f"{exported[0]} is an exported model, which is no part of an ensemble; give trained ones")
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
        return load(folder, 1 if count > 1 else threads), count  # the engine's threads do not survive a fork
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


def _processes(workers: int | None, threads: int, possible: bool) -> int:
    if workers and workers > 1 and not possible:
        raise InputError(f"--workers {workers} needs Linux and --device cpu; leave it out")
    return workers or (threads if possible else 1)


def with_translation_memory(bundle: "Bundle", memory: str | None, share: float | None) -> "Bundle":
    """The bundle with a translation memory: the train part of the text `memory`, with the weight `share`.

    Raises:
        InputError: there is no such text, the model is an exported one, or a share is given without a memory.
    """
    if memory is None:
        if share:
            raise InputError(f"--memory-share {share:g} goes with --memory; name the text of the memory")
        return bundle
    from seq2seq.text.corpus import DataConfig, load_train
    from seq2seq.translation.inference import with_memory

    try:
        pairs = load_train(DataConfig(where=memory, src=bundle.src, tgt=bundle.tgt))
    except InputError as e:  # its advice may name options that only train has
        raise InputError(re.sub("; [^;]*--(data|src)[^;]*$", "; check --memory", str(e))) from None
    return with_memory(bundle, pairs, share or MEMORY_SHARE)
