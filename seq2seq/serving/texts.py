"""A text or page as segments, and its translations from those of the segments. Knows no model."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from seq2seq.documents.document import Event, Slot, translated
from seq2seq.documents.hypertext import text_events
from seq2seq.segments.reading import Part, Reading, Sentence, read
from seq2seq.segments.segment import Segment
from seq2seq.translation.assembly import Candidate
from seq2seq.translation.texts import different, ranked_texts, split_lines
from seq2seq.translation.translator import Translation

HTML = "html"


def segments_of(text: str, form: str) -> list[Segment]:
    """What is translated: the lines of a text, or the segments of HTML."""
    if form == HTML:
        return slots_of(text_events(text))
    return [Segment(line) for line in split_lines(text)]


def pieces_of(text: str, reading: Reading | None) -> list[str]:
    """The text as the sentences that a model with this reading translates one by one, and what stands between them.

    Each line break is a piece of its own. Joined, the pieces are the text; and so are their translations.
    """
    pieces = list[str]()
    for number, line in enumerate(text.split("\n")):
        pieces += ["\n"] if number else []
        if reading is None or not reading.split:
            pieces += [line] if line else []
            continue
        for in_sentence, parts in groupby(read(Segment(line), reading), lambda part: isinstance(part, Sentence)):
            written = [_source(part) for part in parts]
            pieces += written if in_sentence else filter(None, ["".join(written)])
    return pieces


def _source(part: Part) -> str:
    """A part of a text without markup, as it stood there."""
    if isinstance(part, Sentence):
        return "".join(map(_source, part.parts))
    return part if isinstance(part, str) else part.code.source


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
