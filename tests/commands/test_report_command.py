"""`report`: the page on a trained or an exported model, written to --out or into the model folder."""

import shutil
from pathlib import Path

import pytest
import torch
from shell import call, refused, worked

from seq2seq.reporting import report

ATTENTION = "<h2>Attention</h2>"


def test_the_page_is_written_into_the_model_folder(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert worked(call("report", "--model", model, "--out", out)).lines == [str(out)]
    html = out.read_text()
    for name in ("en to de", "Scores", "test2", "chrF2", "Learning curves", "Error analysis: test", ATTENTION):
        assert name in html
    copy = tmp_path / "model"
    worked(call("export", "--model", model, "--out", copy, "--quiet"))
    assert worked(call("report", "--model", copy)).lines == [str(copy / "report.html")]
    html = (copy / "report.html").read_text()
    assert "exported" in html
    assert ATTENTION not in html
    worked(call("export", "--model", model, "--out", copy, "--overwrite", "--quiet"))
    assert not (copy / "report.html").exists(), "it is the report on the previous model"


def test_a_missing_text_or_model_is_named(model: Path, tmp_path: Path) -> None:
    refused(call("report", "--model", model, "--data", tmp_path / "gone"), str(tmp_path / "gone"))
    refused(call("report", "--model", tmp_path / "gone"), str(tmp_path / "gone"))


def test_the_page_is_not_begun_where_it_cannot_be_written(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is found before the model translates."""
    monkeypatch.setattr("seq2seq.commands.report.open_model", None)
    refused(call("report", "--model", model, "--out", "nosuch/page.html"), "there is no folder nosuch")
    shutil.copytree(model, "copy")
    for damaged in ('{"step": 60, "minu\n', "5\n", "{}\n"):
        Path("copy/metrics.jsonl").write_text(damaged)
        refused(call("report", "--model", "copy"), "copy/metrics.jsonl is damaged", "without learning curves")
    assert not Path("copy/report.html").exists()


def test_attention_is_computed_with_the_threads_of_the_option(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def attention_maps(*arguments: object) -> list[object]:
        threads.append(torch.get_num_threads())
        return []

    monkeypatch.setattr(report, "attention_maps", attention_maps)
    worked(call("report", "--model", model, "--out", "page.html", "--threads", 3))
    assert threads == [3]
