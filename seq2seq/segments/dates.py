"""Dates as the target language writes them, and times and large numbers between Japanese or Chinese and others.

A model that reads their digits one by one has to put them in another order, and does not; of the names of months it
knows some. The forms of each language are those of CLDR. The word before a date is known, too: "on March 5" is "am 5.
März", "le 5 mars".
"""

import re
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from seq2seq.segments import ranges
from seq2seq.segments.numbers import locale_of
from seq2seq.segments.ranges import Found
from seq2seq.segments.words import primary

_NUMBERED = frozenset(("ja", "zh", "yue"))  # languages whose months are numbers


class _Adverbs(NamedTuple):
    """How a language says when something is."""

    day: str  # before a day
    month: str  # before a month with its year
    time: str  # before a time
    others: str  # further prepositions and articles that a model writes before numbers


_ADVERBS = {
    "de": _Adverbs("am", "im", "um", "auf bei dem den der in"),
    "en": _Adverbs("on", "in", "at", "by for from of the to"),
    "es": _Adverbs("el", "en", "a las", "a al con de del la las lo los por sobre"),
    "fr": _Adverbs("le", "en", "à", "au aux dans de du la pour sur"),
    "it": _Adverbs("il", "nel", "alle", "a al di in la per su"),
    "nl": _Adverbs("op", "in", "om", "bij de"),
    "pt": _Adverbs("em", "em", "às", "a ao de no na o para"),
}

# The year, the month and the day; a year of an era before them (令和6年3月5日) is left to the model with all of it.
_DATE = r"(?<![\d年])(?:(?P<year>\d{3,4})年\s?)?(?P<month>\d{1,2})月(?:\s?(?P<day>\d{1,2})[日号號]"
_DATE += r"(?:(?:[〜～~–-]|(?P<words>から|到|至))(?P<until>\d{1,2})[日号號](?(words)(?:まで)?))?)?"
_TIME = r"(?:(?P<morning>午前|上午)|(?P<afternoon>午後|下午))?(?P<hour>\d{1,2})[時时点點](?P<minute>\d{2})分"
# In English, half past three in the afternoon is 3:30 p.m., whose full stop may be that of the sentence.
_TWELVE = (
    r"(?:(?i:at)\s)?(?P<of_time>(?P<twelve>1[0-2]|0?[1-9])(?::(?P<minutes>[0-5]\d))?\s?"
    r"(?P<half>(?:[ap]\.m|[AP]\.M)(?:\.(?=[,;:!?)\]”’\x22/–-]|\s+[a-z\d(]|\s+(?:I|[A-Z]{2,4})\b))?|[ap]m|[AP]M)(?!\w))"
)
_LARGE = r"(?P<large>(?<![\d.,])(?:\d+(?:,\d{3})*(?:\.\d+)?[兆億亿万萬])+(?:\d+(?:,\d{3})*)?+(?![千百十]))"
_HALVES = {"ja": ["午前", "午後", "時", "分"], "zh": ["上午", "下午", "点", "分"], "yue": ["上午", "下午", "點", "分"]}
_COUNTER = re.compile("[年月日時时點点分人歳番](?![本曜間间々])")
_AND_NUMBER = re.compile(r"\d(?:\s?[-–~〜～,、]\s?|,?\s(?:and|or|to|until)\s)$")
_KINDS = {
    "until": ranges.RANGE,
    "until_after": ranges.RANGE,
    "day": ranges.DAY,
    "month": ranges.MONTH,
    "hour": ranges.TIME,
}
_SIZES = {"兆": 10**12, "億": 10**8, "亿": 10**8, "万": 10**4, "萬": 10**4}


