"""The layers of the package: which module may import which. An import that the tables do not list is an accident."""

import ast
import functools
import sys
import tomllib
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
    "display": "",
    "versions": "__init__",
    "segments": "errors",
    "documents": "errors segments",
    "languages": "errors",
    "corpora": "errors languages",
    "text": f"{GROUND} segments languages corpora",
    "network": GROUND,
    "translation": f"{GROUND} processes segments languages text network",
    "folder": f"{GROUND} text network translation",
    "training": f"{GROUND} processes display versions segments corpora text network translation folder",
    "onnx": f"{GROUND} text network translation folder",
    "serving": f"{GROUND} segments documents languages translation",
    "reporting": "errors processes versions text network translation folder training onnx",
    "api": f"{GROUND} processes display versions segments languages text translation folder training onnx reporting",
    "commands": f"{GROUND} display versions segments documents languages text translation folder training onnx serving "
    "reporting api",
    "__main__": "commands",
}

# For the rooms with an order inside: each module with the modules of its room that it may import.
MODULES_INSIDE = {
    "segments": {
        "segment": "",
        "pieces": "",
        "normalisation": "",
        "words": "",
        "elision": "words",
        "sentences": "words",
        "names": "normalisation",
        "numbers": "",
        "ranges": "words",
        "large_numbers": "numbers ranges",
        "number_lists": "numbers words",
        "times": "words ranges number_lists",
        "dates": "numbers words ranges large_numbers number_lists times",
        "case": "",
        "patterns": "",
        "keeping": "segment names numbers dates number_lists ranges patterns words",
        "glossary": "segment normalisation words keeping",
        "reading": "segment pieces normalisation sentences keeping glossary",
        "placing": "segment pieces words keeping reading",
        "pairs": "segment pieces normalisation names keeping reading",
    },
    "documents": {
        "document": "",
        "formats": "document",
        "progress": "document",
        "text_files": "",
        "line_breaks": "",
        "plain": "document text_files line_breaks",
        "web": "document",
        "subtitles": "document text_files line_breaks",
        "messages": "document",
        "office": "document",
    },
    "documents.web": {
        "hypertext_tokens": "",
        "hypertext_charset": "hypertext_tokens",
        "hypertext_elements": "hypertext_tokens",
        "hypertext_runs": "hypertext_tokens hypertext_elements",
        "hypertext": "hypertext_tokens hypertext_charset hypertext_elements hypertext_runs",
        "front_matter": "",
        "markdown_parser": "hypertext_tokens hypertext_elements",
        "markdown_text": "markdown_parser",
        "markdown": "hypertext front_matter markdown_parser markdown_text",
    },
    "documents.subtitles": {
        "cue_text": "",
        "cues": "cue_text",
        "subrip": "cue_text cues",
        "webvtt": "cue_text cues",
        "ass": "cue_text cues",
    },
    "documents.messages": {
        "gettext_entries": "",
        "gettext_header": "gettext_entries",
        "gettext_po": "gettext_entries gettext_header",
        "json_strings": "",
        "xml_bytes": "",
        "xliff": "xml_bytes",
        "android": "xml_bytes",
    },
    "documents.office": {
        "archive": "",
        "xml_member": "archive",
        "markup_tree": "xml_member",
        "runs": "xml_member",
        "writer": "runs xml_member",
        "package": "archive xml_member runs writer",
        "word_document": "package",
        "presentation": "package",
        "open_document": "archive xml_member markup_tree",
        "epub": "archive xml_member markup_tree",
    },
    "languages": {"codes": "", "identification": "codes", "misreading": "identification"},
    "corpora": {
        "request": "",
        "findings": "",
        "packed": "",
        "text_lines": "findings packed",
        "column_names": "",
        "columns": "request findings column_names",
        "tables": "request findings packed text_lines columns",
        "json_rows": "request findings packed text_lines columns",
        "parquet": "request findings packed columns",
        "gettext": "request findings packed text_lines",
        "unit_pieces": "",
        "units": "request findings packed gettext unit_pieces",
        "hub": "request columns findings",
        "naming": "packed",
        "labels": "request findings naming",
        "listing": "request findings packed text_lines columns naming",
        "source": "request findings packed text_lines naming listing labels tables json_rows parquet gettext units hub",
    },
    "text": {
        "artifacts": "",
        "ragged": "",
        "directions": "",
        "detection": "directions",
        "sources": "",
        "identity": "sources",
        "mapped": "sources",
        "alignment": "",
        "quality": "alignment",
        "suspects": "quality",
        "adequacy": "",
        "known_words": "directions",
        "name_learning": "directions sources mapped known_words",
        "tokenizer": "ragged known_words",
        "sampling": "ragged tokenizer",
        "batches": "ragged tokenizer",
        "cleaning": "sources mapped quality suspects",
        "corpus": "artifacts directions sources mapped cleaning",
        "multilingual": "directions sources mapped cleaning corpus",
        "partition": "sources",
        "clean_corpus": "sources quality alignment suspects cleaning corpus partition",
        "preparation": "sources",
        "vectors": "",
        "scoring": "",
        "utility": "scoring",
    },
    "network": {
        "products": "",
        "unrolled": "",
        "cells": "products unrolled",
        "embedding": "",
        "attention": "products",
        "loss": "",
        "copying": "loss",
        "encoder": "cells embedding attention",
        "decoder": "products cells embedding attention",
        "model": "products cells embedding attention copying loss encoder decoder",
    },
    "translation": {
        "required": "",
        "beam": "",
        "phrase_text": "",
        "phrases": "phrase_text",
        "loops": "beam",
        "constraints": "required beam phrase_text phrases loops",
        "search": "beam constraints phrase_text loops",
        "padding": "",
        "translation_memory": "",
        "bundle": "beam search translation_memory",
        "units": "phrase_text",
        "joining": "",
        "links": "",
        "beginnings": "joining",
        "assembly": "phrase_text search bundle units joining links beginnings",
        "replacing": "phrase_text search units",
        "unit_search": "phrase_text phrases loops constraints search bundle units replacing",
        "translator": "search bundle units assembly unit_search",
        "texts": "translator",
        "consensus": "",
        "rescoring": "search bundle units unit_search translator consensus",
        "tuning": "units translator rescoring",
        "datastore": "beam translation_memory",
        "nearest_neighbour": "padding translation_memory datastore",
        "inference": "beam search padding translation_memory nearest_neighbour bundle",
    },
    "folder": {"files": "", "user_cache": "", "layout": "files", "checkpoint": "files layout"},
    "training": {
        "signals": "",
        "distributed": "",
        "workers": "",
        "collation": "",
        "resume": "",
        "optimization": "",
        "automatic": "optimization",
        "settings": "optimization",
        "epochs": "collation",
        "text_cache": "",
        "pair_store": "text_cache",
        "mapped_corpus": "text_cache pair_store",
        "mapped_rows": "settings epochs text_cache pair_store",
        "objective": "collation optimization",
        "validation": "distributed",
        "initialisation": "optimization",
        "state": "resume optimization",
        "step": "distributed workers collation optimization epochs objective state",
        "texts": "settings epochs mapped_rows",
        "trainer": "signals distributed optimization settings epochs validation initialisation state step texts",
        "pacing": "validation trainer",
    },
    "onnx": {
        "names": "",
        "graph": "",
        "layers": "graph",
        "copying": "names graph layers",
        "attention": "names graph layers copying",
        "export": "names graph layers attention copying",
        "nearest_neighbour": "",
        "runtime": "names nearest_neighbour",
    },
    "serving": {
        "limits": "",
        "detection": "",
        "keys": "limits",
        "interface": "limits",
        "specification": "interface",
        "bodies": "limits",
        "gate": "",
        "metrics": "",
        "files": "limits",
        "assets": "limits",
        "texts": "limits",
        "terms": "limits",
        "tasks": "",
        "turns": "tasks",
        "worker": "limits tasks turns",
        "translations": "limits detection interface terms texts tasks worker",
        "server": "limits detection keys interface specification bodies gate metrics files assets worker translations",
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
        "choosing": "models",
        "terms": "",
        "translator": "computing models choosing terms",
        "checking": "exported models",
        "evaluation": "computing models choosing translator",
        "tuning": "models choosing evaluation",
        "distillation": "models",
        "finetuning": "",
        "fitting": "",
        "planning": "models translator finetuning fitting",
        "results": "translator planning",
        "restarting": "planning",
        "training": "computing distillation planning results finetuning fitting restarting",
    },
}


