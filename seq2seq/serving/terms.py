"""The glossary and the phrases to avoid of a request. Knows no models."""

from collections.abc import Collection
from functools import partial

from seq2seq.errors import InputError
from seq2seq.languages.codes import named_direction
from seq2seq.segments.glossary import Terms, avoided_phrase, glossary_of, parse_avoided, parse_glossary
from seq2seq.serving.limits import RefusedError

MOST_TERMS = 1000  # of a request: terms and phrases


def terms_of(
    glossary: dict[str, str] | str,
    avoid: list[str] | str,
    direction: tuple[str, str],
    languages: Collection[str],
    detected: bool,
) -> Terms:
    """The terms of a request's fields, for translations in a direction.

    Args:
        glossary: phrases and their translations, or the text of a file of them, whose first line may name languages.
        avoid: phrases, or the text of a file of them.
        direction: of the translations.
        languages: of all models here.
        detected: whether the source was detected; then a glossary of another direction is left out.

    Raises:
        RefusedError: a phrase is empty, too long or contradicts another, there are too many, or the glossary has
            another direction (400).
    """
    try:
        if isinstance(glossary, str):
            lines = glossary.removeprefix("\ufeff").split("\n")
            pairs, named = parse_glossary(lines, "glossary", partial(named_direction, languages))
            if named not in (None, direction):
                if not detected:
                    raise InputError(f"the glossary is from {' to '.join(named or ())}, not {' to '.join(direction)}")
                pairs = ()
        else:
            pairs = glossary_of(glossary.items()).terms
        phrases = parse_avoided(avoid.split("\n"), "avoid") if isinstance(avoid, str) else map(avoided_phrase, avoid)
        terms = Terms(pairs, tuple(dict.fromkeys(phrases)))
    except InputError as e:
        raise RefusedError(400, str(e)) from None
    if (count := len(terms.glossary) + len(terms.avoided)) > MOST_TERMS:
        raise RefusedError(400, f"{count} terms and phrases to avoid are more than {MOST_TERMS}; send fewer")
    return terms
