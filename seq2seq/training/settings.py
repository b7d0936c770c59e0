"""A run's settings: a TOML recipe, `[data] [text] [tokenizer] [model] [training] [search]`, and the overrides of it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq import config
from seq2seq.errors import InputError
from seq2seq.network.model import ModelConfig
from seq2seq.text.corpus import DataConfig
from seq2seq.text.preparation import TextConfig
from seq2seq.text.tokenizer import TokenizerConfig
from seq2seq.training.optimization import TrainingConfig
from seq2seq.translation.search import SearchConfig

RECIPES = Path(__file__).parent / "recipes"
RENAMED = {"multi30k-taught": "multi30k-distilled"}  # old names of recipes, which are still accepted


class Settings(NamedTuple):
    """The resolved settings, one dataclass per section."""

    data: DataConfig
    text: TextConfig
    tokenizer: TokenizerConfig
    model: ModelConfig
    training: TrainingConfig
    search: SearchConfig


def resolve(sections: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Settings from sections of plain values; what is left out has its default.

    Raises:
        InputError: an unknown section or setting, or a value of the wrong type or out of range.
    """
    kinds = Settings.__annotations__
    for name in sections:
        if name not in kinds:
            raise InputError(f"unknown section [{name}]{config.nearest(name, kinds)}")
    return Settings(**{name: config.build(kind, sections.get(name, {}), name) for name, kind in kinds.items()})


def recipe(name: str) -> dict[str, dict[str, Any]]:
    """The sections of a shipped recipe, by its name or its old name, or of a TOML file, by its path.

    The recipe `auto` has none: its settings follow from the text (`seq2seq.training.automatic`).

    Raises:
        InputError: there is no such recipe; the most similar name is suggested.
    """
    if name.endswith(".toml") or "/" in name:
        return config.read(Path(name))
    name = RENAMED.get(name, name)
    shipped = sorted(path.stem for path in RECIPES.glob("*.toml"))
    if name not in shipped:
        raise InputError(f"unknown recipe '{name}'{config.nearest(name, shipped)} (or give the path of a .toml file)")
    return config.read(RECIPES / f"{name}.toml")


def override(
    sections: dict[str, dict[str, Any]], assignments: Iterable[tuple[str, str, Any]]
) -> dict[str, dict[str, Any]]:
    """A copy of the sections in which each (section, name, value) is set."""
    result = {name: dict(values) for name, values in sections.items()}
    for section, name, value in assignments:
        result.setdefault(section, {})[name] = value
    return result


def absolute(where: str) -> str:
    """An absolute path, so that a run can be resumed from any folder; empty, and a name of the hub, as they are."""
    return where if not where or where.startswith("hf:") else os.path.abspath(where)  # noqa: PTH100 (keeps links)


def is_there(where: str) -> bool:
    """Whether a text can be looked for: its path exists, or it has none."""
    return not where or where.startswith("hf:") or Path(where).exists()
