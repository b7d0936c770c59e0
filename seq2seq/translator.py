"""Lines to lines: tokenize, sort by length, batch, search, undo the order.

One line in, one line out, in the same order. A stream is read in windows, so memory is bounded whatever its length. The
translator knows nothing of files or formats.

The batch changes no bit of a translation or its score, nor do one or two threads (with AVX2 or AVX-512). What could is
the order in which a kernel adds: a product of matrices takes rows by fours and the rest in another way, and a sum over
source positions depends on their number until they fill a vector. So sentences and hypotheses come in fours, positions
in sixteens.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq import batches
from seq2seq.checkpoint import Bundle
from seq2seq.crew import Crew
from seq2seq.decoder import State
from seq2seq.search import Hypothesis, SearchConfig, search
from seq2seq.tokenizer import BOS, EOS

LONGEST = 200  # tokens of a source that are translated at once; what is longer goes piece by piece
ROWS, POSITIONS = 4, 16  # multiples that a batch is filled up to
WINDOW = 64, 4096  # lines read before the first and before each later translation, at most


class Candidate(NamedTuple):
    """One translation of a line, with its log-probability and the score it ranks by."""

    text: str
    log_prob: float
    score: float


class Full(NamedTuple):
    """A decoder's state whose rows are filled up to a multiple of ROWS."""

    state: State

    def select(self, rows: Tensor) -> "Full":
        """The state of these rows, in this order, filled up."""
        return Full(self.state.select(fill(rows)))


def fill(rows: Tensor) -> Tensor:
    """Rows (N, ...) and the last one again, up to the next multiple of ROWS."""
    return torch.cat((rows, rows[-1:].expand(-len(rows) % ROWS, *rows.shape[1:])))


