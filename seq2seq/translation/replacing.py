"""Terms put in the place of what a translation has for them: the words that are aligned to the term in the source.

Constraints alone make a search write a term somewhere; the words that it would have written for it anyway come as well,
or the term takes another word's place. Articles are aligned to the nouns behind them, and Japanese particles to those
before them: these stay. This module knows texts and alignments, but no engine.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, pairwise
from typing import NamedTuple

from seq2seq.segments import elision
from seq2seq.segments.case import FREQUENT
from seq2seq.segments.glossary import Terms
from seq2seq.segments.keeping import Span
from seq2seq.segments.words import UNSPACED, is_unspaced, primary, with_capital
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation.phrase_text import SourceTerm, Wish, count_in, counted
from seq2seq.translation.search import Hypothesis
from seq2seq.translation.units import Unit

_LETTERS = rf"(?:(?![{UNSPACED}])[^\W_])+"
_WORD = re.compile(rf"[{UNSPACED}]|{_LETTERS}")  # of scripts without spaces each letter
_ELIDING = frozenset(("ca", "fr", "it"))  # languages where what stands before an apostrophe is a word of its own
_GAP = re.compile(r"\s?|[^\w\s]{1,3}|\.\s")  # what may stand between two words of a run
_PARTICLE = re.compile("[はがをにのでともへだかねよや]")
_ENDING = re.compile("[\u3041-\u309f]")  # Japanese particles and endings are written in hiragana
_LOST = "\ufffd"


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


class _Change(NamedTuple):
    """Words of a text that give way to a term."""

    begin: int
    end: int
    term: SourceTerm


def with_terms(unit: Unit, hypotheses: Sequence[Hypothesis], src: Tokenizer, tgt: Tokenizer) -> list[Replaced | None]:
    """Each hypothesis with the terms of the unit in the place of the words that are aligned to them.

    None for one that would lack a term, since no word is aligned to it, or the same words are to two, and for one that
    would hold a phrase to avoid.
    """
    avoided, any_case = Terms((), unit.wish.avoided.phrases), unit.wish.avoided.any_case
    result = list[Replaced | None]()
    for hypothesis in hypotheses:
        text = tgt.decode(hypothesis.tokens)
        changes = [] if _LOST in text else _changes(unit, hypothesis, text, src, tgt)
        made = _written(text, sorted(changes), unit.wish, hypothesis.score)
        result.append(made if made and not avoided.avoided_places(made.text, any_case) else None)
    return result


def without_place(unit: Unit, hypotheses: Sequence[Hypothesis], src: Tokenizer, tgt: Tokenizer) -> Wish:
    """What the unit wishes, for the terms alone that no words of a hypothesis give way to: of the one with fewest."""
    lacking = []
    for hypothesis in hypotheses:
        changes = _changes(unit, hypothesis, tgt.decode(hypothesis.tokens), src, tgt)
        placed = [change.term for change in changes]
        lacking.append(tuple(term for term in unit.wish.terms if term not in placed))
    fewest = min(lacking, key=len, default=unit.wish.terms) or unit.wish.terms
    begins = all(wanted.begins for wanted, _ in unit.wish.wanted)
    return unit.wish._replace(wanted=counted([term.text for term in fewest], begins), terms=fewest)


def _changes(unit: Unit, hypothesis: Hypothesis, text: str, src: Tokenizer, tgt: Tokenizer) -> list[_Change]:
    """What gives way to the terms of the unit; nothing to those that no word is aligned to."""
    by_text = dict[str, list[SourceTerm]]()  # of terms with one translation it is all the same which stands where
    for term in unit.wish.terms:
        by_text.setdefault(term.text, []).append(term)
    spans = [match.span() for match in _words(primary(unit.wish.language)).finditer(text)]
    words = [text[begin:end] for begin, end in spans]
    apart = [text[begin - 1 : begin].isspace() for begin, _ in spans]
    owners = _owners(list(by_text.values()), hypothesis.sources, tgt.ends(hypothesis.tokens), spans)
    costs = [tgt.cost(word) if owner >= 0 else 0.0 for word, owner in zip(words, owners, strict=True)]
    changes = list[_Change]()
    for number, terms in enumerate(by_text.values()):
        begun = min(sum(src.texts[unit.ids[place]].startswith(b" ") for place in term.positions) for term in terms)
        runs = [
            _own(run, words, costs, apart, terms[0].text, max(begun, 1))
            for run in _runs(text, spans, [owner == number for owner in owners])
        ]
        runs.sort(key=lambda run: (-max(costs[i] for i in run), -len(run)))  # the rarest word tells most
        for term, run in zip(terms, sorted(runs[: len(terms)]), strict=False):
            first, last = _widened(run[0], run[-1], words, _WORD.findall(term.text))
            changes.append(_Change(spans[first][0], _ending(text, spans[last][1], term.text), term))
    return changes


@cache
def _words(language: str) -> re.Pattern[str]:
    """The words of a text without those that end with an apostrophe; in other languages these go with the next.

    In English 's is none.
    """
    if language in _ELIDING:
        whole = r"aujourd['’]hui|quelqu['’]une?s?"
        return re.compile(rf"[{UNSPACED}]|{whole}|(?>{_LETTERS})(?!['’]\w)", re.IGNORECASE)
    genitive = rf"{_LETTERS}?(?=['’]s(?!\w))|" if language == "en" else ""
    return re.compile(rf"[{UNSPACED}]|(?<!\w['’])(?:{genitive}{_LETTERS}(?:['’]{_LETTERS})*)")


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


def _runs(text: str, spans: Sequence[Span], chosen: Sequence[bool]) -> Iterator[list[int]]:
    """The numbers of chosen words that stand beside each other."""
    run = list[int]()
    for number, is_chosen in enumerate(chosen):
        if run and not (is_chosen and _GAP.fullmatch(text, spans[number - 1][1], spans[number][0])):
            yield run
            run = []
        if is_chosen:
            run.append(number)
    if run:
        yield run


def _own(
    run: list[int], words: Sequence[str], costs: Sequence[float], apart: Sequence[bool], term: str, count: int
) -> list[int]:
    """The words of a run that a term stands for: those at its end, as many as its source has, without frequent ones.

    Words without a space between count as one; `apart` are those with a space before them.

    In Japanese the letters between two particles, those with most that are no hiragana, or the last.
    """
    if is_unspaced(words[run[-1]]):
        if _ENDING.fullmatch(term[-1]):
            return run
        pieces: list[list[int]] = [[]]
        for number in run:
            if _PARTICLE.match(words[number]):
                pieces.append([])
            else:
                pieces[-1].append(number)
        own = max(pieces[::-1], key=lambda piece: (sum(not _ENDING.match(words[i]) for i in piece), len(piece)))
        stem = [number for number in own if not _ENDING.match(words[number])]
        return own[: own.index(stem[-1]) + 1] if stem else own or run
    groups = list[list[int]]()
    for number in run:
        if groups and not apart[number]:
            groups[-1].append(number)
        else:
            groups.append([number])
    weights = [max(costs[number] for number in group) for group in groups]
    telling = [i for i, weight in enumerate(weights) if weight >= min(FREQUENT, max(weights))]  # others tell little
    return list(chain.from_iterable(groups[telling[0] : telling[-1] + 1][-count:]))


def _ending(text: str, end: int, term: str) -> int:
    """Where a Japanese word ends whose kanji end here: behind its own hiragana, unless the term has such as well."""
    if "\u3400" <= text[end - 1] <= "\u9fff" and not _ENDING.fullmatch(term[-1]):
        while end < len(text) and _ENDING.match(text[end]) and not _PARTICLE.match(text[end]):
            end += 1
    return end


def _widened(first: int, last: int, words: Sequence[str], term: Sequence[str]) -> tuple[int, int]:
    """The first and the last of the words of a run, with those beside it that the term itself begins or ends with."""
    around, own = [word.lower() for word in words], [word.lower() for word in term]
    before = max((k for k in range(1, len(own)) if around[max(first - k, 0) : first] == own[:k]), default=0)
    after = max((k for k in range(1, len(own)) if around[last + 1 : last + 1 + k] == own[-k:]), default=0)
    return first - before, last + after


def _written(text: str, changes: Sequence[_Change], wish: Wish, score: float) -> Replaced | None:
    """The text with terms in the place of the words that give way; None if it is not all that is wished."""
    result, at, places = "", 0, list[tuple[int, int, int]]()
    begins = all(wanted.begins for wanted, _ in wish.wanted)
    for begin, end, term in changes:
        if begin < at:
            return None
        result = elision.before(result + text[at:begin], term.text, wish.language)
        first = begins and not _WORD.search(result) and text[begin].isupper()
        phrase = (with_capital(term.text) if first else "") or term.text
        places.append((len(result), len(result) + len(phrase), term.positions[-1]))
        mark = phrase[-1] if not phrase[-1].isalnum() and text.startswith(phrase[-1], end) else ""  # Yahoo!!
        result, at = result + phrase, end + len(mark)
    result += text[at:]
    start = first_word.start() if (first_word := _WORD.search(result)) else 0
    for wanted, count in wish.wanted:
        capital = with_capital(wanted.text) if begins else ""
        if count_in(result, wanted.text) + (bool(capital) and result.startswith(capital, start)) < count:
            return None
    return Replaced(result, score, places)
