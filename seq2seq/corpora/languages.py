"""Compares the names of languages: tags of BCP 47, codes of ISO 639, and names in English or in the language itself.

This module does not know files.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from babel import Locale
from babel.core import get_global

from seq2seq.errors import InputError


class Tag(NamedTuple):
    """A language, and the further subtags of its tag (script, region, variant) in small letters."""

    language: str
    subtags: tuple[str, ...]


@cache
def tag_of(name: str) -> Tag | None:
    """The tag that a name stands for (`DE`, `deu`, `de-DE`, `de_DE.UTF-8`, `German`, `Deutsch`); None if it is none."""
    words = re.split("[-_@]", name.strip().partition(".")[0].lower())
    aliases = get_global("language_aliases")
    language = aliases.get(words[0], words[0])
    language = language.partition("_")[0]
    if language in Locale("en").languages and all(re.fullmatch("[a-z0-9]{2,8}", word) for word in words[1:]):
        return Tag(language, tuple(words[1:]))
    spoken = _names().get(name.strip().lower())
    return Tag(spoken, ()) if spoken else None


@cache
def _names() -> dict[str, str]:
    """The code of each language by its name in English, and for common languages by its own name."""
    names = {name.lower(): code for code, name in Locale("en").languages.items() if "_" not in code}
    for code in _WITH_OWN_NAMES.split():
        names[Locale(code).languages[code].lower()] = code
    return names


_WITH_OWN_NAMES = "ar cs da de el es fi fr he hi hu id it ja ko nl nb pl pt ro ru sv th tr uk vi zh"


def matches(names: Iterable[str], languages: Sequence[str], where: str) -> dict[str, str]:
    """The names that stand for each of the languages, by language; a language that none stands for is left out.

    A name that is spelt as the language is taken; otherwise one with the same tag; otherwise the only one of which the
    tag is more general or more special: `de` finds `de-DE`, `pt-BR` finds `pt`.

    Args:
        names: for example of columns.
        languages: as the user wrote them.
        where: of the names, for messages.

    Raises:
        InputError: several names fit equally well.
    """
    names, found = list(names), {}
    for language in languages:
        wanted = tag_of(language)
        for fits in (
            lambda name, language=language: name == language,
            lambda name, wanted=wanted: wanted is not None and tag_of(name) == wanted,
            lambda name, wanted=wanted: same_language(wanted, tag_of(name)),
        ):
            candidates = [name for name in names if fits(name)]
            if len(candidates) > 1:
                listed = ", ".join(candidates)
                raise InputError(f"{where}: {listed} all fit {language!r}; name one of them in full")
            if candidates:
                found[language] = candidates[0]
                break
    return found


def same_language(one: Tag | None, other: Tag | None) -> bool:
    """Whether two tags are of one language, and one of them has all subtags of the other."""
    if one is None or other is None or one.language != other.language:
        return False
    shorter, longer = sorted((set(one.subtags), set(other.subtags)), key=len)
    return shorter <= longer


def fits(name: str, language: str) -> bool:
    """Whether a name stands for the language that a user wrote."""
    return name == language or same_language(tag_of(name), tag_of(language))
