"""Lines of text to ids and back, with SentencePiece (Kudo & Richardson 2018): unigram (Kudo 2018) or BPE.

The tokenizer is lossless: `decode(encode(line)) == line` for every line. Text is not normalised, a character outside
the vocabulary becomes its UTF-8 bytes, and encoding never produces the unknown id.

The tokenizer of a model of many languages has a token for each language that it translates to, `<2de>` for German
(Johnson et al. 2017). These are control symbols of SentencePiece: no text is encoded to one, not even `<2de>`, and they
are decoded to nothing.

This module does not know where lines come from, or that they have a translation. `sampling` draws random segmentations.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, combinations, islice, takewhile
from pathlib import Path

import sentencepiece

from seq2seq.config import setting
from seq2seq.errors import InputError
from seq2seq.segments.pieces import PIECES, is_piece, piece
from seq2seq.text.known_words import KnownWords
from seq2seq.text.ragged import Ragged

PAD, BOS, EOS, UNK = 0, 1, 2, 3
MAX_CHARS = 50_000_000  # to learn from, evenly spread over the text: SentencePiece takes 17 bytes for each
CHUNK = 10_000  # lines

SPACE = "\u2581"  # SentencePiece's mark for a space; in a piece it is at the start or nowhere
_ESCAPE = "\ue000"  # private use; escapes a SPACE in the text itself
_RESERVED = "\u2585"  # SentencePiece's trainer skips lines that contain it
_LANGUAGE = re.compile("<2(.+)>")  # the control symbol of a language
_PIECE = 0x0A  # the key of the field of a SentencePiece model that contains a piece: number 1, with a length
_PROBE = f"  a\t{SPACE}<s> \u2047\u00c5A\u030a \U0001f642 "  # decoded correctly by lossless models only


@dataclass(frozen=True)
class TokenizerConfig:
    """How text is segmented into subword tokens."""

    kind: str = setting("unigram", "segmentation model", choices=("unigram", "bpe"))
    vocab_size: int = setting(8000, "number of subword tokens; fewer if the corpus is small", low=300, high=1_000_000)
    joint: bool = setting(
        True, "one model for both languages, whose first tokens are the target vocabulary; false: one each"
    )
    sampling: float = setting(
        0.0,
        "subword sampling in training, 0: off; unigram: segmentations are drawn from p ** this, so a smaller number "
        "varies more; bpe: probability of leaving out a merge",
        low=0.0,
        high=1.0,
    )
    placeholders: int = setting(
        16,
        "numbered tokens that stand for what is kept untranslated, such as {name} or 2024-05-17; 0: none, and it is "
        "placed by the attention alone",
        low=0,
        high=PIECES,
    )
    character_coverage: float = setting(
        0.9999,
        "share of the text's characters that have tokens of their own; the others become bytes",
        low=0.98,
        high=1.0,
    )


class Tokenizer:
    """A lossless SentencePiece model."""

    def __init__(self, model: bytes) -> None:
        """Load a serialized model.

        Raises:
            InputError: not a SentencePiece model, other special ids, or a model that is not lossless.
        """
        self.model_bytes = model
        self.processor = sentencepiece.SentencePieceProcessor(num_threads=1)
        try:
            self.processor.LoadFromSerializedProto(model)
            self._bytes = _texts(self.processor)
        except (RuntimeError, ValueError):  # ValueError: a piece is not UTF-8, or a byte piece has no number
            model = b""
        if not model:
            raise InputError("not a whole SentencePiece model; copy it again or learn a new one")
        p = self.processor
        special = (p.pad_id(), p.bos_id(), p.eos_id(), p.unk_id())
        if special != (PAD, BOS, EOS, UNK):
            raise InputError(f"pad, bos, eos, unk have the ids {special} instead of (0, 1, 2, 3); learn a new model")
        # The ids of the numbered pieces (`seq2seq.segments.pieces`) that the model has a token for, in their order.
        tokens = [p.piece_to_id(piece(number)) for number in range(PIECES)]
        self.placeholders = tokens[: tokens.index(UNK)] if UNK in tokens else tokens
        # The token of each language that a model translates to; empty for a model of one direction.
        self.languages: dict[str, int] = {}
        for token in takewhile(p.is_control, range(UNK + 1, len(p))):
            if match := _LANGUAGE.fullmatch(p.id_to_piece(token)):
                self.languages[match[1]] = token
        # Of the source's tokenizer: the words of the text that it was learnt from; None of models without.
        self.known_words: KnownWords | None = None
        # How many of the first tokens are no text: PAD, BOS, EOS, UNK and those of languages.
        self.special = sum(1 for _ in takewhile(lambda i: i <= UNK or p.is_control(i), range(len(p))))
        if self.decode(self.encode([_PROBE])[0]) != _PROBE:
            raise InputError("the SentencePiece model loses text (normalises, or has no bytes); learn a new one")

    @classmethod
    def learn(
        cls,
        lines: Iterable[str],
        config: TokenizerConfig,
        notice: Callable[[str], None],
        languages: Sequence[str] = (),
    ) -> "Tokenizer":
        """Learn a model from the lines; the same lines give the same bytes.

        Args:
            lines: the text; a sequence is read twice and not copied.
            config: kind and size of the model.
            notice: called with a message if the vocabulary is smaller than set, or only a part of the lines is used.
            languages: that get a token each, in this order.

        Raises:
            InputError: there is no text, or the vocabulary is too small for the text's characters.
        """
        text = _learnt_from(lines if isinstance(lines, Sequence) else list(lines), notice)
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
                control_symbols=[f"<2{language}>" for language in languages],
                user_defined_symbols=[piece(number) for number in range(config.placeholders)],
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                max_sentence_length=2**30,  # its maximum; it skips longer lines
                num_threads=1,  # the number changes the order of sums, and so the model
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
        """Load a model file that `save` wrote.

        Raises:
            InputError: the file cannot be read, is incomplete, or is not a model of this program.
        """
        try:
            return cls(path.read_bytes())
        except IsADirectoryError:
            advice = "it is a folder; check the path, or give the tokenizer.model in it"
            raise InputError(f"cannot read the tokenizer {path}: {advice}") from None
        except OSError as e:
            raise InputError(f"cannot read the tokenizer {path}: {e.strerror}; check the path") from None
        except InputError as e:
            raise InputError(f"{path}: {e}") from None

    def save(self, path: Path) -> None:
        """Write the model as a SentencePiece model file, which other programs can read as well."""
        path.write_bytes(self.model_bytes)

    def sorted_for(self, lines: Sequence[str], kind: str) -> tuple["Tokenizer", int]:
        """The same model with the pieces that these lines need in front, and the number of these pieces.

        `first` of this number segments the lines as the whole model does: the part of a joint vocabulary that one
        language uses (Sennrich et al. 2016, section 3.2). For BPE it includes the intermediate pieces of its merges.
        """
        names = self.pieces(range(len(self)))
        ids, needed = set[int](), {SPACE}
        for chunk in chunks(lines):
            ids.update(chain.from_iterable(self.encode(chunk)))
            needed.update(*map(escape, chunk))
        needed |= {names[i] for i in ids}
        if kind == "bpe":
            needed |= {name[a:b] for name in needed for a, b in combinations(range(len(name) + 1), 2)}
        p = self.processor
        always = [p.is_control(i) or p.is_unknown(i) or p.is_byte(i) for i in range(len(p))]
        kept = [always[i] or is_piece(name) or name in needed for i, name in enumerate(names)]
        pieces, rest = _split_model(self.model_bytes)
        order = sorted(range(len(self)), key=lambda i: not kept[i])
        return Tokenizer(b"".join([*(pieces[i] for i in order), rest])), sum(kept)

    def first(self, count: int) -> "Tokenizer":
        """A model of the first `count` pieces alone, with the same ids."""
        pieces, rest = _split_model(self.model_bytes)
        return Tokenizer(b"".join([*pieces[:count], rest]))

    def __len__(self) -> int:
        return len(self._bytes)

    def encode(self, lines: Sequence[str]) -> list[list[int]]:
        """The ids of each line's best segmentation, without BOS and EOS."""
        ids: list[list[int]] = self.processor.encode([escape(line) for line in lines])
        return ids

    def encode_all(self, lines: Sequence[str]) -> Ragged:
        """`encode` for a whole corpus, in four bytes per id."""
        return Ragged.joined(Ragged.of(self.encode(chunk)) for chunk in chunks(lines))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of any ids as one line. Bytes that are not UTF-8, and the unknown id, become U+FFFD."""
        text = b"".join([self._bytes[i] for i in ids]).decode("utf-8", errors="replace")
        return _unescape(text.removeprefix(" "))

    def ends(self, ids: Iterable[int]) -> list[int]:
        """For each of the ids where its text ends in `decode(ids)`, in characters."""
        texts = [self._bytes[i] for i in ids]
        space = b"".join(texts[:2]).startswith(b" ")
        return [max(0, end - space) for end in accumulate(sum(b & 0xC0 != 0x80 for b in text) for text in texts)]

    @property
    def texts(self) -> list[bytes]:
        """The text of each token in UTF-8, of which a text begins with a space; of a byte piece, the byte."""
        return self._bytes

    def knows(self, ids: Sequence[int]) -> bool:
        """Whether any of the ids is more than a byte or a space: text of another script has none."""
        p = self.processor
        return any(not p.is_byte(i) and self._bytes[i] != b" " for i in ids)

    def cost(self, word: str) -> float:
        """How unlikely the model finds a word: the number of its pieces, and less than 1 for their probability."""
        ids = self.encode([word])[0]
        return len(ids) - 1 / (1 - sum(self.processor.get_score(i) for i in ids))

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The pieces of these ids as text, with `▁` for a space."""
        return [self.processor.id_to_piece(i) for i in ids]


