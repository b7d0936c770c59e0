"""Numbers in prose as the target language writes them: 3.50 in English is 3,50 in German."""

import re
from decimal import Decimal
from functools import cache
from typing import Any


def localised(number: str, src: str, tgt: str) -> str:
    """The number with the decimal and thousands marks of the language `tgt` in place of those of `src`.

    What is no decimal or grouped number of `src` is returned as it is: a date, a version, a time, a plain whole number.
    A language that is not known (BCP 47, by CLDR) changes nothing.
    """
    marks, others = _marks(src), _marks(tgt)
    if not marks or not others or not (match := _pattern(*marks).fullmatch(number)):
        return number
    whole, fraction = re.sub(r"\D", others[1], match["whole"]), match["fraction"]
    return whole if fraction is None else whole + others[0] + fraction


def value_of(number: str, language: str) -> Decimal | None:
    """The value of a number as a language writes it; None if it is no number there."""
    marks = _marks(language)
    match = _pattern(*marks).fullmatch(number) if marks else None
    return Decimal(re.sub(r"\D", "", match["whole"]) + "." + (match["fraction"] or "0")) if match else None


@cache
def locale_of(language: str) -> Any:
    """The locale of a language (BCP 47); None if CLDR does not know it."""
    from babel.core import Locale, UnknownLocaleError

    try:
        return Locale.parse(language.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None


@cache
def _marks(language: str) -> tuple[str, str] | None:
    """The decimal mark and the mark between thousands of a language."""
    locale = locale_of(language)
    symbols = locale.number_symbols.get("latn") if locale else None
    return (symbols["decimal"], symbols["group"]) if symbols else None


@cache
def _pattern(decimal: str, group: str) -> re.Pattern[str]:
    space = "[ \u00a0\u202f]" if group.isspace() else re.escape(group)
    return re.compile(
        rf"(?P<whole>\d{{1,3}}(?:{space}\d{{3}})+|\d+)(?:{re.escape(decimal)}(?P<fraction>\d+))?", re.ASCII
    )
