"""A text or page as segments, and its translations from those of the segments. Knows no model."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from typing import NamedTuple

from seq2seq.documents.document import Event, Slot, translated
from seq2seq.documents.web.hypertext import text_events
from seq2seq.segments.reading import Part, Reading, Sentence, read
from seq2seq.segments.segment import Segment
from seq2seq.segments.sentences import sentences
from seq2seq.segments.words import space_between
from seq2seq.serving.limits import RefusedError
from seq2seq.translation.assembly import Candidate
from seq2seq.translation.texts import count_words, different, ranked_texts, split_lines
from seq2seq.translation.translator import Translation

HTML = "html"
MOST_LINE = 1000  # characters of a segment; longer ones are translated in portions
MOST_MARKED, MOST_MARKS = 20_000, 1000  # characters of a segment with marks, which is not divided, and its marks
MOST_SEEN = 20_000  # characters that are looked at to detect a language


class Source(NamedTuple):
    """A text or page as what is translated of it."""

    text: str
    page: list[Event] | None  # of HTML
    segments: list[list[Segment]]  # the lines, or the segments of the page, each in its portions


def source_of(text: str, form: str, language: str) -> Source:
    """A text in a language, or HTML, as what is translated of it.

    Raises:
        RefusedError: a segment of HTML cannot be divided and is too long (413).
    """
    page = list(text_events(text)) if form == HTML else None
    whole = map(Segment, split_lines(text)) if page is None else slots_of(page)
    return Source(text, page, [divided(segment, language) for segment in whole])


def divided(segment: Segment, language: str) -> list[Segment]:
    """A segment in portions, if it has no marks.

    Raises:
        RefusedError: it has marks, and is too long or has too many (413).
    """
    if not segment.marks:
        return [Segment(portion) for portion in portions(segment.text, language)]
    if len(segment.text) > MOST_MARKED or len(segment.marks) > MOST_MARKS:
        found = f"{len(segment.text)} characters and {len(segment.marks)} tags or other marks"
        raise RefusedError(413, f"a paragraph has {found}; divide it")
    return [segment]


def portions(line: str, language: str) -> list[str]:
    """A line in portions of whole sentences, so that no request is put together at once; joined they are the line.

    A portion has MOST_LINE characters at most; a longer sentence is cut after a space, or where there is none anywhere.
    """
    if len(line) <= MOST_LINE:
        return [line]
    ends = [*[start for start, _ in sentences(line, language)][1:], len(line)]
    cuts = [0]
    for end, after in zip(ends, [*ends[1:], 2 * MOST_LINE + len(line)], strict=True):
        while end - cuts[-1] > MOST_LINE:
            space = line.rfind(" ", cuts[-1], cuts[-1] + MOST_LINE) + 1
            cuts.append(space if space > cuts[-1] else cuts[-1] + MOST_LINE)
        if after - cuts[-1] > MOST_LINE:
            cuts.append(end)
    return [line[start:end] for start, end in pairwise(cuts) if start < end]


def words_of(text: str, form: str) -> list[str]:
    """What a person reads of the beginning of a text, by which its language is detected."""
    return [segment.text for segment in slots_of(text_events(text[:MOST_SEEN]))] if form == HTML else [text]


def pieces_of(text: str, reading: Reading | None) -> list[str]:
    """The text as the sentences that a model with this reading translates one by one, and what stands between them.

    Each line break is a piece of its own, and an empty one stands between two sentences with nothing between. Joined,
    the pieces are the text; and so are their translations, if `with_spaces`.
    """
    pieces = list[str]()
    for number, line in enumerate(text.split("\n")):
        pieces += ["\n"] if number else []
        if reading is None or not reading.split:
            pieces += [line] if line else []
            continue
        parts = chain.from_iterable(read(Segment(portion), reading) for portion in portions(line, reading.src))
        for in_sentence, run in groupby(parts, lambda part: isinstance(part, Sentence)):
            written = [_source(part) for part in run]
            apart = [piece for sentence in written for piece in (sentence, "")][:-1]
            pieces += apart if in_sentence else filter(None, ["".join(written)])
    return pieces


def with_spaces(pieces: Sequence[str], translations: Sequence[str]) -> list[str]:
    """The translations of the pieces; that of an empty one is the space that the sentence before it needs."""
    return [
        text if piece else space_between(pieces[i - 1], translations[i - 1])
        for i, (piece, text) in enumerate(zip(pieces, translations, strict=True))
    ]


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


def translations_of(source: Source, candidates: Iterable[Sequence[Candidate]], most: int) -> Translated:
    """At most so many translations of a text, from the candidates of each of its portions, best first."""
    whole = joined(source.segments, (each[:most] for each in candidates))
    alignments = [each[0].alignment if each else [] for each in whole]
    if source.page is not None:
        ranks = range(max([1, *map(len, whole)]))
        pages = [b"".join(written(source.page, whole, rank)).decode() for rank in ranks]
        return Translated(list(dict.fromkeys(pages)), alignments)
    lines = [[Translation(c.segment.text, *c[1:]) for c in each] for each in whole]
    return Translated([best.text for best in different(ranked_texts(source.text, lines))], alignments)


def joined(
    segments: Sequence[Sequence[Segment]], candidates: Iterable[Sequence[Candidate]]
) -> list[Sequence[Candidate]]:
    """The candidates of each segment from those of its portions."""
    found = iter(candidates)
    return [_joined([(portion, next(found)) for portion in each]) for each in segments]


def _joined(of_portions: Sequence[tuple[Segment, Sequence[Candidate]]]) -> Sequence[Candidate]:
    """The candidates of a segment from those of its portions; rank r joins rank r of each, or its last."""
    if len(of_portions) == 1:
        return of_portions[0][1]
    result = list[Candidate]()
    for rank in range(max(len(found) for _, found in of_portions)):
        text, last, log_prob, score, alignment, words, before = "", "", 0.0, 0.0, list[list[int]](), 0, 0
        for portion, found in of_portions:
            each = found[min(rank, len(found) - 1)] if found else Candidate(portion, 0.0, 0.0, [])
            alignment += [[source + words, target + before] for source, target in each.alignment]
            text += space_between(last, text)
            text, log_prob, score = text + each.segment.text, log_prob + each.log_prob, score + each.score
            last = portion.text
            words, before = words + count_words(portion.text), before + count_words(each.segment.text)
        result.append(Candidate(Segment(text), log_prob, score, alignment))
    return result


def written(events: Iterable[Event], candidates: Sequence[Sequence[Candidate]], rank: int = 0) -> Iterator[bytes]:
    """The bytes of a document, with the candidate of this rank, or the last, of each segment."""
    chosen = [each[min(rank, len(each) - 1)].segment if each else Segment("") for each in candidates]

    def translate(segments: Iterable[Segment]) -> Iterator[Segment]:
        return (translation for _, translation in zip(segments, chosen, strict=True))

    return translated(events, translate)
