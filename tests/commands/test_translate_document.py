"""`translate` of documents: by ending or --format, whole or not at all, and on from where it stopped."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from shell import ROOT, call, refused, start, worked

from seq2seq.documents.formats import FORMATS, load_format

TRANSLATE = ROOT / "scripts" / "translate.py"
PAGE = "<!doctype html>\n<p title='A cat sleeps.'>Two dogs <b>run</b>.<br>\n<code>x</code></p>\n<script>a()</script>\n"
PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "A cat sleeps."\nmsgstr ""\n'


def tags(text: str) -> list[str]:
    return sorted(re.findall(r"<[^>]*>", re.sub(r"title='[^']*'", "title", text)))


def test_every_format_has_a_module() -> None:
    for name in FORMATS:
        assert callable(load_format(name).events)


def test_a_document_is_read_by_its_ending(model: Path) -> None:
    Path("page.html").write_text(PAGE)
    worked(call("translate", "--model", model, "--input", "page.html", "--output", "out.html"))
    result = Path("out.html").read_text()
    assert tags(result) == tags(PAGE)
    assert "<code>x</code>" in result and "<script>a()</script>" in result
    assert "dogs" not in result and "cat" not in result
    assert sorted(path.name for path in Path().iterdir()) == ["out.html", "page.html"]


def test_a_document_from_a_pipe_needs_its_format(model: Path) -> None:
    by_format = worked(call("translate", "--model", model, "--format", "html", stdin=PAGE)).out
    assert tags(by_format) == tags(PAGE)
    as_lines = worked(call("translate", "--model", model, stdin=PAGE)).lines
    assert len(as_lines) == PAGE.count("\n")


def test_plain_lines_and_a_text_file_are_the_same(model: Path) -> None:
    text = "A cat sleeps.  Two dogs run.\r\n\n  A cat sleeps.\n"
    Path("a.txt").write_bytes(text.encode())
    expected = worked(call("translate", "--model", model, "--input", "a.txt")).lines
    worked(call("translate", "--model", model, "--input", "a.txt", "--output", "b.txt", "--resume"))
    assert Path("b.txt").read_bytes().decode().splitlines() == expected
    assert Path("b.txt").read_bytes().count(b"\r\n") == 1


def test_only_what_is_untranslated_of_a_po_file(model: Path) -> None:
    Path("a.po").write_text(PO + '\nmsgid "Two dogs run."\nmsgstr "Mine"\n')
    assert '"Mine"' in worked(call("translate", "--model", model, "--input", "a.po")).out
    everything = worked(call("translate", "--model", model, "--input", "a.po", "--all")).out
    assert '"Mine"' not in everything
    assert '"A cat sleeps."' in everything


def test_a_document_for_another_language_is_noted(model: Path) -> None:
    Path("fr.po").write_text(PO.replace("UTF-8\\n", "UTF-8\\nLanguage: fr_FR\\n"))
    Path("fr.xlf").write_text(
        '<xliff version="1.2"><file source-language="en" target-language="fr"><body><trans-unit id="1">'
        "<source>A cat sleeps.</source></trans-unit></body></file></xliff>"
    )
    Path("it.xlf").write_text(Path("fr.xlf").read_text().replace('"en"', '"it"').replace('"fr"', '"de"'))
    Path("it.po").write_text(PO.replace("UTF-8\\n", "UTF-8\\nX-Source-Language: it_IT\\n"))
    Path("2.xlf").write_text('<xliff version="2.0" srcLang="it"/>')
    Path("de.xlf").write_text(Path("fr.xlf").read_text().replace('"fr"', '"de-AT"'))
    for name in ("fr.po", "fr.xlf"):
        result = call("translate", "--model", model, "--input", name)
        assert result.status == 0 and f"note: {name}: line 1: its translations are named 'fr" in result.err
    for name in ("it.po", "it.xlf", "2.xlf"):
        result = call("translate", "--model", model, "--input", name)
        assert result.status == 0 and f"note: {name}: line 1: its text is named 'it" in result.err
    assert worked(call("translate", "--model", model, "--input", "de.xlf")).err == ""


def test_columns_of_a_table(model: Path) -> None:
    Path("a.csv").write_text("id,text\n1,A cat sleeps.\n")
    result = worked(call("translate", "--model", model, "--input", "a.csv", "--column", "text")).lines
    assert result[0] == "id,text" and result[1].startswith("1,") and "cat" not in result[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--format htm", ["no format 'htm'", "html"]),
        ("--input page.html --output a.po", ["read as html", "named as po"]),
        ("--input page.html --nbest 2", ["--nbest is for lines"]),
        ("--input page.html --score page.html", ["--score is for lines"]),
        ("--input page.html --prefix page.html", ["--prefix is for lines"]),
        ("--input page.html --alignments", ["--alignments is for lines"]),
        ("--input page.html --column a", ["--column is for CSV"]),
        ("--input page.html --all", ["--all is for PO"]),
        ("--input page.html --resume", ["give --input FILE and --output FILE"]),
        ("--input none.html", ["cannot read none.html"]),
        ("--input broken.json", ["broken.json: line"]),
        ("--input broken.docx", ["broken.docx: "]),
        ("--input a.csv", ["a.csv: ", "text"]),
        ("--keep ( --input page.html", ["not a regular expression"]),
        ("--keep a --keep-nothing", ["exclude each other"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(model: Path, options: str, words: list[str]) -> None:
    Path("page.html").write_text(PAGE)
    Path("broken.json").write_text('{"a": "b"')
    Path("broken.docx").write_text("no archive")
    Path("a.csv").write_text("id,text\n1,A cat sleeps.\n")
    before = sorted(path.name for path in Path().iterdir())
    refused(call("translate", "--model", model, *options.split()), *words)
    assert sorted(path.name for path in Path().iterdir()) == before


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_an_interrupted_document_goes_on(model: Path, signum: signal.Signals) -> None:
    """Nothing half written is left, and the end is that of a run that was not interrupted."""
    document = {str(i): "A cat sleeps. Two dogs run." for i in range(100)}
    Path("a.json").write_text(json.dumps(document, indent=1))
    arguments = ["--model", model, "--input", "a.json", "--output", "b.json", "--batch-tokens", "1", "--workers", "1"]
    progress = Path(".b.json.progress")
    with start(TRANSLATE, *arguments) as process:
        end = time.monotonic() + 120
        while not (progress.exists() and progress.stat().st_size > 300):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signum)
        _, err = (stream.decode() for stream in process.communicate())
    assert not Path("b.json").exists() and progress.exists()
    if signum == signal.SIGTERM:
        assert process.returncode == 143
        assert "--resume" in err
        assert not list(Path().glob("*.partial"))
    done = len(progress.read_bytes().splitlines())
    assert 1 < done < 100
    refused(call("translate", *arguments, "--resume", "--beam", 1))
    worked(call("translate", *arguments, "--resume"))
    result = json.loads(Path("b.json").read_text())
    assert list(result) == list(document) and len(set(result.values())) == 1
    assert not progress.exists()
