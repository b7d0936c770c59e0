"""Plain text of which each line is a segment. White space at both ends of a line stays as it is."""

from collections.abc import Iterator
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.documents.text_files import has_words, one_line, read_text, trimmed
from seq2seq.segments.segment import Segment


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The lines as segments, those without letters and digits as they are.

    Raises:
        InputError: the text is not in UTF-8 (or in UTF-16 with a byte order mark).
    """
    text = read_text(source)
    yield text.mark
    for line in text.lines:
        before, words, after = trimmed(line)
        if has_words(words):
            yield text.encode(before)
            yield Slot(Segment(words), lambda translation: text.encode(one_line(translation.text)))
            yield text.encode(after)
        else:
            yield text.encode(line)
