"""Recipes and overrides give resolved settings; every shipped recipe gives a model."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from scripts import build_settings
from seq2seq import config
from seq2seq.errors import InputError
from seq2seq.network.model import Model
from seq2seq.training import settings
from seq2seq.training.settings import RECIPES, Settings

SHIPPED = sorted(path.stem for path in RECIPES.glob("*.toml"))


def refusal(error: pytest.ExceptionInfo[InputError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_sections_every_setting_has_its_default() -> None:
    assert settings.resolve({}) == Settings(*(kind() for kind in Settings.__annotations__.values()))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_gives_a_model(name: str) -> None:
    chosen = settings.resolve(settings.recipe(name))
    with torch.device("meta"):
        model = Model(chosen.model, chosen.tokenizer.vocab_size, chosen.tokenizer.vocab_size)
    assert model.config == chosen.model


def test_the_old_name_of_a_recipe_is_accepted() -> None:
    assert settings.RENAMED == {"multi30k-taught": "multi30k-distilled"}
    for old, new in settings.RENAMED.items():
        assert old not in SHIPPED
        assert settings.recipe(old) == settings.recipe(new)


def test_a_recipe_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[model]\nhidden = 7\n")
    assert settings.recipe(str(path)) == {"model": {"hidden": 7}}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tatoba", "unknown recipe 'tatoba'; did you mean 'tatoeba'? (or give the path of a .toml file)"),
        ("zzzz", f"unknown recipe 'zzzz'; there are: {', '.join(SHIPPED)} (or give the path of a .toml file)"),
        ("no/where", "cannot read no/where: No such file or directory; check the path"),
        ("nowhere.toml", "cannot read nowhere.toml: No such file or directory; check the path"),
    ],
)
def test_an_unknown_recipe_is_refused(name: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        settings.recipe(name)
    assert refusal(error) == words


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"modell": {}}, "unknown section [modell]; did you mean 'model'?"),
        ({"qqq": {}}, "unknown section [qqq]; there are: data, text, tokenizer, model, training, search"),
        ({"training": {"epoch": 3}}, "unknown setting 'training.epoch'; did you mean 'epochs'?"),
        ({"search": {"beam": 0}}, "search.beam = 0 is out of range: give a value from 1 to 1000"),
        ({"model": {"cell": "grü"}}, "model.cell = 'grü' is not known; did you mean 'gru'?"),
        ({"training": {"metric": "blue"}}, "training.metric = 'blue' is not known; did you mean 'bleu'?"),
        ({"tokenizer": {"vocab_size": "4k"}}, "tokenizer.vocab_size = '4k': expected a whole number"),
    ],
)
def test_an_invalid_setting_is_refused(sections: dict[str, dict[str, Any]], words: str) -> None:
    with pytest.raises(InputError) as error:
        settings.resolve(sections)
    assert refusal(error) == words


def test_overrides_come_last_and_do_not_change_the_recipe() -> None:
    sections = {"model": {"hidden": 7, "cell": "rnn"}}
    texts = ["model.hidden=9", "training.epochs=2", "model.hidden=11", "data.tgt=fr"]
    changed = settings.override(sections, map(config.parse_override, texts))
    assert changed == {"model": {"hidden": 11, "cell": "rnn"}, "training": {"epochs": 2}, "data": {"tgt": "fr"}}
    assert sections == {"model": {"hidden": 7, "cell": "rnn"}}
    chosen = settings.resolve(changed)
    assert (chosen.model.hidden, chosen.model.cell, chosen.training.epochs, chosen.data.tgt) == (11, "rnn", 2, "fr")


def other_value(field: dataclasses.Field[Any]) -> Any:
    """A valid value of the field that is not its default."""
    low, high, choices = (field.metadata[key] for key in ("low", "high", "choices"))
    default = field.default
    if choices:
        return next(choice for choice in choices if choice != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return default + " \"x\\y' ü"
    if isinstance(default, tuple):
        return (3, 1, 2) if field.type == tuple[int, ...] else ("b", 'a "c')
    if isinstance(default, float):
        return high if default != high and high is not None else (low if default != low else 0.125)
    return default - 1 if default == high else default + 1


def test_every_setting_is_read_back_from_the_file(tmp_path: Path) -> None:
    sections = {
        name: {field.name: other_value(field) for field in dataclasses.fields(kind)}
        for name, kind in Settings.__annotations__.items()
    }
    chosen, path = settings.resolve(sections), tmp_path / "config.toml"
    path.write_text(config.to_toml(chosen._asdict()), encoding="utf-8")
    assert settings.resolve(config.read(path)) == chosen
    for section, plain in zip(chosen, settings.resolve({}), strict=True):
        for name, value in dataclasses.asdict(section).items():
            assert value != getattr(plain, name), name


def test_every_setting_is_documented_and_its_default_is_valid() -> None:
    for name, kind in Settings.__annotations__.items():
        for field in dataclasses.fields(kind):
            assert field.metadata["doc"], field.name
            value = list(field.default) if isinstance(field.default, tuple) else field.default
            assert getattr(config.build(kind, {field.name: value}, name), field.name) == field.default


def test_the_page_of_settings_is_up_to_date() -> None:
    assert build_settings.PAGE.read_text(encoding="utf-8") == build_settings.page(), "run scripts/build_settings.py"


def test_the_page_lists_every_setting_and_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_settings, "PAGE", tmp_path / "docs" / "settings.md")
    assert build_settings.main() == 0
    text = build_settings.PAGE.read_text(encoding="utf-8")
    for section, kind in Settings.__annotations__.items():
        for field in dataclasses.fields(kind):
            assert f"\n| `{section}.{field.name}` | `" in text
    assert "| `model.encoder_hidden` | `[256, 256]` | encoder size, one number a direction | 1 to 100000 |" in text
    assert '| `training.metric` | `"bleu"` | dev score that chooses the best weights | `bleu`, `chrf`, `loss` |' in text
    assert all(f"\n| `{name}` | " in text for name in SHIPPED)
