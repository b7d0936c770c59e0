"""The language of a text, among the languages that are served, as answers have it."""

from collections.abc import Sequence
from typing import NamedTuple

from seq2seq.languages.identification import rank, untold


class Detection(NamedTuple):
    """A language that a text may be in."""

    language: str
    confidence: float  # percent; 0 where nothing in the text tells


class Detector:
    """Detects the language of texts, among `languages`.

    Languages that the identifier does not know are never detected, unless there is no other.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        self._languages = languages

    def detect(self, texts: Sequence[str]) -> list[Detection]:
        """The languages of texts that are in one language, most probable first."""
        ranked = rank(" ".join(texts), self._languages)
        found = [Detection(language, round(100 * share, 1)) for language, share in ranked]
        if not found:
            return [Detection(untold(self._languages), 0.0)]
        return [found[0], *(each for each in found[1:] if each.confidence >= 1)]
