"""`report`: a page beside the model or where it is wanted, of trained and exported models."""

from pathlib import Path

from shell import call, refused, worked


def test_the_page_lies_beside_the_model(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert worked(call("report", "--model", model, "--out", out)).lines == [str(out)]
    found = out.read_text()
    for name in ("en to de", "Scores", "test2", "chrF2", "How it learnt", "Where it fails: test", "Where it looks"):
        assert name in found
    copy = tmp_path / "model"
    worked(call("export", "--model", model, "--out", copy, "--quiet"))
    assert worked(call("report", "--model", copy)).lines == [str(copy / "report.html")]
    found = (copy / "report.html").read_text()
    assert "exported" in found
    assert "Where it looks" not in found
    worked(call("export", "--model", model, "--out", copy, "--overwrite", "--quiet"))
    assert not (copy / "report.html").exists(), "it was of another model"


def test_text_that_is_gone_is_named(model: Path, tmp_path: Path) -> None:
    refused(call("report", "--model", model, "--data", tmp_path / "gone"), str(tmp_path / "gone"))
    refused(call("report", "--model", tmp_path / "gone"), str(tmp_path / "gone"))
