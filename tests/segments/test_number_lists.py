"""Lists of numbers are one value, with what the target language writes between its numbers."""

import pytest

from seq2seq.segments.keeping import Keeping, Kept, keep
from seq2seq.segments.segment import Mark, Segment

LATER = ["2024-05-17", "+49 30 123456", "+49 30 123457"]


def values(text: str, src: str, tgt: str) -> list[str]:
    """What is kept of a text, as it is put back."""
    marks = keep(Segment(text), Keeping(src, tgt)).marks
    return [str(mark.code) for mark in marks if isinstance(mark, Mark) and isinstance(mark.code, Kept)]


@pytest.mark.parametrize(
    ("text", "src", "tgt", "expected"),
    [
        ("The numbers are 11, 18, 25 and 32.", "en", "de", ["11, 18, 25 und 32"]),
        ("The numbers are 11, 18, and 25.", "en", "fr", ["11, 18 et 25"]),
        ("Call 555-1234, 555-2345 or 555-3456 now.", "en", "es", ["555-1234, 555-2345 o 555-3456"]),
        ("4, 8, 15, 16.", "en", "ja", ["4、8、15、16"]),
        ("It costs 1.5, 2.5 or 1,300.5 euros.", "en", "de", ["1,5, 2,5 oder 1.300,5"]),
        ("Er nahm 1,5, 2,5 und 3,5 Liter.", "de", "en", ["1.5, 2.5 and 3.5"]),
        ("当選番号は11、18、25と32です。", "ja", "en", ["11, 18, 25 and 32"]),
        ("11、18または25です。", "ja", "de", ["11, 18 oder 25"]),
        ("11、18、25です。", "zh", "ja", ["11、18、25"]),
        ("At 5 km, 10 km and 20 km there is water.", "en", "de", ["5 km, 10 km und 20 km"]),
        ("No. 1, 2, 2024-05-17, +49 30 123456, +49 30 123457.", "en", "de", [*"12", *LATER]),
        ("It needs 1.2.3, 1.2.4 or 2.0.", "en", "de", ["1.2.3, 1.2.4 oder 2.0"]),
        # Two numbers are no list, nor are those of a date, or with words between.
        ("He has 5 and 7 of them.", "en", "de", ["5", "7"]),
        ("On May 5, 2019, 3 people came.", "en", "de", ["5. Mai 2019", "3"]),
        ("We need 3 eggs, 4 apples and 5 pears.", "en", "de", ["3", "4", "5"]),
        # Lists follow one another; a list ends with its last word.
        ("1, 2 and 3, 4, 5 or 6 came.", "en", "nl", ["1, 2 en 3", "4, 5 of 6"]),
        ("1 and 2 and 3 are here.", "en", "de", ["1", "2", "3"]),
        # In one language it stays as it is; where it is not known, each number is kept.
        ("The numbers are 11, 18, and 25.", "en", "en-GB", ["11, 18, and 25"]),
        ("1, 2, 3", "en", "xx", ["1", "2", "3"]),
        ("1, 2, 3", "en", "ar", ["1", "2", "3"]),
        ("\u0661, \u0662, \u0663", "en", "en", ["1, 2, 3"]),
    ],
)
def test_lists_of_numbers(text: str, src: str, tgt: str, expected: list[str]) -> None:
    assert values(text, src, tgt) == expected


def test_a_list_is_the_same_on_both_sides_of_a_pair() -> None:
    for src, tgt, one, other in (
        ("en", "de", "The numbers are 11, 18 and 25.", "Die Zahlen sind 11, 18 und 25."),
        ("fr", "ja", "Ce sont 11, 18 ou 25.", "11、18または25です。"),
    ):
        assert values(one, src, tgt) == values(other, tgt, tgt)
