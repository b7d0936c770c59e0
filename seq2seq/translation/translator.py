"""Lines to translations: tokenize, split long lines, batch by length, search, restore the order.

Each line gives one list of candidates, in the order of the lines. A stream is read in windows, so memory is bounded for
a stream of any length. This module knows neither files nor formats, nor how an engine computes its model.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice, repeat
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seq2seq.config import build
from seq2seq.processes import ProcessPool
from seq2seq.text import batches
from seq2seq.text.tokenizer import BOS, EOS, SPACE, Tokenizer
from seq2seq.translation.search import Hypothesis, Ids, LogProbs, Proposal, Request, SearchConfig, search

LONGEST = 200  # source tokens that are translated at once; a longer line is translated in parts
WINDOW = 64, 4096  # most lines that are read before the first translation, and before each later one

Mask = NDArray[np.bool_]


class Engine(Protocol):
    """What computes a model, as search and scoring use it. Padding is on the right; masks: True = real token.

    `aligns`: the model has attention weights over the source, so that the `source` of a proposal means something.
    """

    aligns: bool

    def start(self, src: Ids, mask: Mask) -> Any:
        """The state (`seq2seq.translation.search.State`) of sentences src (B, S), mask (B, S) before their first token.

        Each sentence ends with EOS.
        """

    def propose(self, tokens: Ids, targets: Ids, state: Any, count: int) -> tuple[Proposal, Any]:
        """One step of W hypotheses for each of B sentences.

        Args:
            tokens: (B, W), the last token of each hypothesis.
            targets: (B, W), a token for each whose log-probability is returned, whether it is among the best or not.
            state: before the step.
            count: how many of the most probable next tokens are returned for each hypothesis, at most.

        Returns:
            The proposal, and the state after the step.
        """

    def log_probs(self, pairs: batches.Arrays) -> LogProbs:
        """log p(tgt | src) (B,) of each of B pairs in nats, EOS counted."""


class Bundle(NamedTuple):
    """A model ready to translate."""

    engine: Engine  # computes the model, or an ensemble
    src_tokenizer: Tokenizer
    tgt_tokenizer: Tokenizer
    search: SearchConfig  # the model's own settings, which a command's options override
    src: str  # the language it translates from, as its settings name it
    tgt: str  # the language it translates to

    @classmethod
    def from_settings(
        cls, engine: Engine, tokenizers: tuple[Tokenizer, Tokenizer], sections: Mapping[str, Mapping[str, Any]]
    ) -> "Bundle":
        """The bundle with the search settings and languages from a model folder's settings."""
        search, languages = build(SearchConfig, sections.get("search", {}), "search"), sections.get("data", {})
        return cls(engine, *tokenizers, search, languages.get("src", "?"), languages.get("tgt", "?"))


class Translation(NamedTuple):
    """A candidate translation of a line. For a line in parts, numbers are summed over its parts."""

    text: str
    log_prob: float  # nats: log p of its tokens and EOS, given the line
    score: float  # what candidates are ranked by: `seq2seq.translation.search.score`
    # On request, pairs [source word, target word], each counted from 0 in its line: a word of the translation and the
    # source word with the largest attention weight for one of its pieces.
    alignment: list[list[int]]


class Part(NamedTuple):
    """What is translated at once: a line, or a part of a long line."""

    ids: list[int]  # source tokens, without EOS
    prefix: list[int]  # the first tokens of its translation
    line: int  # the line's number in the stream, from 1 on
    number: int  # the part's number in the line, from 0 on


