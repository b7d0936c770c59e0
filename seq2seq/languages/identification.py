"""In which language a text is: by its script, and by py3langid (Lui & Baldwin 2012) where that package is installed.

This module does not know files or sentence pairs.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from statistics import median
from typing import Any, NamedTuple

from babel.core import get_global
from babel.localedata import locale_identifiers

from seq2seq.languages.codes import canonical, tag_of

MAX_CHARS = 10_000  # at the beginning of a text, which are looked at
# From this share on a text is taken to be in the language that it is to be translated to: a few words tell too little.
CERTAIN = 0.9

_CHINESE = ("CJK",)
_NAMES = {  # how the Unicode names of a script's letters begin
    "Latn": ("LATIN", "MODIFIER", "FULLWIDTH"),
    "Cyrl": ("CYRILLIC",),
    "Grek": ("GREEK",),
    "Arab": ("ARABIC",),
    "Hebr": ("HEBREW",),
    "Deva": ("DEVANAGARI",),
    "Beng": ("BENGALI",),
    "Thai": ("THAI",),
    "Armn": ("ARMENIAN",),
    "Geor": ("GEORGIAN",),
    "Jpan": (*_CHINESE, "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HALFWIDTH", "IDEOGRAPHIC"),
    "Kore": ("HANGUL", *_CHINESE),
    "Hans": _CHINESE,
    "Hant": _CHINESE,
}
_LETTERS = 60  # of a line that are looked at
_ASKED, _FEWEST = 300, 50  # lines, by which it shows what a text is taken for
_CLOSE = 10.0  # nats, in the median of the lines, by which a language is less likely than its close relatives
_NONE = "zxx"  # the identifier's name for text in no language
_RELATED = 30.0  # and by which those are that a language is taken for which is not known


@cache
def scripts_of(language: str) -> tuple[str, ...]:
    """How the Unicode names of the letters of a language begin; empty if it is not known."""
    tag = tag_of(language)
    if tag is None:
        return ()
    written = [subtag.title() for subtag in tag.subtags if subtag.title() in _NAMES]
    likely = get_global("likely_subtags").get(tag.language, "").split("_")
    return _NAMES.get(next(iter([*written, *likely[1:2]]), ""), ())


def as_written(lines: Iterable[str], language: str) -> str:
    """The language with the script that most of the lines are in, where CLDR knows it in this one as well: sr-Latn.

    Serbian, Uzbek and Chinese have texts in one script, and others in another.
    """
    tag = tag_of(language)
    if tag is None or any(subtag.title() in _NAMES for subtag in tag.subtags):
        return language
    written = [f"{tag.language}-{script}" for script in _scripts().get(tag.language, ()) if script in _NAMES]
    if not written:
        return language
    counts = Counter(
        name for line in lines for name in [language, *written] if line.strip() and is_in_script(line, name)
    )
    return max([language, *written], key=counts.__getitem__)


@cache
def _scripts() -> dict[str, list[str]]:
    """The scripts that CLDR has a language in, where there are several."""
    scripts = dict[str, list[str]]()
    for name in sorted(locale_identifiers()):
        language, _, script = name.partition("_")
        if len(script) == 4:
            scripts.setdefault(language, []).append(script)
    return scripts


def is_in_script(line: str, language: str) -> bool:
    """Whether at least half of the letters of a line belong to the script of a language, or it is not known.

    In Chinese, Japanese and Korean a character counts as two letters: the words of an alphabet within them are longer.
    """
    wanted = scripts_of(language)
    if not wanted:
        return True
    letters = [character for character in line[: 4 * _LETTERS] if character.isalpha()][:_LETTERS]
    if wanted[0] == "LATIN" and all(letter < "\u0250" for letter in letters):
        return True
    names = Counter(unicodedata.name(letter, "?").split()[0] for letter in letters)
    own = sum(names[name] for name in wanted)
    return (2 if "CJK" in wanted else 1) * own >= len(letters) - own


def is_foreign(text: str, language: str, others: Iterable[str]) -> bool:
    """Whether the letters of a text are in the script of one of the languages `others`, and none in that of `language`.

    Latin letters are foreign to no language: all borrow words that are written in them.
    """
    wanted = scripts_of(language)
    if not wanted or all(letter < "\u0250" for letter in text):
        return False
    names = {unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha()}
    if not names or not names.isdisjoint((*wanted, *_NAMES["Latn"])):
        return False
    return any(not names.isdisjoint(scripts_of(other)) for other in others)


class Likely(NamedTuple):
    """A language that a text may be in."""

    language: str
    share: float  # probability, among the languages that were asked for


def is_installed() -> bool:
    """Whether py3langid is installed."""
    return _identifier() is not None


def _identifier() -> Any:
    try:
        import py3langid.langid  # noqa: F401
    except ImportError:
        return None
    return _loaded()


@cache
def _loaded() -> Any:
    """The identifier, which takes half a second to load."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)


