"""A folder that an earlier version wrote loads for good, and translates as it did then.

`fixtures/format-1` was written by `python tests/test_format.py`, which trains the reverser of the workshop and exports
it to `format-1-onnx`; they are never written again. A change of the format gets a number and folders of its own.
"""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from workshop import learn

from seq2seq import checkpoint, layout, runtime
from seq2seq.errors import InputError
from seq2seq.export import export
from seq2seq.translator import Translator

FIXTURES = Path(__file__).parent / "fixtures"
FOLDERS = sorted(FIXTURES.iterdir()) if FIXTURES.is_dir() else []
SAID = "translations.json"  # what it said when it was written: source, translation, log-probability


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_of_an_earlier_version_translates_as_it_did(folder: Path) -> None:
    bundle = runtime.load(folder, 1) if layout.exported(folder) else checkpoint.load_model(folder)
    translator = Translator(bundle, bundle.search)
    said = json.loads((folder / SAID).read_text(encoding="utf-8"))
    assert len(said) == 10
    found = [candidates[0] for candidates in translator.stream([source for source, _, _ in said], print)]
    assert [c.text for c in found] == [text for _, text, _ in said]
    assert [c.log_prob for c in found] == pytest.approx([log_prob for _, _, log_prob in said], rel=1e-3, abs=1e-4)


def test_there_is_one_for_every_format() -> None:
    numbers = range(1, layout.FORMAT + 1)
    assert [folder.name for folder in FOLDERS] == [f"format-{n}{form}" for n in numbers for form in ("", "-onnx")]
    assert [layout.exported(folder) for folder in FOLDERS] == [False, True] * layout.FORMAT


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDERS[-2], tmp_path / "later")
    config = tmp_path / "later" / "config.toml"
    config.write_text(config.read_text().replace(f"format = {layout.FORMAT}", f"format = {layout.FORMAT + 1}"))
    with pytest.raises(InputError, match=r"has format \d+, this version reads \d+; update seq2seq"):
        checkpoint.load_model(tmp_path / "later")


def write(folder: Path) -> None:
    """Train, keep what translating needs, and write down what it says."""
    torch.set_num_threads(1)
    learnt = learn(folder)
    shutil.rmtree(folder / "training")
    (folder / "metrics.jsonl").unlink()
    bundle = checkpoint.load_model(folder)
    sources = [pair.src for pair in learnt.unseen[:10]]
    found = [candidates[0] for candidates in Translator(bundle, bundle.search).stream(sources, print)]
    said = [[source, c.text, c.log_prob] for source, c in zip(sources, found, strict=True)]
    (folder / SAID).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    exported = folder.with_name(f"{folder.name}-onnx")
    export(folder, exported, "onnx")
    shutil.copy(folder / SAID, exported)


if __name__ == "__main__":
    write(FIXTURES / f"format-{layout.FORMAT}") if len(sys.argv) == 1 else sys.exit("no arguments")
