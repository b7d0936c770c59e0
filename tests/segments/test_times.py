"""Times of day are one value, in the form of the target language; durations and other numbers are none."""

import pytest

from seq2seq.segments.keeping import Keeping, Kept, keep
from seq2seq.segments.segment import Mark, Segment


def values(text: str, src: str, tgt: str) -> list[tuple[str, str]]:
    """What is kept of a text with the word before it."""
    marks = keep(Segment(text), Keeping(src, tgt)).marks
    return [(m.code.before, str(m.code)) for m in marks if isinstance(m, Mark) and isinstance(m.code, Kept)]


@pytest.mark.parametrize(
    ("text", "src", "tgt", "expected"),
    [
        ("Um 15:30 Uhr, 15.30 Uhr", "de", "en", [("at", "15:30"), ("", "15:30")]),
        ("um 15 Uhr 30, um 9 Uhr", "de", "fr", [("à", "15:30"), ("à", "9 heures")]),
        ("Um 15 Uhr 30 Leute", "de", "en", [("at", "15:00"), ("", "30")]),
        ("um 3.05 Euro", "de", "en", [("", "3.05")]),
        ("à 9h15, 15h30 et 15 h 30", "fr", "de", [("um", "9:15"), ("", "15:30"), ("", "15:30")]),
        ("à 9 heures, vers 15 h", "fr", "ja", [("", "9時"), ("", "15時")]),
        ("om 15.30 uur, om 9 uur", "nl", "de", [("um", "15:30"), ("um", "9 Uhr")]),
        ("a las 15:30 h, a las 9 horas", "es", "en", [("at", "15:30"), ("at", "9 o'clock")]),
        ("at 15:30, at 9 o'clock", "en", "nl", [("om", "15:30"), ("om", "9 uur")]),
        ("3時半に、午後3時半に、9時に", "ja", "en", [("", "3:30"), ("", "3:30 PM"), ("", "9")]),
        ("１０時３０分発、午後1時から3時", "ja", "en", [("", "10:30"), ("from", "1:00 PM to 3:00 PM")]),
        ("下午3点、3点钟", "zh", "en", [("", "3:00 PM"), ("", "3 o'clock")]),
        ("a las 3 p. m., entre las 3 y las 5 p.m.", "es", "en", [("at", "15:00"), ("", "15:00 and 17:00")]),
        ("de las 3 a las 5:30 p.m.", "es", "de", [("von", "15 bis 17:30 Uhr")]),
        ("at 3.30 pm", "en", "de", [("um", "15:30")]),
        # Durations, and what is no time.
        ("Un trajet de 2h30, à 2h30 de Paris", "fr", "de", [("", "2"), ("", "30"), ("", "2"), ("", "30")]),
        ("pendant 9 heures, à 9 heures du matin", "fr", "de", [("", "9"), ("", "9")]),
        ("las 24 horas, a las 9 h de la tarde", "es", "en", [("", "24"), ("", "9")]),
        ("9 uur lang", "nl", "en", [("", "9")]),
        ("10点を取った", "ja", "en", [("", "10")]),
        ("à 3 heures et demie", "fr", "ja", [("", "3")]),
        ("9時間、3時30分間", "ja", "en", [("", "9"), ("", "3"), ("", "30")]),
        ("at 15:61, at 3:30:15", "en", "de", [("", "15:61"), ("", "3:30:15")]),
        # Two times, of which one has the unit of both.
        ("from 3 to 5 p.m.", "en", "de", [("von", "15 bis 17 Uhr")]),
        ("from 11 to 1 p.m.", "en", "es", [("de las", "11:00 a las 13:00")]),
        ("9-11 am and 3-5:30 p.m.", "en", "fr", [("", "9–11 heures"), ("", "15:00–17:30")]),
        ("9-11 am, from 3 till 5 p.m.", "en", "ja", [("", "午前9時～午前11時"), ("", "午後3時から午後5時まで")]),
        ("between 3 and 5 p.m.", "en", "de", [("", "15:00 und 17:00")]),
        ("at 3 or 5 p.m.", "en", "de", [("um", "15:00 oder 17:00")]),
        ("until 3 or 4 p.m. today", "en", "de", [("", "3"), ("", "4")]),
        ("de 22h30 à 6h", "fr", "de", [("von", "22:30 bis 6 Uhr")]),
        ("de 8h30 à 12h15", "fr", "en", [("from", "8:30 to 12:15")]),
        ("desde las 10:40h hasta las 11h", "es", "en", [("from", "10:40 to 11:00")]),
        ("von 9:30 Uhr bis 18 Uhr", "de", "fr", [("de", "9:30 à 18:00")]),
        ("9時〜18時、9〜18時", "ja", "de", [("", "9–18 Uhr"), ("", "9–18 Uhr")]),
        ("9 a.m. - 5 p.m.", "en", "de", [("", "9–17 Uhr")]),
    ],
)
def test_times(text: str, src: str, tgt: str, expected: list[tuple[str, str]]) -> None:
    assert values(text, src, tgt) == expected


@pytest.mark.parametrize(
    ("src", "one", "tgt", "other"),
    [
        ("de", "um 9 Uhr", "en", "at 9 o'clock"),
        ("fr", "à 15h30", "de", "um 15:30 Uhr"),
        ("en", "at 3 p.m.", "de", "um 15 Uhr"),
        ("ja", "午後3時に", "en", "at 3 p.m."),
        ("de", "um 15 Uhr", "ja", "午後3時に"),
        ("en", "from 3 to 5 p.m.", "fr", "de 15 h à 17 h"),
        ("ja", "9時半から18時まで", "en", "from 9:30 to 18:00"),
    ],
)
def test_a_time_is_the_same_on_both_sides_of_a_pair(src: str, one: str, tgt: str, other: str) -> None:
    (source,) = keep(Segment(one), Keeping(src, tgt)).marks
    (target,) = keep(Segment(other), Keeping(tgt, tgt)).marks
    assert source.code.key == target.code.key
