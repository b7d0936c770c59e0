"""The glossary and the phrases to avoid of a request. Knows no models."""

from seq2seq.errors import InputError
from seq2seq.segments.glossary import Terms, avoided_phrase, glossary_of, parse_avoided, parse_glossary
from seq2seq.serving.limits import RefusedError

MOST_TERMS = 1000  # of a request: terms and phrases
MOST_CHARACTERS = 200  # of a phrase


def terms_of(glossary: dict[str, str] | str, avoid: list[str] | str) -> Terms:
    """The terms of a request's fields.

    Args:
        glossary: phrases and their translations, or the text of a file of them.
        avoid: phrases, or the text of a file of them.

    Raises:
        RefusedError: a phrase is empty, too long or contradicts another, or there are too many (400).
    """
    try:
        if isinstance(glossary, str):
            pairs = parse_glossary(glossary.removeprefix("\ufeff").split("\n"), "glossary").terms
        else:
            pairs = glossary_of(glossary.items()).terms
        phrases = parse_avoided(avoid.split("\n"), "avoid") if isinstance(avoid, str) else map(avoided_phrase, avoid)
        terms = Terms(pairs, tuple(dict.fromkeys(phrases)))
    except InputError as e:
        raise RefusedError(400, str(e)) from None
    if (count := len(terms.glossary) + len(terms.avoided)) > MOST_TERMS:
        raise RefusedError(400, f"{count} terms and phrases to avoid are more than {MOST_TERMS}; send fewer")
    longest = max([phrase for term in terms.glossary for phrase in term] + list(terms.avoided), key=len, default="")
    if len(longest) > MOST_CHARACTERS:
        raise RefusedError(400, f"the phrase {longest[:30]!r}.. has more than {MOST_CHARACTERS} characters; shorten it")
    return terms