def found(text: str, src: str, tgt: str) -> Iterator[Found]:
    """What of a text is written otherwise in the language `tgt`; in the same language it stays as it is."""
    numbered, to_numbered = primary(src) in _NUMBERED, primary(tgt) in _NUMBERED
    locale, source = locale_of(tgt), locale_of(src)
    same = primary(src) == primary(tgt)
    if locale is None or source is None or (numbered and to_numbered and not same):
        return
    for match in (_numbered() if numbered else _named(source, primary(src))).finditer(text):
        groups = match.groupdict()
        place = next((name for name in _Adverbs._fields if groups.get(f"of_{name}")), "")
        written = _written(match, locale, source)
        shares_unit = groups.get("twelve") or groups.get("large")  # with a number before it: from 3 to 5 p.m., 2〜3万円
        if not written or (shares_unit and _AND_NUMBER.search(text[max(0, match.start() - 12) : match.start()])):
            continue
        begin, end = match.start(f"of_{place}" if place else 0), match.end()
        kind = next((kind for part, kind in _KINDS.items() if groups.get(part)), place)
        if same:
            yield Found(begin, end, text[begin:end], written, "", kind)
            continue
        adverbs = _ADVERBS.get(primary(tgt)) if begin > match.start() else None
        before = getattr(adverbs, place) if adverbs else ""
        if groups.get("words") or groups.get("words_after"):
            before = ranges.first_word(text, begin, src, tgt)
        yield Found(begin, end, written, written, before, kind)


@cache
def words_before(src: str, tgt: str) -> frozenset[str]:
    """The words of the target language, and of the source, that a model may write before a date or a time."""
    target, source = _ADVERBS.get(primary(tgt)), _ADVERBS.get(primary(src))
    words = frozenset(" ".join([*(target or ()), *(source[:3] if source else ())]).split())
    return words | ranges.first_words(tgt) | ranges.first_words(src)


def counters(language: str, written: str) -> re.Pattern[str] | None:
    """What a model may write behind a date or a time as behind a number, of a language that counts so: 3月5日年."""
    if repeated := ranges.repeated(language, written):
        return repeated
    return _COUNTER if primary(language) in _NUMBERED else None


@cache
def _numbered() -> re.Pattern[str]:
    return re.compile(f"{_DATE}|{_TIME}|{_LARGE}")


@cache
def _named(locale: Any, language: str) -> re.Pattern[str]:
    """Dates with the name of the month, the day before or after it, and months with a year."""
    months, weekdays = (f"(?:{'|'.join(map(re.escape, names(locale)))})" for names in (_months, _weekdays))
    year = r"(?:,?\s(?:del?\s)?(?P<{0}>1\d{{3}}|2[01]\d\d)(?!\d))?(?!\w)".format
    adverbs = _ADVERBS.get(language)
    on_day, on_month = (rf"(?:(?i:{word})\s(?:the\s)?)?" if adverbs else "" for word in (adverbs or ("", ""))[:2])
    weekday = rf"(?:(?P<weekday>{weekdays}),?\s(?:(?:the|de[mn])\s)?)?"
    gap = rf"\s?[-–]\s?|\s(?P<words{{}}>(?i:{ranges.words_between(language)}))\s(?:(?:the|de[mn]|el|le)\s)?".format

    def days(name: str, ordinal: str) -> str:
        return rf"(?P<day{name}>\d{{1,2}}){ordinal}(?:(?:{gap(name)})(?P<until{name}>\d{{1,2}}){ordinal})?"

    day = rf"{days('', '(?:[.]|th|st|nd|rd|er|º)?')}\s(?:de\s|of\s)?(?P<month>{months})(?!\w){year('year')}"
    day_after = rf"(?P<month_first>{months})\s{days('_after', '(?:th|st|nd|rd)?')}(?![\w:.]\d){year('year_after')}"
    alone = rf"(?P<month_alone>{months})\s(?:del?\s)?(?P<year_alone>1\d{{3}}|2[01]\d\d)(?![\w:.]\d|\w)"
    # In other languages what follows on a month is no day: im Mai 3 Autos.
    form, time_of_half = (rf"{day}|(?<!\b[Ii]n\s){day_after}", f"|{_TWELVE}") if language == "en" else (day, "")
    street = r"(?!\s(?:Street|Road|Avenue|Lane)\b)"
    named = rf"{on_day}(?P<of_day>{weekday}(?:{form})){street}|{on_month}(?P<of_month>{alone})"
    return re.compile(rf"(?<!\w)(?:{named}{time_of_half})")


@cache
def _months(locale: Any) -> dict[str, int]:
    """The numbers of months by their names, the longest first; also by those that begin a sentence.

    Short ones end with a full stop, but in English they need none: in other languages many are words.
    """
    wide, short = (locale.months["format"][width].items() for width in ("wide", "abbreviated"))
    names = {str(name): number for number, name in short if str(name).endswith(".") or locale.language == "en"}
    if locale.language == "en":
        names |= {f"{name}.": number for name, number in names.items()}
    return _with_capitals(names | {str(name): number for number, name in wide})


