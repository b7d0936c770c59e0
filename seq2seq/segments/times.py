"""Times of day as the target language writes them: "at 3:30 p.m." is "um 15:30" in German, 午後3時30分 in Japanese.

Hours alone are times where the word behind them says so ("9 Uhr"), or a preposition of time before them ("à 9 heures"):
"9 heures" may be a duration.
"""

import re
from datetime import time
from functools import cache
from typing import Any, NamedTuple

from seq2seq.segments import ranges
from seq2seq.segments.number_lists import last_words
from seq2seq.segments.words import primary

_HALVES = {"ja": ["午前", "午後", "時", "分"], "zh": ["上午", "下午", "点", "分"], "yue": ["上午", "下午", "點", "分"]}
# Hours alone are one of two times, or left to the model, which writes "at 9 o'clock", but not "at" before a value; 9点
# may be nine points.
_NUMBERED = (
    r"(?P<of_time>(?:(?P<morning>午前|上午)|(?P<afternoon>午後|下午))?(?P<hour>\d{{1,2}}){of_hours}"
    r"(?:(?P<half_hour>半)|(?P<minute>\d{{2}})分(?![間间鐘钟])|[钟鐘]|(?![\d間期代刻半])))"
).format
_BETWEEN = r"(?:から|到|至|[〜～~–-])"
_TIME_BEFORE = re.compile(rf"(?:(午前|上午)|(午後|下午))?(?<!\d)\d{{1,2}}(?:[時时點点](?:半|\d\d分)?)?{_BETWEEN}$")
_TIME_BEHIND = re.compile(rf"{_BETWEEN}(?:午前|上午|午後|下午)?\d{{1,2}}[時时點点](?!間)")

# A full stop behind an abbreviation that is not that of the sentence.
STOP = r"\.(?=[,;:!?)\]/–-]|\s+[a-zß-öø-ÿ\d(–-]{})".format
# Half past three in the afternoon is 3:30 p.m.; the first of two times has none: from 3 to 5 p.m.
_OF_TWELVE = r"(?:1[0-2]|0?[1-9])(?:[:.][0-5]\d)?"
_TWELVE = (
    r"(?:(?P<at_twelve>(?i:{at}))\s|(?P<between>(?i:{between}))\s)?(?P<of_twelve>(?:(?P<first>{of_twelve})"
    r"(?:\s?[-–]\s?|\s(?P<to>{to})\s"
    r"|\s(?(at_twelve)|(?(between)|(?!)))(?:(?P<also>{also})|(?P<either>{either}))\s))?"
    r"(?P<twelve>{of_twelve})\s?(?P<half>(?:[ap]\.\s?m|[AP]\.\s?M)(?:{stop})?|[ap]m|[AP]M)(?!\w))"
).format
_WORDS_OF_TWELVE = {  # before two times, and between them
    "en": {"between": "between", "to": "to|until|till", "also": "and", "either": "or"},
    "es": {"between": "entre las?", "to": "(?:a|hasta) las?", "also": "y(?: las?)?", "either": "o(?: a)?(?: las?)?"},
}


class _Clock(NamedTuple):
    """How a language writes hours, as regular expressions."""

    unit: str  # behind hours
    at: str  # before a time
    others: str = "(?!)"  # further words before a time, which stay
    full: str = "{}:00"  # how full hours are written
    repeated: str = "(?!)"  # what a model may write behind 15:30


_CLOCKS = {
    "de": _Clock(r"\sUhr", "um", full="{} Uhr"),
    "en": _Clock(r"\so['’]clock", "at", full="{} o'clock", repeated=r"\so['’]clock\b"),
    "es": _Clock(r"\s?h(?:oras|s|rs)?", "a las?", repeated=r"\shoras\b"),
    "fr": _Clock(r"\s?h(?:eures?)?", "à", "vers|dès|avant|jusqu['’]à", "{} heures", r"\s(?:heures?|h)\b"),
    "nl": _Clock(r"\suur", "om", "vanaf|rond|tegen", "{} uur"),
}
_SURE = ("de", "en")  # languages whose hours alone are no duration
_OF_DURATION = re.compile(r"\s(?:d[eu]l?\s|d['’])(?!la\s(?:mañana|tarde|noche)|l['’]après)")
# 9 heures du matin and 9 heures et demie are left to the model.
_OF_PART = re.compile(r"\s(?:d[eu]l?\s|d['’]|moins\s|et\s(?:demi|quart))")
_NEAR = re.compile(r"\s?(?:[-–]|à|et)\s?\d{1,2}\s?h(?!\w*[a-z])")
_NEAR_BEFORE = re.compile(r"\d{1,2}\s?h\s?(?:\d\d)?\s?(?:[-–]|à|et)\s?$")


@cache
def pattern(language: str) -> str:
    """A regular expression of the times of a language (primary code), with groups; one that matches nothing for others.

    The group `of_time`, `of_twelve` or `of_hour` is the time without the preposition before it.
    """
    if language in _HALVES:
        of_hours = "時" if language == "ja" else "[點点时時]"
        return _NUMBERED(of_hours=of_hours)
    if not (clock := _CLOCKS.get(language)):
        return "(?!)"
    noun = "|[A-ZÄÖÜ]" if language == "de" else ""
    hours = (
        rf"(?:(?P<at_hour>(?i:{clock.at}))\s|(?P<after>(?i:{clock.others}))\s)?(?P<of_hour>(?P<hours>[01]?\d|2[0-4])"
        rf"(?:(?P<mark>[:.])(?P<minutes>[0-5]\d)(?P<unit>{clock.unit}\b)?"
        rf"|{clock.unit}(?:\s?(?P<minutes_behind>[0-5]\d)(?!\s?[Mm]in|\s(?:[Mm]in{noun}))|(?!\w|\s\d\d\s[Mm]in))))"
        r"(?!\w|[:.,]\d)"
    )
    if not (words := _WORDS_OF_TWELVE.get(language)):
        return hours
    twelve = _TWELVE(at=clock.at, of_twelve=_OF_TWELVE, stop=STOP(r"|\s+(?:I|[A-Z]{2,4})\b"), **words)
    return f"{twelve}|{hours}"


