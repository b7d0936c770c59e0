"""Translations of the parts of a sentence as one sentence.

A model takes each part for a sentence: it begins it with a capital and ends it with a full stop.
"""

import re
from collections.abc import Callable

from seq2seq.segments.words import UNSPACED_LANGUAGES, primary

_ENDS = re.compile(r"[\s.,;:!?…。、，；：！？]+$")
_WORD = re.compile(r"[^\W\d_]+")
_NEARLY = 0.03  # of a word with a capital: it begins sentences as well
_NARROW = str.maketrans("、，；：。？！", ",,;:.?!")
_WIDE = {
    language: str.maketrans(",;:.?!", f"{comma}；：。？！")
    for language, comma in (("ja", "、"), ("zh", "，"), ("yue", "，"))
}


def inner_end(text: str, source: str, language: str) -> str:
    """The translation of a part on which another follows, with the comma, colon or semicolon that its source ends with.

    Other marks at its end, which the model adds, are left out, but for those of a source that ends a sentence.
    """
    last = source.rstrip()[-1:]
    if last in tuple(".!?…。！？)）") or not (found := _ENDS.sub("", text)):
        return text
    return found + (marks_in(last, language) if last.translate(_NARROW) in tuple(",;:") else "")


def inner_begin(text: str, before: str, source: str, cost: Callable[[str], float]) -> str:
    """The translation of a part that follows on another with a small letter.

    A German noun, or what else costs less with a capital, keeps it, and so do a name and the beginning of a sentence.

    Args:
        text: the translation.
        before: the source of what stands before it.
        source: that of the part.
        cost: of a word in some form: less is better.
    """
    word, own = _WORD.match(text), _WORD.search(source)
    is_name = word and own and own[0] == word[0]
    if not word or is_name or not word[0][0].isupper() or before.rstrip()[-1:] in tuple(".!?…。！？"):
        return text
    lower = word[0][0].lower() + word[0][1:]
    is_small = len(lower) == len(word[0]) and cost(lower) < cost(word[0]) + _NEARLY
    return lower + text[word.end() :] if is_small else text


def marks_in(text: str, language: str) -> str:
    """Punctuation marks as a language writes them: wide ones in Japanese and Chinese."""
    return text.translate(_NARROW).translate(_WIDE.get(primary(language), {}))


def space(language: str) -> str:
    """What stands between two parts in a language."""
    return "" if primary(language) in UNSPACED_LANGUAGES else " "
