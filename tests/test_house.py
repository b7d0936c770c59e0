"""The house: who may import whom. A new arrow in this table is a decision; one that is not in it is an accident."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "seq2seq"

FLOOR = "config errors"
TEXT = "ragged sources corpus tokenizer memory batches collation vectors epochs scoring"
MODEL = "cells embedding context encoder decoder model loss search"
JOINTS = (
    "crew signals ranks optimization settings files layout translator filling neighbours inference checkpoint states "
    "workers objective judge export report runtime server training"
)

MAY_IMPORT = {
    "errors": "",
    "config": "errors",
    # text: never the model
    "suspicions": "",
    "sources": "errors",
    "corpus": f"{FLOOR} sources suspicions",
    "ragged": "",
    "tokenizer": f"{FLOOR} ragged",
    "memory": "ragged",
    "batches": f"{FLOOR} tokenizer",
    "vectors": FLOOR,
    "collation": f"{FLOOR} tokenizer batches",
    "scoring": FLOOR,
    "epochs": f"{FLOOR} sources corpus ragged tokenizer batches collation",
    # model: never a string
    "cells": FLOOR,
    "embedding": FLOOR,
    "context": FLOOR,
    "encoder": f"{FLOOR} cells context embedding",
    "decoder": f"{FLOOR} cells context embedding",
    "model": f"{FLOOR} cells context decoder embedding encoder",
    "loss": FLOOR,
    "search": FLOOR,
    # joints: both
    "optimization": FLOOR,
    "settings": f"{FLOOR} corpus tokenizer model search optimization",
    "files": "errors",
    "crew": "errors",
    "workers": "crew",
    "ranks": "errors",
    "layout": f"{FLOOR} files tokenizer",
    "translator": f"{FLOOR} tokenizer batches search crew",
    "filling": "",
    "neighbours": "batches filling memory model tokenizer",
    "inference": f"{FLOOR} batches decoder filling memory model neighbours search translator",
    "objective": f"{FLOOR} collation loss model optimization",
    "signals": "",
    "checkpoint": f"{FLOOR} files layout tokenizer model search inference translator",
    "states": f"{FLOOR} files layout",
    "judge": f"{FLOOR} sources corpus tokenizer scoring model search translator inference checkpoint",
    "versions": "",
    "card": f"{FLOOR} corpus settings versions",
    "graph": "",
    "export": f"{FLOOR} cells card files layout checkpoint model embedding filling inference graph",
    "runtime": f"{FLOOR} files layout tokenizer batches search translator",
    "server": "errors translator",
    "report": "sources inference scoring tokenizer translator",
    "training": f"{FLOOR} {TEXT} loss model search {JOINTS.partition(' export')[0]}",
    "benchmark": f"{FLOOR} corpus crew settings layout workers checkpoint model export runtime training translator",
    # the commands: everything, and one another
    "recipes": "",
    "commands": f"{FLOOR} {TEXT} {MODEL} {JOINTS} card versions benchmark recipes commands",
    "__main__": "commands",
}


def room(path: Path) -> str:
    """`seq2seq/commands/train.py` lies in the room `commands`, `seq2seq/cells.py` in `cells`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, at its top or inside a function, by its full name."""
    package = ["seq2seq", *path.relative_to(PACKAGE).parts[:-1]] if path.is_relative_to(PACKAGE) else []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            yield from (".".join((*above, *filter(None, [node.module]), name.name)) for name in node.names)


def arrows(path: Path) -> set[str]:
    """The rooms of the house that the file imports from."""
    names = [name.split(".") for name in imported(path)]
    return {name[1] for name in names if name[0] == "seq2seq" and len(name) > 1} - {"__version__"}


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
PROGRAM = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "scripts").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_imports_only_what_the_table_allows(path: Path) -> None:
    assert room(path) in MAY_IMPORT, f"{named(path)} is in no room of the house: add it to the table"
    accidents = arrows(path) - set(MAY_IMPORT[room(path)].split())
    assert not accidents, f"{named(path)} may not import {', '.join(sorted(accidents))}"


def test_the_package_itself_imports_nothing_of_the_house() -> None:
    assert not arrows(PACKAGE / "__init__.py")


def test_arrows_in_the_table_point_up_only() -> None:
    above: set[str] = set()
    for name, allowed in MAY_IMPORT.items():
        above.add(name)
        assert set(allowed.split()) <= above, name


def test_the_text_shelf_and_the_model_shelf_do_not_know_each_other() -> None:
    for name in TEXT.split():
        assert not set(MAY_IMPORT[name].split()) & set(MODEL.split())
    for name in MODEL.split():
        assert not set(MAY_IMPORT[name].split()) & set(TEXT.split())


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) in MODEL.split()], ids=named)
def test_the_model_shelf_stands_on_torch_alone(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imported(path)} - sys.stdlib_module_names
    assert foreign <= ({"numpy"} if room(path) == "search" else {"torch"}) | {"seq2seq"}


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
