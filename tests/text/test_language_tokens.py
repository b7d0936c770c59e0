"""Language tokens: reserved in the tokenizer, never text."""

import itertools

import pytest
from reversal_task import AWKWARD, silent

from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig

LANGUAGES = ["de", "zh-CN", "sr_Latn"]
TEXT = [f"line {n} of text, number {n * n}" for n in range(300)]


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    config = TokenizerConfig(kind=request.param, vocab_size=330, placeholders=3)
    return Tokenizer.learn(TEXT, config, silent, LANGUAGES)


def test_each_language_has_a_token(tokenizer: Tokenizer) -> None:
    assert list(tokenizer.languages) == LANGUAGES
    assert len({*tokenizer.languages.values()}) == 3
    assert tokenizer.pieces(tokenizer.languages.values()) == ["<2de>", "<2zh-CN>", "<2sr_Latn>"]
    assert len(tokenizer.placeholders) == 3
    assert not {*tokenizer.languages.values()} & {*tokenizer.placeholders}


def test_no_text_is_encoded_to_one_and_none_is_decoded_to_text(tokenizer: Tokenizer) -> None:
    tokens = {*tokenizer.languages.values()}
    lines = [*AWKWARD, "<2de>", " <2de> x", "x<2zh-CN>", "\u2581<2de>", *TEXT[:3]]
    for line, ids in zip(lines, tokenizer.encode(lines), strict=True):
        assert not tokens & {*ids}
        assert tokenizer.decode(ids) == line
        assert tokenizer.decode([*tokens, *ids, *tokens]) == line


@pytest.mark.parametrize("sides", list(itertools.product(["unigram", "bpe"], [TEXT[:20], TEXT])), ids=str)
def test_a_sorted_model_keeps_them(sides: tuple[str, list[str]]) -> None:
    kind, lines = sides
    tokenizer = Tokenizer.learn(TEXT, TokenizerConfig(kind=kind, vocab_size=330), silent, LANGUAGES)
    joint, count = tokenizer.sorted_for(lines, kind)
    assert joint.languages == joint.first(count).languages == tokenizer.languages
    assert Tokenizer(joint.model_bytes).languages == tokenizer.languages


def test_without_languages_there_is_none(tokenizer: Tokenizer) -> None:
    config = TokenizerConfig(vocab_size=330, placeholders=3)
    assert Tokenizer.learn(TEXT, config, silent).languages == {}
    assert Tokenizer.learn(TEXT, config, silent).model_bytes == Tokenizer.learn(TEXT, config, silent, []).model_bytes
