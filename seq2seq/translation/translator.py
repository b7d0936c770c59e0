"""Lines to lines: tokenize, sort by length, batch, search, undo the order.

One line in, one line out, in the same order. A stream is read in windows, so memory is bounded whatever its length. The
translator knows nothing of files or formats, nor what computes: an engine does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, repeat
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seq2seq.config import build
from seq2seq.processes import ProcessPool
from seq2seq.text import batches
from seq2seq.text.tokenizer import BOS, EOS, SPACE, Tokenizer
from seq2seq.translation.search import Hypothesis, Ids, LogProbs, Proposal, SearchConfig, search

LONGEST = 200  # tokens of a source that are translated at once; what is longer goes piece by piece
WINDOW = 64, 4096  # lines read before the first and before each later translation, at most

Mask = NDArray[np.bool_]


class Engine(Protocol):
    """A model behind the verbs of `seq2seq.translation.search`. Padding is on the right; masks: True = real.

    `aligns`: it looks at source positions one by one, so that a proposal's `source` means something.
    """

    aligns: bool

    def start(self, src: Ids, mask: Mask) -> Any:
        """The state of sentences src (B, S), mask (B, S), before their first token."""

    def propose(self, tokens: Ids, asked: Ids, state: Any, count: int) -> tuple[Proposal, Any]:
        """How each hypothesis (B, W) goes on from its last token, in `count` ways at most."""

    def log_probs(self, pairs: batches.Arrays) -> LogProbs:
        """log p(tgt | src) of each of B pairs."""


class Bundle(NamedTuple):
    """All that translating needs."""

    engine: Engine
    src_tokenizer: Tokenizer
    tgt_tokenizer: Tokenizer
    search: SearchConfig
    src: str
    tgt: str

    @classmethod
    def from_settings(
        cls, engine: Engine, tokenizers: tuple[Tokenizer, Tokenizer], sections: Mapping[str, Mapping[str, Any]]
    ) -> "Bundle":
        """With the way to search and the languages that a model folder's settings name."""
        search, languages = build(SearchConfig, sections.get("search", {}), "search"), sections.get("data", {})
        return cls(engine, *tokenizers, search, languages.get("src", "?"), languages.get("tgt", "?"))


class Translation(NamedTuple):
    """One translation of a line, with its log-probability and the score it ranks by.

    `alignment` are pairs (source, target) of words, counted in their line from 0, on request: where the attention was
    highest for a piece of the target word.
    """

    text: str
    log_prob: float
    score: float
    alignment: list[list[int]]


