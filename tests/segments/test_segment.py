"""Segments: text and marks, taken apart and put together."""

import pytest

from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark, Segment

SEGMENT = Segment("ab cd", (Mark(0, OPEN, 1), Mark(2, CLOSE, 1), Mark(2, ALONE, 2), Mark(5, VALUE, 3)))


def test_parts_are_the_texts_and_the_marks_in_order() -> None:
    one, two, three, four = SEGMENT.marks
    assert SEGMENT.parts() == [one, "ab", two, three, " cd", four]
    assert Segment("ab").parts() == ["ab"]
    assert Segment("").parts() == []


def test_a_segment_is_made_of_its_parts() -> None:
    assert Segment.of_parts(SEGMENT.parts()) == SEGMENT
    assert Segment.of_parts(["x", *SEGMENT.parts()]).marks[0].position == 1


@pytest.mark.parametrize(
    ("kinds", "balanced"),
    [
        ([], True),
        ([ALONE, VALUE], True),
        ([OPEN, OPEN, CLOSE, ALONE, CLOSE], True),
        ([OPEN], False),
        ([CLOSE, OPEN], False),
        ([OPEN, CLOSE, CLOSE], False),
    ],
)
def test_balanced_marks(kinds: list[str], balanced: bool) -> None:
    assert Segment("", tuple(Mark(0, kind, None) for kind in kinds)).balanced() is balanced
