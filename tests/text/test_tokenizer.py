import itertools
import random
import tracemalloc
from collections import Counter
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from seq2seq.errors import InputError
from seq2seq.text.sampling import Sampler
from seq2seq.text.tokenizer import BOS, EOS, PAD, UNK, Tokenizer, TokenizerConfig

KINDS = ["unigram", "bpe"]
SIZE = 330
LINES = [
    f"{who} {does} {what}{end}"
    for who in ["The old man", "A small girl", "My brother", "Der Hund", "Niemand", "Über uns", "The newest teacher"]
    for does in ["reads", "sees", "liest", "findet", "opens the", "is looking for", "unterscheidet"]
    for what in ["a book", "no birds", "ein Haus", "drei Bücher", "the lower window", "die Straße", "12 letters"]
    for end in [".", "!", " today."]
]
AWKWARD = [
    "",
    " ",
    "   ",
    " leading",
    "trailing ",
    "two  spaces   three",
    "a\ttab\t",
    "\t",
    "\r",
    "nul\0nul",
    "\0",
    "emoji 🙂👩‍👩‍👧🇩🇪",
    "▁",
    "a▁b ▁ ▁▁",
    "\ue000",
    "\ue0000 \ue0001 ▁0 ▁1 \ue000▁",
    "<s>",
    "</s> <pad> <unk>",
    "<0x41><0x0A>",
    "⁇ \u2047 ▅ \u2585",
    "\ufffd",
    "\ufeff",
    "e\u0301 é A\u030a Å ﬁ ½ ²",
    "\u200b\u200d\u00ad\u2028\u00a0\u3000",
    "„quotes“ \"and\" «more» 'too'",
    "1234567890 3.14 1,000,000 ٣",
    "日本語の文 한국어 العربية עברית ไทย हिन्दी",
    "Donaudampfschifffahrtsgesellschaftskapitän" * 20,
]
anything = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))
traps = st.text(" ▁\ue00001<s>x\t\0▅")


def no_notice(message: str) -> None:
    raise AssertionError(message)


@cache
def learned(kind: str) -> Tokenizer:
    return Tokenizer.learn(LINES, TokenizerConfig(kind=kind, vocab_size=SIZE, placeholders=0), no_notice)


@cache
def sampler(kind: str, sampling: float) -> Sampler:
    return Sampler(learned(kind), sampling)


def draw(kind: str, sampling: float, lines: list[str], seed: int = 0) -> list[list[int]]:
    return list(sampler(kind, sampling).sample(lines, np.random.default_rng(seed)))


def frequencies(draws: list[list[int]]) -> dict[tuple[int, ...], float]:
    return {ids: n / len(draws) for ids, n in Counter(map(tuple, draws)).items()}


def distance(p: dict[tuple[int, ...], float], q: dict[tuple[int, ...], float]) -> float:
    """Total variation distance: the largest difference of the probabilities of any event."""
    return sum(abs(p.get(x, 0) - q.get(x, 0)) for x in p.keys() | q.keys()) / 2


# The tokenizer is lossless.


def check_lossless(kind: str, line: str) -> None:
    for ids in [*learned(kind).encode([line]), *draw(kind, 0.3, [line])]:
        assert learned(kind).decode(ids) == line
        assert not {PAD, BOS, EOS, UNK} & set(ids)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("line", AWKWARD, ids=range(len(AWKWARD)))
def test_awkward_lines_come_back(kind: str, line: str) -> None:
    check_lossless(kind, line)


