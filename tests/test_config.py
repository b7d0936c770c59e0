"""Settings in TOML and in --set: every mistake is one line that says what to do."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seq2seq import config
from seq2seq.config import setting
from seq2seq.errors import InputError


@dataclass(frozen=True)
class Tea:
    kind: str = setting("green", "leaf", choices=("green", "black", "white"))
    minutes: int = setting(3, "steeping", low=1, high=10)
    sugar: float = setting(0.0, "grams", low=0.0)
    heat: float = setting(80.0, "degrees", high=100.0)
    milk: bool = setting(False, "none for green")
    leaves: tuple[int, ...] = setting((1, 2), "of each sort", low=1)
    note: str = setting("", "on the pack")


def refused(values: dict[str, Any]) -> str:
    with pytest.raises(InputError) as error:
        config.build(Tea, values, "tea")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_setting_has_its_default() -> None:
    assert config.build(Tea, {}, "tea") == Tea()
    assert config.build(Tea, {"minutes": 4}, "tea") == Tea(minutes=4)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("minute", "unknown setting 'tea.minute'; did you mean 'minutes'?"),
        ("suger", "unknown setting 'tea.suger'; did you mean 'sugar'?"),
        ("Kind", "unknown setting 'tea.Kind'; did you mean 'kind'?"),
        ("zzz", "unknown setting 'tea.zzz'; there are: kind, minutes, sugar, heat, milk, leaves, note"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(name: str, words: str) -> None:
    assert refused({name: 1}) == words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("minutes", "3", "tea.minutes = '3': expected a whole number"),
        ("minutes", 3.0, "tea.minutes = 3.0: expected a whole number"),
        ("minutes", True, "tea.minutes = True: expected a whole number"),
        ("sugar", "3", "tea.sugar = '3': expected a number"),
        ("sugar", True, "tea.sugar = True: expected a number"),
        ("milk", 1, "tea.milk = 1: expected true or false"),
        ("milk", "true", "tea.milk = 'true': expected true or false"),
        ("kind", 7, "tea.kind = 7: expected a string in quotes"),
        ("note", ["a"], "tea.note = ['a']: expected a string in quotes"),
        ("leaves", 3, "tea.leaves = 3: expected a list, for example [1]"),
        ("leaves", "12", "tea.leaves = '12': expected a list, for example [1]"),
        ("leaves", [1, 2.5], "tea.leaves = 2.5: expected a whole number"),
    ],
)
def test_a_wrong_type_is_refused(name: str, value: Any, words: str) -> None:
    assert refused({name: value}) == words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("minutes", 0, "tea.minutes = 0 is out of range: give a value from 1 to 10"),
        ("minutes", 11, "tea.minutes = 11 is out of range: give a value from 1 to 10"),
        ("sugar", -1e-9, "tea.sugar = -1e-09 is out of range: give a value at least 0.0"),
        ("sugar", -1, "tea.sugar = -1.0 is out of range: give a value at least 0.0"),
        ("sugar", math.nan, "tea.sugar = nan is out of range: give a value at least 0.0"),
        ("heat", 101.0, "tea.heat = 101.0 is out of range: give a value at most 100.0"),
        ("heat", math.nan, "tea.heat = nan is out of range: give a value at most 100.0"),
        ("leaves", [1, 0], "tea.leaves = 0 is out of range: give a value at least 1"),
        ("kind", "blck", "tea.kind = 'blck' is not known; did you mean 'black'?"),
        ("kind", "", "tea.kind = '' is not known; there are: green, black, white"),
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: Any, words: str) -> None:
    assert refused({name: value}) == words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minutes", 1),
        ("minutes", 10),
        ("sugar", 0.0),
        ("heat", 100.0),
        ("heat", -300.0),
        ("kind", "white"),
        ("note", ""),
    ],
)
def test_both_ends_of_a_range_are_allowed(name: str, value: Any) -> None:
    assert getattr(config.build(Tea, {name: value}, "tea"), name) == value


def test_a_whole_number_is_a_number_and_a_list_becomes_a_tuple() -> None:
    tea = config.build(Tea, {"sugar": 2, "leaves": [4, 5, 6]}, "tea")
    assert (tea.sugar, type(tea.sugar)) == (2.0, float)
    assert tea.leaves == (4, 5, 6)


# ---- TOML ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("note", ["", "a\"b'c", "back\\slash", "two\nlines", "tab\t", "ü 漢 🙂", "[x] = #", "C:\\new"])
def test_what_is_written_is_read_back(tmp_path: Path, note: str) -> None:
    tea, path = Tea("white", 7, 1e-7, -0.5, True, (9,), note), tmp_path / "tea.toml"
    path.write_text(config.to_toml({"meta": {"format": 1}, "tea": tea}), encoding="utf-8")
    sections = config.read(path)
    assert list(sections) == ["meta", "tea"]
    assert sections["meta"] == {"format": 1}
    assert config.build(Tea, sections["tea"], "tea") == tea


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read {path}: No such file or directory; check the path"),
        (b"[tea]\nnote = '\xff'\n", "{path} is not UTF-8; save it as UTF-8"),
        (b"[tea\n", "{path} is not valid TOML: "),
        (b"[tea]\nminutes = 3\nminutes = 4\n", "{path} is not valid TOML: "),
        (b"minutes = 3\n[tea]\n", "{path}: 'minutes' is outside a section; put it below the [section] that it is of"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "tea.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as error:
        config.read(path)
    assert str(error.value).startswith(words.format(path=path))
    assert "\n" not in str(error.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory; check the path"):
        config.read(tmp_path)


# ---- --set -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("model.hidden=512", ("model", "hidden", 512)),
        ("model.dropout=0.1", ("model", "dropout", 0.1)),
        ("training.learning_rate=1e-3", ("training", "learning_rate", 1e-3)),
        ("model.variational=true", ("model", "variational", True)),
        ("model.encoder_hidden=[256, 128]", ("model", "encoder_hidden", [256, 128])),
        ("model.cell='lstm'", ("model", "cell", "lstm")),
        ("model.cell=lstm", ("model", "cell", "lstm")),
        (" model.cell = lstm ", ("model", "cell", "lstm")),
        ("data.where=hf:owner/name:config", ("data", "where", "hf:owner/name:config")),
        ("data.where=/a=b/c.d", ("data", "where", "/a=b/c.d")),
        ("data.where=", ("data", "where", "")),
        ("model.variational=True", ("model", "variational", "True")),
    ],
)
def test_the_value_of_an_override_is_toml_or_a_string(text: str, parsed: tuple[str, str, Any]) -> None:
    assert config.parse_override(text) == parsed


@pytest.mark.parametrize("text", ["", "model.hidden", "hidden=3", "=3", ".hidden=3", "model.=3", "model=3.5"])
def test_an_override_without_a_section_or_name_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        config.parse_override(text)
    assert str(error.value) == f"--set {text}: expected SECTION.NAME=VALUE, for example model.hidden=512"


@dataclass(frozen=True)
class Shop:
    where: str | tuple[str, ...] = setting("", "one place, or a list of them")


@pytest.mark.parametrize("where", ["", "here", ("here", "there=0.5")])
def test_one_value_or_a_list_of_them(tmp_path: Path, where: str | tuple[str, ...]) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(config.to_toml({"shop": Shop(where)}), encoding="utf-8")
    assert config.build(Shop, config.read(path)["shop"], "shop") == Shop(where)
    with pytest.raises(InputError, match="expected a list"):
        config.build(Shop, {"where": 3}, "shop")
    with pytest.raises(InputError, match="expected a string"):
        config.build(Shop, {"where": ["a", 3]}, "shop")


def test_bytes_of_a_name_that_are_not_utf_8_are_escaped() -> None:
    names = {"where": ["d\udce9", "x"], "other": {"name": "\ud800", "size": 3}}
    written = tomllib.loads(config.to_toml({"data": names}).encode().decode())
    assert written == {"data": {"where": [r"d\xe9", "x"], "other": {"name": r"\ud800", "size": 3}}}
