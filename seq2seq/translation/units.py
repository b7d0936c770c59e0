"""Units: what is translated at once, and how a sentence is cut into them.

This module knows tokens, but neither texts nor engines.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from seq2seq.text.tokenizer import SPACE
from seq2seq.translation.phrase_text import Wish

MOST_VALUES = 2  # of a sentence, or a run of it, that is translated at once
_CLAUSE_ENDS = tuple(",;:.!?–)—、，；：。")


class Unit(NamedTuple):
    """What is translated at once: a sentence, or a part of a long one."""

    ids: list[int]  # source tokens, with the bundle's `lead`, without EOS
    prefix: list[int]  # the first tokens of its translation
    required: list[int]  # tokens that its translation has once
    line: int  # the segment's number in the stream, from 1 on
    number: int  # the unit's number in the segment, from 0 on
    wish: Wish = Wish()  # phrases that its translation has, and does not have
    values: Sequence[int] = ()  # the numbers in the sentence of its values, which are numbered from 0 on here
    whole: str = ""  # its translation, where a glossary has it


def split(ids: list[int], pieces: list[str], longest: int) -> list[list[int]]:
    """A source as runs of at most `longest` tokens, each cut after the last clause, or else word, of its later part.

    Where no word begins there, a run has `longest` tokens. `pieces` are the strings of the ids.
    """
    runs, start = [], 0
    while len(ids) - start > longest:
        words = [i for i in range(start + max(1, longest // 2), start + longest) if pieces[i].startswith(SPACE)]
        clauses = [i for i in words if pieces[i - 1].endswith(_CLAUSE_ENDS)]
        end = (clauses or words or [start + longest])[-1]
        runs.append(ids[start:end])
        start = end
    return [*runs, ids[start:]]


def by_values(ids: list[int], pieces: list[str], values: list[bool]) -> list[list[int]]:
    """A sentence in runs of MOST_VALUES values at most: training text has few sentences with more.

    A run is cut after a clause, or else after the word behind its last value. `pieces` are the strings of the ids.
    """
    words = [i for i in range(1, len(ids)) if pieces[i].startswith(SPACE)]
    clauses = {i for i in words if pieces[i - 1].endswith(_CLAUSE_ENDS)}
    places = [i for i, is_value in enumerate(values) if is_value]
    runs, start, first = list[list[int]](), 0, 0  # where the run begins, and which of the values it begins with
    for number, value in enumerate(places):
        if number - first < MOST_VALUES:
            continue
        after = [i for i in words if places[first] < i <= value]
        ends = [i for i in after if i in clauses][-1:] or [i for i in after if i > places[number - 1]][:1]
        if ends:
            runs.append(ids[start : ends[0]])
            start, first = ends[0], bisect_left(places, ends[0])
    return [*runs, ids[start:]]
