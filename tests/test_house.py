"""The layers of the package: which module may import which. An import that the tables do not list is an accident."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "seq2seq"

GROUND = "config errors"

# From the lowest layer up: each room (a subpackage, or a module of the package) with the rooms it may import from, all
# of them listed before it. `__init__` is what `import seq2seq` runs, `__main__` is `python -m seq2seq`.
ROOMS = {
    "errors": "",
    "config": "errors",
    "processes": "errors",
    "segments": "errors",
    "documents": "errors segments",
    "text": f"{GROUND} segments",
    "network": GROUND,
    "translation": f"{GROUND} processes segments text network",
    "folder": f"{GROUND} text network translation",
    "training": f"{GROUND} processes segments text network translation folder",
    "onnx": f"{GROUND} text network translation folder",
    "serving": f"{GROUND} segments documents translation",
    "versions": "__init__",
    "reporting": "processes versions text network translation folder training onnx",
    "api": f"{GROUND} processes versions text translation folder training onnx reporting",
    "commands": f"{GROUND} versions segments documents text translation folder training onnx serving reporting api",
    "__main__": "commands",
}

# For the rooms with an order inside: each module with the modules of its room that it may import.
MODULES_INSIDE = {
    "segments": {
        "segment": "",
        "pieces": "",
        "normalisation": "",
        "sentences": "",
        "numbers": "",
        "case": "",
        "patterns": "",
        "keeping": "segment numbers patterns",
        "reading": "segment pieces normalisation sentences keeping",
        "placing": "segment pieces reading",
        "pairs": "segment pieces normalisation keeping reading",
    },
    "documents": {
        "document": "",
        "formats": "document",
        "progress": "document",
        "hypertext_tokens": "",
        "hypertext_charset": "hypertext_tokens",
        "hypertext_elements": "hypertext_tokens",
        "hypertext_runs": "hypertext_tokens hypertext_elements",
        "hypertext": "document hypertext_tokens hypertext_charset hypertext_elements hypertext_runs",
        "front_matter": "",
        "markdown_parser": "hypertext_tokens hypertext_elements",
        "markdown_text": "markdown_parser",
        "markdown": "document hypertext front_matter markdown_parser markdown_text",
        "text_files": "",
        "line_breaks": "",
        "lines": "document text_files",
        "paragraphs": "document text_files line_breaks",
        "tables": "document text_files",
        "cue_text": "text_files line_breaks",
        "cues": "document text_files line_breaks cue_text",
        "subrip": "document text_files cue_text cues",
        "webvtt": "document text_files cue_text cues",
        "ass": "document text_files cue_text cues",
        "gettext_po": "document",
        "json_strings": "document",
        "xml_bytes": "",
        "xliff": "document xml_bytes",
        "android": "document xml_bytes",
        "archive": "",
        "xml_member": "document archive",
        "markup_tree": "document xml_member",
        "office_runs": "xml_member",
        "office_writer": "office_runs xml_member",
        "office_package": "document archive xml_member office_runs office_writer",
        "word_document": "document office_package",
        "presentation": "document office_package",
        "open_document": "document archive xml_member markup_tree",
        "epub": "document archive xml_member markup_tree",
    },
    "text": {
        "ragged": "",
        "sources": "",
        "quality": "",
        "tokenizer": "ragged",
        "batches": "tokenizer",
        "corpus": "sources quality",
        "preparation": "sources",
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
        "required": "",
        "search": "required",
        "padding": "",
        "translation_memory": "",
        "bundle": "search",
        "assembly": "search bundle",
        "translator": "search bundle assembly",
        "texts": "translator",
        "nearest_neighbour": "padding translation_memory",
        "inference": "search padding translation_memory nearest_neighbour bundle",
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
        "initialisation": "optimization",
        "state": "resume optimization",
        "step": "distributed workers collation optimization epochs objective state",
        "trainer": "signals distributed optimization settings epochs validation initialisation state step",
    },
    "onnx": {
        "names": "",
        "graph": "",
        "layers": "graph",
        "attention": "names graph layers",
        "export": "names graph layers attention",
        "runtime": "names",
    },
    "serving": {
        "limits": "",
        "languages": "",
        "detection": "languages",
        "keys": "limits",
        "interface": "limits",
        "specification": "interface",
        "bodies": "limits",
        "gate": "",
        "metrics": "",
        "files": "limits",
        "assets": "limits",
        "texts": "",
        "tasks": "",
        "turns": "tasks",
        "worker": "limits tasks turns",
        "translations": "limits languages detection interface texts tasks worker",
        "server": "limits languages detection keys interface specification bodies gate metrics files assets worker "
        "translations",
        "running": "",
    },
    "reporting": {
        "isolation": "",
        "peak": "",
        "training_speed": "isolation",
        "translation_speed": "isolation",
        "benchmark": "isolation peak training_speed translation_speed",
        "pictures": "",
        "report": "pictures",
        "model_card": "",
    },
    "api": {
        "computing": "",
        "exported": "",
        "models": "computing",
        "translator": "computing models",
        "evaluation": "computing models translator",
        "distillation": "models",
        "training": "computing distillation translator",
    },
}


MOST_LINES, MOST_PARAMETERS = 60, 8  # of a function: signature and docstring included; without self and cls


class Place(NamedTuple):
    """The room of a module, and its name inside the room."""

    room: str
    module: str


def place(dotted: str) -> Place | None:
    """The place of a dotted name: (text, corpus) for `seq2seq.text.corpus.load`, None for a name of another package."""
    package, *rest = dotted.split(".")
    if package != "seq2seq":
        return None
    parts = [*rest, "__init__", "__init__"]
    if not (PACKAGE / parts[0]).is_dir():
        return Place(parts[0] if (PACKAGE / f"{parts[0]}.py").exists() else "__init__", "")
    return Place(parts[0], parts[1] if (PACKAGE / parts[0] / f"{parts[1]}.py").exists() else "__init__")


def imported(path: Path) -> Iterator[str]:
    """The full name of everything that the file imports, at its top or inside a function."""
    package = ["seq2seq", *path.relative_to(PACKAGE).parts[:-1]] if path.is_relative_to(PACKAGE) else []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            yield from (".".join((*above, *filter(None, [node.module]), name.name)) for name in node.names)


def imported_places(path: Path) -> set[Place]:
    """The places in the package that the file imports from."""
    return {target for name in imported(path) if (target := place(name))}


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
PROGRAM = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "scripts").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def place_of_file(path: Path) -> Place:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return Place(parts[0], parts[1] if len(parts) > 1 else "")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_imports_only_what_the_tables_allow(path: Path) -> None:
    room, module = place_of_file(path)
    assert room in ROOMS, f"{relative(path)} is in no room; add it to the table"
    accidents = {target.room for target in imported_places(path)} - {room, *ROOMS[room].split()}
    assert not accidents, f"{relative(path)} may not import from {', '.join(sorted(accidents))}"
    inside = MODULES_INSIDE.get(room)
    if inside and module not in ("__init__", "recipes"):
        assert module in inside, f"{relative(path)}; add what it may import to the table of {room}"
        accidents = {target.module for target in imported_places(path) if target.room == room} - {
            module,
            *inside[module].split(),
        }
        assert not accidents, f"{relative(path)} may not import {', '.join(sorted(accidents))} of its own room"


@pytest.mark.parametrize("table", [ROOMS, *MODULES_INSIDE.values()], ids=["rooms", *MODULES_INSIDE])
def test_imports_point_only_to_earlier_entries_of_the_table(table: dict[str, str]) -> None:
    before = {"__init__"}
    for name, allowed in table.items():
        assert set(allowed.split()) <= before, name
        before.add(name)


def test_the_package_itself_imports_only_the_api_and_what_it_returns() -> None:
    places = imported_places(PACKAGE / "__init__.py")
    assert places == {
        Place("api", "evaluation"),
        Place("api", "training"),
        Place("api", "translator"),
        Place("translation", "translator"),
    }


def test_every_allowed_import_between_rooms_is_used() -> None:
    """A table that allows more than is used would not detect an accident."""
    used = {(place_of_file(path).room, target.room) for path in MODULES for target in imported_places(path)}
    unused = {(room, to) for room, allowed in ROOMS.items() for to in allowed.split()} - used
    assert not unused


@pytest.mark.parametrize("room", [room for room in ROOMS if (PACKAGE / room).is_dir()])
def test_the_init_of_a_room_names_its_modules_and_imports_nothing(room: str) -> None:
    init = PACKAGE / room / "__init__.py"
    docstring = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))
    assert docstring
    if room != "commands":
        assert not list(imported(init))
        modules = [path.stem for path in (PACKAGE / room).glob("*.py") if path != init]
        assert [name for name in modules if f"`{name}`" not in docstring] == []


def test_text_and_network_do_not_import_each_other() -> None:
    assert not {"network", "translation"} & set(ROOMS["text"].split())
    assert "text" not in ROOMS["network"].split()


@pytest.mark.parametrize("path", [path for path in MODULES if place_of_file(path).room == "network"], ids=relative)
def test_the_network_imports_only_torch(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imported(path)} - sys.stdlib_module_names
    assert foreign <= {"torch", "seq2seq"}


def test_search_imports_only_numpy() -> None:
    foreign = {name.split(".")[0] for name in imported(PACKAGE / "translation" / "search.py")}
    assert foreign - sys.stdlib_module_names <= {"numpy", "seq2seq"}


@pytest.mark.parametrize("path", PROGRAM, ids=relative)
def test_a_function_fits_a_page_and_takes_few_parameters(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MOST_LINES, f"{node.name} has {lines} lines"
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            count = len([name for name in names if name not in ("self", "cls")])
            assert count <= MOST_PARAMETERS, f"{node.name} has {count} parameters"


@pytest.mark.parametrize("path", PROGRAM, ids=relative)
def test_nothing_is_unpickled(path: Path) -> None:
    """Unpickling can run any code; weights are stored as safetensors, everything else as text."""
    picklers = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    torch_picklers = {"torch.load", "torch.save", "torch.jit.load", "torch.jit.save", "torch.serialization"}
    names = set(imported(path))
    assert not {name.split(".")[0] for name in names} & picklers
    assert not names & torch_picklers
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in torch_picklers, f"line {node.lineno}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert ast.unparse(node.value) == "False", f"line {node.lineno}"


@pytest.mark.parametrize("path", TESTS, ids=relative)
def test_parametrize_receives_no_bare_iterator(path: Path) -> None:
    """An exhausted iterator silently skips tests."""
    iterators = {
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
    iterators |= {"glob", "rglob", "iterdir"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("parametrize") and len(node.args) > 1:
            values = node.args[1]
            assert not isinstance(values, ast.GeneratorExp), f"line {node.lineno}: wrap it in list()"
            if isinstance(values, ast.Call):
                called = ast.unparse(values.func).rpartition(".")[2]
                assert called not in iterators, f"line {node.lineno}: wrap it in list()"
