"""In which language a line is: by its script, and by an identifier where one is installed.

The identifier is py3langid (Lui & Baldwin 2012), an optional package. This module does not know files or pairs.
"""

import unicodedata
from collections import Counter
from functools import cache, cached_property
from typing import Any

from babel.core import get_global

from seq2seq.corpora.languages import tag_of

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


@cache
def scripts_of(language: str) -> tuple[str, ...]:
    """How the Unicode names of the letters of a language begin; empty if it is not known."""
    tag = tag_of(language)
    if tag is None:
        return ()
    written = [subtag.title() for subtag in tag.subtags if subtag.title() in _NAMES]
    likely = get_global("likely_subtags").get(tag.language, "").split("_")
    return _NAMES.get(next(iter([*written, *likely[1:2]]), ""), ())


def is_in_script(line: str, language: str) -> bool:
    """Whether at least half of the letters of a line belong to the script of a language, or it is not known."""
    wanted = scripts_of(language)
    if not wanted:
        return True
    letters = [character for character in line[: 4 * _LETTERS] if character.isalpha()][:_LETTERS]
    if wanted[0] == "LATIN" and all(letter < "\u0250" for letter in letters):
        return True
    names = Counter(unicodedata.name(letter, "?").split()[0] for letter in letters)
    return 2 * sum(names[name] for name in wanted) >= len(letters)


class Identifier:
    """An identifier of languages; without the package, or for a language that it does not know, it doubts nothing."""

    @cached_property
    def _model(self) -> Any:
        """The model, which takes a second to load; None if the package is not installed."""
        try:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier
        except ImportError:
            return None
        return LanguageIdentifier.from_model_file(MODEL_FILE)

    def margin(self, line: str, language: str) -> float:
        """By how many nats the most likely language is more likely than `language`; 0 if that is the most likely."""
        tag = tag_of(language)
        if tag is None or self._model is None:
            return 0.0
        ranked = self._model.rank(line)
        return float(ranked[0][1] - dict(ranked).get(tag.language, ranked[0][1]))