def _code(language: str) -> str:
    """The language as py3langid names it."""
    return canonical(language).partition("-")[0]


def knows(languages: Sequence[str]) -> bool:
    """Whether the identifier, which must be installed, knows any of these languages."""
    return not {_code(language) for language in languages}.isdisjoint(_identifier().labels)


def rank(text: str, languages: Sequence[str]) -> list[Likely]:
    """The languages among these that a text may be in, most likely first.

    None if nothing in the text tells, or the identifier is not installed or knows none of them.
    """
    text, identifier = text[:MAX_CHARS], _identifier()
    if identifier is None or not any(map(str.isalpha, text)):
        return []
    named = {_code(language): language for language in reversed(languages)}
    ranked = [(named[code], float(log_prob)) for code, log_prob in identifier.rank(text) if code in named]
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[-1][1]):  # it found no feature in the text
        return []
    weights = [math.exp(log_prob - ranked[0][1]) for _, log_prob in ranked]
    return [Likely(language, weight / sum(weights)) for (language, _), weight in zip(ranked, weights, strict=True)]


def untold(languages: Sequence[str]) -> str:
    """What a text is taken to be in if nothing in it tells: English, or the first of the languages."""
    return next((language for language in languages if canonical(language) == "en"), languages[0])


def relatives(lines: Sequence[str], language: str) -> tuple[frozenset[str], str]:
    """The languages that the lines of a text may well be taken for, and the likely one if it is not that which is said.

    The identifier does not know all languages in all of their scripts, and hardly tells apart some others (Malay and
    Indonesian). So what most lines are about as likely in is no other language.

    Args:
        lines: in the script of `language`, long enough to be identified.
        language: that they are said to be in, with its script if that is not the usual one.

    Returns:
        The languages as py3langid names them, none if it cannot tell; empty or the name of another language.
    """
    identifier, tag = _identifier(), tag_of(language)
    if identifier is None or tag is None or tag.language not in identifier.labels:
        return frozenset(), ""
    known = scripts_of(tag.language) == scripts_of(language)
    if len(lines) < _FEWEST:
        return frozenset([tag.language] if known else []), ""
    ranked = [dict(identifier.rank(line)) for line in lines[:: -(-len(lines) // _ASKED)]]
    best = [max(ranks.values()) for ranks in ranked]
    lacks = {name: median(top - ranks[name] for top, ranks in zip(best, ranked, strict=True)) for name in ranked[0]}
    least = min(lacks, key=lacks.__getitem__)
    is_said = known and lacks[tag.language] < _CLOSE
    most = lacks[least] + (_CLOSE if is_said else _RELATED)
    close = (name for name, lack in lacks.items() if lack < most)
    return frozenset([tag.language, *close]), least if known and not is_said and least != _NONE else ""


def margin(line: str, languages: Collection[str]) -> float:
    """By how many nats the most likely of all languages is more likely than any of these; 0 if none is known.

    Args:
        line: any.
        languages: as py3langid names them.
    """
    identifier = _identifier()
    if identifier is None:
        return 0.0
    ranked = identifier.rank(line)
    return float(ranked[0][1] - max((log_prob for name, log_prob in ranked if name in languages), default=ranked[0][1]))
