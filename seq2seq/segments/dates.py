"""Dates as the target language writes them, and times and large numbers between Japanese or Chinese and others.

A model that reads their digits one by one has to put them in another order, and does not; of the names of months it
knows some. The forms of each language are those of CLDR. The word before a date is known, too: "on March 5" is "am 5.
März", "le 5 mars".
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from seq2seq.segments import large_numbers, ranges, times
from seq2seq.segments.number_lists import last_words, listed
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
    "de": _Adverbs("am", "im", "um", "an auf bei dem den der in"),
    "en": _Adverbs("on", "in", "at", "by for from of the to"),
    "es": _Adverbs("el", "en", "a las", "a al con de del la las lo los por sobre"),
    "fr": _Adverbs("le", "en", "à", "au aux dans de du la pour sur"),
    "it": _Adverbs("il", "nel", "alle", "a al di in la per su"),
    "nl": _Adverbs("op", "in", "om", "bij de"),
    "pt": _Adverbs("em", "em", "às", "a ao de no na o para"),
}

_PLACES = {"day": "day", "month": "month", "twelve": "time", "hour": "time"}  # of the groups of_day ..: of _Adverbs
_OF_TIMES = frozenset(("of_time", "of_twelve", "of_hour"))
_WITH_WORDS = frozenset(("words", "words_after", "to"))  # between the ends of a range
_AFTER_OTHERS = frozenset(("between", "after"))  # words before a time that stay
# The year, the month and the day; a year of an era before them (令和6年3月5日) is left to the model with all of it.
_DATE = r"(?<![\d年])(?:(?P<year>\d{{3,4}})年\s?)?(?P<month>\d{{1,2}})月(?:\s?(?P<day>\d{{1,2}})[日号號]"
_DATE += r"(?:\s?[（(](?P<weekday>{weekdays})[）)]|\s?(?P<weekday_behind>{wide})"
_DATE += r"|(?P<days>(?:[、，,と和]\s?\d{{1,2}}[日号號])+)"
_DATE += r"|(?:[〜～~–-]|(?P<words>から|到|至))(?P<until>\d{{1,2}})[日号號](?(words)(?:まで)?))?)?"
_COUNTER = re.compile("[年月日时時点點分人歳番](?![本曜間间々])")
_YEAR = r"(?:1\d\d\d|2[01]\d\d)"
_KINDS = {
    "until": ranges.RANGE,
    "until_after": ranges.RANGE,
    "day": ranges.DAY,
    "month": ranges.MONTH,
    "first": ranges.RANGE,
    "of_time": ranges.TIME,
    "of_twelve": ranges.TIME,
    "of_hour": ranges.TIME,
}


def found(text: str, src: str, tgt: str) -> Iterator[Found]:
    """What of a text is written otherwise in the language `tgt`; in the same language it stays as it is."""
    source, target = primary(src), primary(tgt)
    numbered, same = source in _NUMBERED, source == target
    locale, own = locale_of(tgt), locale_of(src)
    if locale is None or own is None or (numbered and target in _NUMBERED and not same):
        return
    dates = _numbered(own, source, target) if numbered else _named(own, source, target)
    for match in dates.finditer(text):
        groups = {name: value for name, value in match.groupdict().items() if value}
        place = next((name for name in _PLACES if f"of_{name}" in groups), "")
        written, key = _written(match, groups, locale, own)
        # A unit may be that of a number before it, too: until 3 or 4 p.m., 2〜3万円.
        has_unit = "large" in groups or ("twelve" in groups and "first" not in groups)
        shares = has_unit and _and_number(source).search(text[max(0, match.start() - 16) : match.start()])
        if not written or shares:
            continue
        begin, end = match.start(f"of_{place}" if place else 0), match.end()
        kind = next((kind for part, kind in _KINDS.items() if part in groups), place)
        if same:
            yield Found(begin, end, text[begin:end], key, "", kind)
            continue
        adverbs = _ADVERBS.get(target) if begin > match.start() and _AFTER_OTHERS.isdisjoint(groups) else None
        before = getattr(adverbs, _PLACES[place]) if adverbs else ""
        if not _WITH_WORDS.isdisjoint(groups):
            before = ranges.first_word(
                text, begin, src, tgt, kind_of_ends=ranges.TIME if "to" in groups else ranges.DAY
            )
        yield Found(begin, end, written, key, before, kind)


def word_before(text: str, kind: str, src: str, tgt: str) -> str:
    """What the target language writes before a date or time of this kind, if a text before it ends with such a word."""
    source, target = _ADVERBS.get(primary(src)), _ADVERBS.get(primary(tgt))
    if source is None or target is None or source is target or kind not in _Adverbs._fields:
        return ""
    word = re.search(rf"(?<!\w)(?i:{getattr(source, kind)})\s(?:the\s)?$", text)
    return str(getattr(target, kind)) if word else ""


@cache
def words_before(src: str, tgt: str) -> frozenset[str]:
    """The words of the target language, and of the source, that a model may write before a date or a time."""
    target, source = _ADVERBS.get(primary(tgt)), _ADVERBS.get(primary(src))
    words = frozenset(" ".join([*(target or ()), *(source[:3] if source else ())]).split())
    return words | ranges.first_words(tgt) | ranges.first_words(src)


def counters(language: str, written: str) -> re.Pattern[str] | None:
    """What a model may write behind a date or a time as behind a number, of a language that counts so: 3月5日年."""
    if repeated := ranges.repeated(language, written) or times.repeated(language, written):
        return repeated
    return _COUNTER if primary(language) in _NUMBERED else None


@cache
def _and_number(language: str) -> re.Pattern[str]:
    """A number and what stands between it and another, at the end of a text."""
    words = [ranges.words_between(language), *(word.strip() for word in last_words(language).values())]
    return re.compile(rf"\d(?:\s?[-–~〜～,、]\s?|,?\s?(?:{'|'.join(words)})\s?)$")


@cache
def _numbered(locale: Any, language: str, target: str) -> re.Pattern[str]:
    wide = "|".join(map(re.escape, _weekdays(locale)))
    date = _DATE.format(weekdays="|".join(map(re.escape, _weekdays(locale, short=True))), wide=wide)
    return re.compile(f"{date}|{times.pattern(language)}|{large_numbers.pattern(language, target)}")


@cache
def _named(locale: Any, language: str, target: str) -> re.Pattern[str]:
    """Dates with the name of the month, the day before or after it, and months with a year; times, large numbers."""
    adverbs = _ADVERBS.get(language)
    on_day, on_month = (rf"(?:(?i:{word})\s(?:the\s)?)?" if adverbs else "" for word in (adverbs or ("", ""))[:2])
    wide, short = ("|".join(map(re.escape, _weekdays(locale, short))) for short in (False, True))
    weekday = rf"(?:(?P<weekday>(?:{wide})\b|(?:{short})\b\.?),?\s(?:(?:the|de[mn])\s)?)?"
    gap = rf"\s?[-–]\s?|\s(?P<words{{}}>(?i:{ranges.words_between(language)}))\s(?:(?:the|de[mn]|el|le)\s)?".format
    year = rf"(?:,?\s(?:del?\s)?(?P<{{}}>{_YEAR})(?!\d))?(?!\w)".format

    def days(name: str, ordinal: str) -> str:
        return rf"(?P<day{name}>\d{{1,2}}){ordinal}(?:(?:{gap(name)})(?P<until{name}>\d{{1,2}}){ordinal})?"

    months = _names_of_months(locale)
    with_year = rf"{months}|{_names_of_months(locale, with_year=True)}"
    day = (
        rf"{days('', '(?:[.]|th|st|nd|rd|er|º|s?te|de|e)?')}\s(?:de\s|of\s)?(?P<month>{with_year})(?!\w){year('year')}"
    )
    day_after = rf"(?P<month_first>{months})\s{days('_after', '(?:th|st|nd|rd)?')}(?![\w:.]\d){year('year_after')}"
    alone = rf"(?P<month_alone>{months})\s(?:del?\s)?(?P<year_alone>{_YEAR})(?![\w:.]\d|\w)"
    # In other languages what follows on a month is no day: im Mai 3 Autos.
    form = rf"{day}|(?<!\b[Ii]n\s){day_after}" if language == "en" else day
    street = r"(?!\s(?:Street|Road|Avenue|Lane)\b)"
    named = rf"{on_day}(?P<of_day>{weekday}(?:{form})){street}|{on_month}(?P<of_month>{alone})"
    return re.compile(rf"(?<!\w)(?:{named}|{times.pattern(language)}|{large_numbers.pattern(language, target)})")


def _names_of_months(locale: Any, with_year: bool = False) -> str:
    """A regular expression of the names of months.

    Short ones end with a full stop, but in English they need none, or, where asked for, those before a year: in other
    languages many are words.
    """
    names = [re.escape(name) for name in _months(locale, short=False)]
    short = "|".join(re.escape(name) for name in _months(locale, short=True))
    if with_year:
        return rf"(?:{short})\.?(?=\s(?:del?\s)?{_YEAR}(?!\d))"
    dotted = any(str(name).endswith(".") for name in locale.months["format"]["abbreviated"].values())
    if dotted or locale.language == "en":
        needs_none = "" if locale.language == "en" else r"(?=\.)"  # it may be that of the sentence
        names.append(rf"(?:{short})(?:{times.STOP('')}|{needs_none})")
    return "|".join(names)


@cache
def _months(locale: Any, short: bool) -> dict[str, int]:
    """The numbers of months by their names, the longest first; also by those that begin a sentence.

    The short ones are without a full stop, and those that are no whole names.
    """
    wide, abbreviated = (
        {str(name).removesuffix("."): number for number, name in locale.months["format"][width].items()}
        for width in ("wide", "abbreviated")
    )
    return _with_capitals({name: n for name, n in abbreviated.items() if name not in wide} if short else wide)


@cache
def _weekdays(locale: Any, short: bool = False) -> dict[str, int]:
    """The numbers of weekdays, from Monday as 0 on, by their names; also by those that begin a sentence.

    The short ones are without a full stop; of Japanese there are two.
    """
    names = {str(name): number for number, name in locale.days["format"]["wide"].items()}
    if short:
        names |= {name.removesuffix("日"): number for name, number in names.items() if name.endswith("曜日")}
        names |= {str(name).removesuffix("."): n for n, name in locale.days["format"]["abbreviated"].items()}
    return _with_capitals(names)


def _with_capitals(names: dict[str, int]) -> dict[str, int]:
    """The names, the longest first, and with a capital."""
    names |= {name[0].upper() + name[1:]: number for name, number in names.items()}
    return dict(sorted(names.items(), key=lambda item: -len(item[0])))


def _written(match: re.Match[str], groups: dict[str, str], locale: Any, source: Any) -> tuple[str, str]:
    """What was found, in the target language, and its key; empty if it is none, such as the 40th of March."""
    if "large" in groups:
        return large_numbers.written(match, locale, source.language)
    try:
        if not _OF_TIMES.isdisjoint(groups):
            return times.written(match, locale, source.language)
        written = _date(groups, locale, source)
    except ValueError:
        return "", ""
    return written, written


def _date(found: dict[str, str], locale: Any, source: Any) -> str:
    from babel.dates import format_skeleton

    name = found.get("month") or found.get("month_first") or found["month_alone"]
    month = int(name) if name.isdecimal() else _month(name, source)
    year, day, until = (found.get(part) or found.get(f"{part}_after") for part in ("year", "day", "until"))
    year = year or found.get("year_alone")
    if not (year or day):
        return ""
    parts = ("y" if year else "") + "MMMM" + ("d" if day else "")
    if weekday := found.get("weekday") or found.get("weekday_behind"):
        number = _weekdays(source, short=True)[weekday.removesuffix(".")]
        near = _on(number, month, int(day or 1))  # the year that is named may be another
        short, wide = (locale.days["format"][width][number] for width in ("abbreviated", "wide"))
        written = str(format_skeleton(parts.replace("d", "EEEEd"), near, locale=locale))
        written = written if wide in written else re.sub(rf"\b{re.escape(short)}(?!\w)", wide, written)
        written = written.replace(str(near.year), year or "")
    else:
        # 2000 is a leap year, as the year that is not named may be.
        written = str(format_skeleton(parts, date(int(year or 2000), month, int(day or 1)), locale=locale))
    if days := [int(each) for each in re.findall(r"\d+", found.get("days", ""))]:
        date(int(year or 2000), month, max(days))  # ValueError: there is no such day
        return _of_several(written, [int(day or 0), *days], locale.language)
    if until:
        date(int(year or 2000), month, int(until))  # ValueError: there is no such day
        words = "words" in found or "words_after" in found
        return ranges.of_days(written, int(day or 0), int(until), locale.language, words)
    return re.sub(r"\b1 (?=\D)", "1er ", written) if locale.language == "fr" and day else written


def _of_several(written: str, days: list[int], language: str) -> str:
    """A date with several days in the place of the first: March 3, 4 and 5; empty if they do not rise."""
    if days != sorted(set(days)):
        return ""
    day = re.compile(rf"(?<!\d){days[0]}(日|\.|(?!月))(?!\d)")
    return day.sub(lambda match: listed([f"{each}{match[1]}" for each in days], language), written)


def _month(name: str, locale: Any) -> int:
    """The number of a month by its name, or by its short name with or without a full stop."""
    return (_months(locale, short=False) | _months(locale, short=True))[name.removesuffix(".")]


def _on(weekday: int, month: int, day: int) -> date:
    """A date on this weekday.

    Raises:
        ValueError: there is no such day.
    """
    for year in range(2000, 2400):
        if not (month == 2 and day == 29 and year % 4) and date(year, month, day).weekday() == weekday:
            return date(year, month, day)
    raise ValueError
