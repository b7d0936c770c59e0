"""`tokenizer`: learns models, and encodes and decodes lines without loss."""

import gzip
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from shell import ROOT, call, environment, python, refused, worked

from seq2seq.text.tokenizer import Tokenizer

AWKWARD = [
    "A cat sleeps here.",
    "",
    " ",
    "  several   spaces  ",
    "\ttab\tand\x0bvertical\x0cfeed\x85 \u2028 \u2029",
    "NUL \x00 here",
    "\u201equotes\u201c «and» 'more' \"quotes\"",
    "emoji 🙂 👩‍👩‍👧 🇩🇪",
    "ÅA\u030a ﷽ 世界 Привет שלום",
    "▁ \ue000 <s> </s> <unk> <pad> <0x41> ▅ \u2047",
    "1234567890 3,14 1e-5",
    "a CR \r inside",
    "x" * 3000,
]


@pytest.fixture(params=["unigram", "bpe"])
def learnt(request: pytest.FixtureRequest, corpus: Path) -> Path:
    """A tokenizer learnt from the corpus."""
    sources = ["--input", corpus / "train.en", "--input", corpus / "train.de"]
    worked(call("tokenizer", "learn", *sources, "--out", "spm.model", "--vocab-size", 320, "--kind", request.param))
    return Path("spm.model").absolute()


def test_decoding_restores_the_encoded_lines(learnt: Path) -> None:
    stdin = "".join(f"{line}\n" for line in AWKWARD)
    ids = worked(call("tokenizer", "encode", "--model", learnt, "--ids", stdin=stdin))
    assert len(ids.lines) == len(AWKWARD)
    assert all(word.isdigit() for line in ids.lines for word in line.split())
    assert worked(call("tokenizer", "decode", "--model", learnt, stdin=ids.out)).out == stdin


def test_pieces_and_ids_agree(learnt: Path) -> None:
    tokenizer = Tokenizer.load(learnt)
    [line] = worked(call("tokenizer", "encode", "--model", learnt, stdin=AWKWARD[0])).lines
    [ids] = worked(call("tokenizer", "encode", "--model", learnt, "--ids", stdin=AWKWARD[0])).lines
    assert line.split(" ") == tokenizer.pieces(map(int, ids.split()))
    assert line.replace(" ", "").replace("▁", " ").strip() == AWKWARD[0]


def test_ends_of_lines(learnt: Path) -> None:
    """A carriage return before a newline, a byte-order mark and a missing last newline change nothing."""
    plain = call("tokenizer", "encode", "--model", learnt, stdin="A cat.\n\nTwo dogs.\n")
    assert len(plain.lines) == 3
    for stdin in ("A cat.\r\n\r\nTwo dogs.\r\n", "\ufeffA cat.\n\nTwo dogs."):
        assert worked(call("tokenizer", "encode", "--model", learnt, stdin=stdin)) == plain


def test_the_same_text_gives_the_same_tokenizer(corpus: Path) -> None:
    """Learning reads files, plain or packed, or standard input, and reports the number of pieces."""
    text = (corpus / "train.en").read_bytes()
    Path("train.en.gz").write_bytes(gzip.compress(text))
    options = ["tokenizer", "learn", "--vocab-size", 5000, "--out"]
    result = worked(call(*options, "a", "--input", corpus / "train.en"))
    size = len(Tokenizer.load(Path("a")))
    assert result.out == ""
    assert result.err.splitlines() == [
        f"a vocabulary of {size} pieces, not 5000: there is too little text for more",
        f"a: {size} pieces",
    ]
    assert worked(call(*options, "b", "--input", "train.en.gz", "--quiet")).err == ""
    worked(call(*options, "c", stdin=text))
    a, b, c = (Path(name).read_bytes() for name in "abc")
    assert a == b == c


def test_a_failure_keeps_the_existing_file(learnt: Path) -> None:
    before = learnt.read_bytes()
    refused(call("tokenizer", "learn", "--out", learnt, stdin=b"caf\xe9\n"), "standard input, line 1")
    refused(call("tokenizer", "learn", "--out", learnt, stdin=""), "no text")
    assert learnt.read_bytes() == before
    assert [path.name for path in Path().iterdir()] == ["spm.model"]


def test_closed_standard_streams_are_empty(model: Path) -> None:
    """A command whose standard streams are closed reads an empty input, and its output is discarded."""
    words = [sys.executable, ROOT / "scripts" / "tokenizer.py", "encode", "--model", model / "tokenizer.model"]
    command = shlex.join(map(str, words))
    for streams in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        shell = ["sh", "-c", f"{command} {streams}"]
        done = subprocess.run(shell, input=b"A cat.\n", capture_output=True, timeout=60, env=environment())
        assert (done.returncode, done.stderr) == (0, b"")
        assert bool(done.stdout) == (streams == "2>&-")


def test_the_script_uses_utf8_in_any_locale(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    script, path = ROOT / "scripts" / "tokenizer.py", model / "tokenizer.model"
    text = "Eine Katze schläft hier.\n"
    pieces = worked(python(script, "encode", "--model", path, stdin=text)).out
    assert pieces.startswith("▁") and "ä" in pieces
    ids = call("tokenizer", "encode", "--model", path, "--ids", stdin=text).out
    assert worked(python(script, "decode", "--model", path, stdin=ids)).out == text
