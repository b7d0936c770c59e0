"""Large numbers between languages that count in thousands and those that count in ten thousands.

"2.5 million" is 250万 in Japanese, 2万5千 is 25,000 in English. Between languages that count alike they stay words.
"""

import re
from decimal import Decimal
from functools import cache
from typing import Any

from seq2seq.segments import ranges
from seq2seq.segments.numbers import value_of

_SIZES = {"兆": 10**12, "億": 10**8, "亿": 10**8, "万": 10**4, "萬": 10**4}
_PARTS = {"千": 1000, "百": 100, "": 1}
_WRITTEN = {"ja": "兆億万", "zh": "兆亿万", "yue": "兆億萬", "zh_Hant": "兆億萬"}  # 10^12, 10^8, 10^4
_DIGITS = r"\d+(?:,\d{3})*(?:\.\d+)?"
_PART = re.compile(rf"({_DIGITS})([千百]?)([{''.join(_SIZES)}]?)")  # 3千5百万: several may have one size
_UNITS = "千百兆億亿万萬"
_GROUPED = rf"(?P<large>(?<![\d.,{_UNITS}])(?:{_DIGITS}[{_UNITS}]{{1,2}})+(?:\d+(?:,\d{{3}})*)?+(?![{_UNITS}十]))"
# The powers of ten of the words behind a number.
_WORDS = {
    "de": {"tausend": 3, "Tausend": 3, "Million": 6, "Millionen": 6, "Milliarde": 9, "Milliarden": 9, "Billionen": 12},
    "en": {"thousand": 3, "million": 6, "billion": 9, "trillion": 12},
    "es": {"mil": 3, "millón": 6, "millones": 6, "mil millones": 9, "billón": 12, "billones": 12},
    "fr": {"mille": 3, "million": 6, "millions": 6, "milliard": 9, "milliards": 9, "billions": 12},
    "it": {"mila": 3, "milione": 6, "milioni": 6, "miliardo": 9, "miliardi": 9},
    "nl": {"duizend": 3, "miljoen": 6, "miljard": 9, "biljoen": 12},
    "pt": {"mil": 3, "milhão": 6, "milhões": 6, "mil milhões": 9, "bilhão": 9, "bilhões": 9},
}
_OF = {"es": "de", "fr": "de", "it": "di", "pt": "de"}  # before what is counted: 3 millions de yens


@cache
def pattern(src: str, tgt: str) -> str:
    """A regular expression, with groups, of the numbers of a language (primary codes) that another writes otherwise."""
    if src in _WRITTEN:
        return _GROUPED
    if tgt not in _WRITTEN or src not in _WORDS:
        return "(?!)"
    words = "|".join(sorted(_WORDS[src], key=len, reverse=True))
    of = rf"(?:\s{_OF[src]}\b)?" if src in _OF else ""
    amount = r"\d+(?:[.,\u00a0\u202f ]\d+){0,5}"
    first = rf"(?:(?P<least>{amount})(?:\s?[-–]\s?|\s(?:{ranges.words_between(src)})\s)[$€£¥]?)?"  # 3 to 5 million
    number = rf"(?P<currency>[$€£¥]\s?)?{first}(?P<amount>{amount})[\s-](?P<size>{words})\b{of}"
    return rf"(?P<large>(?<![.,]){number})"


def written(match: re.Match[str], locale: Any, src: str) -> tuple[str, str]:
    """A number that the `pattern` has found, in the language of a locale, and its digits; both empty if it is none."""
    if src in _WRITTEN:
        return _written(_grouped(match["large"]), locale)
    size = 10 ** _WORDS[src][match["size"]]
    amounts = [value_of(amount, src) for amount in (match["least"], match["amount"]) if amount]
    values = [amount * size for amount in amounts if amount is not None]
    numbers = [_written(value, locale) for value in values]
    if len(values) < len(amounts) or values != sorted(set(values)) or not all(text for text, _ in numbers):
        return "", ""
    dash = "～" if locale.language == "ja" else "–"
    text, digits = (dash.join(each) for each in zip(*numbers, strict=True))
    return f"{match['currency'] or ''}{text}", digits


def _written(value: Decimal | None, locale: Any) -> tuple[str, str]:
    """A whole number in the language of a locale, and its digits."""
    from babel.numbers import format_decimal

    if value is None or value != value.to_integral():
        return "", ""
    digits = str(format_decimal(value, locale=locale))
    sizes = _WRITTEN.get(str(locale).removesuffix(f"_{locale.territory}")) or _WRITTEN.get(locale.language)
    if not sizes:
        return digits, digits
    text, rest = "", int(value)
    for size, power in zip(sizes, (12, 8, 4), strict=True):
        count, rest = divmod(rest, 10**power)
        text += f"{count}{size}" if count else ""
    return f"{text}{rest or ''}" or "0", digits


def _grouped(large: str) -> Decimal | None:
    """1億2000万 is 120,000,000; None for what is no number."""
    total, section, at = Decimal(0), Decimal(0), 0
    for part in _PART.finditer(large):
        if part.start() != at:
            return None
        section += Decimal(part[1].replace(",", "")) * _PARTS[part[2]]
        if part[3]:
            total, section = total + section * _SIZES[part[3]], Decimal(0)
        at = part.end()
    return total + section if at == len(large) else None
