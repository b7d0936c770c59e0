"""Long lines in portions: joined they are the line, and a portion holds whole sentences."""

import random
import time

import pytest

from seq2seq.segments.reading import Reading
from seq2seq.segments.segment import Segment
from seq2seq.serving.limits import RefusedError
from seq2seq.serving.texts import MOST_LINE, MOST_MARKED, MOST_MARKS, pieces_of, portions, source_of, translations_of
from seq2seq.translation.assembly import Candidate

WORDS = [
    "A",
    "cat",
    "sleeps.",
    "Two",
    "dogs,",
    "Mr.",
    "Smith",
    "3.5",
    "run!",
    "Why?",
    "http://a.example/b?c",
    "(so)",
    "",
]
LINES = [
    "",
    " ",
    "x" * MOST_LINE,
    "x" * (3 * MOST_LINE + 1),
    "x" * (MOST_LINE - 1) + " " + "y" * MOST_LINE,
    ". " * 2000,
    " " * (2 * MOST_LINE + 5),
    *(" ".join(random.Random(seed).choices(WORDS, k=1000)) for seed in range(5)),
    " ".join(random.Random(9).choices(["word", "of", "none"], k=2000)),
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_portions_joined_are_the_line(line: str) -> None:
    found = portions(line, "en")
    assert "".join(found) == line
    assert all(0 < len(portion) <= MOST_LINE for portion in found) or not line
    assert len(found) <= 3 * len(line) // MOST_LINE + 1


def test_a_portion_ends_with_a_sentence() -> None:
    line = "A cat sleeps here all day long. " * 200
    found = portions(line, "en")
    assert len(found) > 3 and all(portion.endswith("long. ") for portion in found)
    assert min(map(len, found[:-1])) > MOST_LINE // 2


def test_a_text_of_long_lines_is_put_together_again() -> None:
    text = f"{LINES[-2]}\r\n\n{'x' * 2500}\nlast"
    source = source_of(text, "text", "en")
    segments = [portion for line in source.segments for portion in line]
    assert len(segments) > 8 and len(source.segments) == 4
    capitals = [Segment(segment.text.upper()) for segment in segments]
    pairs = zip(segments, capitals, strict=True)
    same = [[Candidate(a, 0.0, 0.0, [[0, 0]]), Candidate(b, 0.0, 0.0, [])] for a, b in pairs]
    found = translations_of(source, same, 2)
    assert found.texts == [text, text.upper()]
    first, empty, *_ = found.alignments
    words = [len(segment.text.split()) for segment in segments]
    assert first[:2] == [[0, 0], [words[0], words[0]]] and len(found.alignments) == 4
    assert empty == [[0, 0]]


def test_a_long_paragraph_of_html_is_put_together_again() -> None:
    page = f"<p>{LINES[-2]}</p><p>Some <b>bold</b> words.</p>"
    source = source_of(page, "html", "en")
    segments = [portion for paragraph in source.segments for portion in paragraph]
    assert len(segments) > 5 and all(len(segment.text) <= MOST_LINE for segment in segments)
    same = [[Candidate(each, 0.0, 0.0, [])] for each in segments]
    assert translations_of(source, same, 1).texts == [page]
    with pytest.raises(RefusedError, match="divide it"):
        source_of(f"<p>{'x' * MOST_MARKED}<b>y</b></p>", "html", "en")
    with pytest.raises(RefusedError, match="divide it"):
        source_of(f"<p>{'<b>y</b> ' * MOST_MARKS}</p>", "html", "en")


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_pieces_joined_are_the_line(line: str) -> None:
    assert "".join(pieces_of(line, Reading("en"))) == line


@pytest.mark.parametrize("thing", ["`", "![", "<?", "<!--", "“", "*a* ", "{a, plural, "])
def test_no_text_takes_time_that_grows_with_its_square(thing: str) -> None:
    """Each took from 10 s to minutes. (The time of this thread, not of others.)"""
    begin = time.thread_time()
    text = (thing * 49_000)[:49_000]
    assert "".join(pieces_of(text, Reading("en"))) == text
    assert time.thread_time() - begin < 5
