"""Rescoring is the weighted sum that its module states, of the lists that the models find, in any batch."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import languages_task
import numpy as np
import pytest
import torch
from reversal_task import Learnt, begin, chosen, corpus, reversals, silent

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint
from seq2seq.network.model import Model, ModelConfig
from seq2seq.onnx import runtime
from seq2seq.onnx.export import export
from seq2seq.processes import CAN_FORK
from seq2seq.segments.keeping import Keeping
from seq2seq.segments.pieces import is_piece
from seq2seq.segments.reading import Reading
from seq2seq.segments.segment import Segment
from seq2seq.text.directions import Direction
from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.rescoring import Rescorer, Rescoring, Table, renumbered
from seq2seq.translation.search import Hypothesis, SearchConfig
from seq2seq.translation.translator import LineTranslator, Translation
from seq2seq.translation.units import Unit

DIRECTION = "digits", "stigid"
LINES = [pair.src for pair in reversals(6, seed=3)] + ["", "1 2\u00a03", "7 7 7 7 7 7 7 7"]
CONFIG = SearchConfig(beam=4, length_penalty=0.0, word_reward=0.5, max_ratio=1.0, max_extra=4)


def unsure(learnt: Learnt, seed: int, noise: float, direction: Direction = DIRECTION) -> Bundle:
    """The model that reverses digits, in either direction, with noise on its weights: it ranks others first."""
    bundle = checkpoint.load_model(learnt.folder)
    assert isinstance(bundle.engine, TorchEngine)
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in bundle.engine.models[0].parameters():
            weight += noise * weight.std() * torch.randn(weight.shape)
    return bundle._replace(src=direction[0], tgt=direction[1])


@pytest.fixture(scope="module")
def bundle(learnt: Learnt) -> Bundle:
    return unsure(learnt, 0, 0.3)


@pytest.fixture(scope="module")
def rescorers(bundle: Bundle, learnt: Learnt) -> list[Rescorer]:
    """The other direction and another seed."""
    others = (unsure(learnt, 1, 0.2, DIRECTION[::-1]), 0.5), (unsure(learnt, 2, 0.5), 0.3)
    return [Rescorer.of(f"model-{i}", other, weight, bundle) for i, (other, weight) in enumerate(others)]


def rescored(bundle: Bundle, rescorers: Sequence[Rescorer], config: SearchConfig = CONFIG, **options: Any) -> Rescoring:
    return Rescoring(bundle, config, rescorers, **options)


def translated(bundle: Bundle, choose: Rescoring, config: SearchConfig = CONFIG, **options: Any) -> Any:
    return list(LineTranslator(bundle, config, choose=choose, **options).stream(LINES, silent))


def expected(
    bundle: Bundle, rescorers: Sequence[Rescorer], config: SearchConfig, length: float
) -> Iterator[dict[str, float]]:
    """The total of every hypothesis of each line by its definition, each scored alone."""
    scorer, *others = (LineTranslator(m, config) for m in (bundle, *(r.bundle for r in rescorers)))
    lists = scorer.stream(LINES, silent), others[1].stream(LINES, silent)
    for line, *found in zip(LINES, *lists, strict=True):
        texts = list(dict.fromkeys(candidate.text for candidates in found for candidate in candidates))
        lines, a = [line] * len(texts), config.length_penalty
        counts = [scorer.count_tokens([line], [text]) for text in texts]
        totals = [
            (log_prob + config.word_reward * n) / n**a + length * n ** (1 - a)
            for log_prob, n in zip(scorer.log_probs(lines, texts), counts, strict=True)
        ]
        for rescorer, other in zip(rescorers, others, strict=True):
            sides = (texts, lines) if rescorer.channel else (lines, texts)
            sizes = [other.count_tokens([src], [tgt]) for src, tgt in zip(*sides, strict=True)]
            for i, log_prob in enumerate(other.log_probs(*sides)):
                totals[i] += rescorer.weight * log_prob / sizes[i] ** a
        yield dict(zip(texts, totals, strict=True))


@pytest.mark.parametrize(("penalty", "length"), [(0.0, 0.0), (0.0, 0.7), (1.0, 0.7), (0.6, -0.4)])
def test_the_ranking_is_that_of_the_weighted_sum(
    bundle: Bundle, rescorers: list[Rescorer], penalty: float, length: float
) -> None:
    """Also of the lines of several models; what another model found is ranked as if the model had."""
    config = replace(CONFIG, length_penalty=penalty)
    result = translated(bundle, rescored(bundle, rescorers, config, length=length), config)
    added = 0
    for line, candidates, totals in zip(LINES, result, expected(bundle, rescorers, config, length), strict=True):
        own = {c.text for c in next(LineTranslator(bundle, config).stream([line], silent))}
        best = sorted(totals.values(), reverse=True)
        assert [c.score for c in candidates] == pytest.approx(best[: config.beam], abs=2e-4)
        texts = [candidate.text for candidate in candidates]
        log_probs = LineTranslator(bundle, config).log_probs([line] * len(texts), texts)
        assert [candidate.log_prob for candidate in candidates] == pytest.approx(log_probs, abs=2e-4)
        for candidate in candidates:
            assert candidate.score == pytest.approx(totals[candidate.text], abs=2e-4)
            added += candidate.text not in own
    assert added


def test_lines_have_the_same_scores_in_batches_of_any_size(bundle: Bundle, rescorers: list[Rescorer]) -> None:
    results = [
        translated(bundle, rescored(bundle, rescorers, batch_tokens=size), batch_tokens=size, workers=workers)
        for size, workers in ((1, 1), (40, 1), (4096, 2 if CAN_FORK else 1))
    ]
    assert results[1] == results[0] == results[2]


def test_equal_totals_keep_the_order_of_the_search(bundle: Bundle) -> None:
    """A rescorer that tells no two hypotheses apart changes no order, whatever its weight."""
    plain = list(LineTranslator(bundle, replace(CONFIG, length_penalty=1.0)).stream(LINES, silent))
    flat = rescored(bundle, [], replace(CONFIG, length_penalty=1.0), length=0.5)
    result = translated(bundle, flat, replace(CONFIG, length_penalty=1.0))
    assert [[c.text for c in line] for line in result] == [[c.text for c in line] for line in plain]
    assert flat.tables([], []) == []
    hypotheses = [Hypothesis([i], 0.0, score, [0]) for i, score in enumerate((1.0, 2.0, 2.0, 1.0))]
    ranked = Table(hypotheses, np.zeros((4, 1)), np.zeros((4, 0)), np.ones((4, 1), bool)).ranked(np.ones(1))
    assert [h.tokens for h in ranked] == [[1], [2], [0], [3]]


def test_samples_of_all_models_are_ranked(bundle: Bundle, rescorers: list[Rescorer]) -> None:
    config = replace(CONFIG, sample=1.0, beam=6)
    result = translated(bundle, rescored(bundle, rescorers, config), config)
    for line, candidates in zip(LINES, result, strict=True):
        scores = [candidate.score for candidate in candidates]
        assert scores == sorted(scores, reverse=True) and bool(scores) == bool(line)
        drawn = {c.text for c in next(LineTranslator(bundle, config).stream([line], silent))}
        assert len({c.text for c in candidates}) == len(candidates) and (drawn or not line)


# ---- what is kept, and sentences -------------------------------------------------------------------------------------


def keeper(seed: int, direction: Direction = DIRECTION, size: int = 290, pieces: int = 3) -> Bundle:
    """An untrained model that keeps numbers, with a tokenizer of its own size."""
    lines = [pair.src for pair in reversals(50)]
    tokenizer = Tokenizer.learn(lines, TokenizerConfig(vocab_size=size + pieces, placeholders=pieces), silent)
    torch.manual_seed(seed)
    sizes = ModelConfig("gru", "general", embedding=8, encoder_hidden=(8, 8), hidden=8)
    engine = TorchEngine(Model(sizes, len(tokenizer), len(tokenizer)).eval())
    how = Reading(direction[0], Keeping(*direction), pieces=pieces)
    return Bundle(engine, tokenizer, tokenizer, CONFIG, *direction, how)


def test_sentences_are_rescored_one_by_one_with_what_is_kept() -> None:
    """Each number of the line stands in each translation, and the sum is that of the two sentences."""
    bundle = keeper(0)
    rescorer = Rescorer.of("channel", keeper(1, DIRECTION[::-1], 293), 0.5, bundle)
    other = Rescorer.of("other", keeper(2, size=287), 0.4, bundle)
    choose = rescored(bundle, [rescorer, other])
    translator = LineTranslator(bundle, CONFIG, choose=choose)
    lines = ["Ab 17 cd 25. Cd 388 <b>ab</b> 17!", "Ab 17 cd 25.", "Cd 388 <b>ab</b> 17!"]
    both, first, second = translator.stream(lines, silent)
    for candidates, numbers in ((both, ["17", "25", "388"]), (first, ["17", "25"]), (second, ["17", "388"])):
        for candidate in candidates:
            assert all(number in candidate.text for number in numbers)
            assert not any(map(is_piece, candidate.text))
    assert both[0].score == pytest.approx(first[0].score + second[0].score, abs=1e-4)
    [segment] = translator.segments([Segment(lines[2])], silent)
    assert segment.text == second[0].text


def test_pieces_are_numbered_as_the_scoring_model_reads_them() -> None:
    """A model of the other direction has met piece 0 before piece 1 in its own sources."""
    zero, one = "\ue010", "\ue011"
    assert renumbered(f"a {one} b {zero}", f"{zero} c {one}") == (f"a {zero} b {one}", f"{one} c {zero}")
    assert renumbered(f"a {zero} b", f"{zero}{one}") == (f"a {zero} b", f"{zero}{one}")


def test_what_others_add_obeys_the_limits_of_the_search(bundle: Bundle, rescorers: list[Rescorer]) -> None:
    config = replace(CONFIG, max_length=5, no_repeat_ngram=2, beam=6)
    choose = rescored(bundle, rescorers, config)
    tokens = bundle.tgt_tokenizer.encode(["1 2 3", "1 2 3 4 5 6 7 8", "1 2 1 2", "", "2 1 2"])
    [ids] = bundle.src_tokenizer.encode(["3 2 1 0 9 8"])
    unit = Unit(ids, [], [], 1, 0)
    assert [choose.unit_search._allows(unit, each) for each in tokens] == [True, False, False, False, True]
    assert not choose.unit_search._allows(unit._replace(prefix=tokens[4][:1]), tokens[0])
    keeping = rescored(keeper(0), [])
    first, second, _ = keeping.bundle.tgt_tokenizer.placeholders
    unit = Unit([9, 9, 9], [], [second], 1, 0)
    assert [
        keeping.unit_search._allows(unit, each) for each in ([9, second], [9], [second, second], [second, first])
    ] == [*[True, False, False, False]]


def test_a_prefix_begins_what_others_add(bundle: Bundle, rescorers: list[Rescorer]) -> None:
    translator = LineTranslator(bundle, CONFIG, choose=rescored(bundle, rescorers))
    prefixes = ["7 7"] * len(LINES)
    for line, candidates in zip(LINES, translator.stream(LINES, silent, prefixes), strict=True):
        assert all(candidate.text.startswith("7 7") for candidate in candidates) and bool(candidates) == bool(line)


# ---- which models ----------------------------------------------------------------------------------------------------


def test_a_model_of_other_languages_or_another_reading_is_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="--rescore M translates a to b, not digits to stigid or back"):
        Rescorer.of("M", bundle._replace(src="a", tgt="b"), 1.0, bundle)
    with pytest.raises(InputError, match="normalisation 1 and 2 placeholders, not normalisation 0 and 0 placeholders"):
        Rescorer.of("M", keeper(1, pieces=2), 1.0, bundle)


def test_a_model_that_knows_both_directions_scores_in_the_other_one(polyglot: languages_task.Learnt) -> None:
    bundle = checkpoint.load_model(polyglot.folder)
    channel = Rescorer.of("M", bundle, 1.0, bundle.toward(("en", "de")))
    assert channel.channel and (channel.bundle.src, channel.bundle.tgt) == ("de", "en")
    other = Rescorer.of("M", bundle, 1.0, bundle.toward(("en", "fr")))
    assert not other.channel and (other.bundle.src, other.bundle.tgt) == ("en", "fr")
    source = bundle.src_tokenizer.languages["en"]
    assert channel.bundle.lead == (source,)


def test_ranked_hypotheses_are_finite(bundle: Bundle, rescorers: list[Rescorer]) -> None:
    for candidates in translated(bundle, rescored(bundle, rescorers)):
        assert all(isinstance(c, Translation) and math.isfinite(c.score) for c in candidates)


def test_exported_models_rescore_as_trained_ones(tmp_path: Path) -> None:
    """As the model and as rescorers: scores that agree as those of the engines do."""
    begin(tmp_path / "trained", chosen({"epochs": 1}), corpus(40, 6)).run(quiet=True)
    export(tmp_path / "trained", tmp_path / "exported", "onnx")
    trained, exported = checkpoint.load_model(tmp_path / "trained"), runtime.load(tmp_path / "exported", 1)
    results = []
    for one, other in ((trained, trained), (exported, exported), (trained, exported), (exported, trained)):
        channel = other._replace(src=DIRECTION[1], tgt=DIRECTION[0])
        choose = rescored(one, [Rescorer.of("a", channel, 0.5, one), Rescorer.of("b", other, 0.3, one)])
        results.append([[c.score for c in candidates] for candidates in translated(one, choose)])
    for result in results[1:]:
        for scores, expected_ones in zip(result, results[0], strict=True):
            assert scores == pytest.approx(expected_ones, abs=1e-3)
