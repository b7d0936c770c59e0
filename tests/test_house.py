"""The house: who may import whom. A new arrow in this table is a decision; one that is not in it is an accident."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "seq2seq"

GROUND = "config errors"

# Floor by floor, from the ground up: each room with the rooms it may import from, all of which stand above it in this
# table. `__init__` is the front door for Python, `__main__` is `python -m seq2seq`.
ROOMS = {
    "errors": "",
    "config": "errors",
    "processes": "errors",
    "text": GROUND,
    "network": GROUND,
    "translation": f"{GROUND} processes text network",
    "folder": f"{GROUND} text network translation",
    "training": f"{GROUND} processes text network translation folder",
    "onnx": f"{GROUND} text network translation folder",
    "serving": "errors translation",
    "versions": "__init__",
    "reporting": "processes versions text network translation folder training onnx",
    "commands": f"{GROUND} processes versions text translation folder training onnx serving reporting",
    "__main__": "commands",
}

# Inside a room, where the order matters: each module with the modules of its room that it may import.
MODULES_INSIDE = {
    "text": {
        "ragged": "",
        "sources": "",
        "quality": "",
        "tokenizer": "ragged",
        "batches": "tokenizer",
        "corpus": "sources quality",
        "vectors": "",
        "scoring": "",
    },
    "network": {
        "cells": "",
        "embedding": "",
        "attention": "",
        "loss": "",
        "encoder": "cells embedding attention",
        "decoder": "cells embedding attention",
        "model": "cells embedding attention encoder decoder",
    },
    "translation": {
        "search": "",
        "padding": "",
        "translation_memory": "",
        "translator": "search",
        "nearest_neighbour": "padding translation_memory",
        "inference": "search padding translation_memory nearest_neighbour translator",
    },
    "folder": {"files": "", "layout": "files", "checkpoint": "files layout"},
    "training": {
        "signals": "",
        "distributed": "",
        "workers": "",
        "collation": "",
        "resume": "",
        "optimization": "",
        "settings": "optimization",
        "epochs": "collation",
        "objective": "collation optimization",
        "validation": "",
        "trainer": "signals distributed workers resume optimization settings epochs objective validation",
    },
    "onnx": {
        "names": "",
        "graph": "",
        "layers": "graph",
        "attention": "names graph layers",
        "export": "names graph layers attention",
        "runtime": "names",
    },
}


class Place(NamedTuple):
    """Where a module lies: its room, and its name inside the room."""

    room: str
    module: str


def place(dotted: str) -> Place | None:
    """The place of a dotted name: `seq2seq.text.corpus.load` lies in (text, corpus); a foreign name lies nowhere."""
    package, *rest = dotted.split(".")
    if package != "seq2seq":
        return None
    parts = [*rest, "__init__", "__init__"]
    if not (PACKAGE / parts[0]).is_dir():
        return Place(parts[0] if (PACKAGE / f"{parts[0]}.py").exists() else "__init__", "")
    return Place(parts[0], parts[1] if (PACKAGE / parts[0] / f"{parts[1]}.py").exists() else "__init__")


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, at its top or inside a function, by its full name."""
    package = ["seq2seq", *path.relative_to(PACKAGE).parts[:-1]] if path.is_relative_to(PACKAGE) else []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            yield from (".".join((*above, *filter(None, [node.module]), name.name)) for name in node.names)


def arrows(path: Path) -> set[Place]:
    """The places in the house that the file imports from."""
    return {found for name in imported(path) if (found := place(name))}


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
PROGRAM = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "scripts").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def home(path: Path) -> Place:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return Place(parts[0], parts[1] if len(parts) > 1 else "")


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_imports_only_what_the_tables_allow(path: Path) -> None:
    room, module = home(path)
    assert room in ROOMS, f"{named(path)} is in no room of the house: add it to the table"
    accidents = {there.room for there in arrows(path)} - {room, *ROOMS[room].split()}
    assert not accidents, f"{named(path)} may not import from {', '.join(sorted(accidents))}"
    inside = MODULES_INSIDE.get(room)
    if inside and module not in ("__init__", "recipes"):
        assert module in inside, f"{named(path)}: say in the table of {room} what it may import there"
        accidents = {there.module for there in arrows(path) if there.room == room} - {module, *inside[module].split()}
        assert not accidents, f"{named(path)} may not import {', '.join(sorted(accidents))} of its own room"


@pytest.mark.parametrize("table", [ROOMS, *MODULES_INSIDE.values()], ids=["rooms", *MODULES_INSIDE])
def test_arrows_point_to_what_stands_before_alone(table: dict[str, str]) -> None:
    before = {"__init__"}
    for name, allowed in table.items():
        assert set(allowed.split()) <= before, name
        before.add(name)


def test_the_tables_promise_no_arrow_that_nobody_uses() -> None:
    """A table that allows more than there is would let an accident pass."""
    used = {(home(path).room, there.room) for path in MODULES for there in arrows(path)}
    unused = {(room, to) for room, allowed in ROOMS.items() for to in allowed.split()} - used
    assert not unused


@pytest.mark.parametrize("room", [room for room in ROOMS if (PACKAGE / room).is_dir()])
def test_a_room_says_what_others_may_use_of_it_and_imports_nothing(room: str) -> None:
    door = PACKAGE / room / "__init__.py"
    docstring = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8")))
    assert docstring
    if room != "commands":
        assert not list(imported(door))
        modules = [path.stem for path in (PACKAGE / room).glob("*.py") if path != door]
        assert [name for name in modules if f"`{name}`" not in docstring] == []


def test_text_and_network_do_not_know_each_other() -> None:
    assert not {"network", "translation"} & set(ROOMS["text"].split())
    assert "text" not in ROOMS["network"].split()


@pytest.mark.parametrize("path", [path for path in MODULES if home(path).room == "network"], ids=named)
def test_the_network_stands_on_torch_alone(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imported(path)} - sys.stdlib_module_names
    assert foreign <= {"torch", "seq2seq"}


def test_search_knows_arrays_alone() -> None:
    foreign = {name.split(".")[0] for name in imported(PACKAGE / "translation" / "search.py")}
    assert foreign - sys.stdlib_module_names <= {"numpy", "seq2seq"}


@pytest.mark.parametrize("path", PROGRAM, ids=named)
def test_nothing_is_ever_unpickled(path: Path) -> None:
    """Unpickling runs whatever the file says; weights are safetensors, all else is text."""
    picklers = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    doors = {"torch.load", "torch.save", "torch.jit.load", "torch.jit.save", "torch.serialization"}
    names = set(imported(path))
    assert not {name.split(".")[0] for name in names} & picklers
    assert not names & doors
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in doors, f"line {node.lineno}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert ast.unparse(node.value) == "False", f"line {node.lineno}"


@pytest.mark.parametrize("path", TESTS, ids=named)
def test_parametrize_is_given_no_bare_iterator(path: Path) -> None:
    """A spent iterator silently skips tests."""
    spent = {
        "product",
        "permutations",
        "combinations",
        "chain",
        "zip",
        "map",
        "filter",
        "enumerate",
        "reversed",
        "iter",
    }
    spent |= {"glob", "rglob", "iterdir"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("parametrize") and len(node.args) > 1:
            values = node.args[1]
            assert not isinstance(values, ast.GeneratorExp), f"line {node.lineno}: wrap it in list()"
            if isinstance(values, ast.Call):
                called = ast.unparse(values.func).rpartition(".")[2]
                assert called not in spent, f"line {node.lineno}: wrap it in list()"
