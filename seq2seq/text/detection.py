"""The language of a text, detected by py3langid (Lui & Baldwin 2012) where it is installed.

It is asked only which of the languages that a model translates from fits best. This module does not know models.
"""

from collections.abc import Sequence

from seq2seq.errors import InputError
from seq2seq.text.directions import Direction, choose_direction, listed

AUTO = "auto"  # in the place of a language: to be detected
MAX_CHARS = 10_000  # at the beginning of a text, which are looked at


def detect(text: str, known: Sequence[Direction], to: str | None) -> Direction:
    """The direction, one of `known`, that fits the language of a text.

    Args:
        text: of any length; its beginning is looked at.
        known: directions to choose from.
        to: language to translate to; None: the default one for the detected language.

    Raises:
        InputError: nothing is translated to `to`, py3langid is not installed, or it knows none of the languages.
    """
    sources = list(dict.fromkeys(src for src, tgt in known if to in (tgt, None)))
    if not sources:
        raise InputError(f"no translation to {to}; there is {listed(known)}; choose one of these, or another model")
    source = sources[0] if len(sources) == 1 else _best(text[:MAX_CHARS], sources)
    return choose_direction(known, source, to)


def _best(text: str, languages: Sequence[str]) -> str:
    """The language of the text among these."""
    try:
        from py3langid import rank
    except ImportError:
        raise InputError(
            "detecting a language needs the package py3langid; install it (pip install 'seq2seq[detect]'), or name "
            "the language"
        ) from None
    # Its codes are those of ISO 639-1; ours may name a region or a script as well.
    codes = {language.replace("_", "-").partition("-")[0].lower(): language for language in reversed(languages)}
    for code, _ in rank(text):
        if code in codes:
            return codes[code]
    raise InputError(f"the detector knows none of the languages {', '.join(languages)}; name the one of the text")
