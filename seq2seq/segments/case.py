"""Text in capitals, titles with a capital on each word, and words alone: read in small letters, written as they were.

A model that has seen little text in capitals knows their words in small letters. Which letters of a word are capitals
otherwise (a name, a German noun) is found by the cost of its forms, which the caller knows: truecasing (Lita et al.
2003).
"""

import re
from collections.abc import Callable, Sequence

CAPITALS, TITLE, WORD, MIXED = "capitals", "title", "word", "mixed"

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SMALL = 4  # letters; a title has a word of at most so many that it would not have a capital on otherwise

FREQUENT = 0.885  # cost of a word that stands in a text once in two thousand tokens
_SHOUTED = 2.0  # by which capitals cost more than the same word otherwise, if they are only for stress

Cost = Callable[[str], float]  # of a word in some form: less is better


def case_of(text: str, cost: Cost) -> str:
    """Which of CAPITALS, TITLE, WORD and MIXED a sentence is written in.

    TITLE asks for four words at least, all with a capital, two of them short ones that are cheaper without: a name of
    several words is no title. WORD is a word alone with a capital, as on a button, that is cheaper without.
    """
    words = _WORD.findall(text)
    letters = [letter for letter in text if letter.isalpha() and letter not in "ßªº"]
    if len(letters) > 1 and all(map(str.isupper, letters)):  # those of Japanese are neither: NHKを見た
        return CAPITALS
    if len(words) > 3 and all((word[0].isupper() and not word.isupper()) or word in "IA" for word in words):
        short = [w for w in words[1:] if len(w) <= _SMALL and cost(w.lower()) < cost(w)]
        return TITLE if len(short) > 1 else MIXED
    if words == [text] and text[0].isupper() and text[1:].islower() and cost(text.lower()) < cost(text):
        return WORD
    return MIXED


def calm(text: str, cost: Cost) -> str:
    """A sentence with words in capitals for stress in the form that the model knows; as long as the text.

    An abbreviation stays: the model does not know it as another word, or knows its capitals. One of three letters may
    be as another word only if that is a frequent one.
    """

    def written(match: re.Match[str]) -> str:
        word = match[0]
        if len(word) < 3 or not word.isupper():
            return word
        form = _cheapest((word.lower(), word.capitalize()), word, cost)
        known = cost(form) < (1 if len(word) > 3 else FREQUENT)
        return form if known and cost(word) > cost(form) + _SHOUTED else word

    return _begun(text, _WORD.sub(written, text))


def small(text: str, cost: Cost) -> str:
    """A sentence in capitals, a title or a word, as it is written otherwise; as long as the text.

    Of each word the cheapest form is taken: small letters, a capital at the beginning, all capitals. A sentence of
    several words begins with a capital.
    """

    def written(match: re.Match[str]) -> str:
        word = match[0]
        return _cheapest((word.lower(), word.capitalize(), word.upper()), word, cost)

    changed = _WORD.sub(written, text)
    return changed if _WORD.fullmatch(text) else _begun(text, changed)


def _begun(text: str, changed: str) -> str:
    """A changed sentence with the capital that the text begins with."""
    first = found.start() if (found := _WORD.search(text)) else 0
    return changed[:first] + text[first : first + 1] + changed[first + 1 :]


def _cheapest(forms: Sequence[str], word: str, cost: Cost) -> str:
    """The form of a word that costs least, of those as long as it; the word itself if there is none."""
    return min((form for form in forms if len(form) == len(word)), key=cost, default=word)


def written_as(case: str, text: str, codes: Sequence[str] = ()) -> str:
    """A translation, or a part of one, in the case of its source; `codes` that stand in it stay."""
    if codes and case != MIXED:
        parts = re.split(f"({'|'.join(map(re.escape, sorted(codes, key=len, reverse=True)))})", text)
        return "".join(part if number % 2 else written_as(case, part) for number, part in enumerate(parts))
    if case == CAPITALS:
        return text.upper()
    if case == WORD:
        return _WORD.sub(_with_capital, text, count=1)
    if case == TITLE:
        return _WORD.sub(_with_capital, text)
    return text


def _with_capital(match: re.Match[str]) -> str:
    """A word with a capital; "iPhone" stays."""
    word = match[0]
    return word[0].upper() + word[1:] if word.islower() else word
