"""Lines of text to ids and back, with SentencePiece (Kudo & Richardson 2018): unigram (Kudo 2018) or BPE.

Nothing is lost: `decode(encode(line)) == line` for every line, whatever it holds. There is no normalisation, a
character outside the vocabulary becomes its UTF-8 bytes, and the unknown id is never produced.

`Sampler` draws other segmentations of the same text, for training: Kudo's subword regularisation for a unigram model,
BPE-dropout (Provilkov et al. 2020) for BPE. What it draws depends on the lines and the generator alone, so that a
training run can be resumed; SentencePiece's own sampler hides its generator in a thread.

This module does not know where lines come from, nor that they have a translation.
"""

import heapq
import io
import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, pairwise
from pathlib import Path

import numpy as np
import sentencepiece

from seq2seq.config import setting
from seq2seq.errors import InputError
from seq2seq.text.ragged import Ragged

PAD, BOS, EOS, UNK = 0, 1, 2, 3
MOST = 50_000_000  # characters to learn from, evenly spread over the text: SentencePiece takes 17 bytes for each
AT_ONCE = 10_000  # lines of a corpus

SPACE = "\u2581"  # what SentencePiece writes for a space; a piece holds it at its start or nowhere
_ESCAPE = "\ue000"  # private use; guards a SPACE that stands in the text itself
_RESERVED = "\u2585"  # SentencePiece's trainer skips lines that hold it
_PIECE = 0x0A  # the field of a SentencePiece model that holds a piece
_PROBE = f"  a\t{SPACE}<s> \u2047\u00c5A\u030a \U0001f642 "  # comes back from a lossless model only


@dataclass(frozen=True)
class TokenizerConfig:
    """How text becomes pieces."""

    kind: str = setting("unigram", "how pieces are found", choices=("unigram", "bpe"))
    vocab_size: int = setting(8000, "pieces; lowered by itself for a small corpus", low=300, high=1_000_000)
    joint: bool = setting(True, "one model for both languages, of which the target takes its part (false: one each)")
    sampling: float = setting(
        0.0, "subword sampling in training, 0 = off; unigram: Kudo's alpha; bpe: dropout probability", low=0.0, high=1.0
    )
    character_coverage: float = setting(
        0.9999, "share of the text's characters to have pieces of their own; the rest become bytes", low=0.98, high=1.0
    )


