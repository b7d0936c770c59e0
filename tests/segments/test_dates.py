"""Dates, times and large numbers between Japanese or Chinese and languages that name the months."""

import re
import time
from datetime import date

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from seq2seq.segments.dates import found
from seq2seq.segments.keeping import Keeping, keep, restore
from seq2seq.segments.segment import VALUE, Segment

NAMING = ["cs", "da", "de", "en", "en-GB", "es", "fi", "fr", "it", "nl", "pl", "pt", "pt-BR", "sv", "tr"]


def written(text: str, src: str, tgt: str) -> list[str]:
    """What is kept of a text, as it is put back."""
    return [str(mark.code) for mark in keep(Segment(text), Keeping(src, tgt)).marks]


@given(
    st.dates(date(1000, 1, 1), date(2199, 12, 31)), st.sampled_from(NAMING), st.sampled_from(["ja", "zh", "zh-Hant"])
)
def test_a_date_is_written_as_cldr_does_in_both_languages(day: date, naming: str, numbering: str) -> None:
    named, numbered = (format_date(day, "long", locale=each.replace("-", "_")) for each in (naming, numbering))
    assert [date.text for date in found(f"x {numbered}。", numbering, naming)] == [french(named, naming)]
    assert [date.text for date in found(f"({named})", naming, numbering)] == [numbered]


def french(written: str, language: str) -> str:
    """The first of a month, which CLDR has as a number alone."""
    return re.sub(r"^(\w+ )?1 ", r"\g<1>1er ", written) if language == "fr" else written


@given(st.dates(date(1000, 1, 1), date(2199, 12, 31)), st.sampled_from(["de", "en", "es", "fr", "it", "nl", "pt"]))
def test_a_weekday_goes_with_its_date(day: date, tgt: str) -> None:
    text = format_date(day, "full", locale="en")
    assert [date.text for date in found(text, "en", tgt)] == [
        text if tgt == "en" else french(format_date(day, "full", locale=tgt), tgt)
    ]


@given(st.dates(date(1000, 1, 1), date(2199, 12, 31)), st.sampled_from(NAMING), st.sampled_from(NAMING))
def test_a_date_is_written_anew_between_languages_that_name_months(day: date, src: str, tgt: str) -> None:
    """In its own language it stays, so that both sides of a pair have the same."""
    one, other = (format_date(day, "long", locale=each.replace("-", "_")) for each in (src, tgt))
    same = src.split("-")[0] == tgt.split("-")[0]
    assert [date.text for date in found(f"x {one}!", src, tgt)] == [one if same else french(other, tgt)]
    assert [(date.text, date.before) for date in found(one, src, src)] == [(one, "")]