class Translator:
    """A model, its tokenizers and a way to search; `workers` processes share a stream, which changes no bit of it."""

    def __init__(self, bundle: Bundle, config: SearchConfig, batch_tokens: int = 2048, workers: int = 1) -> None:
        self.model, self.src_tokenizer, self.tgt_tokenizer = bundle[:3]
        self.config, self.batch_tokens, self.workers = config, batch_tokens, workers
        self.device = next(self.model.parameters()).device

    def stream(self, lines: Iterable[str], warn: Callable[[str], None]) -> Iterator[list[Candidate]]:
        """The candidates of each line, best first, as they are ready; an empty line has none.

        `warn` hears of each line that is too long to translate at once.
        """
        lines, size, first = iter(lines), WINDOW[0], 1
        with Crew(self.workers, lambda worker, lines: self._window(lines)) as crew:
            while window := list(islice(lines, size)):
                answers = crew.ask([window[worker :: self.workers] for worker in range(self.workers)])
                found: list[list[Candidate]] = [[] for _ in window]
                for worker, (candidates, too_long) in enumerate(answers):
                    found[worker :: self.workers] = [[Candidate(*c) for c in each] for each in candidates]
                    for i, tokens, pieces in too_long:
                        number = first + worker + i * self.workers
                        warn(f"line {number} is {tokens} tokens long and was translated in {pieces} pieces")
                yield from found
                first, size = first + len(window), min(2 * size, WINDOW[1])

    def best(self, lines: Iterable[str]) -> list[str]:
        """The best translation of each line."""
        return [found[0].text if found else "" for found in self.stream(lines, lambda message: None)]

    def log_probs(self, src: Sequence[str], tgt: Sequence[str]) -> list[float]:
        """log p(tgt | src) of each pair of lines, by teacher forcing."""
        sides = self.src_tokenizer.encode(src), self.tgt_tokenizer.encode(tgt)
        result = [0.0] * len(src)
        for rows in batches.epoch(*sides, self.batch_tokens):
            batch = batches.collate(*sides, rows, POSITIONS).to(self.device)
            source, source_mask, tgt_in, tgt_out, tgt_mask = map(fill, batch[:5])
            lengths = tgt_mask.sum(1, keepdim=True)
            wanted = torch.arange(tgt_in.shape[1], device=self.device) < lengths + -lengths % ROWS
            with torch.inference_mode():
                logits = self.model(source, source_mask, tgt_in, wanted).float()  # (N, V)
                log_p = logits.gather(1, tgt_out[wanted][:, None]).squeeze(1) - logits.logsumexp(-1)
                of_tokens = log_p.new_zeros(wanted.shape, dtype=torch.float64)
                of_tokens[wanted] = log_p.double()
                totals = of_tokens.masked_fill(~tgt_mask, 0.0)[: len(rows)].sum(1)
            for i, total in zip(rows, totals.tolist(), strict=True):
                result[i] = total
        return result

    def _window(self, lines: list[str]) -> tuple[list[list[Candidate]], list[tuple[int, int, int]]]:
        """The candidates of each line, and each line that is too long: its place, its tokens, its pieces."""
        sources: list[list[int]] = []  # the pieces to translate ...
        owners: list[int] = []  # ... and the line of each
        too_long = []
        for i, (line, ids) in enumerate(zip(lines, self.src_tokenizer.encode(lines), strict=True)):
            pieces = split(ids, self.src_tokenizer.pieces(ids)) if line.strip() else []
            if len(pieces) > 1:
                too_long.append((i, len(ids), len(pieces)))
            sources.extend(pieces)
            owners.extend([i] * len(pieces))
        found = self._search(sources)
        parts: list[list[list[Hypothesis]]] = [[] for _ in lines]
        for i, hypotheses in zip(owners, found, strict=True):
            parts[i].append(hypotheses)
        return [self._join(line_parts) for line_parts in parts], too_long

    def _search(self, sources: list[list[int]]) -> list[list[Hypothesis]]:
        found: list[list[Hypothesis]] = [[] for _ in sources]
        lengths = [len(ids) + 1 for ids in sources]
        for rows in batches.plan([[n] for n in lengths], self.batch_tokens):
            src, mask = batches.pad([[*sources[i], EOS] for i in rows], POSITIONS)
            with torch.inference_mode():
                state = self._start(src.to(self.device), mask.to(self.device))
            tokens = torch.full((len(rows), 1), BOS, device=self.device)
            limits = [self.config.limit(lengths[i]) for i in rows]
            for i, hypotheses in zip(rows, search(self._advance, state, tokens, limits, self.config, EOS), strict=True):
                found[i] = hypotheses
        return found

    def _start(self, src: Tensor, src_mask: Tensor) -> Full:
        return Full(self.model.start(fill(src), fill(src_mask)))

    def _advance(self, tokens: Tensor, state: Full) -> tuple[Tensor, Full]:
        logits, after = self.model.advance(fill(tokens), state.state)
        return logits[: len(tokens)], Full(after)

    def _join(self, parts: list[list[Hypothesis]]) -> list[Candidate]:
        """The candidates of a line from those of its pieces: the r-th of each make the r-th of the line."""
        candidates = []
        for rank in range(max(map(len, parts), default=0)):
            chosen = [part[min(rank, len(part) - 1)] for part in parts]
            text = " ".join(self.tgt_tokenizer.decode(h.tokens) for h in chosen).replace("\r", " ")
            candidates.append(Candidate(text, sum(h.log_prob for h in chosen), sum(h.score for h in chosen)))
        return candidates


def split(ids: list[int], pieces: list[str]) -> list[list[int]]:
    """A source in runs of LONGEST tokens at most, cut before a word where there is one in the later half."""
    runs, start = [], 0
    while len(ids) - start > LONGEST:
        words = [i for i in range(start + LONGEST // 2, start + LONGEST) if pieces[i].startswith("▁")]
        end = words[-1] if words else start + LONGEST
        runs.append(ids[start:end])
        start = end
    return [*runs, ids[start:]]
