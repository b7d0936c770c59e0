"""Fine-tuning: what a run takes over from a trained model, and what may differ from it.

The model's tokenizers, its shape and the way it reads text stay, so that its weights fit. Characters that its
tokenizers do not know become bytes, as in translating.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint, layout
from seq2seq.languages.codes import find_code
from seq2seq.text.corpus import DataConfig
from seq2seq.text.directions import directions_of, find_language, listed, name_of
from seq2seq.text.tokenizer import TokenizerConfig
from seq2seq.training.automatic import AUTO
from seq2seq.translation.inference import TorchEngine

KEPT = ("text", "tokenizer", "model")  # sections of the model's settings that a run keeps, but for these:
FREE = {
    ("text", "names"),
    ("text", "lowercase"),
    ("text", "unpunctuated"),
    ("tokenizer", "sampling"),
    ("model", "dropout"),
    ("model", "readout_dropout"),
    ("model", "word_dropout"),
    ("model", "variational"),
}

Sections = dict[str, dict[str, Any]]


def sections_from(model: Path, recipe: Sections, name: str, assignments: Iterable[tuple[str, str, Any]]) -> Sections:
    """The sections of a run that begins with the model's weights: its own, and [training] and [search] of the recipe.

    Of its own [training] the share of the softmax that is summed stays, which goes with the size of its vocabulary.

    Args:
        model: the folder of a trained model.
        recipe: the sections of the recipe.
        name: of the recipe.
        assignments: settings that the user gives, as (section, setting, value).

    Raises:
        InputError: the folder holds no trained model, or the recipe or a setting would change what is kept.
    """
    own = layout.read_settings(model)
    if layout.is_exported(model):
        raise InputError(f"{model} is an exported model, which cannot be trained; give the one it was made from")
    if changed := [section for section in KEPT if section in recipe]:
        raise InputError(
            f"--finetune keeps the text, tokenizer and model settings of {model}, but the recipe {name} sets "
            f"[{changed[0]}]; give --recipe {AUTO}, or a recipe without that section"
        )
    fixed = {"right_to_left": own.get("data", {}).get("right_to_left", False)}
    if any(recipe.get("data", {}).get(name, value) != value for name, value in fixed.items()):
        raise InputError(f"--finetune keeps data.right_to_left of {model}; leave it out of the recipe {name}")
    for section, setting, _ in assignments:
        if (section in KEPT and (section, setting) not in FREE) or setting in ("word_vectors", *fixed):
            raise InputError(f"{section}.{setting} is that of {model}, which --finetune keeps; leave it out")
    languages = {name: value for name in ("src", "tgt", "languages") if (value := own.get("data", {}).get(name))}
    sampled = {"sampled_softmax": value} if (value := own.get("training", {}).get("sampled_softmax")) else {}
    return {
        "search": own.get("search", {}),
        **recipe,
        "data": languages | recipe.get("data", {}) | fixed,
        "training": {**sampled, **recipe.get("training", {}), "finetuned": os.fspath(model.absolute())},
        **{section: own.get(section, {}) for section in KEPT},
    }


def own_languages(model: Path, data: DataConfig, tokenizer: TokenizerConfig) -> dict[str, Any]:
    """The settings of the text in which the languages are named as a model of many languages names them.

    Its tokens are found by these names: `DE` and `de-DE` mean its `de`, as in translating.

    Args:
        model: its folder.
        data: the settings of the text.
        tokenizer: the model's settings of its tokenizer.

    Raises:
        InputError: the model's tokenizer cannot be read, or the languages are wrong.
    """
    known = layout.read_tokenizers(model, tokenizer)[0].languages
    names = {name: find_code(name, known) or name for name in (*data.languages, data.src, data.tgt) if name}
    if not known or len(set(names.values())) < len(names):  # of variants of one language
        return {}
    if not data.languages:
        return {"src": names[data.src], "tgt": names[data.tgt]}
    directions = [name_of((names[src], names[tgt])) for src, tgt in data.all_directions()] if data.directions else []
    return {"languages": tuple(names[name] for name in data.languages), "directions": tuple(directions)}


def note_languages(model: Path, data: DataConfig, say: Callable[[str], None]) -> None:
    """Say so if the text has directions that the model does not translate in, compared as BCP 47 does."""
    own = directions_of(layout.read_settings(model).get("data", {}))
    if new := [way for way in data.all_directions() if tuple(find_language(own, code) for code in way) not in own]:
        say(f"note: {model} translates {listed(own)}, and the new text is {listed(new)}")


def initial_weights(model: Path) -> dict[str, Any]:
    """The weights that a run begins with, by parameter name.

    Raises:
        InputError: the folder's files are missing, damaged or do not fit one another.
    """
    engine = checkpoint.load_model(model).engine
    assert isinstance(engine, TorchEngine)
    return checkpoint.weights_of(engine.models[0])
