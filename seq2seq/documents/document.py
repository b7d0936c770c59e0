"""A document as a sequence of events: bytes that stay as they are, and slots for the segments that are translated.

Each format is a module with a function `events(source, options)`, which reads a document. `translated` writes it back.
Bytes and slots come in the order of the document. A format that needs its whole document in memory (XML, an archive)
puts each translation into its tree, and ends with a function that returns the bytes of the document once all of them
are there. This module does not know models.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, Protocol

from seq2seq.segments.segment import Segment


@dataclass(frozen=True)
class DocumentOptions:
    """What a format may need to know beside the document."""

    src: str = ""  # language that is translated from, as BCP 47 writes it
    tgt: str = ""
    columns: tuple[str, ...] = ()  # CSV, TSV: names of the columns to translate
    everything: bool = False  # PO, XLIFF: what is translated already, too
    note: Callable[[str], None] = field(default=lambda message: None, repr=False, compare=False)  # tells the user

    def check_languages(self, source: str, target: str, line: int) -> None:
        """Give a note where the document names other languages of its text or of its translations than are asked for.

        Args:
            source, target: as the document names them; empty: it does not.
        """
        named = source.strip(), target.strip()
        languages = [re.split(r"[-_@.]", language.lower())[0] for language in (self.src, self.tgt, *named)]
        src, tgt, source, target = (language if len(language) == 2 else "" for language in languages)
        if src and source and source != src:
            self.note(f"line {line}: its text is named {named[0]!r}, but it is read as {self.src!r}")
        if src and tgt and target and target not in (src, tgt):
            self.note(f"line {line}: its translations are named {named[1]!r}, but they will be {self.tgt!r}")


class Slot(NamedTuple):
    """A place in the document that holds a segment."""

    segment: Segment
    put: Callable[[Segment], bytes]  # is called once with the translation; returns the bytes that are written here


Event = bytes | Slot | Callable[[], bytes]
Translate = Callable[[Iterable[Segment]], Iterator[Segment]]  # lazily: one translation for each segment, in order


class Format(Protocol):
    """A module that reads a format."""

    def events(self, source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
        """The document as events, in constant memory where the format allows it.

        Raises:
            InputError: the document is broken; the message says where.
        """


def translated(events: Iterable[Event], translate: Translate) -> Iterator[bytes]:
    """The bytes of the document with its segments translated.

    `translate` may read ahead as far as it likes. With `iter` as `translate`, nothing changes.
    """
    waiting = deque[Event]()  # events that were read and not yet written, at most one window of `translate`

    def segments() -> Iterator[Segment]:
        for event in events:
            waiting.append(event)
            if isinstance(event, Slot):
                yield event.segment

    source = segments()
    for segment in translate(source):
        while not isinstance(event := waiting.popleft(), Slot):
            yield _bytes(event)
        yield event.put(segment)
    deque(source, maxlen=0)  # reads what `translate` has not read: the events after the last slot
    for event in waiting:
        yield _bytes(event)


def _bytes(event: Event) -> bytes:
    """The bytes of an event that is not a slot."""
    assert not isinstance(event, Slot), "translate() returned fewer segments than it was given"
    return event if isinstance(event, bytes) else event()