@cache
def _weekdays(locale: Any) -> dict[str, int]:
    """The numbers of weekdays, from Monday as 0 on, by their names; also by those that begin a sentence."""
    return _with_capitals({str(name): number for number, name in locale.days["format"]["wide"].items()})


def _with_capitals(names: dict[str, int]) -> dict[str, int]:
    """The names, the longest first, and with a capital."""
    names |= {name[0].upper() + name[1:]: number for name, number in names.items()}
    return dict(sorted(names.items(), key=lambda item: -len(item[0])))


def _written(match: re.Match[str], locale: Any, source: Any) -> str:
    """What was found, in the target language; empty if it is none, such as the 40th of March."""
    found = {name: value for name, value in match.groupdict().items() if value}
    if large := found.get("large"):
        return _number(large, locale)
    if "twelve" in found:
        return _time_of_half(found, locale)
    try:
        if "hour" in found:
            return _time(found, locale)
        return _date(found, locale, source)
    except ValueError:
        return ""


def _date(found: dict[str, str], locale: Any, source: Any) -> str:
    from babel.dates import format_skeleton

    name = found.get("month") or found.get("month_first") or found["month_alone"]
    month = int(name) if name.isdecimal() else _months(source)[name]
    year, day, until = (found.get(part) or found.get(f"{part}_after") for part in ("year", "day", "until"))
    year = year or found.get("year_alone")
    if not (year or day):
        return ""
    parts = ("y" if year else "") + "MMMM" + ("d" if day else "")
    if weekday := found.get("weekday"):
        number = _weekdays(source)[weekday]
        near = _on(number, month, int(day or 1))  # the year that is named may be another
        short, wide = (locale.days["format"][width][number] for width in ("abbreviated", "wide"))
        written = str(format_skeleton(parts.replace("d", "EEEEd"), near, locale=locale))
        written = written if wide in written else re.sub(rf"\b{re.escape(short)}(?!\w)", wide, written)
        written = written.replace(str(near.year), year or "")
    else:
        # 2000 is a leap year, as the year that is not named may be.
        written = str(format_skeleton(parts, date(int(year or 2000), month, int(day or 1)), locale=locale))
    if until:
        date(int(year or 2000), month, int(until))  # ValueError: there is no such day
        words = "words" in found or "words_after" in found
        return ranges.of_days(written, int(day or 0), int(until), locale.language, words)
    return re.sub(r"\b1 (?=\D)", "1er ", written) if locale.language == "fr" and day else written


def _on(weekday: int, month: int, day: int) -> date:
    """A date on this weekday.

    Raises:
        ValueError: there is no such day.
    """
    for year in range(2000, 2400):
        if not (month == 2 and day == 29 and year % 4) and date(year, month, day).weekday() == weekday:
            return date(year, month, day)
    raise ValueError


def _time(found: dict[str, str], locale: Any) -> str:
    from babel.dates import format_time

    hour, minute = int(found["hour"]), int(found["minute"])
    if "afternoon" not in found and "morning" not in found:
        return f"{hour}:{minute:02}" if hour <= 24 and minute < 60 else ""
    written = format_time(time(hour % 12 + 12 * ("afternoon" in found), minute), "short", locale=locale)
    return str(written).replace("\u202f", " ")


def _time_of_half(found: dict[str, str], locale: Any) -> str:
    """3:30 p.m. is 15:30, and 午後3時30分 in Japanese."""
    hour, minutes = int(found["twelve"]) % 12, found.get("minutes")
    afternoon = found["half"][0] in "pP"
    if locale.language not in _HALVES:
        return f"{hour + 12 * afternoon}:{minutes or '00'}"
    *halves, of_hour, of_minutes = _HALVES[locale.language]
    return f"{halves[afternoon]}{hour}{of_hour}" + (f"{int(minutes)}{of_minutes}" if minutes else "")


def _number(large: str, locale: Any) -> str:
    """1億2000万 is 120,000,000."""
    from babel.numbers import format_decimal

    plain, value = large.replace(",", ""), Decimal(0)
    for digits, size in re.findall(r"(\d+(?:\.\d+)?)(\D?)", plain):
        value += Decimal(digits) * _SIZES.get(size, 1)
    return str(format_decimal(value, locale=locale)) if value == value.to_integral() else ""
