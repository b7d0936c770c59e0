"""The language of a text, by the detector py3langid (Lui and Baldwin 2011), among the languages that are served."""

from collections.abc import Sequence
from typing import NamedTuple

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from seq2seq.serving.languages import canonical

MOST_CHARACTERS = 5000  # of a text that are looked at


class Detection(NamedTuple):
    """A language that a text may be in."""

    language: str
    confidence: float  # percent; 0 where nothing in the text tells


class Detector:
    """Detects the language of texts, among `languages`.

    Languages that py3langid does not know are never detected, unless there is no other. Where nothing in the text
    tells, it is English, or the first language.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        self._codes = dict[str, str]()
        for code in languages:
            self._codes.setdefault(canonical(code).split("-")[0], code)
        self._untold = Detection(next((code for code in languages if canonical(code) == "en"), languages[0]), 0.0)
        self._identifier: LanguageIdentifier | None = None

    def detect(self, texts: Sequence[str]) -> list[Detection]:
        """The languages of texts that are in one language, most probable first."""
        text = " ".join(texts)[:MOST_CHARACTERS]
        if not any(character.isalpha() for character in text):
            return [self._untold]
        known = self._load()
        if not known:
            return [self._untold]
        ranked = known.rank(text)
        found = [Detection(self._codes[code], round(100 * float(share), 1)) for code, share in ranked]
        if len(found) > 1 and ranked[0][1] == ranked[-1][1]:  # it found no feature in the text
            return [self._untold]
        return [found[0], *(each for each in found[1:] if each.confidence >= 1)]

    def _load(self) -> LanguageIdentifier | None:
        """The detector of the languages that it knows; None if it knows none. Loading takes half a second, once."""
        if self._identifier is None:
            identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            known = [code for code in self._codes if code in identifier.labels]
            if not known:
                return None
            identifier.set_languages(known)
            self._identifier = identifier
        return self._identifier
