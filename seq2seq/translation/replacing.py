"""Terms put in the place of what a translation has for them: the words that are aligned to the term in the source.

Constraints alone make a search write a term somewhere; the words that it would have written for it anyway come as well,
or the term takes another word's place. Articles are aligned to the nouns behind them, and Japanese particles to those
before them: these stay. This module knows texts and alignments, but no engine.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from seq2seq.segments import elision
from seq2seq.segments.glossary import Terms
from seq2seq.segments.words import UNSPACED, is_unspaced, with_capital
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation.phrase_text import SourceTerm, Wish, count_in
from seq2seq.translation.search import Hypothesis
from seq2seq.translation.units import Unit

_WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])+")  # of scripts without spaces each letter
_PARTICLE = re.compile("[\u3041-\u309f]")  # Japanese particles and endings are written in hiragana
_JOINTS = frozenset(("", " ", "-", "'", "’"))  # what may stand between two words of a run
_LOST = "\ufffd"

Span = tuple[int, int]  # where something begins and ends in a text


class Replaced(NamedTuple):
    """A translation with terms in it."""

    text: str
    score: float  # of the hypothesis that the model found: terms are asked for, however improbable
    places: list[tuple[int, int, int]]  # where each term stands, and the source position that it is aligned to

    def sources(self, sources: Sequence[int], ends: Sequence[int]) -> list[int]:
        """The source positions of tokens of this text that end at these places; those of a term are aligned to it."""
        return [
            next((position for a, b, position in self.places if a < end <= b), source)
            for source, end in zip(sources, ends, strict=True)
        ]


def with_terms(unit: Unit, hypotheses: Sequence[Hypothesis], src: Tokenizer, tgt: Tokenizer) -> list[Replaced]:
    """The hypotheses with the terms of the unit in the place of the words that are aligned to them; all different.

    Those are left out that would lack a term, since no word is aligned to it, or the same words are to two, and those
    that would hold a phrase to avoid.
    """
    avoided, any_case = Terms((), unit.wish.avoided.phrases), unit.wish.avoided.any_case
    result = dict[str, Replaced]()
    for hypothesis in hypotheses:
        made = _with_terms(unit, hypothesis, src, tgt)
        if made and not avoided.avoided_places(made.text, any_case):
            result.setdefault(made.text, made)
    return list(result.values())


def _with_terms(unit: Unit, hypothesis: Hypothesis, src: Tokenizer, tgt: Tokenizer) -> Replaced | None:
    """The hypothesis with the terms of the unit; None if it would lack one."""
    text, ends = tgt.decode(hypothesis.tokens), tgt.ends(hypothesis.tokens)
    if _LOST in text:
        return None
    by_text = dict[str, list[SourceTerm]]()  # of terms with one translation it is all the same which stands where
    for term in unit.wish.terms:
        by_text.setdefault(term.text, []).append(term)
    spans = [match.span() for match in _WORD.finditer(text)]
    words = [text[begin:end] for begin, end in spans]
    owners = _owners(list(by_text.values()), hypothesis.sources, ends, spans)
    changes = list[tuple[int, int, SourceTerm]]()
    for number, terms in enumerate(by_text.values()):
        runs = sorted(_runs(text, spans, [owner == number for owner in owners]), key=len, reverse=True)
        for term, run in zip(terms, sorted(runs[: len(terms)]), strict=False):
            begun = sum(src.texts[unit.ids[position]].startswith(b" ") for position in term.positions)
            own = _own(run, words, term.text, begun)
            first, last = _widened(own[0], own[-1], words, _WORD.findall(term.text))
            changes.append((spans[first][0], spans[last][1], term))
    made = _written(text, sorted(changes), unit.wish)
    return made and Replaced(made[0], hypothesis.score, made[1])


def _owners(
    groups: Sequence[Sequence[SourceTerm]], sources: Sequence[int], ends: Sequence[int], spans: Sequence[Span]
) -> list[int]:
    """For each word the number of the group of terms that at least half of its tokens are aligned to, or -1.

    Args:
        groups: the terms of the unit.
        sources: the source position of each token of the translation.
        ends: where the text of each ends.
        spans: of the words.
    """
    group_at = {place: number for number, terms in enumerate(groups) for term in terms for place in term.positions}
    result = list[int]()
    for begin, end in spans:
        inside = [source for source, (a, b) in zip(sources, pairwise([0, *ends]), strict=True) if a < end and begin < b]
        votes = [group_at.get(source, -1) for source in inside]
        best = max(votes, key=lambda number: (votes.count(number), number), default=-1)
        result.append(best if 2 * votes.count(best) >= len(votes) else -1)
    return result


def _runs(text: str, spans: Sequence[tuple[int, int]], chosen: Sequence[bool]) -> Iterator[list[int]]:
    """The numbers of chosen words that stand beside each other."""
    run = list[int]()
    for number, is_chosen in enumerate(chosen):
        if run and not (is_chosen and text[spans[number - 1][1] : spans[number][0]] in _JOINTS):
            yield run
            run = []
        if is_chosen:
            run.append(number)
    if run:
        yield run


def _own(run: list[int], words: Sequence[str], term: str, count: int) -> list[int]:
    """The words of a run that a term stands for, without articles and particles: `count` is of its source's words."""
    if is_unspaced(words[run[-1]]):
        last = len(run)
        while not _PARTICLE.match(term[-1]) and last and _PARTICLE.match(words[run[last - 1]]):
            last -= 1
        return run[:last] or run
    return run[-max(count, len(term.split())) :]


def _widened(first: int, last: int, words: Sequence[str], term: Sequence[str]) -> tuple[int, int]:
    """The first and the last of the words of a run, with those beside it that the term itself begins or ends with."""
    before = max((k for k in range(1, len(term)) if list(words[max(first - k, 0) : first]) == term[:k]), default=0)
    after = max((k for k in range(1, len(term)) if list(words[last + 1 : last + 1 + k]) == term[-k:]), default=0)
    return first - before, last + after


def _written(
    text: str, changes: Sequence[tuple[int, int, SourceTerm]], wish: Wish
) -> tuple[str, list[tuple[int, int, int]]] | None:
    """The text with terms in the place of what stands between two places; None if it is not all that is wished.

    With it the places of the terms, as in `Replaced`.
    """
    result, at, places = "", 0, list[tuple[int, int, int]]()
    begins = all(wanted.begins for wanted, _ in wish.wanted)
    for begin, end, term in changes:
        if begin < at:
            return None
        result = elision.before(result + text[at:begin], term.text, wish.language)
        first = begins and not _WORD.search(result) and text[begin].isupper()
        phrase = (with_capital(term.text) if first else "") or term.text
        places.append((len(result), len(result) + len(phrase), term.positions[-1]))
        result, at = result + phrase, end
    result += text[at:]
    start = first_word.start() if (first_word := _WORD.search(result)) else 0
    for wanted, count in wish.wanted:
        capital = with_capital(wanted.text) if begins else ""
        if count_in(result, wanted.text) + (bool(capital) and result.startswith(capital, start)) < count:
            return None
    return result, places
