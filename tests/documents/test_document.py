"""A document as events: written back whole, whatever `translate` reads ahead."""

from collections.abc import Iterable, Iterator
from itertools import islice

import pytest

from seq2seq.documents.document import Event, Slot, translated
from seq2seq.segments.segment import Segment


def words(written: list[str]) -> Iterator[Event]:
    yield b"["
    for word in ("a", "b", "c", "d"):
        yield Slot(Segment(word), lambda s: (written.append(s.text), s.text.encode())[1])
        yield b" "
    yield lambda: f"{len(written)}]".encode()


def in_windows(size: int, segments: Iterable[Segment]) -> Iterator[Segment]:
    each = iter(segments)
    while window := list(islice(each, size)):
        yield from (Segment(s.text.upper()) for s in window)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_bytes_and_slots_keep_their_order_whatever_is_read_ahead(size: int) -> None:
    written: list[str] = []
    result = b"".join(translated(words(written), lambda segments: in_windows(size, segments)))
    assert result == b"[A B C D 4]"


def test_a_document_without_segments_is_written_as_it_is() -> None:
    assert b"".join(translated(iter([b"a", lambda: b"b"]), iter)) == b"ab"


def test_a_translation_that_is_missing_is_an_error() -> None:
    with pytest.raises(AssertionError, match="fewer segments"):
        list(translated(words([]), lambda segments: islice(iter(segments), 3)))
