"""Where words begin and end, by the characters beside: a phrase is found as whole words, where its script has them."""

import re
import unicodedata
from functools import cache

# Characters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"


UNSPACED_LANGUAGES = frozenset(("ja", "zh", "yue", "th", "lo", "my", "km"))
APART = "\u201e"  # stands for what is no part of what is kept; none of its patterns holds it


@cache
def is_unspaced(character: str) -> bool:
    """Whether the character's script puts no spaces between words."""
    return re.match(f"[{UNSPACED}]", character) is not None


@cache
def is_word(character: str) -> bool:
    """Whether a character is part of words: a letter, a mark on one, a digit, an underscore."""
    return character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")


@cache
def joins(character: str) -> bool:
    """Whether a character makes one word with a letter beside it."""
    return is_word(character) and not is_unspaced(character)


def primary(language: str) -> str:
    """The language alone of a BCP 47 code, in small letters: zh of zh_Hant."""
    return language.replace("_", "-").split("-")[0].lower()


def apart(text: str, language: str) -> str:
    """A text of a language without spaces, with APART for its letters and marks; texts of other languages stay.

    So an address ends where Japanese goes on. It is as long as the text.
    """
    return _letters_and_marks().sub(APART, text) if primary(language) in UNSPACED_LANGUAGES else text


@cache
def _letters_and_marks() -> re.Pattern[str]:
    """The letters of these scripts, and wide marks, but no wide digits or Latin letters."""
    marks = "\u3001-\u302f\u3031-\u303c\u303e-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff9f"
    return re.compile(f"[{UNSPACED}{marks}]")


def space_between(source: str, translation: str) -> str:
    """What is written after the translation of a sentence `source`, if another sentence follows directly.

    Japanese and Chinese have no space there, other scripts have one; from these to others, one is written.
    """
    if not translation or source[-1:].isspace() or translation[-1].isspace():
        return ""
    return " " if _ends_unspaced(source) and not _ends_unspaced(translation) else ""


def _ends_unspaced(text: str) -> bool:
    """Whether a text ends with a wide mark, such as a Japanese full stop, or with a word of a script without spaces."""
    last = next(filter(is_word, reversed(text)), "")
    return unicodedata.east_asian_width(text[-1:] or " ") in "WF" or is_unspaced(last)


def is_boundary(before: str, after: str) -> bool:
    """Whether a word may end or begin between two characters, each "" at an end of the text."""
    return not (before and after and joins(before) and joins(after))


def fold(text: str) -> str:
    """The text in small letters, as long as before."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
    return small.replace("\u03c2", "\u03c3")  # the sigma at the end of a word


def is_small(phrase: str) -> bool:
    """Whether a phrase is in small letters: then it matches any case, and another exactly."""
    return phrase == phrase.lower()


def with_capital(phrase: str) -> str:
    """The phrase as a sentence begins with it; "" if that is the phrase itself, or its first word has a capital."""
    first = re.split(r"\W", phrase, maxsplit=1)[0]
    capital = phrase[:1].upper()
    return (
        capital + phrase[1:] if first and first == first.lower() and capital != phrase[:1] and len(capital) == 1 else ""
    )