@pytest.mark.parametrize(
    ("text", "src", "tgt", "expected"),
    [
        ("Born on March 5, 2024.", "en", "de", [("5. März 2024", "am")]),
        ("On the 4th of July we", "en", "fr", [("4 juillet", "le")]),
        ("Since March 5", "en", "es", [("5 de marzo", "")]),
        ("Im August 1945", "de", "en", [("August 1945", "in")]),
        ("Mars 2020 et en mars 2021", "fr", "es", [("marzo de 2020", ""), ("marzo de 2021", "en")]),
        ("el 3 de marzo del 2020", "es", "nl", [("3 maart 2020", "op")]),
        ("op 3 maart", "nl", "ja", [("3月3日", "")]),
        ("3. März", "de", "pl", [("3 marca", "")]),
        ("on March 3", "en", "pl", [("3 marca", "")]),
        ("in March we", "en", "de", []),
        ("on Monday, June 12, 2024", "en", "de", [("Montag, 12. Juni 2024", "am")]),
        ("am Montag, dem 12. Juni", "de", "fr", [("lundi 12 juin", "le")]),
        ("Le lundi 1er juin", "fr", "es", [("lunes, 1 de junio", "el")]),
        ("Lunes 29 de febrero", "es", "en", [("Monday, February 29", "")]),
        ("op woensdag 12 juni 2024", "nl", "ja", [("2024年6月12日水曜日", "")]),
        ("on Monday, June 31", "en", "de", []),
        ("on Jan 5, 2020, 6 Dec. 2021", "en", "de", [("5. Januar 2020", "am"), ("6. Dezember 2021", "")]),
        ("am 5. Jan. 2020 im Okt. 2021", "de", "en", [("January 5, 2020", "on"), ("October 2021", "in")]),
        ("vinse 3 set", "it", "en", []),
        # Short names of months without a full stop, where a year follows; short weekdays; ordinal numbers.
        ("op 6 apr 2024, 6 apr. 2024 en 6 apr", "nl", "de", [("6. April 2024", "am"), ("6. April 2024", "")]),
        ("3 set 2020, 5 Mar 2020, 5 mar", "es", "en", [("March 5, 2020", "")]),
        ("Sat, Apr 6, 2024", "en", "de", [("Samstag, 6. April 2024", "")]),
        ("za 6 apr 2024", "nl", "en", [("Saturday, April 6, 2024", "")]),
        ("am Mo., 5. März", "de", "en", [("Monday, March 5", "on")]),
        ("lun. 5 mars", "fr", "es", [("lunes, 5 de marzo", "")]),
        ("op 1e mei en de 2de juni", "nl", "en", [("May 1", "on"), ("June 2", "")]),
        ("June 3-5 and 3 – 5 June 2024", "en", "de", [("3.–5. Juni", ""), ("3.–5. Juni 2024", "")]),
        ("am 3.-5. Juni 2024", "de", "en", [("June 3–5, 2024", "on")]),
        ("du 6-16 juin", "fr", "ja", [("6月6日～16日", "")]),
        ("June 1st-3rd", "en", "fr", [("1–3 juin", "")]),
        ("June 5-3", "en", "de", []),
        ("3-40 May", "en", "de", []),
        # A number behind a month is no day where days stand before it, and a large one behind a day no year.
        ("im Mai 3 Autos", "de", "en", []),
        ("en mars 3 personnes", "fr", "de", []),
        ("in March 12 people", "en", "de", []),
        ("on May 5, 3000 people", "en", "de", [("5. Mai", "am")]),
        ("at 12 May Street", "en", "de", []),
        ("from 3 to 5 p.m. or 7-9 pm", "en", "de", [("15 bis 17 Uhr", "von"), ("19–21 Uhr", "")]),
        ("AT 3 P.M. (EST)", "en", "de", [("15:00", "um")]),
        ("at 3 p.m.? At 4 p.m. I go", "en", "de", [("15:00", "um"), ("16:00", "um")]),
        # Times of twelve hours; a full stop behind them may be that of the sentence.
        ("at 3 p.m. today", "en", "de", [("15:00", "um")]),
        ("At 3:05 AM.", "en", "fr", [("3:05", "à")]),
        ("from 9 am to 12 p.m.", "en", "es", [("9:00", ""), ("12:00", "")]),
        ("12 a.m. and 12:30 pm", "en", "nl", [("0:00", ""), ("12:30", "")]),
        ("at 3:30 p.m., at 11 am", "en", "ja", [("午後3時30分", ""), ("午前11時", "")]),
        ("at 3 p.m.", "en", "zh", [("下午3点", "")]),
        ("at 13 pm, 3:60 pm, 3 amps", "en", "de", []),
        ("um 3 am Tag", "de", "en", []),
        ("moon March 3", "en", "de", [("3. März", "")]),
        ("March 20245", "en", "de", []),
    ],
)
def test_the_word_before_a_date(text: str, src: str, tgt: str, expected: list[tuple[str, str]]) -> None:
    assert [(date.text, date.before) for date in found(text, src, tgt)] == expected


