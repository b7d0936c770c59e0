"""The word before a phrase, as it is written before the sound that the phrase begins with: a and an, le and l'.

Where a term takes another word's place, what stands before it was written for that word. Only what a letter decides is
changed; the gender of a term is not known, so that of the other word stays, and after l' it is taken as masculine.
"""

import re
import unicodedata
from collections.abc import Callable

from seq2seq.segments.words import primary

# English words that begin with a vowel, by sound: European, one, unit, user and ubiquity do not; hour and MP3 do.
_ENGLISH_VOWEL = re.compile(
    r"(?!eu|ewe|on(?:e|ce)(?![a-z])|uni(?!n|m)|u[bk][iu]|us[aeiu]|ut[ei]|ur[aio])[aeiou]|h(?:eir|onest|onou?r|our)"
    r"|8|1[18](?!\d)",
    re.IGNORECASE,
)
_SPELT = re.compile(r"[A-Z](?:[A-Z]{0,2}|[B-DF-HJ-NP-TV-Z]+)(?![^\W\d_])")  # read letter by letter, such as MP3
_SPELT_VOWEL = re.compile("[AEFHILMNORSX]")
_ENGLISH = re.compile(r"(?<![^\W_])(a)n? $", re.IGNORECASE)
_FRENCH_SHORT = re.compile(r"(?<![^\W_])(qu|[cdjlmnst])['’]$", re.IGNORECASE)
_FRENCH_FULL = re.compile(r"(?<![^\W_])((?:[djlmnst]|qu)e|la) $", re.IGNORECASE)
_FRENCH_JOINED = {"au ": "à l'", "à la ": "à l'", "du ": "de l'", "de la ": "de l'"}  # and what they are before a vowel
_FRENCH_APART = {"à le ": "au ", "de le ": "du "}
_FRENCH_VOWELS = frozenset("aeiouœæ")
# French words whose h is no mute one; in others a vowel follows.
_ASPIRATED = re.compile(
    "h(?:ache|aie|aine|all|alte|amac|amburger|amster|anche|andball|andicap|angar|anneton|aricot|arnais|arpe|asard|aut|"
    "érisson|éron|éros(?!me)|ibou|iérarchie|ockey|ollande|omard|ongrie|onte|ors|ublot|uit|urlement|utte)",
    re.IGNORECASE,
)


def before(text: str, phrase: str, language: str) -> str:
    """The text as it is written where the phrase follows on it, in a language; as it is before a mark or a quote."""
    change = _CHANGES.get(primary(language))
    return change(text, phrase) if change and phrase[:1].isalnum() else text


def _in_english(text: str, phrase: str) -> str:
    plain = unicodedata.normalize("NFD", phrase)
    vowel = (_SPELT_VOWEL if _SPELT.match(plain) else _ENGLISH_VOWEL).match(plain)
    return _ENGLISH.sub(r"\1n " if vowel else r"\1 ", text)


def _in_french(text: str, phrase: str) -> str:
    first = unicodedata.normalize("NFD", phrase[0].lower())[0]
    if first in _FRENCH_VOWELS or (first == "h" and not _ASPIRATED.match(unicodedata.normalize("NFC", phrase))):
        full = _ending_as(text, _FRENCH_JOINED)
        return full if full != text else _FRENCH_FULL.sub(lambda match: match[1][:-1] + "'", text)
    return _ending_as(_FRENCH_SHORT.sub(r"\1e ", text), _FRENCH_APART)


def _in_spanish(text: str, phrase: str) -> str:
    """And is e before an i, or is u before an o; hielo and whisky begin with another sound."""
    plain = unicodedata.normalize("NFD", phrase.lower()).removeprefix("h")
    for word, other, sounds in (("y", "e", "i(?!e)"), ("o", "u", "o|8")):
        right = other if re.match(sounds, plain) else word
        text = re.sub(rf"(?<![^\W_])[{word}{other}] $", f"{right} ", text)
    return text


def _ending_as(text: str, table: dict[str, str]) -> str:
    """The text, with another end where it ends with one of a table, as a word of its own."""
    for end, other in table.items():
        start = len(text) - len(end)
        if text[max(start, 0) :].lower() == end and not text[start - 1 : start].isalnum():
            return text[:start] + (other[0].upper() if text[start].isupper() else other[0]) + other[1:]
    return text


_CHANGES: dict[str, Callable[[str, str], str]] = {"en": _in_english, "es": _in_spanish, "fr": _in_french}
