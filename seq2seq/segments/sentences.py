"""Where sentences begin and end, by `sentencex`, which knows many languages and their abbreviations."""

import re
from collections.abc import Iterator

Span = tuple[int, int]

# Titles and initials stand before a name. `sentencex` ends a sentence after some of them, where it begins the text.
_BEFORE_NAME = re.compile(r"(?:^|\s)(?:[A-Z]|Dr|Prof|Mr|Mrs|Ms|St|Hr|Fr|Mme|Mlle|MM|Sr|Sra|Srta|Dhr|Mevr)\.\s*$")


def sentences(text: str, language: str) -> list[Span]:
    """The places (start, end) of the sentences in a text, without the white space around them.

    Between two sentences there is nothing but white space, perhaps none. `language` is a BCP 47 code; what `sentencex`
    does not know is divided as English is.
    """
    spans = list[Span]()
    for start, end in _boundaries(text, language):
        if spans and _BEFORE_NAME.search(text, spans[-1][0], start) and len(text[spans[-1][0] : start].split()) == 1:
            start = spans.pop()[0]
        if stripped := text[start:end].strip():
            start = text.index(stripped[0], start)
            spans.append((start, start + len(stripped)))
    return spans


def _boundaries(text: str, language: str) -> Iterator[Span]:
    """The sentences with the white space after them; all of the text, in order."""
    from sentencex import segment

    # One character for each, so that places stay: `sentencex` leaves out line breaks between long paragraphs.
    flat = "".join(" " if letter.isspace() else letter for letter in text) if not text.isprintable() else text
    start = 0
    for sentence in segment(language.replace("_", "-").split("-")[0].lower(), flat):
        end = start + len(sentence)
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)
