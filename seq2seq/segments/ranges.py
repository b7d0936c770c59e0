"""Ranges of dates, times and numbers as one: "from June 3 to July 15" is "vom 3. Juni bis 15. Juli" in German.

A model that is given both ends puts words of its own between them. What is written before and between them depends on
what they are.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from seq2seq.segments.words import primary

NUMBER, DAY, MONTH, TIME, RANGE = "number", "day", "month", "time", "range"  # what may be found
_YEAR = "year"  # as which numbers are written, too


class Found(NamedTuple):
    """What was found in a text."""

    begin: int
    end: int
    text: str  # in the target language
    key: str  # by which both sides of a pair are compared: as the target language writes it
    before: str = ""  # the word that stands before it there, since there is one of the source language here
    kind: str = ""  # one of the above


class _Words(NamedTuple):
    """What a language writes before a range and between its ends, and around full hours and years."""

    number: tuple[str, str]
    day: tuple[str, str]
    time: tuple[str, str]
    hour: tuple[str, str]  # behind the earlier and the later
    before: str = ""  # further words that a model writes before a range
    between: str = ""  # further words that a text may have between its ends; `|` divides them
    hours: str = r"\s?(?:horas|ore|h|o[’']clock)\b"  # what a text may have behind full hours, as a regular expression
    year: str = ""
    behind: str = ""


_WORDS = {
    "de": _Words(("von", "bis"), ("vom", "bis"), ("von", "bis"), ("", " Uhr"), "ab", "bis zum|bis zu", r"\sUhr\b"),
    "en": _Words(("from", "to"), ("from", "to"), ("from", "to"), (":00", ":00"), "", "until|till|through"),
    "es": _Words(("de", "a"), ("del", "al"), ("de las", "a las"), (":00", ":00"), "desde", "hasta|hasta el|hasta las"),
    "fr": _Words(("de", "à"), ("du", "au"), ("de", "à"), ("", " heures"), "dès depuis", "", r"\s?h(?:eures?)?\b"),
    "it": _Words(("da", "a"), ("dal", "al"), ("dalle", "alle"), (":00", ":00"), "", "fino a|fino al|fino alle"),
    "nl": _Words(("van", "tot"), ("van", "tot"), ("van", "tot"), ("", " uur"), "vanaf", "tot en met|t/m", r"\suur\b"),
    "pt": _Words(("de", "a"), ("de", "a"), ("das", "às"), (":00", ":00"), "desde", "até|ao"),
    "ja": _Words(("", "～"), ("", "から"), ("", "から"), ("時", "時"), hours="時", year="年", behind="まで"),
    "zh": _Words(("从", "到"), ("从", "到"), ("从", "到"), ("点", "点"), "", "至", "[点點时時]", "年"),
}
_INSTEAD = {"de": "aus", "nl": "uit"}  # what a model writes before a range, but no text
_SURE = frozenset(("bis", "bis zu", "tot", "tot en met", "t/m", "through", "until", "till", "から", "到", "至"))
_MANY_USES = frozenset(("es", "fr", "it", "pt"))  # languages whose first words say more often something else
# What follows on numbers that count: "5 to 10 minutes", not "it was 5 to 10 at the end".
_COUNTING = re.compile(
    r"[\s-](?!(?:in|at|on|for|of|by|and|or|is|was|are|were|if|as|to|en|et|y|o|ou|al|el|la|le)\b)[^\W\d_]|%"
)
_TIME_OF_DAY = re.compile(r"(?:[01]?\d|2[0-4])(?:[:.][0-5]\d)?")
_YEARS = re.compile(r"1\d{3}|2[01]\d\d")
# A time as a language writes it.
_CLOCK = re.compile(r"(\d{1,2})(?:[:.時点點](\d\d)?分?)?(?: Uhr| uur| heures| o'clock)?")
_OF_FULL_HOURS = " heures"  # 9 à 18 heures, but 9:30 à 18:00
_DASH = "–"
_FAR = 16  # characters: the longest words before and between


def joined(text: str, values: Sequence[Found], src: str, tgt: str) -> Iterator[Found]:
    """The dates, times and numbers of a text in order, those of each range as one."""
    at = 0
    while at < len(values):
        found = _range(text, values[at], values[at + 1], src, tgt) if at + 1 < len(values) else None
        yield found or values[at]
        at += 2 if found else 1


def first_word(text: str, begin: int, src: str, tgt: str, kind_of_ends: str) -> str:
    """What the target language writes before a range, if one begins here and has such a word in the source."""
    words = _WORDS.get(primary(tgt))
    return _around(words, kind_of_ends)[0] if words and _begins(text, begin, src) else ""


def first_words(language: str) -> frozenset[str]:
    """The words that a model may write before a range."""
    words = _WORDS.get(primary(language))
    firsts = (words.number[0], words.day[0], words.time[0], words.before) if words else ()
    return frozenset(" ".join([*firsts, _INSTEAD.get(primary(language), "")]).split())


def words_between(language: str) -> str:
    """A regular expression of the words between the ends of a range; one that matches nothing for other languages."""
    words = _WORDS.get(primary(language))
    return "|".join(_between(words)) if words else "(?!)"


def of_days(written: str, day: int, until: int, language: str, words: bool) -> str:
    """A date with the last of several days, with words or a dash between: 3 to 5 June, 3.–5. Juni, 6月3日～5日.

    It is empty if the last is not later.
    """
    if until <= day:
        return ""
    by_words = _WORDS.get(primary(language)) if words else None
    gap, behind = ("～" if "日" in written else "–"), ""
    if by_words:
        gap, behind = by_words.day[1], by_words.behind
        gap = gap if "日" in written else f" {gap} "
    first = "er" if by_words and primary(language) == "fr" and day == 1 else ""
    return re.sub(rf"(?<!\d){day}(日|\.|(?!月))(?!\d)", rf"{day}{first}\g<1>{gap}{until}\g<1>", written) + behind


def of_times(first: str, last: str, language: str, words: bool) -> str:
    """A range of times in a language, with words or a dash between: 15:00 bis 17:00."""
    known = _WORDS.get(primary(language))
    if known is None:
        return f"{first}{_DASH}{last}"
    return _written(first, last, TIME, known, _around(known, TIME)[1] if words else _DASH)


def repeated(language: str, written: str) -> re.Pattern[str] | None:
    """What a model may write behind a range that ends with it: Uhr; None if this one does not."""
    words = _WORDS.get(primary(language))
    if words and words.behind and written.endswith(words.behind):
        return re.compile("から|までに?|に")
    hour = words.hour[1] if words else ""
    return re.compile(re.escape(hour)) if hour and not hour.startswith(":") and written.endswith(hour) else None


def _range(text: str, one: Found, other: Found, src: str, tgt: str) -> Found | None:
    """Two of what was found as one; None if they are no range, or one of a language that is not known here."""
    source, target = _WORDS.get(primary(src)), _WORDS.get(primary(tgt))
    gap = _gap(primary(src)).fullmatch(text, one.end, other.begin) if source and target else None
    if not (source and target and gap):
        return None
    kind, end = one.kind, other.end
    if {one.kind, other.kind} == {NUMBER}:
        if gap["dash"]:
            return None
        kind, end = _kind_of_numbers(text, one, other, gap, source)
        if not text.startswith(gap["unit"], other.end) or not _is_of_numbers(text, one, other, gap, end, src):
            return None
    elif {one.kind, other.kind} == {NUMBER, TIME}:
        kind = TIME
        hours = re.compile(source.hours, re.IGNORECASE).match(text, end) if other.kind == NUMBER else None
        if (gap["dash"] and not source.year) or not (hours or _is_of_times(text, one, other, gap, src)):
            return None
        end = hours.end() if hours else end
    elif one.kind != other.kind or kind not in (DAY, MONTH, TIME) or gap["unit"]:
        return None
    if kind != NUMBER and not gap["dash"] and text.startswith(source.behind, end):
        end += len(source.behind)
    before, between = _around(target, kind)
    between = _DASH if gap["dash"] else between
    key = _written(one.key, other.key, kind, target, between)
    if primary(src) == primary(tgt):
        return Found(one.begin, end, text[one.begin : end], key, "", RANGE)
    begins = _begins(text, one.begin, src) and not (gap["dash"] and (one.before or source.behind))
    written = _written(one.text, other.text, kind, target, between)
    return Found(one.begin, end, written, key, before if begins else one.before, RANGE)


def _kind_of_numbers(text: str, one: Found, other: Found, gap: re.Match[str], source: _Words) -> tuple[str, int]:
    """As what two numbers are written, and where the range ends: behind the word for hours or years, not another."""
    times = [_TIME_OF_DAY.fullmatch(text, found.begin, found.end) for found in (one, other)]
    hours = re.compile(source.hours, re.IGNORECASE).match(text, other.end)
    at_hours = source.number[1] != (gap["word"] or "").lower() == source.time[1]  # a las 9
    with_minutes = all(":" in text[found.begin : found.end] for found in (one, other))
    if all(times) and (hours or with_minutes or (at_hours and not source.year)):
        return TIME, hours.end() if hours else other.end
    if gap["unit"] == source.year and all(_YEARS.fullmatch(text, found.begin, found.end) for found in (one, other)):
        return _YEAR, other.end + len(source.year)
    return NUMBER, other.end


def _is_of_numbers(text: str, one: Found, other: Found, gap: re.Match[str], end: int, src: str) -> bool:
    """Whether the word between two numbers says a range: "from 10 to 5" does, "add 5 to 10" does not."""
    rises = _value(text, one) < _value(text, other)
    if behind := _WORDS[primary(src)].behind:
        return (rises and gap["unit"] != "") or text.startswith(behind, end)
    first = _begins(text, one.begin, src)
    if first and primary(src) not in _MANY_USES:
        return True
    return rises and (first or gap["word"].lower() in _SURE or _COUNTING.match(text, end) is not None)


def _is_of_times(text: str, one: Found, other: Found, gap: re.Match[str], src: str) -> bool:
    """Whether the number of a number and a time is one, too: "9:30 bis 18 Uhr", "from 9 to 12 o'clock"."""
    number = one if one.kind == NUMBER else other
    if gap["unit"] and _WORDS[primary(src)].year:
        return False
    if not (match := _TIME_OF_DAY.fullmatch(text, number.begin, number.end)):
        return False
    return ":" in match[0] or (number is one and (gap["unit"] != "" or _begins(text, one.begin, src)))


def _value(text: str, found: Found) -> int:
    return int("0" + re.sub(r"\D", "", text[found.begin : found.end]))


def _around(words: _Words, kind: str) -> tuple[str, str]:
    """What is written before a range of this kind, and between its ends."""
    if kind == DAY or (words.year and kind != NUMBER):
        return words.day
    return words.time if kind == TIME else words.number


def _written(one: str, other: str, kind: str, words: _Words, between: str) -> str:
    """A range in a language."""
    if kind == TIME:
        one, other = _hours(one, other, words)
    if between == _DASH:
        dash = "～" if words.behind else "–" if kind == TIME else " – "
        return f"{one}{dash}{other}"
    if not words.year:
        return f"{one} {between} {other}"
    year, behind = words.year if kind == _YEAR else "", words.behind if kind != NUMBER else ""
    return f"{one}{year}{between}{other}{year}{behind}"


def _hours(one: str, other: str, words: _Words) -> tuple[str, str]:
    """Two times with what a language has behind hours; those of twelve hours as they are."""
    times = [_CLOCK.fullmatch(each) for each in (one, other)]
    earlier, later = words.hour
    if later == _OF_FULL_HOURS and any(time and (time[2] or "00") != "00" for time in times):
        earlier = later = ":00"
    return tuple(  # type: ignore[return-value]
        _hour(time[1], time[2] or "00", suffix) if time else each
        for time, suffix, each in zip(times, (earlier, later), (one, other), strict=True)
    )


def _hour(hour: str, minutes: str, suffix: str) -> str:
    """A time with what a language has behind hours: 9 Uhr, 9:30 Uhr, 9:00, 9時30分."""
    if suffix in ("時", "点"):
        return f"{hour}{suffix}" + (f"{minutes}分" if minutes != "00" else "")
    if suffix == ":00":
        return f"{hour}:{minutes}"
    return f"{hour}{suffix}" if minutes == "00" else f"{hour}:{minutes}{suffix}"


def _between(words: _Words) -> list[str]:
    """The words between the ends, the longest first."""
    found = {words.number[1], words.day[1], words.time[1], *words.between.split("|")} - {""}
    return sorted(map(re.escape, found), key=len, reverse=True)


@cache
def _gap(language: str) -> re.Pattern[str]:
    """What stands between the ends of a range; without spaces the unit of the first, which the second has, too."""
    words, hours = "|".join(_between(_WORDS[language])), _WORDS[language].hours
    if _WORDS[language].year:
        return re.compile(rf"(?P<unit>[^\W\d_]{{0,3}}?)\s?(?:(?P<word>{words})|(?P<dash>[〜～~–-]))\s?")
    word = rf"\s(?P<word>{words})\s(?:(?:the|de[mn]|el|le|het)\s)?"
    return re.compile(rf"(?P<unit>(?:{hours})?)(?:{word}|\s?(?P<dash>[–-])\s?)", re.IGNORECASE)


def _begins(text: str, begin: int, language: str) -> bool:
    """Whether a range that begins here has a word before it; in Japanese から between its ends says as much."""
    words = _WORDS.get(primary(language))
    has = words is not None and words.behind != ""
    return has or _first(primary(language)).search(text, max(0, begin - _FAR), begin) is not None


@cache
def _first(language: str) -> re.Pattern[str]:
    """The words that begin a range, at the end of a text; nothing for other languages."""
    if not (words := _WORDS.get(language)):
        return re.compile("(?!)")
    found = {words.number[0], words.day[0], words.time[0], *words.before.split()} - {""}
    phrases = "|".join(sorted(map(re.escape, found), key=len, reverse=True)) or "(?!)"
    if words.year:
        return re.compile(rf"(?:{phrases}|[自從])\s?$")
    return re.compile(rf"(?<!\w)(?:{phrases})\s(?:(?:the|de[mn]|el|las|le|het)\s)?$", re.IGNORECASE)
