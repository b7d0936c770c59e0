"""Dates, times and large numbers between Japanese or Chinese and other languages: 2024年3月5日 is March 5, 2024.

A model that reads their digits one by one has to put them in another order, and does not. The forms of each language
are those of CLDR. Between languages that name the months, dates are left to the model, which inflects what is around.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, time
from decimal import Decimal
from functools import cache
from typing import Any

from seq2seq.segments.numbers import locale_of
from seq2seq.segments.words import primary

_NUMBERED = frozenset(("ja", "zh", "yue"))  # languages whose months are numbers

# The year, the month and the day; a year of an era before them (令和6年3月5日) is left to the model with all of it.
_DATE = r"(?<![\d年])(?:(?P<year>\d{3,4})年\s?)?(?P<month>\d{1,2})月(?:\s?(?P<day>\d{1,2})[日号號])?"
_TIME = r"(?:(?P<morning>午前|上午)|(?P<afternoon>午後|下午))?(?P<hour>\d{1,2})[時时点點](?P<minute>\d{2})分"
_LARGE = r"(?P<large>(?<![\d.,])(?:\d+(?:,\d{3})*(?:\.\d+)?[兆億亿万萬])+(?:\d+(?:,\d{3})*)?)"
_SIZES = {"兆": 10**12, "億": 10**8, "亿": 10**8, "万": 10**4, "萬": 10**4}

Found = tuple[int, int, str]  # where it begins and ends, and what it is in the target language


def found(text: str, src: str, tgt: str) -> Iterator[Found]:
    """What of a text is written in another order in the language `tgt`, if one of both is Japanese or Chinese."""
    if (primary(src) in _NUMBERED) == (primary(tgt) in _NUMBERED):
        return
    locale, source = locale_of(tgt), locale_of(src)
    if locale is None or source is None:
        return
    for match in (_numbered() if primary(src) in _NUMBERED else _named(source)).finditer(text):
        if written := _written(match, locale, source):
            yield (*match.span(), written)


@cache
def _numbered() -> re.Pattern[str]:
    return re.compile(f"{_DATE}|{_TIME}|{_LARGE}")


@cache
def _named(locale: Any) -> re.Pattern[str]:
    """Dates with the name of the month, the day before or after it."""
    months = "|".join(map(re.escape, _months(locale)))
    year = r"(?:,?\s(?:de\s)?(?P<{0}>\d{{4}}))?(?!\w)".format
    return re.compile(
        rf"(?<!\w)(?:(?P<day>\d{{1,2}})(?:\.|th|st|nd|rd|er|º)?\s(?:de\s)?(?P<month>{months})(?!\w){year('year')}"
        rf"|(?P<month_first>{months})\s(?P<day_after>\d{{1,2}})(?:th|st|nd|rd)?(?![\w:.]\d){year('year_after')})"
    )


@cache
def _months(locale: Any) -> dict[str, int]:
    from babel.dates import get_month_names

    return {str(name): number for number, name in get_month_names("wide", locale=locale).items()}


def _written(match: re.Match[str], locale: Any, source: Any) -> str:
    """What was found, in the target language; empty if it is none, such as the 40th of March."""
    found = {name: value for name, value in match.groupdict().items() if value}
    if large := found.get("large"):
        return _number(large, locale)
    try:
        if "hour" in found:
            return _time(found, locale)
        return _date(found, locale, lambda name: _months(source)[name])
    except ValueError:
        return ""


def _date(found: dict[str, str], locale: Any, month_of: Callable[[str], int]) -> str:
    from babel.dates import format_skeleton

    name = found.get("month") or found["month_first"]
    month = int(name) if name.isdecimal() else month_of(name)
    year, day = (found.get(part) or found.get(f"{part}_after") for part in ("year", "day"))
    if not (year or day):
        return ""
    parts = ("y" if year else "") + "MMMM" + ("d" if day else "")
    # 2000 is a leap year, as the year that is not named may be.
    return str(format_skeleton(parts, date(int(year or 2000), month, int(day or 1)), locale=locale))


def _time(found: dict[str, str], locale: Any) -> str:
    from babel.dates import format_time

    hour, minute = int(found["hour"]), int(found["minute"])
    if "afternoon" not in found and "morning" not in found:
        return f"{hour}:{minute:02}" if hour <= 24 and minute < 60 else ""
    written = format_time(time(hour % 12 + 12 * ("afternoon" in found), minute), "short", locale=locale)
    return str(written).replace("\u202f", " ")


def _number(large: str, locale: Any) -> str:
    """1億2000万 is 120,000,000."""
    from babel.numbers import format_decimal

    plain, value = large.replace(",", ""), Decimal(0)
    for digits, size in re.findall(r"(\d+(?:\.\d+)?)(\D?)", plain):
        value += Decimal(digits) * _SIZES.get(size, 1)
    return str(format_decimal(value, locale=locale)) if value == value.to_integral() else ""