@pytest.mark.parametrize(
    ("text", "src", "tgt", "expected"),
    [
        ("会議は2024年3月5日です", "ja", "en", ["March 5, 2024"]),
        ("会議は２０２４年３月５日です", "ja", "de", ["5. März 2024"]),
        ("2024年3月5日（火）に", "ja", "en", ["Tuesday, March 5, 2024"]),
        ("3月5日(火曜日)、3月5日 火曜日", "ja", "de", ["Dienstag, 5. März", "Dienstag, 5. März"]),
        ("3月5日（周二），3月5日星期二", "zh", "en", ["Tuesday, March 5", "Tuesday, March 5"]),
        ("3月5日（火）〜3月7日（木）", "ja", "en", ["Tuesday, March 5 – Thursday, March 7"]),
        ("2024年5月3日、4日、5日は", "ja", "en", ["May 3, 4 and 5, 2024"]),
        ("5月3日と4日", "ja", "de", ["3. und 4. Mai"]),
        ("5月3日、2日", "ja", "en", ["5", "3", "2"]),
        ("3月5日〜7日に", "ja", "en", ["March 5–7"]),
        ("3月5日から5月5日まで", "ja", "fr", ["5 mars au 5 mai"]),
        ("2024年 3月 5日", "ja", "en", ["March 5, 2024"]),
        ("2024年3月に", "ja", "es", ["marzo de 2024"]),
        ("2024年3月5号", "zh", "nl", ["5 maart 2024"]),
        ("2月29日", "ja", "en", ["February 29"]),
        ("3月", "ja", "en", ["3"]),
        ("令和6年3月5日", "ja", "en", ["6", "3", "5"]),
        ("2024年13月5日", "ja", "en", ["2024", "13", "5"]),
        ("2023年2月29日", "ja", "en", ["2023", "2", "29"]),
        ("12024年3月5日", "ja", "en", ["12024", "3", "5"]),
        ("1万2千人が", "ja", "en", ["12,000"]),
        ("2〜3万円", "ja", "en", ["2", "3"]),
        ("- March 5, 2024", "en", "de", ["- ", "5. März 2024"]),
        ("<b>March 5</b>", "en", "de", ["<b>", "5. März", "</b>"]),
        ("午後3時30分に", "ja", "en", ["3:30 PM"]),
        ("午前12時05分に", "ja", "de", ["00:05"]),
        ("下午3点30分", "zh", "fr", ["15:30"]),
        ("3時30分に", "ja", "en", ["3:30"]),
        ("3時間30分", "ja", "en", ["3", "30"]),
        ("1億2000万円", "ja", "en", ["120,000,000"]),
        ("1億2000万円", "ja", "de", ["120.000.000"]),
        ("1.5億", "ja", "en", ["150,000,000"]),
        ("3万人", "zh-Hans", "en", ["30,000"]),
        ("1,234万5,678", "ja", "en", ["12,345,678"]),
        ("1.00001万", "ja", "en", ["1.00001"]),
        ("On 5 March 2024, March 5th and May 5.", "en", "ja", ["2024年3月5日", "3月5日", "5月5日"]),
        ("in March 2024", "en", "ja", ["2024年3月"]),
        ("You may 5 times", "en", "ja", ["5"]),
        ("le 1er mars", "fr", "ja", ["3月1日"]),
        ("March 40, 2024", "en", "ja", ["40", "2024"]),
        ("March 5:30", "en", "ja", ["5:30"]),
        ("5 May 2024-2026", "en", "ja", ["5", "2024-2026"]),
        ("2024年3月5日", "ja", "zh", ["2024", "3", "5"]),
        ("March 5, 2024", "en", "de", ["5. März 2024"]),
        ("March 5, 2024", "en", "en", ["March 5, 2024"]),
        ("March 5, 2024", "en", "xx", ["5", "2024"]),
        ("2024年3月5日", "ja", "xx", ["2024", "3", "5"]),
    ],
)
def test_dates_times_and_large_numbers(text: str, src: str, tgt: str, expected: list[str]) -> None:
    assert written(text, src, tgt) == expected


def test_the_full_stop_of_a_sentence_is_no_part_of_a_date_or_a_time() -> None:
    for text, rest in (
        ("See you on 5 May.", "See you on ."),
        ("She came on 12 May. He left.", "She came on . He left."),
        ("She came on 5 Dec. He left.", "She came on . He left."),
        ("Until 5 Dec.", "Until ."),
        ("On 5 Dec., or on 5 Dec. we", "On , or on  we"),
        ("He said: “Come at 3 p.m.”", "He said: “Come at .”"),
        ("Is it 3 p.m.?", "Is it ?"),
        ("It is 3 p.m.", "It is ."),
        ("At 3 p.m., we", "At , we"),
        ("At 3 p.m. He", "At . He"),
    ):
        assert keep(Segment(text), Keeping("en", "de")).text == rest


def test_short_names_of_months_give_the_full_stop_back() -> None:
    for src, text, rest in (("fr", "Le 5 déc.", "Le ."), ("de", "Am 5. Dez., am 5. Dez. ist", "Am , am  ist")):
        assert keep(Segment(text), Keeping(src, "en")).text == rest


@pytest.mark.parametrize("text", ["`2024年3月5日`", "{{ 3月5日 }}", "<a title='3月5日'>"])
def test_what_is_kept_whole_holds_no_date(text: str) -> None:
    assert written(f"x {text}", "ja", "en") == [text]


def test_a_pattern_of_the_users_comes_first() -> None:
    keeping = Keeping("ja", "en", patterns=["3月"])
    assert [str(mark.code) for mark in keep(Segment("3月5日"), keeping).marks] == ["3月", "5"]


def test_a_date_is_one_value_and_is_put_back() -> None:
    segment = keep(Segment("会議は2024年3月5日です"), Keeping("ja", "en"))
    assert [(mark.kind, mark.code.source) for mark in segment.marks] == [(VALUE, "2024年3月5日")]
    assert restore(segment).text == "会議はMarch 5, 2024です"


def test_a_model_without_pieces_is_given_the_date_itself() -> None:
    assert not keep(Segment("3月5日"), Keeping("ja", "en", lenient=True)).marks


def test_many_dates_take_linear_time() -> None:
    def seconds(count: int) -> float:
        text, start = "2024年3月5日-3月5日に`x`" * count, time.perf_counter()
        keep(Segment(text), Keeping("ja", "en"))
        return time.perf_counter() - start

    seconds(100)
    assert min(seconds(4000) for _ in range(3)) < 12 * min(seconds(1000) for _ in range(3))
