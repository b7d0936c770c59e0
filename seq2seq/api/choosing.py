"""How a translation is chosen among the n best: the rescoring models, their weights, and the consensus.

Weights that `evaluate --tune` chose are in a TOML file; its folders are named from the folder that holds it.
"""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from seq2seq import config
from seq2seq.api.models import open_model
from seq2seq.config import build, nearest, setting
from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.text.scoring import tokenizer_for
from seq2seq.text.utility import UTILITIES
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.consensus import Consensus
from seq2seq.translation.rescoring import Rescorer, Rescoring
from seq2seq.translation.search import SearchConfig

WEIGHT = 1.0  # of a rescorer that is given none
SECTION = "rescoring"  # of a file of weights

Weighted = tuple[Path, float | None]  # a model folder, and its weight


@dataclass(frozen=True)
class Weights:
    """The section [rescoring] of a file of weights; see `seq2seq.translation.rescoring` for the sum."""

    models: tuple[str, ...] = setting((), "folders of the rescoring models, from the folder of this file")
    weights: tuple[float, ...] = setting((), "their weights", low=0.0, high=1000.0)
    length: float = setting(0.0, "weight of the length", low=-1000.0, high=1000.0)


class OpenRescorer(NamedTuple):
    """A rescoring model, in any of its directions."""

    name: str
    bundle: Bundle
    weight: float

    def rescorer(self, model: Bundle) -> Rescorer:
        """As a rescorer of another model; see `Rescorer.of`."""
        return Rescorer.of(*self, model)


class Choice(NamedTuple):
    """How a translation is chosen among the n best."""

    models: tuple[OpenRescorer, ...] = ()
    length: float = 0.0
    mbr: str = ""  # one of UTILITIES; empty: no consensus

    @property
    def changes(self) -> bool:
        """Whether anything else than the search chooses."""
        return bool(self.models or self.length or self.mbr)

    def rescoring(self, bundle: Bundle, search: SearchConfig, batch_tokens: int = 1024) -> Rescoring | None:
        """What ranks the hypotheses of the model, in the bundle's direction; None: nothing but its search.

        Raises:
            InputError: a rescoring model has other languages, or reads text in another way.
        """
        if not self.changes:
            return None
        rescorers = [model.rescorer(bundle) for model in self.models]
        if self.mbr and search.sample and (channels := [rescorer.name for rescorer in rescorers if rescorer.channel]):
            raise InputError(
                f"--rescore {channels[0]} scores translations, but with --mbr samples count alike; leave out one of "
                "--rescore, --mbr and --sample"
            )
        consensus = Consensus(self.mbr, tokenizer_for(bundle.tgt, ())) if self.mbr else None
        return Rescoring(bundle, search, rescorers, self.length, consensus, batch_tokens)


def parse_weighted(text: str) -> Weighted:
    """A folder and its weight from DIR or DIR=WEIGHT.

    Raises:
        InputError: the weight is no number of 0 or more.
    """
    folder, equals, number = text.rpartition("=")
    if not equals or Path(text).is_dir():
        return Path(text), None
    return Path(folder), checked_weight(text, number)


def checked_weight(name: str, number: str | float) -> float:
    """The weight.

    Raises:
        InputError: it is no number of 0 or more.
    """
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise InputError(f"--rescore {name}: the weight {number} is no number of 0 or more; give DIR or DIR=WEIGHT")
    return weight


def weighted_of(models: object) -> list[Weighted]:
    """The models of a Python program: a path, several, or a mapping from paths to weights.

    Raises:
        TypeError: they are something else.
        InputError: a weight is no number of 0 or more.
    """
    if models is None:
        return []
    if isinstance(models, str | os.PathLike):
        models = [models]
    if not isinstance(models, Iterable) or not all(isinstance(item, str | os.PathLike) for item in models):
        raise TypeError(
            f"rescore takes the path of a model, a list of them, or a dict of their weights, not {models!r}"
        )
    if not isinstance(models, Mapping):
        return [(Path(item), None) for item in models]
    if wrong := [
        weight for weight in models.values() if isinstance(weight, bool) or not isinstance(weight, int | float)
    ]:
        raise TypeError(f"rescore takes numbers as weights, not {wrong[0]!r}")
    return [(Path(item), checked_weight(str(item), weight)) for item, weight in models.items()]


