"""What the name of a column says: a language, or a side of the pairs. This module knows neither tables nor requests."""

import re
from collections.abc import Callable, Sequence

from seq2seq.languages.codes import SIDES, side_of, tag_of

_WORDS = 4  # of a name, at most; more are a sentence
_SENTENCE = re.compile(r"[.!?…。！？]$")
_BETWEEN = re.compile(r"\s*[():\[\]{}<>/|]\s*|\s+[-–—]\s+")  # the pieces of `Source (en)`, `German: text`, `EN - text`
_CODE = re.compile(r"[A-Z]{2,3}|[a-z]{2,3}[-_]([A-Z]{2}|[A-Z][a-z]{3})")  # that is no word of a sentence
_WINDOWS = re.compile("[A-Z]{3}")  # ENU: a language of two letters and one for its country
_PARTS = ("split", "part", "set")
_LANGUAGE = "(?:lang|language|locale)(?:code|tag)?"
_SAID = [
    re.compile(rf"(?:{'|'.join(names)}){_LANGUAGE}|{_LANGUAGE}(?:{'|'.join(names)})") for names in SIDES
]  # source_lang, lang_src, Target language
_WIDE_SIDES = (SIDES[0] | {"original", "orig"}, SIDES[1] | {"translation", "translated", "reference", "ref"})


def short(name: str) -> str:
    """The language or side in a name without spaces such as `sentence_en`, `source_text`; other names as they are."""
    parts = re.split("[._-]", re.sub("(?<=[a-z])(?=[A-Z])", "_", name))  # sourceText
    if len(parts) == 1 or not re.fullmatch(r"\w+", "".join(parts)) or tag_of(name):
        return name
    ends = parts[-1], parts[0]
    languages = (part for part in ends if tag_of(part) and side_of(part) is None)
    return next(languages, next((part for part in ends if side_of(part) is not None), name))


def language_in(name: str) -> str:
    """The word that stands for a language in a name of some words: `en` in `Source (en)`, `German` in `German text`.

    The name itself where there is none, or more than one, or where it may be a sentence.
    """
    if tag_of(name) or (short(name) != name):
        return short(name)
    if _WINDOWS.fullmatch(name) and tag_of(name[:2]):
        return name[:2]
    pieces, words = _pieces(name)
    for some, is_language in (
        (words, lambda word: len(word) > 3 or not word.isascii()),  # a name
        (pieces, lambda _: True),
        (words, lambda word: _CODE.fullmatch(word) is not None),
    ):
        if found := _only(some, is_language):
            return found
    return name


def side_in(name: str) -> int | None:
    """The side that a name of some words says, 0 or 1; None if it says none or both, or may be a sentence."""
    words = {word.lower() for word in re.split("[._-]", short(name)) + _pieces(name)[1]}
    found = [side for side, names in enumerate(_WIDE_SIDES) if words & names]
    return found[0] if len(found) == 1 else None


def said_side_of(name: str) -> int | None:
    """The side of which a column such as `source_lang` says the language of each row; None for others."""
    joined = re.sub(r"[\W_]", "", name.lower())
    return next((side for side, pattern in enumerate(_SAID) if pattern.fullmatch(joined)), None)


def says_part(name: str) -> bool:
    """Whether a column of this name may say the part of each row."""
    return name.lower() in _PARTS


def _pieces(name: str) -> tuple[list[str], list[str]]:
    """The pieces of a name between brackets, colons and the like, and its words; none if it may be a sentence."""
    pieces = [piece for piece in _BETWEEN.split(name) if piece]
    words = [word for piece in pieces for word in piece.split()]
    return ([], []) if _SENTENCE.search(name) or len(words) > _WORDS else (pieces, words)


def _only(texts: Sequence[str], is_language: Callable[[str], bool]) -> str:
    """The text that stands for a language, of those that may; empty if several languages are there, or none."""
    fitting = [text for text in texts if side_of(text) is None and is_language(text)]
    found = {tag.language: text for text in fitting if (tag := tag_of(text))}
    return next(iter(found.values())) if len(found) == 1 else ""