class Tokenizer:
    """A SentencePiece model that loses nothing."""

    def __init__(self, model: bytes) -> None:
        """From the bytes of a model.

        Raises:
            InputError: not a SentencePiece model, other special ids, or one that loses text.
        """
        self.model_bytes = model
        self._processor = sentencepiece.SentencePieceProcessor(num_threads=1)
        try:
            self._processor.LoadFromSerializedProto(model)
            self._bytes = [_piece_bytes(self._processor, i) for i in range(len(self._processor))]
        except (RuntimeError, ValueError):  # the latter where a piece is no text, or a byte is no number
            model = b""
        if not model:
            raise InputError("not a whole SentencePiece model; copy it again or learn it anew")
        p = self._processor
        special = (p.pad_id(), p.bos_id(), p.eos_id(), p.unk_id())
        if special != (PAD, BOS, EOS, UNK):
            raise InputError(f"pad, bos, eos, unk have the ids {special} instead of (0, 1, 2, 3); learn the model anew")
        if self.decode(self.encode([_PROBE])[0]) != _PROBE:
            raise InputError("a SentencePiece model that loses text (normalises, or has no bytes); learn it anew")

    @classmethod
    def learn(cls, lines: Iterable[str], config: TokenizerConfig, notice: Callable[[str], None]) -> "Tokenizer":
        """A model of the lines: the same lines give the same bytes. `notice` hears of a smaller vocabulary, and
        that a long text is read in part.

        Raises:
            InputError: there is no text, or the vocabulary is too small for the text's characters.
        """
        text = [_escape(line).replace(_RESERVED, " ") for line in lines if line.strip()]
        if not text:
            raise InputError("there is no text to learn a tokenizer from; give lines that are not empty")
        if (every := -(-sum(map(len, text)) // MOST)) > 1:
            text = text[::every]
            notice(f"the tokenizer learns from {len(text):,} lines, one in {every}, which is text enough")
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(text),
                model_writer=model,
                model_type=config.kind,
                vocab_size=config.vocab_size,
                hard_vocab_limit=False,
                character_coverage=config.character_coverage,
                required_chars=SPACE,
                pad_id=PAD,
                bos_id=BOS,
                eos_id=EOS,
                unk_id=UNK,
                byte_fallback=True,
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                max_sentence_length=2**30,  # the most it allows; it skips longer lines
                num_threads=1,  # their number changes the sums, and so the model
                minloglevel=2,
            )
        except RuntimeError as e:
            if not (sizes := re.search(r"required_chars\. \d+ vs (\d+)", str(e))):
                raise
            raise InputError(
                f"tokenizer.vocab_size = {config.vocab_size} is too small for the characters of this text; "
                f"give at least {sizes[1]}, or lower tokenizer.character_coverage"
            ) from None
        tokenizer = cls(model.getvalue())
        if len(tokenizer) < config.vocab_size:
            notice(
                f"a vocabulary of {len(tokenizer)} pieces, not {config.vocab_size}: there is too little text for more"
            )
        return tokenizer

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """The model that `save` wrote.

        Raises:
            InputError: the file is missing, cut off, or not a model of this program.
        """
        try:
            return cls(path.read_bytes())
        except OSError as e:
            raise InputError(f"cannot read the tokenizer {path}: {e.strerror}; check the path") from None
        except InputError as e:
            raise InputError(f"{path}: {e}") from None

    def save(self, path: Path) -> None:
        """Write the SentencePiece model, which other programs can read as well."""
        path.write_bytes(self.model_bytes)

    def sorted_for(self, lines: Sequence[str], kind: str) -> tuple["Tokenizer", int]:
        """The same model with the pieces that these lines need before all others, and how many they are.

        `first` of so many segments the lines in the same way (Sennrich et al. 2016, section 3.2: of a joint vocabulary
        a language takes what it has seen). BPE needs the pieces that it goes through, too.
        """
        names = self.pieces(range(len(self)))
        needed = {names[i] for i in np.unique(self.encode_all(lines).flat)}
        needed |= {SPACE, *chain.from_iterable(map(_escape, lines))}
        if kind == "bpe":
            needed |= {name[a:b] for name in needed for a, b in combinations(range(len(name) + 1), 2)}
        p = self._processor
        kept = [p.is_control(i) or p.is_unknown(i) or p.is_byte(i) or name in needed for i, name in enumerate(names)]
        pieces, rest = _parts(self.model_bytes)
        order = sorted(range(len(self)), key=lambda i: not kept[i])
        return Tokenizer(b"".join([*(pieces[i] for i in order), rest])), sum(kept)

    def first(self, count: int) -> "Tokenizer":
        """A model of the first pieces alone, under the same ids."""
        pieces, rest = _parts(self.model_bytes)
        return Tokenizer(b"".join([*pieces[:count], rest]))

    def __len__(self) -> int:
        return len(self._bytes)

    def encode(self, lines: Sequence[str]) -> list[list[int]]:
        """The best segmentation of each line, as ids, without begin and end."""
        ids: list[list[int]] = self._processor.encode([_escape(line) for line in lines])
        return ids

    def encode_all(self, lines: Sequence[str]) -> Ragged:
        """As `encode`, for as many lines as a corpus has."""
        return Ragged.joined(Ragged.of(self.encode(some)) for some in _some(lines))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of any ids, in one line. Bytes that are not UTF-8, and the unknown id, become U+FFFD."""
        text = b"".join([self._bytes[i] for i in ids]).decode("utf-8", errors="replace")
        return _unescape(text.removeprefix(" "))

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The pieces by name, `▁` for a space."""
        return [self._processor.id_to_piece(i) for i in ids]


class Sampler:
    """Random segmentations of lines.

    Pieces never cross a space, so words are drawn one by one, each from its list of segmentations; a word's list is
    made once. `sampling` is what `TokenizerConfig.sampling` says; 0 gives `encode`.
    """

    NBEST = 64  # segmentations a word, at most (l in Kudo 2018)

    def __init__(self, tokenizer: Tokenizer, sampling: float) -> None:
        self._tokenizer = tokenizer
        self._sampling = sampling
        p = tokenizer._processor
        normal = [i for i in range(len(p)) if not (p.is_control(i) or p.is_unknown(i) or p.is_byte(i))]
        self._ids = {p.id_to_piece(i): i for i in normal}
        self._scores = [p.get_score(i) for i in range(len(p))]
        self._byte_ids = [p.piece_to_id(f"<0x{b:02X}>") for b in range(256)]
        try:
            p.nbest_encode("a", nbest_size=2)
            self._segment = self._unigram
        except RuntimeError:  # BPE has no n-best list; SentencePiece does not tell the kind otherwise
            self._segment = self._bpe
        # Word w's candidates are rows of these, all words after one another: limits[k] is w * 2**32 + the cumulative
        # probability in units of 2**-32, pool[ends[k]:ends[k + 1]] the ids.
        self._words: dict[str, int] = {}
        self._limits = array("q")
        self._ends = array("q", [0])
        self._pool = array("i")

    def sample(self, lines: Sequence[str], rng: np.random.Generator) -> Ragged:
        """One segmentation of each line, as ids: a function of the lines and the generator's state alone."""
        if not self._sampling:
            return self._tokenizer.encode_all(lines)
        return Ragged.joined(self._sample(some, rng) for some in _some(lines))

    def _sample(self, lines: Sequence[str], rng: np.random.Generator) -> Ragged:
        split = [_escape(line).split(" ") if line else [] for line in lines]
        words = [word for line in split for word in line]
        for word in dict.fromkeys(words):
            if word not in self._words:
                self._add(word)
        rows = np.fromiter(map(self._words.__getitem__, words), np.int64, len(words))
        # Whole numbers, so that no rounding can reach the next word.
        draws = (rows << 32) + rng.integers(1 << 32, size=len(rows))
        chosen = np.searchsorted(np.frombuffer(self._limits, np.int64), draws, side="right")
        ends = np.frombuffer(self._ends, np.int64)
        starts, sizes = ends[chosen], ends[chosen + 1] - ends[chosen]
        cuts = np.concatenate([[0], np.cumsum(sizes)])
        flat = np.arange(cuts[-1]) + np.repeat(starts - cuts[:-1], sizes)
        return Ragged(np.frombuffer(self._pool, np.intc)[flat], cuts[np.cumsum([0, *map(len, split)])])

    def _add(self, word: str) -> None:
        segmentations, weights = self._segment(word)
        shares = np.cumsum(weights)
        limits = np.round(shares / shares[-1] * 2**32).astype(np.int64) + (len(self._words) << 32)
        self._words[word] = len(self._words)
        self._limits.extend(limits.tolist())
        for ids in segmentations:
            self._pool.extend(ids)
            self._ends.append(len(self._pool))

    def _unigram(self, word: str) -> tuple[list[list[int]], np.ndarray]:
        """The n best segmentations, weighted by p ** alpha."""
        if not word:  # between two spaces
            return [[self._ids[SPACE]]], np.ones(1)
        best = self._tokenizer._processor.nbest_encode(word, nbest_size=self.NBEST)
        scores = np.array([sum([self._scores[i] for i in ids]) for ids in best])
        return best, np.exp(self._sampling * (scores - scores.max()))

    def _bpe(self, word: str) -> tuple[list[list[int]], np.ndarray]:
        """The likeliest outcomes of BPE-dropout, with their probabilities.

        At each step every possible merge is dropped with probability p and the best of the others is done; with none
        left, the word is finished. Merging takes a word from n parts to n - 1, so the probability of each state follows
        from those one part longer: no drawing. States far less likely than their best sibling are left out.
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


def _some(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """The lines, so few at once that what is made of them on the way takes no room."""
    return (lines[i : i + AT_ONCE] for i in range(0, len(lines), AT_ONCE))


def _parts(model: bytes) -> tuple[list[bytes], bytes]:
    """The pieces of a SentencePiece model, each as it stands there, and the rest: a message of fields with a length."""
    pieces, rest, at = list[bytes](), list[bytes](), 0
    while at < len(model):
        start, length, shift = at, 0, 0
        at += 1
        while shift == 0 or model[at - 1] > 127:  # a varint, seven bits a byte
            length |= (model[at] & 127) << shift
            at, shift = at + 1, shift + 7
        at += length
        (pieces if model[start] == _PIECE else rest).append(model[start:at])
    return pieces, b"".join(rest)


def _piece_bytes(processor: sentencepiece.SentencePieceProcessor, i: int) -> bytes:
    if i in (PAD, BOS, EOS):
        return b""
    if i == UNK:
        return "\ufffd".encode()
    piece: str = processor.id_to_piece(i)
    text = bytes([int(piece[3:5], 16)]) if processor.is_byte(i) else piece.replace(SPACE, " ").encode()
    return text.replace(b"\n", b" ")  # a line stays one line, whatever ids a network emits


def _escape(line: str) -> str:
    if SPACE not in line and _ESCAPE not in line:
        return line
    return line.replace(_ESCAPE, _ESCAPE + "0").replace(SPACE, _ESCAPE + "1")


def _unescape(line: str) -> str:
    return line.replace(_ESCAPE + "1", SPACE).replace(_ESCAPE + "0", _ESCAPE) if _ESCAPE in line else line