class LineTranslator:
    """A model, its tokenizers and a way to search; `workers` processes share a stream, which changes no bit of it."""

    def __init__(
        self, bundle: Bundle, config: SearchConfig, batch_tokens: int = 1024, workers: int = 1, alignments: bool = False
    ) -> None:
        self.engine, self.src_tokenizer, self.tgt_tokenizer = bundle[:3]
        self.config, self.batch_tokens, self.workers, self.alignments = config, batch_tokens, workers, alignments

    def stream(
        self, lines: Iterable[str], warn: Callable[[str], None], prefixes: Iterable[str] = repeat("")
    ) -> Iterator[list[Translation]]:
        """The candidates of each line, best first, as they are ready; an empty line has none.

        `warn` hears of each line that is too long to translate at once. A translation begins with its prefix.
        """
        pairs, size = enumerate(zip(lines, prefixes, strict=False), 1), WINDOW[0]
        with ProcessPool(self.workers, lambda worker, numbered: self._window(numbered)) as pool:
            while window := list(islice(pairs, size)):
                answers = pool.run([window[worker :: self.workers] for worker in range(self.workers)])
                found: list[list[Translation]] = [[] for _ in window]
                for worker, (candidates, too_long) in enumerate(answers):
                    found[worker :: self.workers] = [[Translation(*c) for c in each] for each in candidates]
                    for number, tokens, pieces in too_long:
                        warn(f"line {number} is {tokens} tokens long and was translated in {pieces} pieces")
                yield from found
                size = min(2 * size, WINDOW[1])

    def translate(self, lines: Iterable[str]) -> list[str]:
        """The best translation of each line."""
        return [found[0].text if found else "" for found in self.stream(lines, lambda message: None)]

    def log_probs(self, src: Sequence[str], tgt: Sequence[str]) -> list[float]:
        """log p(tgt | src) of each pair of lines, by teacher forcing."""
        sides = self.src_tokenizer.encode(src), self.tgt_tokenizer.encode(tgt)
        result = [0.0] * len(src)
        for rows in batches.plan_pairs(*sides, self.batch_tokens):
            totals = self.engine.log_probs(batches.pad_pairs(*sides, rows))
            for i, total in zip(rows, totals.tolist(), strict=True):
                result[i] = total
        return result

    def _window(
        self, numbered: list[tuple[int, tuple[str, str]]]
    ) -> tuple[list[list[Translation]], list[tuple[int, int, int]]]:
        """The candidates of each line, and each line that is too long: its number, its tokens, its pieces."""
        sources: list[list[int]] = []  # the pieces to translate ...
        begun: list[list[int]] = []  # ... what the translation of each begins with ...
        owners: list[tuple[int, int, int]] = []  # ... and whose it is: place and number of the line, and which piece
        too_long = []
        encoded = self.src_tokenizer.encode([line for _, (line, _) in numbered])
        prefixes = self.tgt_tokenizer.encode([prefix for _, (_, prefix) in numbered])
        for i, ((number, (line, _)), ids, prefix) in enumerate(zip(numbered, encoded, prefixes, strict=True)):
            pieces = split(ids, self.src_tokenizer.pieces(ids)) if line.strip() else []
            if len(pieces) > 1:
                too_long.append((number, len(ids), len(pieces)))
            sources.extend(pieces)
            begun.extend([prefix, *([[]] * (len(pieces) - 1))] if pieces else [])
            owners.extend((i, number, part) for part in range(len(pieces)))
        found = self._search(sources, begun, [names for _, *names in owners])
        parts: list[list[list[Hypothesis]]] = [[] for _ in numbered]
        for (i, _, _), hypotheses in zip(owners, found, strict=True):
            parts[i].append(hypotheses)
        return [self._join(ids, line_parts) for ids, line_parts in zip(encoded, parts, strict=True)], too_long

    def _search(
        self, sources: list[list[int]], begun: list[list[int]], names: list[list[int]]
    ) -> list[list[Hypothesis]]:
        """The hypotheses of each source, best first. Where they are drawn, it is by the seed and the source's name."""
        config, times = self.config, 1
        if config.sample:
            config, times = replace(config, beam=1), config.beam
        found: list[list[Hypothesis]] = [[] for _ in sources]
        draws = [(i, draw) for i in range(len(sources)) for draw in range(times)]
        lengths = [len(sources[i]) + 1 for i, _ in draws]
        for rows in batches.plan([[n] for n in lengths], self.batch_tokens):
            some = [draws[row] for row in rows]
            state = self.engine.start(*batches.pad([[*sources[i], EOS] for i, _ in some]))
            limits, prefixes = [config.limit(lengths[row]) for row in rows], [begun[i] for i, _ in some]
            drawn = some if config.sample else []
            chance = [np.random.default_rng((config.seed, *names[i], draw)) for i, draw in drawn]
            hypotheses = search(self.engine.propose, state, BOS, limits, config, EOS, prefixes, chance)
            for (i, _), each in zip(some, hypotheses, strict=True):
                found[i].extend(each)
        if config.sample:
            found = [sorted(each, key=lambda h: (-h.score, h.tokens)) for each in found]
        return found

    def _join(self, ids: list[int], parts: list[list[Hypothesis]]) -> list[Translation]:
        """The candidates of a line from those of its pieces: the r-th of each make the r-th of the line."""
        candidates = []
        for rank in range(max(map(len, parts), default=0)):
            chosen = [part[min(rank, len(part) - 1)] for part in parts]
            text = " ".join(self.tgt_tokenizer.decode(h.tokens) for h in chosen).replace("\r", " ")
            alignment = self._align(ids, chosen) if self.alignments else []
            candidates.append(
                Translation(text, sum(h.log_prob for h in chosen), sum(h.score for h in chosen), alignment)
            )
        return candidates

    def _align(self, ids: list[int], chosen: list[Hypothesis]) -> list[list[int]]:
        pieces = self.src_tokenizer.pieces(ids)
        of_source, start, said = words(pieces), 0, 0
        links: set[tuple[int, int]] = set()
        for run, hypothesis in zip(split(ids, pieces), chosen, strict=True):
            of_target = words(self.tgt_tokenizer.pieces(hypothesis.tokens))
            for position, target in zip(hypothesis.sources, of_target, strict=True):
                if position < len(run):  # and not the end of the source
                    links.add((of_source[start + position], said + target))
            start, said = start + len(run), said + max(of_target, default=-1) + 1
        return sorted(map(list, links))


def split(ids: list[int], pieces: list[str]) -> list[list[int]]:
    """A source in runs of LONGEST tokens at most, cut before a word where there is one in the later half."""
    runs, start = [], 0
    while len(ids) - start > LONGEST:
        words = [i for i in range(start + LONGEST // 2, start + LONGEST) if pieces[i].startswith("▁")]
        end = words[-1] if words else start + LONGEST
        runs.append(ids[start:end])
        start = end
    return [*runs, ids[start:]]


def words(pieces: list[str]) -> list[int]:
    """The number of the word that each piece is of; spaces alone go with the word behind them."""
    numbers, number, inside = [], -1, False
    for piece in pieces:
        for letter in piece:
            number += not inside and letter != SPACE
            inside = letter != SPACE
        numbers.append(number + (not inside))
    return [min(each, max(number, 0)) for each in numbers]
