"""Checks each sentence pair for what is probably wrong with it, and gives the first reason found.

Copies, text in a wrong encoding (mojibake), markup, numbers that disagree, lengths that do not fit, a wrong language.
What is usual in a text is not suspicious there: where a quarter of the pairs have markup, only markup on one side alone
is. This module drops nothing and does not know files.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import chain

import numpy as np

from seq2seq.languages.identification import as_written, is_in_script, margin, relatives
from seq2seq.languages.misreading import has_lost_letters, is_misread
from seq2seq.segments.patterns import MAYBE, any_pattern
from seq2seq.text.quality import MIN_PAIRS, is_in_other_language

COPY = "source copied to the target"
ENCODING = "wrong encoding"
MARKUP = "markup"
NUMBERS = "numbers disagree"
LENGTHS = "lengths do not fit"
LANGUAGE = "not {language}"
WRONG_SIDE = "{language} line in the language of the other side"

_TAG = re.compile(r"</?[A-Za-z][^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]{2,8});|\b\w+=\"[^\"]*\"\s*/?>")
_USUAL = 0.25  # share of the pairs with markup on both sides from which it is usual
_NUMBER = re.compile(r"\d+")
_PRINTF = re.compile(
    r"%(?:\d+\$)?[-+0#']*\d*(?:\.\d+)?[hlLqjzt]*[diouxXeEfFgGcsSp]"
)  # of which positions are no numbers
_WHOLE = re.compile(r"(\d+(?:[.,' \xa0\u2009\u202f’]\d+)*)[ \xa0\u202f-]?([^\W\d_])?")  # a number, the letter after it
_YEARS = range(1000, 2100)
_LONGER, _WORD = 1.2, 8  # how many times as many letters, and how many more, a line with a number in words has
_SPELT = 100  # numbers up to this, and round hundreds, are often spelt out
_LATIN = re.compile("[A-Za-z\u00c0-\u024f][0-9A-Za-z_\u00c0-\u024f]*")  # names and terms, also within Japanese
_FROM = 30  # characters; for shorter lines lengths and languages are not reliable
_DEVIATIONS = 5.0  # of the ratio of lengths from the usual one
_MARGIN = 3.0  # nats by which another language must be more likely
_SAMPLE = 20_000  # lines of a large text of which the identifier is asked first
_SEEN, _DOUBT = 5, 0.02  # a word is trusted that is in so many lines, of which at most this share is doubted
_TRUSTED_SHARE = 0.6  # of the words of a line that need no identifier
_LOOKED_AT = 1000  # pairs that a notice is from
_NOTED = 0.02  # share of suspicious pairs from which there is a notice; of good text at most 0.3% are

Check = Callable[[Sequence[str], Sequence[str], tuple[str, str]], list[str]]


def suspects(
    src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str], checks: Sequence[Check] = ()
) -> list[str]:
    """For each pair the reason why it is suspicious, of the first check that gives one; empty if none does.

    Args:
        src, tgt: the two sides.
        languages: their languages.
        checks: some of the functions below; default: all.
    """
    reasons = [""] * len(src)
    for check in checks or (_copies, _encodings, _markup, _sides, _identified, _numbers, _lengths):
        for i, reason in enumerate(check(src, tgt, languages)):
            reasons[i] = reasons[i] or reason
    return reasons


def suspects_notice(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    """Notices if more than a few of some pairs of a text, evenly spread, are suspicious, or a side is wrong.

    Copies, wrong sides and other scripts have notices of their own, see `quality`.
    """
    step = 1 + len(src) // _LOOKED_AT
    looked_at = len(src[::step])
    checks = _encodings, _markup, _identified, _numbers, _lengths
    found = Counter(filter(None, suspects(src[::step], tgt[::step], languages, checks)))
    notices = language_notices(src[::step], tgt[::step], languages)
    if looked_at < MIN_PAIRS or found.total() < _NOTED * looked_at:
        return notices
    share, counts = found.total() / looked_at, ", ".join(f"{n:,} {reason}" for reason, n in found.most_common())
    return [
        *notices,
        f"about {share:.0%} of the pairs are suspicious (of {looked_at:,} looked at: {counts}); "
        "the command corpus lists them, and drops them with --drop-suspects",
    ]


def _letters(line: str) -> str:
    return re.sub(r"[\W\d_]+", "", line.casefold())


def _copies(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    def is_copy(s: str, t: str) -> bool:
        return (len(s.split()) > 3 or len(s) >= _FROM) and len(letters := _letters(s)) > 8 and letters == _letters(t)

    return [COPY if is_copy(s, t) else "" for s, t in zip(src, tgt, strict=True)]


def _encodings(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    def is_wrong(s: str, t: str) -> bool:
        return is_misread(s, languages) or is_misread(t, languages) or has_lost_letters(s, t) or has_lost_letters(t, s)

    return [ENCODING if is_wrong(s, t) else "" for s, t in zip(src, tgt, strict=True)]


def _markup(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    found = [(_TAG.findall(s), _TAG.findall(t)) for s, t in zip(src, tgt, strict=True)]
    usual = sum(bool(s and t) for s, t in found) > _USUAL * len(found)
    return [MARKUP if (bool(s) != bool(t) if usual else s or t) else "" for s, t in found]


def _numbers(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    return [NUMBERS if disagree(s, t) else "" for s, t in zip(src, tgt, strict=True)]


def disagree(src: str, tgt: str) -> bool:
    """Whether the numbers in digits of two lines cannot be the same numbers."""
    if _NUMBER.findall(src) == _NUMBER.findall(tgt):
        return False
    src, tgt = (_PRINTF.sub("%", side) for side in (src, tgt))
    left, right = _NUMBER.findall(src), _NUMBER.findall(tgt)
    if left == right or "".join(left) == "".join(right):
        return False
    if not (left and right):
        if _is_spelt_out(*((src, tgt) if left else (tgt, src))):
            return False
    elif _scaled(src, tgt) or _scaled(tgt, src):
        return False
    one, other = (Counter(int(digits) for digits in side if len(digits) < 16) for side in (left, right))
    for number in list(one - other):  # hours of the afternoon, and years
        for partner in [n for n in other - one if _is_same_time(number, n)]:
            if one[number] and other[partner]:
                one[number] -= 1
                other[partner] -= 1
    only, alone = one - other, other - one
    if only and alone:
        return True
    return any(number > _SPELT and number % 100 for number in [*only, *alone])


def _is_same_time(one: int, other: int) -> bool:
    """Whether two numbers may be an hour of the afternoon in two ways, or a year and its last two digits."""
    less, more = sorted((one, other))
    return (more <= 24 and more - less == 12) or (10 <= less < 100 and more in _YEARS and more % 100 == less)


def _is_spelt_out(digits: str, words: str) -> bool:
    """Whether the numbers of a line may be words on the other side, which then has more letters, or numerals."""
    if sum(letter.isalpha() and letter.isnumeric() for letter in words) > 1:
        return True
    with_digits, without = len(_letters(digits)), len(_letters(words))
    return without >= _LONGER * with_digits + _WORD


def _scaled(short: str, long: str) -> bool:
    """Whether a line has a number and a word for its scale where the other has all digits: 3.5 million, 3,500,000.

    The other numbers must be the same.
    """
    one, other = _WHOLE.findall(short), _WHOLE.findall(long)
    if len(one) != len(other):
        return False
    scaled = 0
    for (number, after), (whole, unit) in zip(one, other, strict=True):
        digits, full = (re.sub(r"\D", "", figure) for figure in (number, whole))
        if digits == full:
            continue
        scales = {mark for mark in (after, unit) if mark.isnumeric()}  # as in Chinese: 20億 is 2 billion
        zeros = len(full) - len(digits)
        many = zeros >= (2 if digits != number else 3)
        if digits.strip("0") != full.strip("0") or not (scales or (after and many)):
            return False
        scaled += 1
    return scaled > 0


def _lengths(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    lengths = np.log1p([[len(line) for line in side] for side in (src, tgt)])
    ratios = lengths[1] - lengths[0]
    long = np.maximum(*lengths) > math.log1p(_FROM)
    if long.sum() < 2:
        return [""] * len(src)
    usual = float(np.median(ratios[long]))
    spread = 1.4826 * float(np.median(np.abs(ratios[long] - usual)))  # a normal distribution's standard deviation
    outliers = long & (np.abs(ratios - usual) > _DEVIATIONS * max(spread, 0.08))
    return [LENGTHS if outlier else "" for outlier in outliers.tolist()]


def _words(line: str) -> set[str]:
    """Not kept for all lines of a text: of a million pairs they would take 2.6 GB."""
    return set(line.lower().split())


def _sides(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    """Lines in another script, and lines that consist of the other side's words."""
    counts = [Counter(chain.from_iterable(map(_words, lines))) for lines in (src, tgt)]
    reasons = [""] * len(src)
    for side, lines in enumerate((src, tgt)):
        own, other, written = counts[side], counts[1 - side], as_written(lines[: 10 * _LOOKED_AT], languages[side])
        for i, line in enumerate(lines):
            if reasons[i]:
                continue
            if not is_in_script(line, written) and not is_in_script(_own_words(line, (src, tgt)[1 - side][i]), written):
                reasons[i] = LANGUAGE.format(language=languages[side])
            elif is_in_other_language(_words(line), own, other):
                reasons[i] = WRONG_SIDE.format(language=languages[side])
    return reasons


