"""Random segmentations of lines, for training: subword sampling.

Subword regularisation (Kudo 2018) for a unigram model, BPE-dropout (Provilkov et al. 2020) for BPE. A sample depends on
the lines and the generator alone, so that training can be resumed; SentencePiece's own sampler has a hidden generator
in each thread.
"""

import heapq
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from seq2seq.text.ragged import Ragged
from seq2seq.text.tokenizer import SPACE, Tokenizer, chunks, escape


class Sampler:
    """Random segmentations of lines.

    No piece crosses a space, so each word is drawn separately, from a list of segmentations that is computed once.
    `sampling` is `TokenizerConfig.sampling`; with 0, `sample` is `encode`.
    """

    NBEST = 64  # the most segmentations of a word (l in Kudo 2018)

    def __init__(self, tokenizer: Tokenizer, sampling: float) -> None:
        self._tokenizer = tokenizer
        self._sampling = sampling
        p = tokenizer.processor
        normal = [i for i in range(len(p)) if not (p.is_control(i) or p.is_unknown(i) or p.is_byte(i))]
        self._ids = {p.id_to_piece(i): i for i in normal}
        self._scores = [p.get_score(i) for i in range(len(p))]
        self._byte_ids = [p.piece_to_id(f"<0x{b:02X}>") for b in range(256)]
        try:
            p.nbest_encode("a", nbest_size=2)
            self._segment = self._unigram
        except RuntimeError:  # BPE has no n-best list; SentencePiece reveals the kind in no other way
            self._segment = self._bpe
        # Entry k of these is one segmentation; those of word number w are consecutive. limits[k] is w * 2**32 + the
        # cumulative probability in units of 2**-32, pool[ends[k]:ends[k + 1]] are the ids.
        self._words: dict[str, int] = {}
        self._limits = array("q")
        self._ends = array("q", [0])
        self._pool = array("i")

    def sample(self, lines: Sequence[str], rng: "np.random.Generator") -> Ragged:
        """Draw one segmentation of each line, as ids; it depends on the lines and the generator's state alone."""
        return Ragged.joined(self.samples(lines, rng))

    def samples(self, lines: Sequence[str], rng: "np.random.Generator") -> Iterator[Ragged]:
        """The result of `sample` in chunks."""
        for chunk in chunks(lines):
            yield self._sample(chunk, rng) if self._sampling else Ragged.of(self._tokenizer.encode(chunk))

    def _sample(self, lines: Sequence[str], rng: "np.random.Generator") -> Ragged:
        split = [escape(line).split(" ") if line else [] for line in lines]
        words = [word for line in split for word in line]
        for word in dict.fromkeys(words):
            if word not in self._words:
                self._add(word)
        rows = np.fromiter(map(self._words.__getitem__, words), np.int64, len(words))
        # In integers, so that rounding cannot lead to the next word.
        draws = (rows << 32) + rng.integers(1 << 32, size=len(rows))
        chosen = np.searchsorted(np.frombuffer(self._limits, np.int64), draws, side="right")
        ends = np.frombuffer(self._ends, np.int64)
        starts, sizes = ends[chosen], ends[chosen + 1] - ends[chosen]
        cuts = np.concatenate([[0], np.cumsum(sizes)])
        flat = np.arange(cuts[-1]) + np.repeat(starts - cuts[:-1], sizes)
        return Ragged(np.frombuffer(self._pool, np.intc)[flat], cuts[np.cumsum([0, *map(len, split)])])

    def _add(self, word: str) -> None:
        """Append the segmentations of a new word to the tables."""
        segmentations, weights = self._segment(word)
        shares = np.cumsum(weights)
        limits = np.round(shares / shares[-1] * 2**32).astype(np.int64) + (len(self._words) << 32)
        self._words[word] = len(self._words)
        self._limits.extend(limits.tolist())
        for ids in segmentations:
            self._pool.extend(ids)
            self._ends.append(len(self._pool))

    def _unigram(self, word: str) -> tuple[list[list[int]], np.ndarray]:
        """The n best segmentations and their weights p ** alpha."""
        if not word:  # between two spaces
            return [[self._ids[SPACE]]], np.ones(1)
        best = self._tokenizer.processor.nbest_encode(word, nbest_size=self.NBEST)
        scores = np.array([sum([self._scores[i] for i in ids]) for ids in best])
        return best, np.exp(self._sampling * (scores - scores.max()))

    def _bpe(self, word: str) -> tuple[list[list[int]], np.ndarray]:
        """The most probable results of BPE-dropout and their probabilities.

        At each step every possible merge is dropped with probability p and the best remaining merge is done; if none
        remains, the word is finished. A merge takes a word from n parts to n - 1, so the probabilities of the states of
        n - 1 parts follow exactly from those of n parts. States much less probable than their best sibling are dropped.
        """
        p = self._sampling
        width = max(1, min(self.NBEST, 1024 // (len(word) + 1)))
        states = {tuple(SPACE + word): 1.0}
        outcomes = {}
        while states:
            floor = 1e-4 * max(states.values())
            shorter: dict[tuple[str, ...], float] = defaultdict(float)
            for parts, mass in heapq.nlargest(width, states.items(), key=lambda item: item[1]):
                pairs = [self._ids.get(a + b) for a, b in pairwise(parts)]
                merges = sorted([(-self._scores[i], at) for at, i in enumerate(pairs) if i is not None])
                outcomes[parts] = mass * p ** len(merges)
                for _, at in merges:
                    if mass * (1 - p) < floor:
                        break
                    shorter[(*parts[:at], parts[at] + parts[at + 1], *parts[at + 2 :])] += mass * (1 - p)
                    mass *= p
            states = shorter
        best = heapq.nlargest(self.NBEST, outcomes.items(), key=lambda item: item[1])
        return [self._part_ids(parts) for parts, _ in best], np.array([weight for _, weight in best])

    def _part_ids(self, parts: Iterable[str]) -> list[int]:
        return [
            i
            for part in parts
            for i in ([self._ids[part]] if part in self._ids else [self._byte_ids[b] for b in part.encode()])
        ]