@pytest.mark.parametrize("kind", KINDS)
@settings(derandomize=True, max_examples=300, deadline=None)
@given(line=anything | traps)
def test_any_line_comes_back(kind: str, line: str) -> None:
    check_lossless(kind, line)


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_does_not_depend_on_its_neighbours(kind: str) -> None:
    together = learned(kind).encode(AWKWARD)
    assert together == [learned(kind).encode([line])[0] for line in AWKWARD]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pieces_of_one_language_come_first_and_segment_it_as_the_whole_model_does(kind: str) -> None:
    """The sorted whole model segments all text as before; its first pieces alone are lossless for all text."""
    german = [line for line in LINES if line.startswith(("Der Hund", "Niemand"))]
    whole, count = learned(kind).sorted_for(german, kind)
    part = whole.first(count)
    assert 256 < len(part) == count < len(whole) == len(learned(kind))
    assert part.encode(german) == whole.encode(german)
    for lines in (LINES, AWKWARD):
        by_name = [[t.pieces(ids) for ids in t.encode(lines)] for t in (whole, learned(kind))]
        assert by_name[0] == by_name[1]
    assert part.pieces(range(count)) == whole.pieces(range(count))
    for line in [*LINES, *AWKWARD]:
        assert part.decode(part.encode([line])[0]) == line
    drawn = Sampler(part, 0.3).sample(german, np.random.default_rng(1))
    assert [part.decode(ids) for ids in drawn] == german
    assert any(len(set(whole.pieces(ids)) - set(part.pieces(range(count)))) for ids in whole.encode(LINES))


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_divided_as_protobuf_divides_it(kind: str) -> None:
    """To the byte: weights remember the SHA-256 of their tokenizers."""
    tokenizer, count = learned(kind).sorted_for(LINES[:9], kind)
    model = ModelProto.FromString(tokenizer.model_bytes)
    assert model.SerializeToString() == tokenizer.model_bytes
    pieces = {piece.piece: piece for piece in ModelProto.FromString(learned(kind).model_bytes).pieces}
    assert list(model.pieces) == [pieces[name] for name in tokenizer.pieces(range(SIZE))]
    del model.pieces[count:]
    assert model.SerializeToString() == tokenizer.first(count).model_bytes


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_join_to_the_line(kind: str) -> None:
    pieces = learned(kind).pieces(learned(kind).encode(["The old man reads."])[0])
    assert "".join(pieces) == "▁The▁old▁man▁reads."
    assert len(pieces) < len("▁The▁old▁man▁reads.")


# Decoding any ids.


@pytest.mark.parametrize("kind", KINDS)
def test_any_ids_decode_to_one_line(kind: str) -> None:
    everything = list(range(len(learned(kind))))
    assert "\n" not in learned(kind).decode(everything)
    shuffled = random.Random(0).sample(everything, len(everything))
    assert "\n" not in learned(kind).decode(shuffled)


def test_broken_bytes_become_replacement_characters() -> None:
    t = learned("unigram")
    emoji = t.encode(["a🙂b"])[0]
    cut = next(i for i, piece in enumerate(t.pieces(emoji)) if piece == "<0x9F>")
    assert t.decode(emoji[:cut] + emoji[cut + 1 :]).replace("\ufffd", "") == "ab"
    assert "\ufffd" in t.decode(emoji[:cut])


def test_special_ids_are_left_out_and_the_unknown_id_is_visible() -> None:
    t = learned("unigram")
    (ids,) = t.encode(["Der Hund"])
    assert t.decode([BOS, PAD, *ids, EOS, PAD, PAD]) == "Der Hund"
    assert t.decode([BOS, EOS]) == ""
    assert t.decode([*ids, UNK]) == "Der Hund\ufffd"


# Learning.


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_lines_give_the_same_bytes(kind: str) -> None:
    config = TokenizerConfig(kind=kind, vocab_size=SIZE, placeholders=0)
    again = Tokenizer.learn((line for line in LINES), config, no_notice)
    assert again.model_bytes == learned(kind).model_bytes
    assert len(again) == SIZE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "line", ["a", "The old man reads.", "x" * 20_000, "▅ ▅", "<s>", "\0", "▁"], ids=lambda x: x[:9]
)
def test_one_line_is_enough_and_a_smaller_vocabulary_gives_a_notice(kind: str, line: str) -> None:
    notices: list[str] = []
    t = Tokenizer.learn([line], TokenizerConfig(kind=kind), notices.append)
    assert t.decode(t.encode([line])[0]) == line
    assert notices == [f"a vocabulary of {len(t)} pieces, not 8000: there is too little text for more"]