TABLES = {"": ROOMS, **MODULES_INSIDE}

MOST_LINES, MOST_PARAMETERS = 60, 8  # of a function: signature and docstring included; without self and cls


Place = tuple[str, ...]  # the rooms that a module is in, and its name: ("documents", "web", "markdown")


class Arrow(NamedTuple):
    """An import inside a table: of `target` by `module`."""

    table: str
    module: str
    target: str


def place(dotted: str) -> Place | None:
    """The place of a dotted name: (text, corpus) for `seq2seq.text.corpus.load`, None for a name of another package."""
    package, *rest = dotted.split(".")
    if package != "seq2seq":
        return None
    rooms: list[str] = []
    for name in rest:
        path = PACKAGE.joinpath(*rooms, name)
        if path.with_suffix(".py").exists():
            return (*rooms, name)
        if not path.is_dir():
            break
        rooms.append(name)
    return (*rooms, "__init__")


def arrows(path: Path) -> set[Arrow]:
    """The imports of a file from the package, each in the table of the innermost room that holds both modules."""
    own, found = place_of_file(path), set[Arrow]()
    for target in imported_places(path) - {own}:
        depth = next(i for i, names in enumerate(zip(own, target, strict=False)) if len(set(names)) > 1)
        found.add(Arrow(".".join(own[:depth]), own[depth], target[depth]))
    return found


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    """All nodes of the syntax tree of a file."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported(path: Path) -> Iterator[str]:
    """The full name of everything that the file imports, at its top or inside a function."""
    package = ["seq2seq", *path.relative_to(PACKAGE).parts[:-1]] if path.is_relative_to(PACKAGE) else []
    for node in nodes(path):
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
    return path.relative_to(PACKAGE).with_suffix("").parts


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_imports_only_what_the_tables_allow(path: Path) -> None:
    own = place_of_file(path)
    for depth, name in enumerate(own):
        table = TABLES.get(".".join(own[:depth]), {name: ""})
        assert name in ("__init__", "recipes") or name in table, f"{name} is in no table; add what it may import"
    accidents = [
        f"{arrow.target} from {arrow.module}"
        for arrow in arrows(path)
        if arrow.table in TABLES and arrow.target not in TABLES[arrow.table].get(arrow.module, "").split()
    ]
    assert not accidents, f"{relative(path)} may not import {', '.join(sorted(accidents))}"


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_imports_point_only_to_earlier_entries_of_the_table(table: dict[str, str]) -> None:
    before = {"__init__"}
    for name, allowed in table.items():
        assert set(allowed.split()) <= before, name
        before.add(name)


def test_the_package_itself_imports_only_the_api_and_what_it_returns() -> None:
    places = imported_places(PACKAGE / "__init__.py")
    assert places == {
        ("api", "evaluation"),
        ("api", "training"),
        ("api", "translator"),
        ("translation", "translator"),
    }


def test_every_allowed_import_is_used() -> None:
    """A table that allows more than is used would not detect an accident."""
    used = {arrow for path in MODULES for arrow in arrows(path)}
    unused = {
        Arrow(table, module, target)
        for table, allowed in TABLES.items()
        for module, targets in allowed.items()
        for target in targets.split()
    } - used
    assert not unused


@pytest.mark.parametrize("init", sorted(PACKAGE.glob("*/**/__init__.py")), ids=relative)
def test_the_init_of_a_room_names_its_modules_and_imports_nothing(init: Path) -> None:
    docstring = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))
    assert docstring
    if init.parent != PACKAGE / "commands":
        assert not list(imported(init))
        rooms = [path.parent.name for path in init.parent.glob("*/__init__.py")]
        names = [*rooms, *(path.stem for path in init.parent.glob("*.py") if path != init)]
        assert [name for name in names if f"`{name}" not in docstring] == []


def test_an_installed_package_has_all_its_files() -> None:
    """The tests run on a checkout, where no list of packages is needed."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = [".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("*.py")]
    assert sorted(setup["packages"]) == sorted({*packages, "seq2seq.artifacts"})
    data = {ROOT.joinpath(*name.split("."), glob) for name, globs in setup["package-data"].items() for glob in globs}
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert [relative(path) for path in files if not any(path.match(str(glob)) for glob in data)] == []


