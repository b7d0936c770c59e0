"""Law 17: a model of many languages is many models of two. For a direction it computes what its engine computes with
the token of the target's language put in front by hand, in any batch, also among lines of other directions."""

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from languages_task import DIRECTIONS, Learnt, rows
from reversal_task import silent, to_the_bit

from seq2seq.api.models import open_model
from seq2seq.errors import InputError
from seq2seq.onnx.export import export
from seq2seq.segments.segment import Segment
from seq2seq.text import batches
from seq2seq.text.directions import Direction
from seq2seq.text.tokenizer import BOS, EOS
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.constraints import Vocabulary
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import Hypothesis, Request, SearchConfig, search
from seq2seq.translation.translator import LineTranslator

SENTENCES = rows(24, seed=5)
BATCHES = [1, 40, 4096]  # tokens


@pytest.fixture(scope="module", params=["torch", "onnx", "int8"])
def bundle(request: pytest.FixtureRequest, polyglot: Learnt, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The model in each form."""
    folder = polyglot.folder
    if request.param != "torch":
        folder = tmp_path_factory.mktemp(request.param)
        export(polyglot.folder, folder, request.param)
    return open_model([folder], "cpu", 1)[0]


def hypotheses(bundle: Bundle, direction: Direction, lines: list[str], config: SearchConfig) -> list[Hypothesis]:
    """The best hypothesis of each line, one by one, with the token put in front."""
    token = bundle.src_tokenizer.languages[direction[1]]
    best = []
    for ids in bundle.src_tokenizer.encode(lines):
        source = [token, *ids, EOS]
        state = bundle.engine.start(*batches.pad([source]))
        request = Request(config.limit(len(source)))
        vocabulary = Vocabulary(bundle.reserved)
        best += search(bundle.engine.propose, state, [request], config, BOS, EOS, (), vocabulary)[0][:1]
    return best


def by_hand(bundle: Bundle, direction: Direction, lines: list[str], config: SearchConfig) -> list[tuple[str, float]]:
    """The best translation of each line and its log-probability, one by one, with the token put in front."""
    best = hypotheses(bundle, direction, lines, config)
    return [(bundle.tgt_tokenizer.decode(h.tokens), h.log_prob) for h in best]


def found(
    translator: LineTranslator, lines: list[str], directions: Iterator[Direction | None]
) -> list[tuple[str, float]]:
    stream = translator.stream(lines, silent, directions=directions)
    return [(best.text, best.log_prob) for best, *_ in stream]


@to_the_bit
@pytest.mark.parametrize("direction", DIRECTIONS, ids="-".join)
def test_a_direction_is_its_token_in_front(bundle: Bundle, direction: Direction) -> None:
    lines, config = [row[direction[0]] for row in SENTENCES], replace(bundle.search, min_length=1)
    expected = by_hand(bundle, direction, lines, config)
    for size in BATCHES:
        translator = LineTranslator(bundle.toward(direction), bundle.search, batch_tokens=size)
        assert found(translator, lines, itertools.repeat(None)) == expected
    exact = sum(text == row[direction[1]] for (text, _), row in zip(expected, SENTENCES, strict=True))
    assert exact >= 0.9 * len(SENTENCES)


@to_the_bit
@pytest.mark.parametrize("size", BATCHES)
def test_lines_of_different_directions_share_batches(bundle: Bundle, size: int) -> None:
    directions = [DIRECTIONS[i % len(DIRECTIONS)] for i in range(len(SENTENCES))]
    lines = [row[direction[0]] for row, direction in zip(SENTENCES, directions, strict=True)]
    config = replace(bundle.search, min_length=1)
    expected = [by_hand(bundle, d, [line], config)[0] for line, d in zip(lines, directions, strict=True)]
    assert found(LineTranslator(bundle, bundle.search, batch_tokens=size), lines, iter(directions)) == expected
    assert len({text for text, _ in expected}) > 12


def test_one_source_has_a_translation_for_each_language(bundle: Bundle) -> None:
    translator = LineTranslator(bundle, bundle.search)
    both = found(translator, ["3 1 2", "3 1 2", "3 1 2"], iter([("en", "de"), ("en", "fr"), None]))
    assert [text for text, _ in both] == ["2 1 3", "1 2 3", "2 1 3"]  # None: the first direction of the model


@to_the_bit
@pytest.mark.parametrize("direction", DIRECTIONS, ids="-".join)
def test_scoring_puts_the_token_in_front(bundle: Bundle, direction: Direction) -> None:
    src, tgt = ([row[language] for row in SENTENCES] for language in direction)
    token = bundle.src_tokenizer.languages[direction[1]]
    pairs = zip(bundle.src_tokenizer.encode(src), bundle.tgt_tokenizer.encode(tgt), strict=True)
    expected = [bundle.engine.log_probs(batches.pad_pairs([[token, *a]], [b], [0]))[0] for a, b in pairs]
    translator = LineTranslator(bundle.toward(direction), bundle.search)
    assert translator.log_probs(src, tgt) == expected
    best = next(iter(translator.stream(src[:1], silent)))[0]
    assert translator.log_probs(src[:1], [best.text])[0] == pytest.approx(best.log_prob, abs=1e-4)


@pytest.mark.parametrize("direction", [("fr", "en"), ("en", "it"), ("en", "en")])
def test_an_unknown_direction_names_those_there_are(bundle: Bundle, direction: Direction) -> None:
    words = f"no translation from {direction[0]} to {direction[1]}; there is en to de, de to en, en to fr, de to fr"
    with pytest.raises(InputError, match=words):
        bundle.toward(direction)
    with pytest.raises(InputError, match=words):
        list(LineTranslator(bundle, bundle.search).stream(["1 2"], silent, directions=[direction]))


def test_a_model_of_one_direction_knows_that_one(learnt: object) -> None:
    bundle = open_model([learnt.folder], "cpu", 1)[0]  # type: ignore[attr-defined]
    assert bundle.known == (("digits", "stigid"),)
    assert bundle.toward(("digits", "stigid")) is bundle
    assert bundle.lead == ()
    with pytest.raises(InputError, match="there is digits to stigid"):
        bundle.toward(("stigid", "digits"))


def test_a_language_token_is_never_written(polyglot: Learnt) -> None:
    """Not even by a model that finds it likeliest."""
    bundle = open_model([polyglot.folder], "cpu", 1)[0]
    lines, config = [row["en"] for row in SENTENCES], replace(bundle.search, min_length=1)
    tokens = {*bundle.tgt_tokenizer.languages.values()}
    assert isinstance(bundle.engine, TorchEngine)
    with torch.no_grad():
        bundle.engine.models[0].output.bias[list(tokens)] += 50
    assert not any(tokens & {*h.tokens} for h in hypotheses(bundle, DIRECTIONS[0], lines, config))
    state = bundle.engine.start(*batches.pad([[*bundle.lead, *bundle.src_tokenizer.encode(lines[:1])[0], EOS]]))
    [[freely, *_]] = search(bundle.engine.propose, state, [Request(5)], config, BOS, EOS)
    assert tokens & {*freely.tokens}


def test_a_user_cannot_type_a_language_token(bundle: Bundle) -> None:
    """A language token that a person types is text, as any other: it does not change the direction."""
    translator = LineTranslator(bundle, bundle.search)
    assert bundle.src_tokenizer.languages["fr"] not in bundle.src_tokenizer.encode(["<2fr> 1 2"])[0]
    [typed, plain] = translator.log_probs(["<2fr> 3 1 2", "3 1 2"], ["1 2 3", "1 2 3"])
    assert typed != plain


def test_words_are_aligned_with_words(bundle: Bundle) -> None:
    """The language token is no word: links are to the words behind it."""
    config = replace(bundle.search, min_length=1)
    for direction in DIRECTIONS[:3]:
        translator = LineTranslator(bundle.toward(direction), bundle.search, alignments=True)
        [[best, *_]] = translator.stream(["3 1 2"], silent)
        [hypothesis] = hypotheses(bundle, direction, ["3 1 2"], config)
        places = [place - 1 for place in hypothesis.sources[:3]]  # each digit is a token
        assert best.alignment == sorted([place, target] for target, place in enumerate(places) if 0 <= place < 3)
        assert best.alignment


def test_what_was_changed_in_the_reading_stays_for_another_direction(polyglot: Learnt) -> None:
    bundle = open_model([polyglot.folder], "cpu", 1)[0].with_reading(["x+"])
    assert bundle.reading
    changed = bundle.toward(("de", "fr"))
    assert changed.reading
    assert (changed.reading.keeping.patterns, changed.reading.keeping.src, changed.reading.keeping.tgt) == (
        ("x+",),
        "de",
        "fr",
    )
    assert changed.reading.src == "de"
    text = [Segment("3 xx 1")]
    assert "xx" in next(LineTranslator(changed, bundle.search).segments(text, silent)).text


def test_a_long_line_has_the_token_before_each_of_its_parts(polyglot: Learnt) -> None:
    bundle = open_model([polyglot.folder], "cpu", 1)[0].toward(("en", "fr"))
    short = bundle._replace(longest=4)
    [[best, *_]] = LineTranslator(short, bundle.search).stream(["3 1 2 5 0 4"], silent)
    assert best.text == "1 2 3 0 4 5"  # in two parts of three digits


def test_the_token_must_be_in_the_tokenizer(polyglot: Learnt, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(polyglot.folder, folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('"en-de",', '"en-de",\n    "en-it",').replace('"fr",', '"fr",\n"it",'))
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match="the tokenizer has no token for the language it"):
        open_model([folder], "cpu", 1)


def test_an_engine_that_is_asked_directly_agrees(polyglot: Learnt) -> None:
    """The token changes what the engine computes: without it, or with another, log-probabilities differ."""
    bundle = open_model([polyglot.folder], "cpu", 1)[0]
    [src], [tgt] = bundle.src_tokenizer.encode(["3 1 2"]), bundle.tgt_tokenizer.encode(["2 1 3"])
    german, french = (bundle.src_tokenizer.languages[language] for language in ("de", "fr"))
    scores = [
        bundle.engine.log_probs(batches.pad_pairs([source], [tgt], [0]))[0]
        for source in ([german, *src], [french, *src], src)
    ]
    assert np.argmax(scores) == 0
    assert len({*scores}) == 3
