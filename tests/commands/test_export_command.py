"""`export`: its forms, and the other commands with an exported model."""

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from shell import PARTS, call, refused, snapshot, worked

from seq2seq.processes import CAN_FORK

SOURCES = [en for en, _ in PARTS["test2"]] + ["", "🙂"]
LINES = "".join(f"{en}\n" for en in SOURCES)


def test_each_form_is_written_and_reported(model: Path, tmp_path: Path) -> None:
    for form, options in (
        ("onnx", []),
        ("onnx", ["--int8"]),
        ("quarter", ["--format", "quarter"]),
        ("half", ["--format", "half"]),
        ("single", ["--format", "single"]),
    ):
        result = worked(call("export", "--model", model, "--out", tmp_path / "made", "--overwrite", "--json", *options))
        summary = json.loads(result.out)
        files = [path for path in (tmp_path / "made").iterdir() if path.name != "README.md"]
        assert summary == {
            "folder": str(tmp_path / "made"),
            "format": form,
            "int8": "--int8" in options,
            "average": None,
            "bytes": sum(path.stat().st_size for path in files),
        }
    assert worked(call("export", "--model", model, "--out", tmp_path / "quiet", "--quiet")).out == ""
    line = worked(call("export", "--model", model, "--out", tmp_path / "new")).out
    assert line.startswith(f"{tmp_path / 'new'}: 0.")
    card, before = ((folder / "README.md").read_text().splitlines() for folder in (tmp_path / "new", model))
    [note] = [line for line in card if line not in before]
    assert note.startswith("- Form: `onnx`; the scores ")
    assert [line for line in card if line != note] == before


def test_average_exports_the_mean_weights_of_the_newest_checkpoints(model: Path, tmp_path: Path) -> None:
    result = worked(call("export", "--model", model, "--out", tmp_path, "--average", 2, "--format", "single", "--json"))
    assert json.loads(result.out)["average"] == 2
    states = sorted((model / "training").iterdir())[-2:]
    average = load_file(tmp_path / "model.safetensors")
    one, other = (load_file(state) for state in states)
    assert average
    for name, weights in average.items():
        assert not torch.equal(one[f"average/{name}"], other[f"average/{name}"])
        torch.testing.assert_close(weights, (one[f"average/{name}"] + other[f"average/{name}"]) / 2)
    assert not (tmp_path / "README.md").exists()  # its scores are those of other weights
    assert len(worked(call("translate", "--model", tmp_path, stdin=LINES)).lines) == len(SOURCES)


@pytest.mark.parametrize("options", [[], ["--beam", "1"], ["--length-penalty", "0.4"]])
def test_an_exported_model_translates_as_the_trained_one(model: Path, exported: Path, options: list[str]) -> None:
    expected, result = (
        worked(call("translate", "--model", folder, *options, stdin=LINES)).lines for folder in (model, exported)
    )
    assert result == expected
    assert len(result) == len(SOURCES)


def test_an_exported_model_gives_the_same_n_best_scores(model: Path, exported: Path) -> None:
    expected, result = (
        [line.split("\t") for line in worked(call("translate", "--model", folder, "--nbest", 3, stdin=LINES)).lines]
        for folder in (model, exported)
    )
    assert [x[:2] for x in result] == [x[:2] for x in expected]
    assert [float(x[2]) for x in result] == pytest.approx([float(x[2]) for x in expected], abs=2e-4)


@pytest.mark.parametrize(
    "options", [["--threads", "1"], ["--threads", "2"], ["--workers", "1"], ["--batch-tokens", "9"]]
)
def test_threads_workers_and_batches_change_no_score(exported: Path, options: list[str]) -> None:
    one, other = (
        worked(call("translate", "--model", exported, "--scores", *more, stdin=LINES)).out for more in ([], options)
    )
    assert one == other


@pytest.mark.skipif(not CAN_FORK, reason="workers are forked, which is safe on Linux only")
def test_workers_change_no_translation(exported: Path) -> None:
    alone, together = (
        worked(call("translate", "--model", exported, "--workers", count, stdin=LINES)).out for count in (1, 3)
    )
    assert together == alone


def test_an_exported_model_scores_and_is_evaluated(model: Path, exported: Path, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "src").write_text(LINES)
    (tmp_path / "tgt").write_text("".join(f"{de}\n" for _, de in PARTS["test2"]) + "\nja\n")
    files = ["--input", tmp_path / "src", "--score", tmp_path / "tgt"]
    expected, result = (
        [float(line) for line in worked(call("translate", "--model", folder, *files)).lines]
        for folder in (model, exported)
    )
    assert result == pytest.approx(expected, abs=2e-4)
    scores = [
        worked(call("evaluate", "--model", folder, "--data", corpus, "--split", "test2")).out
        for folder in (model, exported)
    ]
    assert scores[0] == scores[1]


def test_wrong_options_and_models_are_refused(
    model: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(exported), snapshot(model)
    again = ["export", "--model", exported, "--out", tmp_path / "new"]
    refused(call(*again), "exported model", "the one it was made from")
    refused(call("export", "--model", model, "--out", exported), str(exported), "--overwrite")
    refused(call("export", "--model", model, "--out", model, "--overwrite"), "another folder")
    refused(call("export", "--model", tmp_path / "no", "--out", tmp_path / "new"), str(tmp_path / "no"))
    refused(call("export", "--model", model, "--out", tmp_path / "new", "--format", "half", "--int8"), "--int8")
    refused(call("export", "--model", model, "--out", tmp_path / "new", "--format", "tflite"), "tflite")
    refused(call("export", "--model", model, "--out", tmp_path / "new", "--average", 3), "2 training states", "keep")
    refused(call("translate", "--model", exported, "--device", "cuda", stdin="a\n"), "--device cuda", "exported")
    refused(call("train", "--resume", exported), str(exported), "training")
    monkeypatch.setitem(sys.modules, "onnx", None)
    refused(call("export", "--model", model, "--out", tmp_path / "new"), "pip install 'seq2seq[onnx]'")
    monkeypatch.setitem(sys.modules, "seq2seq.onnx.runtime", None)
    refused(call("translate", "--model", exported, stdin="a\n"), "pip install 'seq2seq[onnx]'")
    assert (snapshot(exported), snapshot(model)) == before
    assert not (tmp_path / "new").exists()
