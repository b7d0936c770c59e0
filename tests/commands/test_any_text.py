"""Translating arbitrary bytes: one line out per line in, or an error that names the line that is not UTF-8."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from shell import call, refused, worked

# Characters other than letters are what breaks programs, so they are drawn often.
CONTROLS = "\x00\x01\x0b\x0c\r\x1a\x1b\x1c\x1e\x7f\x85\xad"
SPACES = "\xa0\u200b\u200d\u2028\u2029\u202e\u2581\ufeff"
ODD = st.sampled_from(CONTROLS + SPACES + "\ufffd\U000e0041")
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\n")
LINES = st.lists(st.text(LETTERS | ODD, max_size=40), max_size=8)
BYTES = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=6)
MANY_EXAMPLES = settings(
    max_examples=60,
    deadline=timedelta(seconds=60),
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def translate(model: Path, text: bytes, *options: str) -> list[bytes]:
    result = worked(call("translate", "--model", model, "--beam", "2", *options, stdin=text))
    return [line.encode() for line in result.lines]


@MANY_EXAMPLES
@given(lines=LINES, ending=st.sampled_from(["", "\n", "\r\n"]))
@example(lines=["A cat sleeps here."] * 3, ending="")
@example(lines=[""] * 3, ending="\n")
@example(lines=["\ufeff"], ending="\r\n")
def test_any_unicode_text_gives_one_line_per_line(model: Path, lines: list[str], ending: str) -> None:
    text = "\n".join(lines) + ending
    expected = text.removesuffix("\n").count("\n") + 1 if text else 0
    translations = translate(model, text.encode())
    assert len(translations) == expected
    for source, line in zip(text.split("\n"), translations, strict=False):
        if not source.removesuffix("\r").removeprefix("\ufeff").strip():
            assert line == b""


@MANY_EXAMPLES
@given(lines=BYTES)
@example(lines=[b"\xed\xa0\x80", b"\xff\xfe", b"caf\xe9", b"\xc0\x80"])  # half a surrogate, UTF-16, Latin-1, overlong
def test_any_bytes_give_one_line_per_line_or_an_error_that_names_the_line(model: Path, lines: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    invalid = [number for number, line in enumerate(lines, 1) if not is_utf8(line)]
    assert len(translate(model, text, "--errors", "replace")) == len(lines)
    if invalid:
        result = call("translate", "--model", model, "--beam", "2", stdin=text)
        refused(result._replace(out=""), f"standard input, line {invalid[0]}:", "UTF-8", "--errors replace")
    else:
        assert len(translate(model, text)) == len(lines)


def is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", 0),
        (b"\n" * 10_000, 10_000),
        (b"x\n" * 2_000, 2_000),
        (b"A cat sleeps here. " * 5_300 + b"\nA cat sleeps here.", 2),
        (b"x" * 100_000 + b"\n", 1),
        ("漢".encode() * 100_000 + b"\n\n", 2),
        (b"\x00" * 5_000, 1),
    ],
    ids=["empty", "blank", "short", "words", "one word", "one script", "zeros"],
)
def test_files_with_very_many_or_very_long_lines(model: Path, text: bytes, lines: int) -> None:
    result = worked(call("translate", "--model", model, "--beam", "1", "--quiet", stdin=text))
    assert len(result.lines) == lines


def test_invalid_utf8_is_replaced_and_the_other_lines_translated(model: Path) -> None:
    text = b"A cat sleeps here.\nA cat \xff sleeps here.\nA cat sleeps here.\n"
    first, _, last = translate(model, text, "--errors", "replace")
    assert first == last == translate(model, b"A cat sleeps here.\n")[0]
    assert translate(model, text, "--errors", "replace") == translate(model, text.replace(b"\xff", "\ufffd".encode()))
