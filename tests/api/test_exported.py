"""The exported form of a trained model in the cache: made once, anew for other weights, and never an obstacle."""

import shutil
from pathlib import Path

import pytest
from reversal_task import Learnt, reversals

from seq2seq.api import exported
from seq2seq.api.exported import exported_once
from seq2seq.api.models import open_model
from seq2seq.folder import layout
from seq2seq.translation.translator import LineTranslator


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "seq2seq" / "exported"


def test_a_model_is_exported_once_and_translates(learnt: Learnt, cache: Path) -> None:
    said: list[str] = []
    folder = exported_once(learnt.folder, said.append)
    assert folder.parent == cache and len(said) == 1
    assert exported_once(learnt.folder, said.append) == folder and len(said) == 1
    assert exported_once(folder, said.append) == folder and len(said) == 1
    bundle, _ = open_model([folder], threads=1)
    pairs = reversals(50, seed=23)
    found = LineTranslator(bundle, bundle.search).translate([pair.src for pair in pairs])
    assert sum(text == pair.tgt for text, pair in zip(found, pairs, strict=True)) > 40
    assert [path.name for path in cache.iterdir()] == [folder.name], "nothing half-written is left"


def test_other_weights_are_another_model(learnt: Learnt, cache: Path, tmp_path: Path) -> None:
    other = tmp_path / learnt.folder.name
    shutil.copytree(learnt.folder, other)
    folder = exported_once(learnt.folder, print)
    assert exported_once(other, print) == folder
    with (other / layout.CONFIG).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert exported._name(other) != folder.name


def test_what_cannot_be_exported_is_served_as_it_is(
    learnt: Learnt, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    assert exported_once(tmp_path / "none", said.append) == tmp_path / "none" and not said
    cache.parent.mkdir(parents=True)
    cache.write_text("a file in the place of the folder")
    assert exported_once(learnt.folder, said.append) == learnt.folder
    assert "cannot be exported" in said[-1]
    monkeypatch.setattr(exported, "find_spec", lambda name: None)
    assert exported_once(learnt.folder, said.append) == learnt.folder
    assert "seq2seq[onnx]" in said[-1]