@pytest.mark.parametrize("odd", [" ".join(["Pfannkuchen"] * 1000), "Pfannkuchen ▅"], ids=["long", "reserved"])
def test_no_line_is_skipped_silently(odd: str) -> None:
    t = Tokenizer.learn([odd, "and another"], TokenizerConfig(kind="bpe"), lambda message: None)
    assert t.pieces(t.encode(["Pfannkuchen"])[0]) == ["▁Pfannkuchen"]


@pytest.mark.parametrize("lines", [[], [""], ["", "  ", "\t"]], ids=repr)
def test_no_text_is_an_error(lines: list[str]) -> None:
    with pytest.raises(InputError, match="no text to learn a tokenizer from"):
        Tokenizer.learn(lines, TokenizerConfig(), no_notice)


def test_a_long_text_is_used_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    part = LINES[::3]
    expected = Tokenizer.learn(part, TokenizerConfig(vocab_size=310, placeholders=0), no_notice)
    monkeypatch.setattr("seq2seq.text.tokenizer.MAX_CHARS", sum(map(len, LINES)) // 3 + 1)
    notices: list[str] = []
    learnt = Tokenizer.learn(LINES, TokenizerConfig(vocab_size=310, placeholders=0), notices.append)
    assert learnt.model_bytes == expected.model_bytes
    assert notices == [f"the tokenizer is learnt from {len(part):,} lines, one in 3, to save memory"]


def test_a_vocabulary_too_small_for_the_characters_is_an_error() -> None:
    lines = ["".join(map(chr, range(0x4E00, 0x4E00 + 100)))]
    with pytest.raises(InputError, match=r"vocab_size = 300 is too small .* give at least 361, or lower"):
        Tokenizer.learn(lines, TokenizerConfig(vocab_size=300, placeholders=0), no_notice)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_written_to_the_terminal(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    t = Tokenizer.learn(LINES[:50], TokenizerConfig(kind=kind), lambda message: None)
    Sampler(t, 0.1).sample(LINES[:5], np.random.default_rng(0))
    for broken in [b"", b"text", t.model_bytes[:-1]]:
        with pytest.raises(InputError):
            Tokenizer(broken)
    assert capfd.readouterr() == ("", "")


# Files.


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_is_the_same_model(kind: str, tmp_path: Path) -> None:
    learned(kind).save(tmp_path / "t.model")
    loaded = Tokenizer.load(tmp_path / "t.model")
    assert loaded.model_bytes == learned(kind).model_bytes
    assert loaded.encode(LINES) == learned(kind).encode(LINES)
    assert sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "t.model")).decode([PAD]) == ""


def foreign(options: dict[str, object]) -> bytes:
    model = BytesIO()
    defaults = {
        "pad_id": 0,
        "bos_id": 1,
        "eos_id": 2,
        "unk_id": 3,
        "byte_fallback": True,
        "remove_extra_whitespaces": False,
    }
    defaults |= {"normalization_rule_name": "identity", "hard_vocab_limit": False, "minloglevel": 2, "vocab_size": SIZE}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(LINES), model_writer=model, **defaults | options)
    return model.getvalue()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"", "not a whole SentencePiece model"),
        (b"Kein Modell", "not a whole SentencePiece model"),
        ({"pad_id": -1, "bos_id": 1, "eos_id": 2, "unk_id": 0}, r"ids \(-1, 1, 2, 0\) instead of \(0, 1, 2, 3\)"),
        ({"byte_fallback": False}, "loses text"),
        ({"normalization_rule_name": "nmt_nfkc"}, "loses text"),
        ({"normalization_rule_name": "nfkc"}, "loses text"),
        ({"remove_extra_whitespaces": True}, "loses text"),
    ],
    ids=["empty", "text", "ids", "bytes", "nmt_nfkc", "nfkc", "spaces"],
)
def test_an_unsuitable_model_is_refused_by_name(model: bytes | dict[str, object], message: str, tmp_path: Path) -> None:
    (tmp_path / "t.model").write_bytes(model if isinstance(model, bytes) else foreign(model))
    with pytest.raises(InputError, match=f"t.model: .*{message}"):
        Tokenizer.load(tmp_path / "t.model")


