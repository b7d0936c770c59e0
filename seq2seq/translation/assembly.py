"""A segment's way through a model: its sentences as units of tokens, and translations of the units as candidates.

This module knows tokenizers and hypotheses, but neither engines nor batches.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import dropwhile, pairwise
from typing import Any, NamedTuple

from seq2seq.languages.identification import is_foreign
from seq2seq.segments.case import CAPITALS, MIXED, calm, case_of, small, written_as
from seq2seq.segments.glossary import Place, with_term_values
from seq2seq.segments.keeping import Kept, keep, kept_codes, restore
from seq2seq.segments.normalisation import normalise
from seq2seq.segments.placing import Begun, Link, place
from seq2seq.segments.reading import Part, Reading, Sentence, read_kept
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, Mark, Segment
from seq2seq.segments.words import fold, is_small, space_between
from seq2seq.translation.beginnings import Beginning, as_written, beginnings, term_alone
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.joining import inner_begin, inner_end, space
from seq2seq.translation.links import between_words
from seq2seq.translation.phrase_text import Avoided, SourceTerm, Wish, counted
from seq2seq.translation.search import Hypothesis
from seq2seq.translation.units import Unit, by_values, split

_LETTERS = re.compile(r"[^\W\d_]+")
_ONE_LINE = str.maketrans("\r\t", "  ")  # a model may have a token for any byte
_LOST = "\ufffd"  # what bytes that are no character are decoded to


class Candidate(NamedTuple):
    """A translation of a segment; see `seq2seq.translation.translator.Translation` for its other fields."""

    segment: Segment
    log_prob: float
    score: float
    alignment: list[list[int]]


class Assembly:
    """The sentences of a segment, and how its translations are put together.

    Args:
        bundle: the model; its engine is not used.
        segment: the segment.
        line: its number in the stream.
        alignments: whether candidates have alignments.
        ranks: whether hypotheses are ranked, not samples: then the best combinations of those of several units are
            the candidates; otherwise the first of each unit, the second of each, and so on.
    """

    def __init__(self, bundle: Bundle, segment: Segment, line: int, alignments: bool, ranks: bool) -> None:
        self.src_tokenizer, self.tgt_tokenizer = bundle.src_tokenizer, bundle.tgt_tokenizer
        self.aligns, self.longest, self.lead = bundle.engine.aligns, bundle.longest, bundle.lead
        self.segment, self.line, self.alignments, self.ranks = segment, line, alignments, ranks
        self.terms, self.reading, self.language = bundle.terms, bundle.reading, bundle.tgt
        self.messages = list[str]()  # for the user; each goes on after "line N"
        self.held = dict[tuple[str, ...], None]()  # see `candidates`
        self.parts: list[Part] = self._read(bundle)
        self.cases = [
            MIXED if bundle.reading is None else case_of(s.text, self.src_tokenizer.cost) for s in self.sentences
        ]
        cost = self.src_tokenizer.cost
        self.texts = [
            sentence.text if bundle.reading is None else (calm if case == MIXED else small)(sentence.text, cost)
            for sentence, case in zip(self.sentences, self.cases, strict=True)
        ]
        self.units, self.counts = list[Unit](), list[int]()
        self.ends = list[list[int]]()  # of each sentence, where the text of each of its tokens ends
        self.places = list[Sequence[Place]]()  # of each sentence, where terms stand
        self.begun = list[Begun]()  # of each sentence, what its translation begins with

    @property
    def sentences(self) -> list[Sentence]:
        """What is translated."""
        return [part for part in self.parts if isinstance(part, Sentence)]

    def _read(self, bundle: Bundle) -> list[Part]:
        if bundle.reading is not None:
            others = {language for direction in bundle.known for language in direction} - {bundle.src}
            reading = self._with_foreign_words(bundle.reading, bundle.src, others)
            return read_kept(with_term_values(keep(self.segment, reading.keeping), self.terms), reading, self.terms)
        text = self.segment.text
        return [Sentence(text, range(len(text) + 1), (), (), (text,))] if text.strip() else []

    def _with_foreign_words(self, reading: Reading, language: str, others: Iterable[str]) -> Reading:
        """The reading, which also keeps words in a script that is not the source language's, or that no token is in."""
        text, keeping = self.segment.text, reading.keeping
        if text.isascii() or keeping.nothing:
            return reading
        ends = [0, *(end for place in self.terms.places(text) for end in place[:2]), len(text)]
        found = [word for begin, end in pairwise(ends) for word in _LETTERS.findall(text[begin:end])]
        words = [word for word in dict.fromkeys(found) if not word.isascii() and any(map(str.isalpha, word))]
        plain = [normalise(word, reading.normalisation).text for word in words]
        known = map(self.src_tokenizer.knows, self.src_tokenizer.encode(plain))
        foreign = [
            word for word, knows in zip(words, known, strict=True) if not knows or is_foreign(word, language, others)
        ]
        if not foreign:
            return reading
        self.messages.append(f": {' '.join(foreign)[:40]!r} is not in the model's language and is kept")
        longest_first = map(re.escape, sorted(foreign, key=len, reverse=True))  # one may stand inside of another
        return replace(reading, keeping=replace(keeping, patterns=(*keeping.patterns, *longest_first)))

    def divide(self, encoded: Sequence[list[int]], prefix: str) -> None:
        """Make the units, of the tokens of each of `texts`; the translation of the whole begins with `prefix`.

        A sentence in a script that the source tokenizer does not know stays as it is.
        """
        parts, cases = list[Part](), list[str]()
        for part in self.parts:  # what stands before the first sentence is written before the prefix
            if isinstance(part, Sentence):
                break
            before = part if isinstance(part, str) else str(part.code)
            prefix = prefix.removeprefix(before) if before.strip() else prefix.lstrip()
        begun = beginnings(prefix, len(self.sentences), self.reading, self.language)
        waiting = iter(zip(self.cases, self.texts, encoded, begun, strict=True))
        for part in self.parts:
            if not isinstance(part, Sentence):
                parts.append(part)
                continue
            case, text, ids, beginning = next(waiting)
            if self.src_tokenizer.knows(ids):
                parts.append(part)
                cases.append(case)
                self._add(
                    part,
                    ids,
                    beginning,
                    self.terms.places(part.text, any_case=case == CAPITALS),
                    Avoided(self.terms.avoided, case != MIXED),
                )
            else:
                parts += part.parts
                self.messages.append(f": {text[:40]!r} is not in the model's language and is kept")
        self.parts, self.cases = parts, cases

    def _add(
        self, sentence: Sentence, ids: list[int], begun: Beginning, places: Sequence[Place], avoided: Avoided
    ) -> None:
        """Add the units of a sentence, in which terms stand at these places."""
        pieces_of, given, ends = (
            self.src_tokenizer.pieces,
            self.src_tokenizer.placeholders,
            self.src_tokenizer.ends(ids),
        )
        runs = split(ids, pieces_of(ids), self.longest)
        if len(runs) > 1:
            self.messages.append(f" is {len(ids)} tokens long and was translated in {len(runs)} pieces")
        runs = [part for run in runs for part in by_values(run, pieces_of(run), [token in given for token in run])]
        last, whole = 0, ""
        if len(runs) == 1:
            whole = as_written(begun.text, sentence, self.reading)[0] if begun.is_whole else ""
            whole = whole if begun.text else term_alone(sentence, places, self.language)
        for i, run in enumerate(runs):
            first, last = last, last + len(run)
            terms = [p for p in places if first <= bisect_right(ends, p.begin) < last]
            wanted = counted([term.target for term in terms], begins=not i)
            wish = Wish(wanted, avoided, self._source_terms(terms, ends, first, last), self.language if terms else "")
            values = list(dict.fromkeys(token for token in run if token in given))
            numbered = [given[values.index(token)] if token in values else token for token in run]
            required = self.tgt_tokenizer.placeholders[: len(values)]
            first_tokens = [] if i else self._encoded(as_written(begun.text, sentence, self.reading, len(values))[0])
            unit = [*self.lead, *numbered], first_tokens, required, self.line, len(self.units)
            self.units.append(Unit(*unit, wish, [given.index(token) for token in values], whole))
        self.counts.append(len(runs))
        self.ends.append(ends)
        self.places.append(places)
        self.begun.append(as_written(begun.text, sentence, self.reading))

    def _encoded(self, text: str) -> list[int]:
        return self.tgt_tokenizer.encode([text])[0] if text else []

    def _source_terms(
        self, terms: Sequence[Place], ends: Sequence[int], first: int, last: int
    ) -> tuple[SourceTerm, ...]:
        """What terms translate in the unit of tokens `first` to before `last`, where the model aligns.

        `ends` are where the tokens of the sentence end.
        """
        if not self.aligns:
            return ()
        shift = len(self.lead) - first
        spans = [(bisect_right(ends, term.begin), 1 + bisect_left(ends, term.end)) for term in terms]
        return tuple(
            SourceTerm(term.target, tuple(token + shift for token in range(begin, min(end, last))))
            for term, (begin, end) in zip(terms, spans, strict=True)
        )

    # ---- candidates --------------------------------------------------------------------------------------------------

    def candidates(
        self, hypotheses: Sequence[list[Hypothesis]], count: int, avoiding: bool = True
    ) -> Iterator[Candidate]:
        """At most `count` candidates of the segment from the hypotheses of its units, best first, each put together
        when it is asked for.

        With `avoiding` those are left out that hold a phrase to avoid, where units or what is kept meet; what the model
        wrote of it is added to `held`.

        All are different, and none is blank where another is not; samples are as they were drawn. A segment without
        units has one candidate, itself; a blank line as it stands has none.
        """
        if not self.units:
            whole = restore(Segment.of_parts([p for p in self.parts if not isinstance(p, Sentence)]))
            yield from [Candidate(whole, 0.0, 0.0, [])] if self.parts else []
        elif not self.ranks:
            made = map(self._candidate, in_step(hypotheses))
            yield from (candidate for candidate, held in made if not (held and avoiding))
        else:
            texts = set[str]()
            for chosen in combinations([self._different(each) for each in hypotheses], count):
                candidate, held = self._candidate(chosen)
                if candidate.segment.text not in texts and not (held and avoiding):
                    texts.add(candidate.segment.text)
                    yield candidate

    def _different(self, hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        """The hypotheses without those whose text came before, and without blank ones if there is another."""
        texts = dict[str, Hypothesis]()
        for hypothesis in hypotheses:
            texts.setdefault(self.tgt_tokenizer.decode(hypothesis.tokens), hypothesis)
        return [hypothesis for text, hypothesis in texts.items() if text.strip()] or hypotheses[:1]

    def _candidate(self, chosen: Sequence[Hypothesis]) -> tuple[Candidate, bool]:
        """The candidate of one hypothesis for each unit, and whether it holds a phrase to avoid."""
        parts, links = list[str | Mark](), list[Link]()
        spans = list[tuple[int, int]]()  # of what the model wrote
        length, sentence, unit, space = 0, 0, 0, ""  # `space`: to be written before what follows
        for number, part in enumerate(self.parts):
            if space and not (isinstance(part, Mark) and part.kind in (CLOSE, ALONE)):
                parts.append(space)
                length, space = length + len(space), ""
            if not isinstance(part, Sentence):
                parts.append(part)
                length += _length(part)
                continue
            text, found = self._sentence(part, unit, self.ends[sentence], chosen[unit : unit + self.counts[sentence]])
            unit += self.counts[sentence]
            phrases = [term.target for term in self.places[sentence]]
            placed = place(part, text, found, phrases, self.begun[sentence])
            case = self.cases[sentence]
            codes = self._codes(sentence) if case != MIXED else ()
            written = [written_as(case, p, codes) if isinstance(p, str) else p for p in placed.parts]
            starts = [length]
            for p in written:
                starts.append(starts[-1] + _length(p))
                spans += [(starts[-2], starts[-1])] if isinstance(p, str) else []
            if self.alignments:
                for source, target in found:
                    at = max(i for i, begin in enumerate(placed.places) if begin <= target)
                    inside = min(target - placed.places[at], max(_length(written[at]) - 1, 0))
                    links.append((part.origins[source], starts[at] + inside))
            parts += written
            length += sum(map(_length, written))
            sentence += 1
            if _is_followed(self.parts, number):
                space = space_between(part.text, "".join(p for p in written if isinstance(p, str)))
        segment = restore(Segment.of_parts(parts))
        alignment = between_words(self.parts, segment.text, links) if self.alignments else []
        held = self._held(segment.text, spans)
        self.held |= dict.fromkeys(held)
        return Candidate(segment, sum(h.log_prob for h in chosen), sum(h.score for h in chosen), alignment), bool(held)

    def _codes(self, sentence: int) -> list[str]:
        """What is kept of the translations of a sentence's terms, such as an address."""
        assert self.reading is not None
        how = replace(self.reading.keeping, src=self.reading.keeping.tgt, names=None)
        return [code for term in self.places[sentence] for code in kept_codes(term.target, how)]

    def _held(self, text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, ...]]:
        """The phrases to avoid that a translation holds, of each what the model wrote, the longest run first.

        `spans` are where it wrote in the text: what is kept stays.
        """
        result = list[tuple[str, ...]]()
        for begin, end, phrase in self.terms.avoided_places(text, any_case=MIXED not in self.cases):
            runs = [text[max(a, begin) : min(b, end)].strip() for a, b in spans if a < end]
            runs = [fold(run) if is_small(phrase) else run for run in runs if run]
            result += [tuple(sorted(runs, key=len, reverse=True))] if runs else []
        return result

    def _sentence(
        self, part: Sentence, first: int, src_ends: Sequence[int], chosen: Sequence[Hypothesis]
    ) -> tuple[str, list[Link]]:
        """The translation of a sentence from a hypothesis for each of its units, and its links.

        Args:
            part: the sentence.
            first: the number of its first unit.
            src_ends: where the text of each of its tokens ends.
            chosen: the hypotheses.
        """
        text, links, start = "", list[Link](), 0
        known = _LOST in self.segment.text
        for unit, hypothesis in zip(self.units[first : first + len(chosen)], chosen, strict=True):
            size = len(unit.ids) - len(self.lead)
            own = self.tgt_tokenizer.placeholders
            of_sentence = dict(zip(own, [own[number] for number in unit.values], strict=False))
            tokens = [of_sentence.get(token, token) for token in hypothesis.tokens]
            decoded = self.tgt_tokenizer.decode(tokens).translate(_ONE_LINE)
            decoded = decoded if known else decoded.replace(_LOST, "")
            if start:
                at = src_ends[start - 1]
                decoded = inner_begin(decoded, part.text[:at], part.text[at:], self.tgt_tokenizer.cost)
            if start + size < len(src_ends):
                decoded = inner_end(decoded, part.text[: src_ends[start + size - 1]], self.language)
            between = space(self.language) if text and decoded else ""
            shift = len(text) + len(between)
            if self.aligns and (self.alignments or part.inner or part.values):
                for position, end in zip(hypothesis.sources, self.tgt_tokenizer.ends(hypothesis.tokens), strict=True):
                    source = position - len(self.lead)
                    if 0 <= source < size:  # the position after them is EOS
                        links.append((max(0, src_ends[start + source] - 1), shift + max(0, min(end, len(decoded)) - 1)))
            text += between + decoded
            start += size
        return text, links


