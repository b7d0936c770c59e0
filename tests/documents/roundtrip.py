"""Law 13: a document comes back whole, with a translation that changes nothing and with one that marks each segment."""

import io
from collections.abc import Iterable, Iterator

from seq2seq.documents.document import DocumentOptions, Format, Slot, translated
from seq2seq.segments.segment import Segment

PLAIN = DocumentOptions()
LEFT, RIGHT = "⟦", "⟧"  # what `marked` puts around each segment, and nothing else holds


def identity(form: Format, document: bytes, options: DocumentOptions = PLAIN) -> bytes:
    """The document, translated by what changes nothing."""
    return b"".join(translated(form.events(io.BytesIO(document), options), iter))


def marked(form: Format, document: bytes, options: DocumentOptions = PLAIN) -> bytes:
    """The document with LEFT and RIGHT around the text of each segment; without them it must be what `identity` gives.

    All segments are read before the first is written, as translating in windows does.
    """
    return b"".join(translated(form.events(io.BytesIO(document), options), _marked))


def segments(form: Format, document: bytes, options: DocumentOptions = PLAIN) -> list[Segment]:
    """The segments of the document, in order."""
    return [event.segment for event in form.events(io.BytesIO(document), options) if isinstance(event, Slot)]


def put(form: Format, document: str, *translations: Segment | str) -> str:
    """The document with these translations of its segments."""
    answers = iter(Segment(t) if isinstance(t, str) else t for t in translations)

    def translate(source: Iterable[Segment]) -> Iterator[Segment]:
        yield from (next(answers) for _ in source)

    return b"".join(translated(form.events(io.BytesIO(document.encode()), PLAIN), translate)).decode()


def unmarked(text: str) -> str:
    """The text without LEFT and RIGHT."""
    return text.replace(LEFT, "").replace(RIGHT, "")


def _marked(segments: Iterable[Segment]) -> Iterator[Segment]:
    return iter([Segment.of_parts([LEFT, *segment.parts(), RIGHT]) for segment in list(segments)])
