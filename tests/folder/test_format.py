"""A folder that an earlier version wrote loads for good, and translates as it did then.

`fixtures/format-1` was written by `python tests/test_format.py`, which trains the reverser of the workshop and exports
it to `format-1-onnx` and `-quarter`; they are never written again. A change of the format gets a number and folders of
its own.
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
SAID = "translations.json"  # what it said when it was written: source, translation, log-probability


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_of_an_earlier_version_translates_as_it_did(folder: Path) -> None:
    said = json.loads((folder / SAID).read_text(encoding="utf-8"))
    assert len(said) == 10
    found = saying(folder, [source for source, _, _ in said])
    assert [text for _, text, _ in found] == [text for _, text, _ in said]
    assert [x for _, _, x in found] == pytest.approx([x for _, _, x in said], rel=1e-3, abs=1e-4)


def test_there_is_one_for_every_format() -> None:
    numbers = range(1, layout.FORMAT + 1)
    forms = ["", *(f"-{form}" for form in FORMS)]
    assert [folder.name for folder in FOLDERS] == [f"format-{n}{form}" for n in numbers for form in forms]
    assert [layout.exported(folder) for folder in FOLDERS] == [False, True, False] * layout.FORMAT


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDERS[-3], tmp_path / "later")
    config = tmp_path / "later" / "config.toml"
    config.write_text(config.read_text().replace(f"format = {layout.FORMAT}", f"format = {layout.FORMAT + 1}"))
    with pytest.raises(InputError, match=r"has format \d+, this version reads \d+; update seq2seq"):
        checkpoint.load_model(tmp_path / "later")


def saying(folder: Path, sources: list[str]) -> list[tuple[str, str, float]]:
    """Each source, what the model of the folder makes of it, and the log-probability."""
    bundle = runtime.load(folder, 1) if layout.exported(folder) else checkpoint.load_model(folder)
    best = [candidates[0] for candidates in LineTranslator(bundle, bundle.search).stream(sources, print)]
    return [(source, c.text, c.log_prob) for source, c in zip(sources, best, strict=True)]


def write(folder: Path) -> None:
    """Train, keep what translating needs, and write down what it and its other forms say."""
    torch.set_num_threads(1)
    learnt = learn(folder)
    shutil.rmtree(folder / "training")
    (folder / "metrics.jsonl").unlink()
    others = [folder.with_name(f"{folder.name}-{form}") for form in FORMS]
    for form, other in zip(FORMS, others, strict=True):
        export(folder, other, form)
    for each in (folder, *others):
        said = saying(each, [pair.src for pair in learnt.unseen[:10]])
        (each / SAID).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(FIXTURES / f"format-{layout.FORMAT}") if len(sys.argv) == 1 else sys.exit("no arguments")