def _is_followed(parts: Sequence[Part], number: int) -> bool:
    """Whether the next sentence follows on a part with nothing but markup or emoji between."""
    after = (parts[i] for i in range(number + 1, len(parts)))
    outer = dropwhile(lambda part: isinstance(part, Mark) and part.kind in (OPEN, CLOSE, ALONE), after)
    return isinstance(next(outer, None), Sentence)


def _length(part: str | Mark) -> int:
    """The length of a part in the final text."""
    return len(part) if isinstance(part, str) else len(part.code) if isinstance(part.code, Kept) else 0


def combinations(units: Sequence[list[Hypothesis]], count: int) -> list[tuple[Hypothesis, ...]]:
    """The `count` best combinations of one hypothesis for each unit, by the sum of their scores, best first."""
    best: list[tuple[float, Any]] = [(0.0, None)]  # total, and the last hypothesis with the chain of those before it
    for hypotheses in units:
        extended = [(total + h.score, (before, h)) for total, before in best for h in hypotheses]
        best = sorted(extended, key=lambda item: -item[0])[:count]
    return [tuple(_unchained(last)) for _, last in best]


def _unchained(last: Any) -> list[Hypothesis]:
    """The hypotheses of a chain, from the first on."""
    chosen = list[Hypothesis]()
    while last is not None:
        last, hypothesis = last
        chosen.append(hypothesis)
    return chosen[::-1]


def in_step(units: Sequence[list[Hypothesis]]) -> list[tuple[Hypothesis, ...]]:
    """The first hypothesis of every unit, the second of every unit, and so on."""
    return [
        tuple(hypotheses[min(rank, len(hypotheses) - 1)] for hypotheses in units)
        for rank in range(max(map(len, units), default=0))
    ]