def test_text_and_network_do_not_import_each_other() -> None:
    assert not {"network", "translation"} & set(ROOMS["text"].split())
    assert "text" not in ROOMS["network"].split()


@pytest.mark.parametrize("path", [path for path in MODULES if place_of_file(path)[0] == "network"], ids=relative)
def test_the_network_imports_only_torch(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imported(path)} - sys.stdlib_module_names
    assert foreign <= {"torch", "seq2seq"}


def test_search_imports_only_numpy() -> None:
    foreign = {name.split(".")[0] for name in imported(PACKAGE / "translation" / "search.py")}
    assert foreign - sys.stdlib_module_names <= {"numpy", "seq2seq"}


@pytest.mark.parametrize("path", PROGRAM, ids=relative)
def test_a_function_fits_a_page_and_takes_few_parameters(path: Path) -> None:
    for node in nodes(path):
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
    for node in nodes(path):
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
    for node in nodes(path):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("parametrize") and len(node.args) > 1:
            values = node.args[1]
            assert not isinstance(values, ast.GeneratorExp), f"line {node.lineno}: wrap it in list()"
            if isinstance(values, ast.Call):
                called = ast.unparse(values.func).rpartition(".")[2]
                assert called not in iterators, f"line {node.lineno}: wrap it in list()"
