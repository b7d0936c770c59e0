"""`report`: a page in the model folder or at --out, about trained and exported models."""

from pathlib import Path

from shell import call, refused, worked

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
    assert not (copy / "report.html").exists(), "it described the model before"


def test_a_missing_text_or_model_is_named(model: Path, tmp_path: Path) -> None:
    refused(call("report", "--model", model, "--data", tmp_path / "gone"), str(tmp_path / "gone"))
    refused(call("report", "--model", tmp_path / "gone"), str(tmp_path / "gone"))
