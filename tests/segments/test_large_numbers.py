"""Large numbers are written by ten thousands in Japanese and Chinese, and by thousands elsewhere."""

import time

import pytest

from seq2seq.segments.keeping import Keeping, keep
from seq2seq.segments.segment import Segment


@pytest.mark.parametrize(
    ("text", "src", "tgt", "expected"),
    [
        ("3 million yen, 2.5 million", "en", "ja", ["300万", "250万"]),
        ("5 billion, 10 thousand, 3 thousand", "en", "ja", ["50億", "1万", "3000"]),
        ("1,234.5 million, $3 million, 120-million", "en", "ja", ["12億3450万", "$300万", "1億2000万"]),
        ("3 Millionen Yen, 2,5 Milliarden", "de", "ja", ["300万", "25億"]),
        ("3 millions de yens, 2 milliards", "fr", "zh", ["300万", "20亿"]),
        ("3 millones de yenes, 5 mil millones", "es", "ja", ["300万", "50億"]),
        ("3 miljoen yen", "nl", "zh-Hant", ["300萬"]),
        ("from 3 to 5 million, $3-5 million", "en", "ja", ["300万～500万", "$300万～500万"]),
        ("3 bis 5 Millionen", "de", "ja", ["300万～500万"]),
        ("0 million, 2020 to 5 million", "en", "ja", ["0", "2020", "5"]),
        ("3 million", "en", "de", ["3"]),
        ("1.2345678 million, 3 millionaires", "en", "ja", ["1.2345678", "3"]),
        ("2万5千円、3千円、1千万円", "ja", "en", ["25,000", "3,000", "10,000,000"]),
        ("2億3千5百万", "ja", "de", ["235.000.000"]),
        ("5千十", "ja", "en", ["5"]),
    ],
)
def test_large_numbers(text: str, src: str, tgt: str, expected: list[str]) -> None:
    assert [str(mark.code) for mark in keep(Segment(text), Keeping(src, tgt)).marks] == expected


def test_a_large_number_is_the_same_on_both_sides_of_a_pair() -> None:
    (source,) = keep(Segment("2.5 million"), Keeping("en", "ja")).marks
    (target,) = keep(Segment("250万"), Keeping("ja", "ja")).marks
    assert (source.code.key, str(source.code)) == (target.code.key, str(target.code))


@pytest.mark.parametrize(
    ("unit", "src", "tgt"), [("0 ", "en", "ja"), ("1,", "en", "ja"), ("3 to ", "en", "ja"), ("1万", "ja", "en")]
)
def test_time_grows_with_the_length_alone(unit: str, src: str, tgt: str) -> None:
    begin = time.process_time()
    keep(Segment(f"{unit * 10_000}十"), Keeping(src, tgt))
    assert time.process_time() - begin < 5
