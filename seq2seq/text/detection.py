"""The direction that fits a text whose language is detected. This module does not know models."""

from collections.abc import Sequence

from seq2seq.errors import InputError
from seq2seq.languages.identification import CERTAIN, is_installed, knows, rank, untold
from seq2seq.text.directions import Direction, choose_direction, find_language, listed


def detect(text: str, known: Sequence[Direction], to: str | None) -> Direction:
    """The direction, one of `known`, that fits the language of a text; (to, to) if it is certainly in that language.

    Args:
        text: of any length; its beginning is looked at.
        known: directions to choose from. If one language alone is translated to `to`, it is that one.
        to: language to translate to; None: the default one for the detected language.

    Raises:
        InputError: nothing is translated to `to`, py3langid is not installed, or it knows none of the languages.
    """
    to = find_language(known, to)
    sources = list(dict.fromkeys(src for src, tgt in known if to in (tgt, None)))
    if not sources:
        raise InputError(f"no translation to {to}; there is {listed(known)}; choose one of these, or another model")
    source = sources[0] if len(sources) == 1 else _best(text, sources, to)
    return (source, source) if source == to else choose_direction(known, source, to)


def _best(text: str, languages: Sequence[str], to: str | None) -> str:
    """The language of the text among these, or `to`."""
    if not is_installed():
        raise InputError(
            "detecting a language needs the package py3langid; install it (pip install 'seq2seq[detect]'), or name "
            "the language"
        )
    if ranked := rank(text, languages if to is None else [*languages, to]):
        return next((each for each in ranked if each.language != to or each.share >= CERTAIN), ranked[0]).language
    if not knows(languages):
        raise InputError(f"the detector knows none of the languages {', '.join(languages)}; name the one of the text")
    return untold(languages)
