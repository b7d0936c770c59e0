"""Where a text may be broken into lines or divided among several places. Knows no format.

Widths are in columns: an ideograph takes two. Positions are indices into the text.
"""

import re
import unicodedata
from collections.abc import Sequence
from math import ceil

_NOT_FIRST = "。，、．・：；！？…‥）］｝〉》」』】〕〗ー々〻ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ％"
_NOT_LAST = "（［｛〈《「『【〔〖"
_SPACES = " \t\r\n\u3000"
_IDEOGRAPH = re.compile("[\u2e80-\u2fff\u3001-\ua4cf\uf900-\ufaff\uff00-\uff60]")
_BREAK = re.compile(
    f"(?<=[{_SPACES}])(?![{_SPACES}])"
    f"|(?<={_IDEOGRAPH.pattern})(?<![{_NOT_LAST}])(?={_IDEOGRAPH.pattern})(?![{_NOT_FIRST}])"
)
_PAUSE = re.compile(r"[,.;:!?…。，、；：！？؟،؛।—–][\"'”’»)\]）」』]*$")
_CONJUNCTION = re.compile(r"(and|or|to|und|oder|bis|et|ou|y|o|e|en|of|i|a)\b")
_MOST_POINTS = 150  # with more, `balanced` would take long; its texts are a few lines


def width(text: str) -> int:
    """The columns that the text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def ideographic(character: str) -> bool:
    """Whether it belongs to a script that puts no spaces between words and may be broken between any two characters."""
    return _IDEOGRAPH.match(character) is not None


def glue(before: str, after: str) -> str:
    """What stands between two lines of a text when they are joined: a space, but not between ideographs."""
    if before and after and ideographic(before[-1]) and ideographic(after[0]):
        return ""
    hyphenated = before[-1:] == "-" and before[-2:-1].isalpha() and after[:1].islower()
    return "" if hyphenated and not _CONJUNCTION.match(after) else " "


def break_points(text: str) -> list[int]:
    """The positions at which a line may begin: those of words, and those between two ideographs."""
    return [match.start() for match in _BREAK.finditer(text, 1) if match.start() < len(text)]


def filled(text: str, first: int, other: int) -> list[str]:
    """The text in lines of at most `first` (the first of them) and `other` columns; a longer word is not broken."""
    lines, start, last, columns, limit = list[str](), 0, 0, 0, first
    for point in [*break_points(text), len(text)]:
        word = text[last:point]
        if last > start and columns + width(word.rstrip()) > limit:
            lines.append(text[start:last].rstrip())
            start, columns, limit = last, 0, other
        columns += width(word)
        last = point
    return [*lines, text[start:].rstrip()]


def balanced(text: str, lines: int, limit: int) -> list[int]:
    """Where the second line of a text and those after it begin: lines of nearly the same width, broken after a comma.

    There are `lines` lines if the text has as many words, and more if that keeps them within `limit` columns.
    """
    if lines == 1 and width(text) <= limit:
        return []
    points = break_points(text)
    if len(points) > _MOST_POINTS:
        return _starts(filled(text, limit, limit), text)
    count = max(lines, ceil(width(text) / limit))
    breaks, fits = _balanced(text, points, min(count, len(points) + 1), limit)
    if not fits and len(points) > count:
        breaks, _ = _balanced(text, points, count + 1, limit)
    return breaks


def proportional(text: str, shares: Sequence[float]) -> list[int]:
    """Where each part but the first begins if the text is divided by the shares, if possible after a comma.

    Fewer positions than asked for if the text has fewer words than there are shares.
    """
    points = break_points(text)
    total, reached, first, chosen = sum(shares), 0.0, 0, list[int]()
    near = 0.3 * len(text) / len(shares)  # a comma is preferred if it is not farther than this from a better place
    for number, share in enumerate(shares[:-1], 1):
        reached += share
        best = len(text) * reached / total
        candidates = range(first, len(points) - (len(shares) - 1 - number))
        if not candidates:
            break
        index = min(candidates, key=lambda i: abs(points[i] - best) - near * _pauses(text, points[i]))
        chosen.append(points[index])
        first = index + 1
    return chosen if len(chosen) == len(shares) - 1 else points


def _pauses(text: str, position: int) -> bool:
    """Whether punctuation stands before the position."""
    return _PAUSE.search(text[max(0, position - 8) : position].rstrip()) is not None


def _starts(lines: Sequence[str], text: str) -> list[int]:
    starts, position = list[int](), 0
    for line in lines:
        position = text.index(line, position)
        starts.append(position)
        position += len(line)
    return starts[1:]


def _balanced(text: str, points: Sequence[int], lines: int, limit: int) -> tuple[list[int], bool]:
    """The best division into exactly `lines` lines, and whether each is within the limit; by dynamic programming."""
    ends = [0, *points, len(text)]
    columns = [width(text[:end]) for end in ends]
    trimmed_columns = [width(text[:end].rstrip()) for end in ends]
    ideal = columns[-1] / lines
    bonus = [(0.25 * ideal) ** 2 * _pauses(text, end) for end in ends]

    def cost(start: int, end: int) -> float:
        line = trimmed_columns[end] - columns[start]
        return float(1e6 * max(0, line - limit) + (line - ideal) ** 2 - (bonus[end] if end < len(ends) - 1 else 0))

    best: list[tuple[float, list[int]]] = [(cost(0, end), []) for end in range(len(ends))]  # lines up to each end
    for line in range(2, lines + 1):
        best = [
            min((best[cut][0] + cost(cut, end), [*best[cut][1], ends[cut]]) for cut in range(line - 1, end))
            if end >= line
            else (float("inf"), [])
            for end in range(len(ends))
        ]
    value, breaks = best[-1]
    return breaks, value < 1e6
