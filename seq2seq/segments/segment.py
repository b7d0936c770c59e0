"""A segment: text that is translated as a whole, with marks where something stands that is not language.

This module knows neither formats nor models.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

OPEN, CLOSE, ALONE, BREAK, VALUE = KINDS = ("open", "close", "alone", "break", "value")


class Mark(NamedTuple):
    """Something that is not language, before the character at `position` of its segment's text.

    Kinds:
        OPEN, CLOSE: the two ends of markup around words, such as `<b>` and `</b>`. A CLOSE ends the last OPEN that has
            not been ended.
        ALONE: markup between words, such as `<br>`.
        BREAK: between two texts that are translated each by itself, such as a tab.
        VALUE: stands in the place of a word, such as `%s` or `<code>x = 1</code>`.
    """

    position: int
    kind: str  # one of KINDS
    code: Any  # what it is; belongs to who makes the segment, and comes back unchanged in the translation


class Segment(NamedTuple):
    """Text that is translated as a whole, of one sentence or of several, with its marks in the order of the text.

    A translation is a segment, too: the same marks, each with its position in the translated text. It is `balanced` if
    the source is.
    """

    text: str  # as a person reads it, without markup
    marks: tuple[Mark, ...] = ()

    def parts(self) -> list[str | Mark]:
        """The text between the marks, and the marks, in their order; none of the texts is empty."""
        parts, start = list[str | Mark](), 0
        for mark in self.marks:
            if mark.position > start:
                parts.append(self.text[start : mark.position])
            parts.append(mark)
            start = mark.position
        return [*parts, self.text[start:]] if start < len(self.text) else parts

    @classmethod
    def of_parts(cls, parts: Sequence["str | Mark"]) -> "Segment":
        """The segment of texts and marks in their order; the positions of the marks are set anew."""
        text, marks = list[str](), list[Mark]()
        position = 0
        for part in parts:
            if isinstance(part, str):
                text.append(part)
                position += len(part)
            else:
                marks.append(part._replace(position=position))
        return cls("".join(text), tuple(marks))

    def balanced(self) -> bool:
        """Whether each CLOSE has an OPEN before it, and each OPEN a CLOSE after it."""
        depth = 0
        for mark in self.marks:
            depth += (mark.kind == OPEN) - (mark.kind == CLOSE)
            if depth < 0:
                return False
        return depth == 0
