"""The word before a phrase, as it is written before the sound that the phrase begins with: a and an, le and l'.

Where a term takes another word's place, what stands before it was written for that word. Only what a letter decides is
changed; the gender of a term is not known, so that of the other word stays.
"""

import re
import unicodedata
from collections.abc import Callable

from seq2seq.segments.words import primary

# English words that begin with a vowel, by sound: European, one, unit, user and ubiquity do not; hour and MP3 do.
_ENGLISH_VOWEL = re.compile(
    r"(?!eu|ewe|on(?:e|ce)(?![a-z])|uni(?!n|m)|u[bkqs][aeiu]|ut[ei]|ur[aio])[aeiou]|h(?:eir|onest|onou?r|our)",
    re.IGNORECASE,
)
_SPELT_VOWEL = re.compile(r"[AEFHILMNORSX](?![a-z])")  # letters that are read one by one, such as MP3
_ENGLISH = re.compile(r"(?<![^\W_])(a)n? $", re.IGNORECASE)
_FRENCH_SHORT = re.compile(r"(?<![^\W_])(qu|[cdjlmnst])['’]$", re.IGNORECASE)
_FRENCH_FULL = re.compile(r"(?<![^\W_])((?:[djlmnst]|qu)e|la) $", re.IGNORECASE)
_FRENCH_VOWELS = frozenset("aeiouœæ")


def before(text: str, phrase: str, language: str) -> str:
    """The text as it is written where the phrase follows on it, in a language."""
    change = _CHANGES.get(primary(language))
    return change(text, phrase) if change and phrase else text


def _in_english(text: str, phrase: str) -> str:
    spelt = phrase[0].isupper() and not phrase[1:2].islower()
    vowel = (_SPELT_VOWEL if spelt else _ENGLISH_VOWEL).match(phrase)
    return _ENGLISH.sub(r"\1n " if vowel else r"\1 ", text)


def _in_french(text: str, phrase: str) -> str:
    """An h is taken as the other word has it: it is mute in homme, and not in haricot."""
    first = unicodedata.normalize("NFD", phrase[0].lower())[0]
    if first in _FRENCH_VOWELS:
        return _FRENCH_FULL.sub(lambda match: match[1][:-1] + "'", text)
    return text if first == "h" else _FRENCH_SHORT.sub(r"\1e ", text)


_CHANGES: dict[str, Callable[[str, str], str]] = {"en": _in_english, "fr": _in_french}