class LineTranslator:
    """Translates lines, and scores translations.

    Args:
        bundle: the model.
        config: search settings, instead of the bundle's.
        batch_tokens: most tokens of a batch, padding included; changes no result.
        workers: processes that share a stream; changes no result.
        alignments: whether translations have alignments.
    """

    def __init__(
        self, bundle: Bundle, config: SearchConfig, batch_tokens: int = 1024, workers: int = 1, alignments: bool = False
    ) -> None:
        self.engine, self.src_tokenizer, self.tgt_tokenizer = bundle[:3]
        self.config, self.batch_tokens, self.workers, self.alignments = config, batch_tokens, workers, alignments

    def stream(
        self, lines: Iterable[str], warn: Callable[[str], None], prefixes: Iterable[str] = repeat("")
    ) -> Iterator[list[Translation]]:
        """The candidates of each line, best first, as they are ready; a blank line has none.

        Args:
            lines: one line each, without its line break.
            warn: is called with a message for each line that is translated in parts.
            prefixes: for each line the text that its translations begin with.
        """
        pairs, size = enumerate(zip(lines, prefixes, strict=False), 1), WINDOW[0]
        with ProcessPool(self.workers, lambda worker, window: self._translate(window)) as pool:
            while window := list(islice(pairs, size)):
                responses = pool.run([window[worker :: self.workers] for worker in range(self.workers)])
                results: list[list[Translation]] = [[] for _ in window]
                for worker, (candidates, too_long) in enumerate(responses):
                    results[worker :: self.workers] = [[Translation(*c) for c in of_line] for of_line in candidates]
                    for number, tokens, parts in too_long:
                        warn(f"line {number} is {tokens} tokens long and was translated in {parts} pieces")
                yield from results
                size = min(2 * size, WINDOW[1])

    def translate(self, lines: Iterable[str]) -> list[str]:
        """The best translation of each line; "" for a blank line."""
        return [candidates[0].text if candidates else "" for candidates in self.stream(lines, lambda message: None)]

    def log_probs(self, src: Sequence[str], tgt: Sequence[str]) -> list[float]:
        """log p(tgt | src) of each pair of lines in nats, by teacher forcing."""
        sides = self.src_tokenizer.encode(src), self.tgt_tokenizer.encode(tgt)
        result = [0.0] * len(src)
        for rows in batches.plan_pairs(*sides, self.batch_tokens):
            totals = self.engine.log_probs(batches.pad_pairs(*sides, rows))
            for i, total in zip(rows, totals.tolist(), strict=True):
                result[i] = total
        return result

    def _translate(
        self, window: list[tuple[int, tuple[str, str]]]
    ) -> tuple[list[list[Translation]], list[tuple[int, int, int]]]:
        """The candidates of each (number, (line, prefix)); and (number, tokens, parts) of each line in parts."""
        encoded = self.src_tokenizer.encode([line for _, (line, _) in window])
        prefixes = self.tgt_tokenizer.encode([prefix for _, (_, prefix) in window])
        parts: list[list[Part]] = []  # of each line
        for (number, (line, _)), ids, prefix in zip(window, encoded, prefixes, strict=True):
            runs = split(ids, self.src_tokenizer.pieces(ids)) if line.strip() else []
            parts.append([Part(run, [] if i else prefix, number, i) for i, run in enumerate(runs)])
        hypotheses = iter(self._search(list(chain.from_iterable(parts))))
        candidates = [
            self._join(ids, list(islice(hypotheses, len(of_line)))) for ids, of_line in zip(encoded, parts, strict=True)
        ]
        too_long = [
            (of_line[0].line, len(ids), len(of_line))
            for ids, of_line in zip(encoded, parts, strict=True)
            if len(of_line) > 1
        ]
        return candidates, too_long

    def _search(self, parts: list[Part]) -> list[list[Hypothesis]]:
        """The hypotheses of each part, best first. Samples depend on the seed and the numbers of the part alone."""
        config, times = self.config, 1
        if config.sample:
            config, times = replace(config, beam=1), config.beam
        results: list[list[Hypothesis]] = [[] for _ in parts]
        searches = [(i, sample) for i in range(len(parts)) for sample in range(times)]
        lengths = [[len(parts[i].ids) + 1] for i, _ in searches]
        for rows in batches.plan(lengths, self.batch_tokens):
            batch = [searches[row] for row in rows]
            state = self.engine.start(*batches.pad([[*parts[i].ids, EOS] for i, _ in batch]))
            requests = [Request(config.limit(len(parts[i].ids) + 1), parts[i].prefix) for i, _ in batch]
            seeds = [(config.seed, parts[i].line, parts[i].number, sample) for i, sample in batch if config.sample]
            rngs = [np.random.default_rng(seed) for seed in seeds]
            of_batch = search(self.engine.propose, state, requests, config, BOS, EOS, rngs)
            for (i, _), hypotheses in zip(batch, of_batch, strict=True):
                results[i].extend(hypotheses)
        if config.sample:
            results = [sorted(hypotheses, key=lambda h: (-h.score, h.tokens)) for hypotheses in results]
        return results

    def _join(self, ids: list[int], parts: list[list[Hypothesis]]) -> list[Translation]:
        """The candidates of a line from the hypotheses of its parts: the r-th of every part make the line's r-th."""
        candidates = []
        for rank in range(max(map(len, parts), default=0)):
            chosen = [hypotheses[min(rank, len(hypotheses) - 1)] for hypotheses in parts]
            text = " ".join(self.tgt_tokenizer.decode(h.tokens) for h in chosen).replace("\r", " ")
            alignment = self._align(ids, chosen) if self.alignments else []
            candidates.append(
                Translation(text, sum(h.log_prob for h in chosen), sum(h.score for h in chosen), alignment)
            )
        return candidates

    def _align(self, ids: list[int], parts: list[Hypothesis]) -> list[list[int]]:
        """The alignment of a line's tokens with a translation of each of its parts; see `Translation`."""
        pieces = self.src_tokenizer.pieces(ids)
        src_words, start, tgt_words = words(pieces), 0, 0  # the part's first source token and target word
        links: set[tuple[int, int]] = set()
        for run, hypothesis in zip(split(ids, pieces), parts, strict=True):
            of_part = words(self.tgt_tokenizer.pieces(hypothesis.tokens))
            for position, word in zip(hypothesis.sources, of_part, strict=True):
                if position < len(run):  # the position after them is EOS
                    links.add((src_words[start + position], tgt_words + word))
            start, tgt_words = start + len(run), tgt_words + max(of_part, default=-1) + 1
        return sorted(map(list, links))


def split(ids: list[int], pieces: list[str]) -> list[list[int]]:
    """A source as runs of at most LONGEST tokens, each cut before the last word that begins in its later half.

    Where no word begins there, a run has LONGEST tokens. `pieces` are the strings of the ids.
    """
    runs, start = [], 0
    while len(ids) - start > LONGEST:
        cuts = [i for i in range(start + LONGEST // 2, start + LONGEST) if pieces[i].startswith(SPACE)]
        end = cuts[-1] if cuts else start + LONGEST
        runs.append(ids[start:end])
        start = end
    return [*runs, ids[start:]]


def words(pieces: list[str]) -> list[int]:
    """The number of the word, from 0 on, that each piece belongs to; a piece of spaces alone belongs to the next word.

    A piece with the end of one word and the beginning of another belongs to the latter, spaces after the last word to
    the last word.
    """
    numbers, number, inside = [], -1, False
    for piece in pieces:
        for letter in piece:
            number += not inside and letter != SPACE
            inside = letter != SPACE
        numbers.append(number + (not inside))
    return [min(n, max(number, 0)) for n in numbers]