def test_a_file_cut_off_anywhere_is_refused() -> None:
    whole = learned("unigram").model_bytes
    for size in [*range(0, len(whole), 97), *range(len(whole) - 300, len(whole))]:
        with pytest.raises(InputError):
            Tokenizer(whole[:size])


@pytest.mark.parametrize("name", ["absent.model", "."])
def test_a_missing_file_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the tokenizer .*; check the path"):
        Tokenizer.load(tmp_path / name)


# Sampling.

SETTINGS = [("unigram", 0.1), ("unigram", 0.5), ("bpe", 0.1), ("bpe", 0.5)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_sampling_is_encoding(kind: str) -> None:
    assert draw(kind, 0.0, LINES + AWKWARD) == learned(kind).encode(LINES + AWKWARD)


@pytest.mark.parametrize(("kind", "sampling"), [("unigram", 1e6), ("bpe", 1e-9)])
def test_sampling_with_nearly_no_randomness_is_encoding(kind: str, sampling: float) -> None:
    """The n-best lists and the merges of `Sampler` agree with SentencePiece's best segmentation."""
    lines = [line for line in LINES + AWKWARD if len(line) < 200]
    assert draw(kind, sampling, lines) == learned(kind).encode(lines)


@pytest.mark.parametrize(("kind", "sampling"), SETTINGS)
def test_sampled_lines_keep_their_text(kind: str, sampling: float) -> None:
    for seed in range(5):
        drawn = draw(kind, sampling, LINES + AWKWARD, seed)
        assert [learned(kind).decode(ids) for ids in drawn] == LINES + AWKWARD
    assert drawn != learned(kind).encode(LINES + AWKWARD)


@pytest.mark.parametrize(("kind", "sampling"), SETTINGS)
def test_sampling_depends_on_the_lines_and_the_generator_alone(kind: str, sampling: float) -> None:
    fresh, used = Sampler(learned(kind), sampling), sampler(kind, sampling)
    used.sample(["other words first", *LINES[::-1]], np.random.default_rng(9))
    first = list(fresh.sample(LINES, np.random.default_rng(1)))
    assert first == list(used.sample(LINES, np.random.default_rng(1)))
    assert first == list(fresh.sample(LINES, np.random.default_rng(1)))
    assert first != list(fresh.sample(LINES, np.random.default_rng(2)))


@pytest.mark.parametrize(("kind", "sampling"), [*SETTINGS, ("unigram", 0.0)])
def test_the_size_of_a_chunk_changes_nothing(kind: str, sampling: float, monkeypatch: pytest.MonkeyPatch) -> None:
    together = draw(kind, sampling, LINES)
    for size in (1, 7):
        monkeypatch.setattr("seq2seq.text.tokenizer.CHUNK", size)
        assert draw(kind, sampling, LINES) == together


@pytest.mark.parametrize("sampling", [0.0, 0.5])
def test_a_corpus_takes_little_memory_as_ids(sampling: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python list takes 8 bytes per id, up to 32 for the number itself, and temporary words as much again."""
    monkeypatch.setattr("seq2seq.text.tokenizer.CHUNK", 1000)
    lines = LINES * (40_000 // len(LINES))
    draw("unigram", sampling, LINES)  # so that the segmentations of each word are computed before
    tracemalloc.start()
    drawn = sampler("unigram", sampling).sample(lines, np.random.default_rng(0))
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    count = sum(map(len, drawn))
    assert count > 200_000
    assert held < 4 * count + 8 * len(lines) + 100_000
    assert most < 3 * held


def test_nothing_to_sample() -> None:
    assert draw("unigram", 0.1, []) == []
    assert draw("unigram", 0.1, ["", ""]) == [[], []]


class Constant:
    """A generator that always draws the same number."""

    def __init__(self, value: int) -> None:
        self.value = value

    def integers(self, high: int, size: int) -> np.ndarray:
        assert high == 2**32
        return np.full(size, self.value, np.int64)


@pytest.mark.parametrize(("kind", "sampling"), SETTINGS)
@pytest.mark.parametrize("value", [0, 2**32 - 1])
def test_the_smallest_and_the_largest_draw_stay_within_the_word(kind: str, sampling: float, value: int) -> None:
    drawn = sampler(kind, sampling).sample(LINES, Constant(value))  # type: ignore[arg-type]
    assert [learned(kind).decode(ids) for ids in drawn] == LINES


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0])
def test_unigram_sampling_follows_kudo(alpha: float) -> None:
    """p(x) ** alpha, normalised, over all segmentations, enumerated here: fewer than the n-best list holds."""
    t = learned("unigram")
    p = sentencepiece.SentencePieceProcessor(model_proto=t.model_bytes)
    vocabulary = {p.id_to_piece(i): i for i in range(4, len(p)) if not p.is_byte(i)}
    word = "▁lower"
    weights = {}
    for cuts in itertools.chain.from_iterable(itertools.combinations(range(1, len(word)), n) for n in range(len(word))):
        parts = [word[a:b] for a, b in itertools.pairwise([0, *cuts, len(word)])]
        if all(part in vocabulary for part in parts):
            ids = tuple(vocabulary[part] for part in parts)
            weights[ids] = np.exp(alpha * sum(p.get_score(i) for i in ids))
    assert 4 < len(weights) <= Sampler.NBEST
    expected = {ids: float(w / sum(weights.values())) for ids, w in weights.items()}
    drawn = Sampler(t, alpha).sample(["lower"] * 20_000, np.random.default_rng(0))
    assert distance(frequencies(drawn), expected) < 0.02


@pytest.mark.parametrize("dropout", [0.1, 0.5])
def test_bpe_sampling_follows_provilkov(dropout: float) -> None:
    """Algorithm 1 of the paper, with another generator."""
    t = learned("bpe")
    p = sentencepiece.SentencePieceProcessor(model_proto=t.model_bytes)
    vocabulary = {p.id_to_piece(i): i for i in range(4, len(p)) if not p.is_byte(i)}
    rng = random.Random(0)

    def segment(word: str) -> list[int]:
        parts = list(word)
        while True:
            pairs = [(vocabulary.get(a + b), at) for at, (a, b) in enumerate(itertools.pairwise(parts))]
            merges = [(i, at) for i, at in pairs if i is not None and rng.random() >= dropout]
            if not merges:
                return [vocabulary[part] for part in parts]
            _, at = min(merges)  # pieces are numbered in the order they were learnt
            parts[at : at + 2] = [parts[at] + parts[at + 1]]

    expected = frequencies([segment("▁lower") for _ in range(20_000)])
    assert len(expected) > 4
    drawn = Sampler(t, dropout).sample(["lower"] * 20_000, np.random.default_rng(0))
    assert distance(frequencies(drawn), expected) < 0.02


def test_dropping_every_merge_leaves_characters() -> None:
    (ids,) = draw("bpe", 1.0, ["The lower window"])
    assert learned("bpe").pieces(ids) == list("▁The▁lower▁window")


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_never_cross_a_space(kind: str) -> None:
    """Sampling word by word relies on this."""
    assert all("▁" not in piece[1:] for piece in learned(kind).pieces(range(len(learned(kind)))))


def test_a_model_with_a_wrong_byte_is_refused_or_loads() -> None:
    """Nothing else is raised. Fuzzing found the first two: a byte piece without a number, a piece that is not UTF-8."""
    whole = learned("unigram").model_bytes
    byte_piece = b"<0x41>"
    assert whole.count(byte_piece) == 1
    damaged = [whole.replace(byte_piece, b"<0xZZ>"), whole.replace(byte_piece, b"<0x\xff1>")]
    draw = random.Random(0)
    for _ in range(300):
        changed = bytearray(whole)
        changed[draw.randrange(len(whole))] = draw.randrange(256)
        damaged.append(bytes(changed))
    refused = 0
    for model in damaged:
        try:
            Tokenizer(model)
        except InputError:
            refused += 1
    assert refused > 50
    for model in damaged[:2]:
        with pytest.raises(InputError, match="SentencePiece"):
            Tokenizer(model)
