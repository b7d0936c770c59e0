"""A segment and its translation as a model is trained on them, and scores them.

What is kept and stands on both sides is the same numbered piece on both; markup that stands on both sides is left out.
What stands on one side alone stays text. For a model without pieces nothing is kept.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from seq2seq.segments.keeping import Kept, keep
from seq2seq.segments.names import NAME
from seq2seq.segments.normalisation import normalise, tidy
from seq2seq.segments.pieces import piece
from seq2seq.segments.reading import Reading
from seq2seq.segments.segment import VALUE, Mark, Segment


def pair_texts(src: str, tgt: str, reading: Reading) -> tuple[str, str]:
    """The texts of a pair for the model. `reading` is that of the source, as for translating it."""
    if not reading.pieces:
        return normalise(src, reading.normalisation).text, tidy(tgt, reading.normalisation)
    source = keep(Segment(src), reading.keeping)
    target = keep(Segment(tgt), replace(reading.keeping, src=reading.keeping.tgt))
    shared = Counter(_codes(source)) & Counter(_codes(target))
    numbers = dict[tuple[str, str, int], int]()  # of kind, code and how often it came before
    sides = [_text(side, shared, numbers, reading.pieces) for side in (source, target)]
    return normalise(sides[0], reading.normalisation).text.strip(" "), tidy(sides[1], reading.normalisation).strip(" ")


def prefix_text(
    prefix: str, values: Sequence[Mark], others: Sequence[Mark], reading: Reading
) -> tuple[str, list[tuple[int, Mark]]]:
    """The beginning of a translation as a model writes it: with the pieces of a sentence's values, in their order.

    A value stands once for each of `values`, that pieces 0, 1, .. stand for; `reading` is that of the source. The
    `others` of the sentence's marks are left out; those that the prefix holds are returned, each with its place in the
    text.
    """
    text, waiting = "", [_code(mark) for mark in values]
    left, marks = list(others), list[tuple[int, Mark]]()
    for part in keep(Segment(prefix), replace(reading.keeping, src=reading.keeping.tgt)).parts():
        if isinstance(part, str):
            text += part
            continue
        assert isinstance(part.code, Kept)
        code = _code(part)
        is_value = part.kind == VALUE and code in waiting
        if is_value:
            text += piece(waiting.index(code))
            waiting[waiting.index(code)] = ""
        elif same := next((mark for mark in left if _code(mark) == code), None):
            left.remove(same)
            marks.append((len(text), same))
        elif code not in map(_code, others):
            text += part.code.source
    return text, marks


def _codes(segment: Segment) -> list[tuple[str, str]]:
    return [(mark.kind, _code(mark)) for mark in segment.marks]


def _code(mark: Mark) -> str:
    """What is compared of a mark of `keep`: of a date, as the target language writes it."""
    return getattr(mark.code, "key", "") or str(mark.code)


def _text(
    segment: Segment, shared: Counter[tuple[str, str]], numbers: dict[tuple[str, str, int], int], pieces: int
) -> str:
    """The text of a side. `numbers` holds the pieces given out, and is filled by the first side."""
    text, seen = "", Counter[tuple[str, str]]()
    for part in segment.parts():
        if isinstance(part, str):
            text += part[1:] if text.endswith(" ") and part.startswith(" ") else part
            continue
        assert isinstance(part.code, Kept)
        name = part.kind, _code(part)
        seen[name] += 1
        key = *name, seen[name]
        if seen[name] > shared[name]:
            text += part.code.source
        elif part.kind != VALUE:
            continue
        elif key in numbers or len(numbers) < pieces:
            text += piece(numbers.setdefault(key, len(numbers)))
        else:
            text += part.code.source
    return text


def shared_names(src: str, tgt: str) -> list[str]:
    """The words with a capital that stand on both sides, in the order of the source; most are names."""
    others = set(NAME.findall(tgt))
    return [word for word in dict.fromkeys(NAME.findall(src)) if word in others]