def _learnt_from(lines: Sequence[str], notice: Callable[[str], None]) -> list[str]:
    """The lines that a model is learnt from, as SentencePiece is given them: those with text, or an even share."""
    step = -(-sum(len(escape(line)) for line in lines if line.strip()) // MAX_CHARS)
    if not step:
        raise InputError("there is no text to learn a tokenizer from; give lines that are not empty")
    chosen = islice((line for line in lines if line.strip()), 0, None, step)
    text = [escape(line).replace(_RESERVED, " ") for line in chosen]
    if step > 1:
        notice(f"the tokenizer is learnt from {len(text):,} lines, one in {step}, to save memory")
    return text


def chunks(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """The lines in chunks, so that temporary lists of their ids and words stay small."""
    return (lines[i : i + CHUNK] for i in range(0, len(lines), CHUNK))


def _split_model(model: bytes) -> tuple[list[bytes], bytes]:
    """The serialized pieces of a SentencePiece model, and all of its other fields.

    The model is a protobuf message, of which each field is a key byte, a length and so many bytes.
    """
    # Not by `sentencepiece_model_pb2`: with its import it takes 22 ms of processor time in a new process, and this 7 ms
    # (medians of 40, for 8,000 pieces), where an exported model starts in 0.3 s. It also needs a protobuf no older than
    # the one it was generated with. The bytes are the same.
    pieces, others, end = list[bytes](), list[bytes](), 0
    while end < len(model):
        start, length, shift = end, 0, 0
        end += 1
        while shift == 0 or model[end - 1] > 127:  # a varint: seven bits per byte, the lowest first
            length |= (model[end] & 127) << shift
            end, shift = end + 1, shift + 7
        end += length
        (pieces if model[start] == _PIECE else others).append(model[start:end])
    return pieces, b"".join(others)


def _texts(processor: sentencepiece.SentencePieceProcessor) -> list[bytes]:
    """The text of each piece in UTF-8; of a byte piece, the byte."""
    ids = list(range(len(processor)))  # all at once: one call for each takes three times as long
    texts = [
        b"" if control else bytes([int(piece[3:5], 16)]) if byte else piece.replace(SPACE, " ").encode()
        for piece, control, byte in zip(
            *(f(ids) for f in (processor.id_to_piece, processor.is_control, processor.is_byte)), strict=True
        )
    ]
    texts[UNK : UNK + 1] = ["\ufffd".encode()]
    return [text.replace(b"\n", b" ") for text in texts]  # a line stays one line for any ids


def escape(line: str) -> str:
    """The line as SentencePiece is given it: its mark for a space in the text itself is escaped."""
    if SPACE not in line and _ESCAPE not in line:
        return line
    return line.replace(_ESCAPE, _ESCAPE + "0").replace(SPACE, _ESCAPE + "1")


def _unescape(line: str) -> str:
    return line.replace(_ESCAPE + "1", SPACE).replace(_ESCAPE + "0", _ESCAPE) if _ESCAPE in line else line
