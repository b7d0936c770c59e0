"""A text or page as segments, and its translations from those of the segments. Knows no model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seq2seq.documents.document import Event, Slot, translated
from seq2seq.documents.web.hypertext import text_events
from seq2seq.segments.segment import Segment
from seq2seq.translation.assembly import Candidate
from seq2seq.translation.texts import different, ranked_texts, split_lines
from seq2seq.translation.translator import Translation

HTML = "html"
MOST_SEEN = 20_000  # characters that are looked at to detect a language


def segments_of(text: str, form: str) -> list[Segment]:
    """What is translated: the lines of a text, or the segments of HTML."""
    if form == HTML:
        return slots_of(text_events(text))
    return [Segment(line) for line in split_lines(text)]


def words_of(text: str, form: str) -> list[str]:
    """What a person reads of the beginning of a text, by which its language is detected."""
    return [segment.text for segment in segments_of(text[:MOST_SEEN], form)]


def slots_of(events: Iterable[Event]) -> list[Segment]:
    """The segments of a document."""
    return [event.segment for event in events if isinstance(event, Slot)]


class Translated(NamedTuple):
    """The translations of a text."""

    texts: list[str]  # best first, all different, one at least
    alignments: list[list[list[int]]]  # of the best, for each segment


def translations_of(text: str, form: str, candidates: Sequence[Sequence[Candidate]], most: int) -> Translated:
    """At most so many translations of a text, from the candidates of each of its segments, best first."""
    candidates = [each[:most] for each in candidates]
    alignments = [each[0].alignment if each else [] for each in candidates]
    if form == HTML:
        ranks = range(max([1, *map(len, candidates)]))
        pages = [b"".join(written(text_events(text), candidates, rank)).decode() for rank in ranks]
        return Translated(list(dict.fromkeys(pages)), alignments)
    lines = [[Translation(c.segment.text, *c[1:]) for c in each] for each in candidates]
    return Translated([best.text for best in different(ranked_texts(text, lines))], alignments)


def written(events: Iterable[Event], candidates: Sequence[Sequence[Candidate]], rank: int = 0) -> Iterator[bytes]:
    """The bytes of a document, with the candidate of this rank, or the last, of each segment."""
    chosen = [each[min(rank, len(each) - 1)].segment if each else Segment("") for each in candidates]

    def translate(segments: Iterable[Segment]) -> Iterator[Segment]:
        return (translation for _, translation in zip(segments, chosen, strict=True))

    return translated(events, translate)
