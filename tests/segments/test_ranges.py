"""Ranges of dates, times and numbers are one value, with the words that the target language has around it."""

import pytest

from seq2seq.segments.keeping import Keeping, Kept, keep
from seq2seq.segments.segment import Mark, Segment


def values(text: str, src: str, tgt: str) -> list[Kept]:
    """What is kept of a text."""
    marks = keep(Segment(text), Keeping(src, tgt)).marks
    return [mark.code for mark in marks if isinstance(mark, Mark) and isinstance(mark.code, Kept)]


@pytest.mark.parametrize(
    ("text", "src", "tgt", "expected"),
    [
        # Days, months and times, with the words for each.
        ("We were there from 3 June to 15 July.", "en", "de", [("vom", "3. Juni bis 15. Juli")]),
        ("Wir waren vom 3. Juni bis zum 15. Juli da.", "de", "fr", [("du", "3 juin au 15 juillet")]),
        ("Du 3 juin 2020 au 15 juillet 2021.", "fr", "es", [("del", "3 de junio de 2020 al 15 de julio de 2021")]),
        ("May 3 until June 5", "en", "nl", [("", "3 mei tot 5 juni")]),
        ("from May 2019 to June 2020", "en", "de", [("von", "Mai 2019 bis Juni 2020")]),
        ("From 9 a.m. to 5:30 p.m. we", "en", "es", [("de las", "9:00 a las 17:30")]),
        ("from May 3 to June 2020", "en", "de", [("", "3. Mai"), ("", "Juni 2020")]),
        # Several days of a month.
        ("from 3 to 5 May", "en", "de", [("vom", "3. bis 5. Mai")]),
        ("From the 1st to the 5th of May", "en", "fr", [("du", "1er au 5 mai")]),
        ("vom 3. bis zum 5. Mai 2020", "de", "en", [("from", "May 3 to 5, 2020")]),
        ("op 3 tot 5 mei", "nl", "es", [("", "3 al 5 de mayo")]),
        ("from 5 to 3 May", "en", "de", [("von", "5 bis 3")]),
        ("3 to 5 May", "en", "pl", [("", "3–5 maja")]),
        # Hours, in the form of the language; the word for the hour may stand behind each.
        ("von 9:30 bis 18 Uhr", "de", "en", [("from", "9:30 to 18:00")]),
        ("from 9:00 to 12:30", "en", "ja", [("", "9時から12時30分まで")]),
        ("from 9:00 to 12:30", "en", "es", [("de las", "9:00 a las 12:30")]),
        ("von 9 Uhr bis 12 Uhr", "de", "nl", [("van", "9 tot 12 uur")]),
        ("de 9 h à 18 h", "fr", "de", [("von", "9 bis 18 Uhr")]),
        ("de 9 à 18 heures", "fr", "es", [("de las", "9:00 a las 18:00")]),
        ("de las 9 a las 18", "es", "fr", [("de", "9 à 18 heures")]),
        ("von 9:30 bis 18 Uhr", "de", "ja", [("", "9時30分から18時まで")]),
        # Numbers: where the first word has many uses, or there is none, they rise.
        ("It takes from 5 to 10 minutes.", "en", "de", [("von", "5 bis 10")]),
        ("It takes 5 to 10 minutes.", "en", "de", [("", "5 bis 10")]),
        ("Il est allé de 5 à 20.", "fr", "de", [("von", "5 bis 20")]),
        ("Il est allé de 20 à 5.", "fr", "de", [("", "20"), ("", "5")]),
        ("It fell from 20 to 5.", "en", "fr", [("de", "20 à 5")]),
        ("Seiten 12 bis 18", "de", "en", [("", "12 to 18")]),
        ("Add 5 to 10.", "en", "de", [("", "5"), ("", "10")]),
        ("It was 5 to 10 at the end.", "en", "de", [("", "5"), ("", "10")]),
        ("They won 10 to 5 games.", "en", "de", [("", "10"), ("", "5")]),
        ("from 1.5 to 2.5 km and 3", "en", "de", [("von", "1,5 bis 2,5 km"), ("", "3")]),
        ("1 bis 2 bis 3", "de", "en", [("", "1 to 2"), ("", "3")]),
        # Japanese and Chinese have units in between.
        ("He lived from 1939 to 1945.", "en", "ja", [("", "1939年から1945年まで")]),
        ("1939年から1945年まで", "ja", "de", [("von", "1939 bis 1945")]),
        ("5分から10分かかる", "ja", "en", [("from", "5 to 10")]),
        ("10から5を引く", "ja", "en", [("", "10"), ("", "5")]),
        ("9時から18時まで", "ja", "fr", [("de", "9 à 18 heures")]),
        ("5月3日から5日までと6月7日～9日", "ja", "en", [("from", "May 3 to 5"), ("", "June 7–9")]),
        ("从5月3日到6月5日", "zh", "en", [("from", "May 3 to June 5")]),
        ("from 3 to 5 people", "en", "ja", [("", "3～5")]),
        # A language that is not known here, or code in between.
        ("from 3 to 5 people", "en", "pl", [("", "3"), ("", "5")]),
        ("from 3 to `x` 5 people", "en", "de", [("", "3"), ("", "`x`"), ("", "5")]),
    ],
)
def test_ranges(text: str, src: str, tgt: str, expected: list[tuple[str, str]]) -> None:
    assert [(value.before, str(value)) for value in values(text, src, tgt)] == expected


@pytest.mark.parametrize(
    ("src", "one", "tgt", "other"),
    [
        ("en", "from 3 to 5 May", "de", "vom 3. bis 5. Mai"),
        ("de", "vom 3. Juni bis zum 15. Juli", "en", "from June 3 through July 15"),
        ("fr", "de 9 h à 18 h", "de", "von 9 Uhr bis 18 Uhr"),
        ("ja", "1939年から1945年まで", "es", "desde 1939 hasta 1945"),
        ("en", "5 to 10 minutes", "nl", "5 tot en met 10 minuten"),
    ],
)
def test_a_range_is_the_same_on_both_sides_of_a_pair(src: str, one: str, tgt: str, other: str) -> None:
    (source,), (target,) = values(one, src, tgt), values(other, tgt, tgt)
    assert source.key == target.key == str(source)
    assert str(target) in other