def _own_words(line: str, other: str) -> str:
    """The line without what tells no language: placeholders and the like, and Latin words that `other` has, too."""
    if MAYBE.search(line):
        line = any_pattern().sub(" ", line)
    shared = set(_LATIN.findall(other.casefold()))
    return " ".join(_LATIN.sub(lambda word: " " if word[0].casefold() in shared else word[0], line).split())


def _identified(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    """Lines in the script of their language that the identifier takes for another one."""
    reasons = [""] * len(src)
    for lines, other, language in zip((src, tgt), (tgt, src), languages, strict=True):
        written = as_written(lines[: 10 * _LOOKED_AT], language)
        accepted, _ = relatives(_telling(lines, written), written)
        trusted = _trusted(lines, accepted)
        for i, line in enumerate(lines if accepted else ()):
            if reasons[i] or len(line) < _FROM or _share(_words(line), trusted) >= _TRUSTED_SHARE:
                continue
            if not is_in_script(line, written) or margin(line, accepted) <= _MARGIN:
                continue
            words = _own_words(line, other[i])
            if len(words) >= _FROM and margin(words, accepted) > _MARGIN:
                reasons[i] = LANGUAGE.format(language=language)
    return reasons


def _telling(lines: Sequence[str], language: str) -> list[str]:
    """Some of the lines that are long enough for the identifier, and in the script of the language."""
    looked_at = lines[:: 1 + len(lines) // (10 * _LOOKED_AT)]
    return [line for line in looked_at if len(line) >= _FROM and is_in_script(line, language)]


def language_notices(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    """A notice for each side of which most lines seem to be in another language; none of them is suspicious then."""
    notices = []
    for lines, language in zip((src, tgt), languages, strict=True):
        written = as_written(lines[: 10 * _LOOKED_AT], language)
        if other := relatives(_telling(lines, written), written)[1]:
            found = f"most {language} lines seem to be in another language, such as {other}"
            notices.append(f"{found}; check --src and --tgt")
    return notices


def _share(words: set[str], trusted: set[str]) -> float:
    return len(words & trusted) / len(words) if words else 0.0


def _trusted(lines: Sequence[str], accepted: Collection[str]) -> set[str]:
    """Words of a large text that are almost always in lines of its language; none in a text of fewer lines.

    Asking the identifier of every line takes 0.3 ms each, so of a large text it is asked of a sample, and then of those
    lines that have too few of these words.
    """
    if len(lines) <= 2 * _SAMPLE:
        return set()
    seen: Counter[str] = Counter()
    doubted: Counter[str] = Counter()
    for line in lines[:: len(lines) // _SAMPLE]:
        words = _words(line)
        seen.update(words)
        if len(line) >= _FROM and margin(line, accepted) > _MARGIN:
            doubted.update(words)
    return {word for word, count in seen.items() if count >= _SEEN and doubted[word] <= _DOUBT * count}
