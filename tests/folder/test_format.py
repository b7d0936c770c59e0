"""Model folders of earlier versions load, and translate as they did then.

`fixtures/format-1` was written by `python tests/folder/test_format.py`, which trains the model that reverses digits and
exports it to `format-1-onnx` and `-quarter`. They are never written again: a change of the format gets a new number and
new folders.
"""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from reversal_task import learn

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint, layout
from seq2seq.onnx import runtime
from seq2seq.onnx.export import export
from seq2seq.translation.translator import LineTranslator

FIXTURES = Path(__file__).parent.parent / "fixtures"
FOLDERS = sorted(FIXTURES.iterdir()) if FIXTURES.is_dir() else []
FORMS = ["onnx", "quarter"]
TRANSLATIONS = "translations.json"  # at the time of writing: source, translation, log-probability


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_of_an_earlier_version_translates_as_it_did_then(folder: Path) -> None:
    expected = json.loads((folder / TRANSLATIONS).read_text(encoding="utf-8"))
    assert len(expected) == 10
    actual = translate(folder, [source for source, _, _ in expected])
    assert [text for _, text, _ in actual] == [text for _, text, _ in expected]
    assert [x for _, _, x in actual] == pytest.approx([x for _, _, x in expected], rel=1e-3, abs=1e-4)


def test_there_are_folders_of_every_format() -> None:
    numbers = range(1, layout.FORMAT + 1)
    forms = ["", *(f"-{form}" for form in FORMS)]
    assert [folder.name for folder in FOLDERS] == [f"format-{n}{form}" for n in numbers for form in forms]
    assert [layout.is_exported(folder) for folder in FOLDERS] == [False, True, False] * layout.FORMAT


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDERS[-3], tmp_path / "later")
    config = tmp_path / "later" / "config.toml"
    config.write_text(config.read_text().replace(f"format = {layout.FORMAT}", f"format = {layout.FORMAT + 1}"))
    with pytest.raises(InputError, match=r"has format \d+, this version reads \d+; update seq2seq"):
        checkpoint.load_model(tmp_path / "later")


def translate(folder: Path, sources: list[str]) -> list[tuple[str, str, float]]:
    """Source, translation by the folder's model and its log-probability."""
    bundle = runtime.load(folder, 1) if layout.is_exported(folder) else checkpoint.load_model(folder)
    bundle = bundle._replace(reading=None)  # the language of these models is digits, which are kept otherwise
    best = [candidates[0] for candidates in LineTranslator(bundle, bundle.search).stream(sources, print)]
    return [(source, c.text, c.log_prob) for source, c in zip(sources, best, strict=True)]


def write(folder: Path) -> None:
    """Train and export, keep what translating needs, and write the translations of each form."""
    torch.set_num_threads(1)
    learnt = learn(folder)
    shutil.rmtree(folder / "training")
    (folder / "metrics.jsonl").unlink()
    exports = [folder.with_name(f"{folder.name}-{form}") for form in FORMS]
    for form, out in zip(FORMS, exports, strict=True):
        export(folder, out, form)
    for out in (folder, *exports):
        translations = translate(out, [pair.src for pair in learnt.unseen[:10]])
        (out / TRANSLATIONS).write_text(json.dumps(translations, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(FIXTURES / f"format-{layout.FORMAT}") if len(sys.argv) == 1 else sys.exit("no arguments")
