"""Lines and segments to translations: read, tokenize, batch by length, search, put together, restore the order.

Each segment gives one list of candidates, in the order of the segments. A stream is read in windows, so memory is
bounded for a stream of any length. This module knows neither files nor formats, nor how an engine computes its model.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice, repeat
from typing import Any, NamedTuple

from seq2seq.errors import InputError
from seq2seq.processes import ProcessPool
from seq2seq.segments.keeping import kept_codes, lost
from seq2seq.segments.pairs import pair_texts
from seq2seq.segments.reading import Reading
from seq2seq.segments.segment import Mark, Segment
from seq2seq.text.directions import Direction
from seq2seq.translation.assembly import Assembly, Candidate
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.search import Hypothesis, SearchConfig
from seq2seq.translation.unit_search import UnitSearch
from seq2seq.translation.units import Unit

WINDOW = 64, 4096  # most lines that are read before the first translation, and before each later one
LEAST = 4  # lines for which a process is started
ROUNDS = 4  # in which a line is translated again
WINDOW_SECONDS = 20.0  # of a later window about, however slow the model: what is lost when a job is killed


class Translation(NamedTuple):
    """A candidate translation of a line. For a line of several sentences, numbers are summed over them."""

    text: str
    log_prob: float  # nats: log p of its tokens and EOS, given the line
    score: float  # what candidates are ranked by: `seq2seq.translation.search.score`
    # On request, pairs [source word, target word], each counted from 0 in its line: a word of the translation and the
    # source word with the largest attention weight for one of its pieces.
    alignment: list[list[int]]


class Line(NamedTuple):
    """What is translated, with its number in the stream from 1 on, and the text that its translations begin with."""

    number: int
    segment: Segment
    prefix: str
    direction: Direction | None  # None: the bundle's


# Ranks the hypotheses of each unit anew: another order, other scores, and maybe others beside them.
Choose = Callable[[Sequence[Unit], list[list[Hypothesis]]], list[list[Hypothesis]]]
# A translation in steps: yields units to search for, is sent the hypotheses of each, returns candidates of each line.
Steps = Generator[list[Unit], list[list[Hypothesis]], list[list[Candidate]]]
Packed = tuple[int, str, list[tuple[int, str]], str, Direction | None]


def _packed(line: Line) -> Packed:
    """The line as plain values. Marks lose their codes, which may be anything, and are numbered instead."""
    text, marks = line.segment
    return line.number, text, [(mark.position, mark.kind) for mark in marks], line.prefix, line.direction


def _unpacked(number: int, text: str, marks: list[tuple[int, str]], prefix: str, direction: Direction | None) -> Line:
    """The line of `_packed`, whose marks have their numbers as codes."""
    segment = Segment(text, tuple(Mark(*mark, i) for i, mark in enumerate(marks)))
    return Line(number, segment, prefix, direction)


def _with_codes(source: Segment, text: str, marks: list[tuple[int, str, int]]) -> Segment:
    """A translation of the source whose marks have numbers as codes, with the codes themselves."""
    return Segment(text, tuple(Mark(position, kind, source.marks[i].code) for position, kind, i in marks))


class LineTranslator:
    """Translates lines and segments, and scores translations.

    Args:
        bundle: the model, in the direction of each line that is given none of its own.
        config: search settings, instead of the bundle's.
        batch_tokens: most tokens of a batch, padding included; changes no result.
        workers: processes that share a stream; changes no result.
        alignments: whether translations have alignments.
        choose: ranks the hypotheses of each unit, see `rescoring`; None: their own scores do. Then all lines are in the
            bundle's direction.
    """

    def __init__(
        self,
        bundle: Bundle,
        config: SearchConfig,
        batch_tokens: int = 1024,
        workers: int = 1,
        alignments: bool = False,
        choose: Choose | None = None,
    ) -> None:
        self.bundle, self.config, self.batch_tokens = bundle, config, batch_tokens
        self.workers, self.alignments, self.choose = workers, alignments, choose
        self.unit_search = UnitSearch(bundle, config, batch_tokens)

    def stream(
        self,
        lines: Iterable[str],
        warn: Callable[[str], None],
        prefixes: Iterable[str] = repeat(""),
        directions: Iterable[Direction | None] = repeat(None),
        first: int = 1,
        most: int | None = None,
    ) -> Iterator[list[Translation]]:
        """The candidates of each line, best first, as they are ready; all different. A blank line has none.

        Args:
            lines: one line each, without its line break.
            warn: is called with a message for each line that is translated in parts.
            prefixes: for each line the text that its translations begin with.
            directions: for each line its direction, one that the model knows; None: the bundle's. Lines of different
                directions share batches.
            first: number of the first line, for messages and samples.
            most: candidates of a line that are wanted; None: all that the search found.

        Raises:
            InputError: the model does not know a direction, or it writes from the end and a line has a prefix.
        """
        whole = zip(map(Segment, lines), prefixes, directions, strict=False)
        for candidates in self._stream(enumerate(whole, first), warn, "line", most):
            yield [Translation(c.segment.text, *c[1:]) for c in candidates]

    def segments(self, segments: Iterable[Segment], warn: Callable[[str], None], first: int = 1) -> Iterator[Segment]:
        """The best translation of each segment, with its marks; a segment without words as it is.

        `first` is the number of the first one, for messages and samples.
        """
        whole = zip(segments, repeat(""), repeat(None), strict=False)
        for candidates in self._stream(enumerate(whole, first), warn, "segment", 1):
            yield candidates[0].segment if candidates else Segment("")

    def translate(self, lines: Iterable[str]) -> list[str]:
        """The best translation of each line; "" for a blank line."""
        stream = self.stream(lines, lambda message: None, most=1)
        return [candidates[0].text if candidates else "" for candidates in stream]

    def log_probs(self, src: Sequence[str], tgt: Sequence[str]) -> list[float]:
        """log p(tgt | src) of each pair of lines in nats, by teacher forcing; each line as one sentence."""
        return self.token_log_probs(*self.encoded(src, tgt, self.bundle.reading))

    def token_log_probs(self, src: Sequence[list[int]], tgt: Sequence[list[int]]) -> list[float]:
        """As `log_probs`, of pairs of tokens: sources with the bundle's `lead`, and targets, both without EOS."""
        return self.unit_search.log_probs(src, tgt)

    def cross_entropies(self, src: Sequence[str], tgt: Sequence[str]) -> list[float]:
        """-log p(tgt | src) of each pair of lines in nats per target token, EOS counted."""
        counts = self._token_counts(src, tgt)
        return [-total / count for total, count in zip(self.log_probs(src, tgt), counts, strict=True)]

    def count_tokens(self, src: Sequence[str], tgt: Sequence[str]) -> int:
        """How many target tokens `log_probs` scores, EOS counted."""
        return sum(self._token_counts(src, tgt))

    def _token_counts(self, src: Sequence[str], tgt: Sequence[str]) -> list[int]:
        return [len(ids) + 1 for ids in self.encoded(src, tgt, self.bundle.reading)[1]]

    def encoded(
        self, src: Sequence[str], tgt: Sequence[str], how: Reading | None
    ) -> tuple[list[list[int]], list[list[int]]]:
        """The tokens of the pairs for `token_log_probs`, as the model is trained on them.

        White space at the ends is no part of what a model translates, unless `how` is None.
        """
        if how:
            texts = [pair_texts(a.strip(), b.strip(), how) for a, b in zip(src, tgt, strict=True)]
            src, tgt = [a for a, _ in texts], [b for _, b in texts]
        sources = [[*self.bundle.lead, *ids] for ids in self.bundle.src_tokenizer.encode(src)]
        return sources, self.bundle.tgt_tokenizer.encode(tgt)

    def _stream(
        self,
        segments: Iterable[tuple[int, tuple[Segment, str, Direction | None]]],
        warn: Callable[[str], None],
        name: str,
        most: int | None,
    ) -> Iterator[list[Candidate]]:
        """At most so many candidates of each segment, in order.

        A segment comes with its number, the prefix of its translations and its direction. Messages begin with `name`
        and its number.
        """
        lines = (Line(n, *fields) for n, fields in segments)
        size = WINDOW[0]
        window = list(islice(lines, size))
        workers = max(1, min(self.workers, len(window) // LEAST))
        with ProcessPool(workers, partial(self._serve, most)) as pool:
            while window:
                begun = time.monotonic()
                packed = [_packed(line) for line in window]
                responses = pool.run([packed[worker::workers] for worker in range(workers)])
                seconds = time.monotonic() - begun
                results: list[Any] = [[] for _ in window]
                for worker, (candidates, messages) in enumerate(responses):
                    results[worker::workers] = candidates
                    for number, message in messages:
                        warn(f"{name} {number}{message}")
                for line, found in zip(window, results, strict=True):
                    yield [Candidate(_with_codes(line.segment, text, marks), *rest) for (text, marks), *rest in found]
                if seconds < WINDOW_SECONDS / 2:
                    size = min(2 * size, WINDOW[1])
                window = list(islice(lines, size))

    def _serve(
        self, most: int | None, worker: int, packed: list[Any]
    ) -> tuple[list[list[Candidate]], list[tuple[int, str]]]:
        """At most so many candidates of each of a window's lines, as values that can be sent to another process."""
        messages = list[tuple[int, str]]()
        steps = self._steps([_unpacked(*line) for line in packed], messages, most)
        try:
            units = next(steps)
            while True:
                units = steps.send(self.search(units))
        except StopIteration as end:
            return end.value, messages

    def steps(self, segment: Segment, most: int | None = None) -> Steps:
        """The translation of one segment in steps, for a caller that decides which units are searched together.

        The search of the units is `search`; whatever it is called with at once, the candidates are those of `stream`.
        """
        return self._steps([Line(1, segment, "", None)], [], most)

    def _steps(self, window: Sequence[Line], messages: list[tuple[int, str]], most: int | None) -> Steps:
        """The translation of a window's lines in steps; adds the messages for the user."""
        bundles = self._bundles(window)
        candidates = yield from self._translate(window, bundles, messages)
        return (yield from self._strictly(window, bundles, candidates, most))

    def _bundles(self, window: Sequence[Line]) -> list[Bundle]:
        """The bundle of each line, in its direction."""
        by_direction = {d: self.bundle.toward(d) for d in dict.fromkeys(line.direction for line in window) if d}
        return [by_direction[line.direction] if line.direction else self.bundle for line in window]

    def _translate(
        self, window: Sequence[Line], bundles: Sequence[Bundle], messages: list[tuple[int, str]], rounds: int = ROUNDS
    ) -> Generator[list[Unit], list[list[Hypothesis]], list[Iterator[Candidate]]]:
        """The candidates of each line, read as for its bundle.

        A line of which every candidate holds a phrase to avoid, where units or what is kept meet, is translated again,
        without what the model wrote of it, at most so many times.
        """
        if self.bundle.right_to_left and (line := next((line for line in window if line.prefix), None)):
            raise InputError(
                f"line {line.number} has a prefix, but this model writes translations from the end; leave out --prefix"
            )
        if self.bundle.right_to_left and any(bundle.terms for bundle in bundles):
            raise InputError("this model writes translations from the end; leave out the glossary and what to avoid")
        for line, bundle in zip(window, bundles, strict=True):
            if line.prefix and (places := bundle.terms.avoided_places(line.prefix)):
                raise InputError(
                    f"line {line.number} has a prefix with {places[0].target!r}, which is to be avoided; leave out one"
                )
        ranks = not self.config.sample or self.choose is not None
        assemblies = [
            Assembly(bundle, line.segment, line.number, self.alignments, ranks)
            for line, bundle in zip(window, bundles, strict=True)
        ]
        tokenizer = self.bundle.src_tokenizer
        encoded = iter(tokenizer.encode([text for assembly in assemblies for text in assembly.texts]))
        for assembly, line in zip(assemblies, window, strict=True):
            assembly.divide(list(islice(encoded, len(assembly.texts))), line.prefix)
        hypotheses = iter((yield list(chain.from_iterable(assembly.units for assembly in assemblies))))
        messages += [(assembly.line, message) for assembly in assemblies for message in assembly.messages]
        found = [list(islice(hypotheses, len(assembly.units))) for assembly in assemblies]
        results = [a.candidates(each, self.config.beam) for a, each in zip(assemblies, found, strict=True)]
        again = dict[int, Bundle]()  # by the row of a line that is translated again
        for row, (assembly, bundle) in enumerate(zip(assemblies, bundles, strict=True)):
            if not bundle.terms.avoided or not assembly.units:
                continue
            first = next(results[row], None)
            results[row] = chain([first], results[row]) if first else results[row]
            if first is None and (terms := bundle.terms.also_avoiding(assembly.held)) and rounds:
                again[row] = bundle._replace(terms=terms)
            elif first is None:
                messages.append((assembly.line, " has a translation with a phrase to avoid: there is no other"))
                results[row] = assembly.candidates(found[row], self.config.beam, avoiding=False)
        if again:
            lines = [window[row] for row in again]
            further = list[tuple[int, str]]()
            others = yield from self._translate(lines, list(again.values()), further, rounds - 1)
            messages += [message for message in further if message not in messages]
            for row, each in zip(again, others, strict=True):
                results[row] = each
        return results

    def _strictly(
        self,
        window: Sequence[Line],
        bundles: Sequence[Bundle],
        candidates: Sequence[Iterator[Candidate]],
        most: int | None,
    ) -> Steps:
        """The candidates that lost no number which a lenient reading left to the model; where all did, others.

        At most so many of each line.
        """
        stricter = dict[int, Bundle]()  # by the row of a line that is translated again
        results = list[list[Candidate]]()
        for row, (line, bundle, found) in enumerate(zip(window, bundles, candidates, strict=True)):
            how = bundle.reading
            if how is None or not how.keeping.lenient:
                results.append(list(islice(found, most)))
                continue
            strict = replace(how.keeping, lenient=False)
            codes = kept_codes(line.segment.text, strict)
            first = next(found, None)
            whole = (c for c in chain([first], found) if c and not lost(codes, c.segment.text))
            results.append(list(islice(whole, most)))
            if first and not results[row]:
                stricter[row] = bundle._replace(reading=replace(how, keeping=strict))
        if stricter:
            again = yield from self._translate([window[row] for row in stricter], list(stricter.values()), [])
            for row, found in zip(stricter, again, strict=True):
                results[row] = list(islice(found, most))
        return results

    def search(self, units: Sequence[Unit]) -> list[list[Hypothesis]]:
        """The hypotheses of each unit, best first. Samples depend on the seed and the numbers of the unit alone."""
        found = self.unit_search.search(units)
        return self.choose(units, found) if self.choose else found
