"""Whether a line was read in a wrong encoding: UTF-8 as one of the usual 8-bit code pages, or letters that were lost.

A letter and a mark may be the bytes of another letter by chance: "CAFÉ" and a quote are those of "ɓ". So the characters
must also stand where they do not belong, and what they decode to must fit. This module does not know files.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from seq2seq.languages.identification import scripts_of

_PAGES = "cp1252", "cp1250", "cp1251", "cp437", "cp850", "mac_roman"
_MANY = 4  # letters, whose bytes do not follow each other by chance

# What UTF-8 has in any language: the letters and marks of Latin, accents, punctuation, symbols, emoji.
_FITTING = re.compile(
    "[\u00a0-\u017f\u018f\u01a0\u01a1\u01af\u01b0\u0218-\u021b\u0259\u0300-\u036f\u1e00-\u1eff\u2010-\u22ff\u2500-\u2bff"
    "\ufb00-\ufb06\ufeff\U0001f000-\U0001faff]"
)
_AFTER_LETTERS = "™®©°¹²³\u00ad"  # symbols that do follow letters
_NOT_AFTER_LETTERS = "‰†‡§¶•‚„"  # and marks that do not
_WITHIN_WORDS = "’·–—…"
_NO_WORDS = "ÂÃĂ√├"  # what most accented letters and marks begin with; no word begins so before what follows it there
_ALPHABETS = {"LATIN", "CYRILLIC", "GREEK"}
_LOST = re.compile(r"[^\W\d_]\?[^\W\d_]")
_CODE = re.compile(r"[/=&%<>{}\[\]\\|$*@`_]|\?.*\?:")


@cache
def _bytes_of(page: str) -> dict[str, int]:
    """The bytes above 127 of a code page by character; where it has no character, that of Latin-1."""
    latin = {chr(byte): byte for byte in range(0x80, 0xA0)} if page == "cp1252" else {}
    return latin | {bytes([byte]).decode(page, "replace"): byte for byte in range(0x80, 0x100)}


@cache
def _sequence(page: str) -> re.Pattern[str]:
    """Characters whose bytes are a sequence of UTF-8."""

    def some(first: int, last: int) -> str:
        found = (char for char, byte in _bytes_of(page).items() if first <= byte <= last and char != "\ufffd")
        return "[" + "".join(map(re.escape, found)) + "]"

    after = some(0x80, 0xBF)
    return re.compile(f"{some(0xC2, 0xDF)}{after}|{some(0xE0, 0xEF)}{after}{{2}}|{some(0xF0, 0xF4)}{after}{{3}}")


def is_misread(line: str, languages: Sequence[str]) -> bool:
    """Whether UTF-8 was read as a code page somewhere in a line, or UTF-16 as UTF-8, or a character was lost.

    Args:
        line: any.
        languages: that may be in the text.
    """
    if "\ufffd" in line or "\0" in line:
        return True
    if line.isascii():
        return False
    return any(_is_evident(line, *found, languages) for page in _PAGES for found in _decoded(line, page))


def _decoded(line: str, page: str) -> Iterator[tuple[int, int, str]]:
    """Where characters of a line are UTF-8 read as a code page, as long as possible: start, end, the right text."""
    start, end, text = 0, 0, ""
    for match in _sequence(page).finditer(line):
        try:
            character = bytes(_bytes_of(page)[char] for char in match[0]).decode()
        except UnicodeDecodeError:
            continue
        if text and match.start() != end:
            yield start, end, text
            text = ""
        start = start if text else match.start()
        end, text = match.end(), text + character
    if text:
        yield start, end, text


def _is_evident(line: str, start: int, end: int, text: str, languages: Sequence[str]) -> bool:
    """Whether line[start:end] is no text as it stands, and `text` may be."""
    run, own = line[start:end], {name for language in languages for name in scripts_of(language)} - {"LATIN"}
    if len(text) == 1:
        if (run.isalpha() and _script(run[0]) in own) or not (_FITTING.match(text) or _script(text) in own):
            return False
    elif any(unicodedata.category(character) in ("Cc", "Cn", "Co") for character in text):
        return False
    if len(text) >= _MANY:
        return True
    before, after = line[max(0, start - 1) : start], line[end : end + 1]
    if any(left.islower() and right.isupper() for left, right in pairwise(before + run)):
        return True
    if any(_is_strange(*both) for both in pairwise(before + run + after)):
        return True
    if before.isalpha():
        return after.isalpha() and not run[-1].isalpha() and run[-1] not in _WITHIN_WORDS  # "Viá»‡t"
    begins = (run[0].isupper() or _is_symbol(run[0])) and after.islower()  # "Å›wiat", "√§lter"
    return run[0] in _NO_WORDS or (begins and not run[1].isalpha() and run[1] not in "’·")


def _is_strange(left: str, right: str) -> bool:
    """Whether two characters hardly follow each other in any text."""
    if left.isalpha() and right.isalpha():
        alphabets = {_script(left), _script(right)}
        return len(alphabets) == 2 and alphabets <= _ALPHABETS
    if left.isalpha():
        return right in _NOT_AFTER_LETTERS or _is_symbol(right)
    return right.isalpha() and _is_symbol(left)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0]


def _is_symbol(character: str) -> bool:
    if character.isascii() or character in _AFTER_LETTERS:
        return False
    return unicodedata.category(character) in ("Sc", "Sk", "Sm", "So", "No", "Cc", "Cf")


def has_lost_letters(line: str, other: str) -> bool:
    """Whether a question mark stands for a letter: within a word, which is no code and not on the other side, too."""
    if "?" not in line:
        return False
    words = (word for word in line.split() if (found := _LOST.search(word)) and found[0][2].islower())
    return any(not _CODE.search(word) and word not in other for word in words)