def weighted(models: Sequence[Weighted], file: Path | None) -> tuple[list[tuple[Path, float]], float]:
    """The rescoring models with their weights, and the weight of the length.

    Args:
        models: as the user named them; with a file of weights either none or all that it names.
        file: the file of weights, or None.

    Raises:
        InputError: the file cannot be read or is none of weights, or does not fit the models; a model is named twice.
    """
    folders = [path.resolve() for path, _ in models]
    for (path, _), folder in zip(models, folders, strict=True):
        if folders.count(folder) > 1:
            raise InputError(f"--rescore {path} is named twice; name each model once")
    if file is None:
        return [(path, WEIGHT if weight is None else weight) for path, weight in models], 0.0
    read = read_weights(file)
    known = {(file.parent / name).resolve(): weight for name, weight in zip(read.models, read.weights, strict=True)}
    for (path, weight), folder in zip(models, folders, strict=True):
        if weight is not None:
            raise InputError(f"--rescore {path}={weight:g} and --weights {file} both weigh; leave one of them out")
        if folder not in known:
            raise InputError(f"{file} has no weight of {path}, only of {_listed(known)}; tune again, or give others")
    if models and (lacking := [folder for folder in known if folder not in folders]):
        raise InputError(f"{file} also weighs {lacking[0]}; give all of its models as --rescore, or none")
    return [(_shown(folder), weight) for folder, weight in known.items()], read.length


def _listed(folders: Mapping[Path, float]) -> str:
    return ", ".join(str(_shown(folder)) for folder in folders) or "none"


def _shown(folder: Path) -> Path:
    """The folder as a user would name it."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) and folder != here else folder


def read_weights(file: Path) -> Weights:
    """The weights that `write_weights` wrote.

    Raises:
        InputError: the file cannot be read, or is none of weights.
    """
    sections = config.read(file)
    if not sections.get(SECTION):
        raise InputError(f"{file} holds no weights; give a file that evaluate --tune wrote")
    try:
        result = build(Weights, sections[SECTION], SECTION)
    except InputError as e:
        raise InputError(f"{file}: {e}") from None
    if len(result.models) != len(result.weights):
        raise InputError(f"{file} has {len(result.weights)} weights for {len(result.models)} models; give one for each")
    return result


def open_choice(
    models: Sequence[tuple[Path, float]], length: float, mbr: str | None, opened: Callable[[Path], Bundle]
) -> Choice:
    """The choice, with the rescoring models opened; those of weight 0 are left out.

    Args:
        models: folders and weights.
        length: weight of the length.
        mbr: the utility of the consensus; None: no consensus.
        opened: opens a folder, see `open_beside`.

    Raises:
        InputError: a folder holds no model, or the utility is unknown.
    """
    if mbr and mbr not in UTILITIES:
        raise InputError(f"unknown utility {mbr!r}{nearest(mbr, UTILITIES)}")
    rescorers = [OpenRescorer(str(folder), opened(folder), weight) for folder, weight in models if weight]
    return Choice(tuple(rescorers), length, mbr or "")


def open_beside(folder: Path, model: Path, device: str, threads: int | None, workers: int = 1) -> Bundle:
    """The model of a folder, on the device of the model that translates.

    Args:
        folder: what is opened.
        model: the folder of the model that translates.
        device, threads: as that was opened.
        workers: the processes that translate.

    Raises:
        InputError: the folder holds no model, or it cannot compute there.
    """
    return open_model([folder], "cpu" if layout.is_exported(model) else device, threads, workers)[0]