def written(match: re.Match[str], locale: Any, language: str) -> tuple[str, str]:
    """A time that the `pattern` of a language has found, in the language of a locale, and its key; empty if it is none.

    The key is the time of 24 hours, with minutes: one language has 3 p.m. where another has 15 Uhr.
    """
    if language in _HALVES:
        return _of_numbered(match, locale)
    if language in _WORDS_OF_TWELVE and match["twelve"]:
        return _of_twelve(match, locale.language)
    minutes = match["minutes"] or match["minutes_behind"]
    if not _is_time(match, minutes, language):
        return "", ""
    return _clock(int(match["hours"]), minutes, locale.language), f"{int(match['hours'])}:{minutes or '00'}"


def repeated(language: str, written: str) -> re.Pattern[str] | None:
    """What a model may write behind a time such as 15:30 as behind a number; None if this is none."""
    clock = _CLOCKS.get(primary(language))
    return re.compile(clock.repeated) if clock and re.search(r"(?<!\d)\d\d?:\d\d$|clock$", written) else None


def _is_time(match: re.Match[str], minutes: str | None, language: str) -> bool:
    """Whether hours, and perhaps minutes, are a time of day."""
    text, end = match.string, match.end()
    after_word = match["at_hour"] or match["after"]
    if match["mark"]:
        return bool(match["unit"] or (match["at_hour"] and match["mark"] == ":"))
    if language in _SURE:
        return True
    if not minutes:
        return bool(after_word) and not _OF_PART.match(text, end)
    near = _NEAR.match(text, end) or _NEAR_BEFORE.search(text, max(0, match.start() - 12), match.start())
    return bool(after_word or near or len(match["hours"]) == 2) and not _OF_DURATION.match(text, end)


def _clock(hour: int, minutes: str | None, language: str) -> str:
    """A time of 24 hours in a language."""
    if language in _HALVES:
        *_, of_hour, of_minutes = _HALVES[language]
        return f"{hour}{of_hour}" + (f"{int(minutes)}{of_minutes}" if minutes and int(minutes) else "")
    if minutes is None and language in _CLOCKS and (language != "en" or 1 <= hour <= 12):
        return _CLOCKS[language].full.format(hour)
    return f"{hour}:{minutes or '00'}"


def _of_numbered(match: re.Match[str], locale: Any) -> tuple[str, str]:
    hour, minutes = int(match["hour"]), "30" if match["half_hour"] else match["minute"]
    before = _TIME_BEFORE.search(match.string, max(0, match.start() - 12), match.start())
    morning, afternoon = match["morning"], match["afternoon"]
    if not (morning or afternoon):
        if not (minutes or before or _TIME_BEHIND.match(match.string, match.end()) or match[0].endswith(("钟", "鐘"))):
            return "", ""
        morning, afternoon = before.groups() if before else (None, None)  # 午後1時から3時
    if hour > (12 if morning or afternoon else 24) or int(minutes or 0) > 59:
        return "", ""
    minutes = f"{int(minutes):02}" if minutes else None  # in plain digits
    if not morning and not afternoon:
        return _clock(hour, minutes, locale.language), f"{hour}:{minutes or '00'}"
    from babel.dates import format_time

    # Midnight is 午前12時, or 午前0時.
    hour = hour % 12 + 12 * bool(afternoon)
    written = str(format_time(time(hour, int(minutes or 0)), "short", locale=locale)).replace("\u202f", " ")
    return written, f"{hour}:{minutes or '00'}"


def _of_twelve(match: re.Match[str], language: str) -> tuple[str, str]:
    """3:30 p.m. is 15:30, and 午後3時30分 in Japanese; of two times, as of 11 to 1 p.m., the first is the earlier."""
    afternoon = match["half"][0] in "pP"
    last = _of_half(match["twelve"], afternoon, language)
    if not match["first"]:
        return last
    earlier, later = (tuple(int(part) for part in re.split("[:.]", match[name])) for name in ("first", "twelve"))
    same = (earlier[0] % 12, *earlier[1:]) < (later[0] % 12, *later[1:])
    first = _of_half(match["first"], afternoon == same, language)
    word = next((word for word in ("also", "either") if match[word]), None)
    if word and not (words := last_words(language)):
        return "", ""
    text, key = (
        f"{one}{words[word]}{other}" if word else ranges.of_times(one, other, language, match["to"] is not None)
        for one, other in zip(first, last, strict=True)
    )
    return text, key


def _of_half(time: str, afternoon: bool, language: str) -> tuple[str, str]:
    """A time of twelve hours in a language, and of 24."""
    hours, *minutes = re.split("[:.]", time)
    hour = int(hours) % 12
    key = f"{hour + 12 * afternoon}:{minutes[0] if minutes else '00'}"
    if language not in _HALVES:
        return key, key
    *halves, of_hour, of_minutes = _HALVES[language]
    of_hour += f"{int(minutes[0])}{of_minutes}" if minutes and int(minutes[0]) else ""
    return f"{halves[afternoon]}{hour}{of_hour}", key
