"""Law 10: one line in, one line out, in order, the same in any batch; and the score of a line follows its formula."""

import copy
import itertools
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from reversal_task import AWKWARD, Learnt, chosen, reversals, silent, to_the_bit, untrained
from tiny_models import VARIANTS, setup

from seq2seq.folder import checkpoint
from seq2seq.network.attention import CONTEXTS
from seq2seq.network.cells import CELLS
from seq2seq.network.model import Model
from seq2seq.processes import CAN_FORK
from seq2seq.segments.keeping import Keeping
from seq2seq.segments.reading import Reading
from seq2seq.text.tokenizer import BOS, EOS, Tokenizer
from seq2seq.translation import translator, unit_search
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.links import word_at, word_ends
from seq2seq.translation.loops import looping
from seq2seq.translation.search import Hypothesis, SearchConfig
from seq2seq.translation.translator import LineTranslator, Translation
from seq2seq.translation.units import Unit, by_values, split


@pytest.fixture(scope="module")
def bundle(learnt: Learnt) -> Bundle:
    return checkpoint.load_model(learnt.folder)


@pytest.fixture(scope="module")
def untrained_bundle() -> Bundle:
    return untrained({"hidden": 16})


def using(bundle: Bundle, batch_tokens: int = 2048, **search: Any) -> LineTranslator:
    return LineTranslator(bundle, replace(SearchConfig(), **search), batch_tokens)


def streamed(translator: LineTranslator, lines: Iterable[str]) -> list[list[Translation]]:
    return list(translator.stream(lines, silent))


def test_the_candidates_that_are_wanted_are_the_first_of_all(bundle: Bundle) -> None:
    """Also of lines whose numbers a candidate may lose: this bundle is given a lenient reading."""
    lenient = bundle.with_reading(["7 8"])
    lines = [pair.src for pair in reversals(40, seed=9)] + AWKWARD + ["7 8 1. 2 3! 4"]
    for each, ratio, least in (bundle, 0.7, 3), (lenient, 2.0, 1):
        translator = using(each, beam=4, max_ratio=ratio)
        everything = streamed(translator, lines)
        assert max(map(len, everything)) >= least
        for most in (1, 2):
            assert list(translator.stream(lines, silent, most=most)) == [found[:most] for found in everything]
    assert using(lenient, beam=4).translate(lines) == [
        f[0].text if f else "" for f in streamed(using(lenient, beam=4), lines)
    ]


# ---- law 10: batches change nothing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "search", [{"beam": 1}, {"beam": 4, "max_ratio": 0.5}, {"beam": 3, "length_penalty": 0.0, "max_ratio": 0.5}]
)
def test_lines_are_the_same_in_batches_of_any_size_and_order(bundle: Bundle, search: dict[str, Any]) -> None:
    lines = [pair.src for pair in reversals(60, seed=7)] + AWKWARD + ["3 1 4", "3 1 4"]
    expected = streamed(using(bundle, 1, **search), lines)  # one sentence a batch
    orders = [list(range(len(lines))) for _ in range(3)]
    orders[1].reverse()
    random.Random(0).shuffle(orders[2])
    for batch_tokens in (1, 56, 450, 10**6):  # batches of 1, some 8, some 64, all at once
        for order in orders:
            results = streamed(using(bundle, batch_tokens, **search), [lines[i] for i in order])
            for i, candidates in zip(order, results, strict=True):
                assert [c.text for c in candidates] == [c.text for c in expected[i]]
                for a, b in zip(candidates, expected[i], strict=True):
                    assert a[1:3] == pytest.approx(b[1:3], rel=1e-4, abs=1e-4)


@to_the_bit
@pytest.mark.parametrize(("cell", "context"), [*itertools.product(CELLS, CONTEXTS), VARIANTS[-1]])
def test_neither_batches_nor_threads_change_a_bit(cell: str, context: str) -> None:
    """Layers have sizes that are multiples of eight; translations are long, so that any change of a sum shows."""
    sizes = {"embedding": 40, "encoder_hidden": [48, 16], "hidden": 64, "attention": 24, "encoder_layers": 2}
    model = untrained({**sizes, "decoder_layers": 2, **setup(cell, context)})
    lines = [" ".join("0123456789"[: 1 + i % 9] * (1 + i % 4)) for i in range(11)]
    results = []
    for threads, batch_tokens in ((1, 10**6), (1, 1), (2, 10**6), (2, 90)):
        torch.set_num_threads(threads)
        searches = [streamed(using(model, batch_tokens, beam=k, max_ratio=0, max_extra=4), lines) for k in (1, 3)]
        results.append((*searches, using(model, batch_tokens).log_probs(lines, lines[::-1])))
    torch.set_num_threads(1)
    assert all(result == results[0] for result in results)


@pytest.mark.skipif(not CAN_FORK, reason="workers are forked, which is safe on Linux only")
@pytest.mark.parametrize("workers", [2, 3])
def test_workers_change_neither_a_bit_nor_the_order(bundle: Bundle, workers: int) -> None:
    lines = [pair.src for pair in reversals(70, seed=7)] + AWKWARD
    assert "1 " * 50 in lines
    warnings: list[list[str]] = [[], []]
    alone, together = (
        list(LineTranslator(bundle, SearchConfig(beam=3), 60, count).stream(lines, messages.append))
        for count, messages in zip((1, workers), warnings, strict=True)
    )
    assert together == alone
    assert sorted(warnings[1]) == sorted(warnings[0])
    assert LineTranslator(bundle, SearchConfig(), workers=workers).translate([]) == []
    assert LineTranslator(bundle, SearchConfig(), workers=workers).translate(["3 1"]) == using(bundle).translate(
        ["3 1"]
    )


@pytest.mark.skipif(not CAN_FORK, reason="workers are forked, which is safe on Linux only")
def test_warnings_name_long_lines_by_their_number_whichever_worker_translates_them(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundle._replace(longest=8)
    monkeypatch.setattr(translator, "WINDOW", (3, 5))
    lines = ["1 2 3 4 5 6 7 8 9 0" if i % 4 == 1 else "1 2" for i in range(14)]
    warnings: list[str] = []
    list(LineTranslator(bundle, SearchConfig(beam=1), workers=2).stream(lines, warnings.append))
    assert [int(re.findall(r"line (\d+) is", message)[0]) for message in warnings] == [2, 6, 10, 14]


def test_samples_depend_on_the_seed_and_the_line_alone(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on batches, windows or workers. Long lines are sampled part by part."""
    lines = [pair.src for pair in reversals(6, seed=7)] + AWKWARD + ["3 1 4"] * 20
    # Nearly every sample is as long as it may be.
    sampling: dict[str, Any] = {"beam": 3, "sample": 3.0, "max_ratio": 0.3, "max_extra": 2}
    expected = streamed(using(bundle, 1, **sampling), lines)
    assert streamed(using(bundle, **sampling, seed=2), lines) != expected
    monkeypatch.setattr(translator, "WINDOW", (5, 30))
    for batch_tokens, workers in ((40, 1), (10**6, 1), (200, 2 if CAN_FORK else 1)):
        config = SearchConfig(**sampling)
        assert streamed(LineTranslator(bundle, config, batch_tokens, workers), lines) == expected
    assert [len(candidates) for candidates in expected[-20:]] == [3] * 20
    assert len({c.text for candidates in expected[-20:] for c in candidates}) > 20
    for candidates in expected:
        assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)


def test_a_sample_at_a_temperature_near_zero_is_the_result_of_greedy_search(bundle: Bundle) -> None:
    lines = [pair.src for pair in reversals(30, seed=7)] + AWKWARD
    assert using(bundle, beam=1, sample=1e-300).translate(lines) == using(bundle, beam=1).translate(lines)


def test_the_window_changes_no_translation(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [pair.src for pair in reversals(30, seed=7)]
    expected = using(bundle).translate(lines)
    for window in ((1, 1), (2, 8), (7, 7)):
        monkeypatch.setattr(translator, "WINDOW", window)
        assert using(bundle).translate(lines) == expected


def test_translations_are_right_and_in_the_order_of_the_lines(bundle: Bundle, learnt: Learnt) -> None:
    translations = using(bundle, beam=2).translate([pair.src for pair in learnt.unseen])
    right = sum(y == pair.tgt for y, pair in zip(translations, learnt.unseen, strict=True))
    assert right >= 0.95 * len(translations)


def test_source_and_target_have_their_own_tokenizers(tmp_path: Path) -> None:
    settings = chosen({}, joint=False)
    tokenizers = [Tokenizer.learn([text], settings.tokenizer, silent) for text in ("1 2 3 4 5", "a b c")]
    torch.manual_seed(0)
    model = Model(settings.model, *map(len, tokenizers)).eval()
    model.output.bias.data[tokenizers[1].encode(["b"])[0][-1]] = 99.0  # the only token it predicts
    translator = LineTranslator(
        Bundle(TorchEngine(model), *tokenizers, settings.search, "", ""), SearchConfig(beam=1, max_extra=3)
    )
    [text] = translator.translate(["5"])
    assert set(text) == {"b"}
    assert translator.log_probs(["5"], ["b"])[0] > translator.log_probs(["5"], ["a"])[0]


# ---- law 10: the score -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("batch_tokens", [1, 60, 2048])
def test_the_scorers_score_of_a_translation_is_the_searchs(bundle: Bundle, beam: int, batch_tokens: int) -> None:
    src = [pair.src for pair in reversals(50, seed=7)]
    results = streamed(using(bundle, beam=beam), src)
    # Search may return other tokens than the tokenizer makes of the same text; their log-probability is another.
    both = [(s, c) for s, candidates in zip(src, results, strict=True) for c in candidates if is_canonical(bundle, c)]
    assert len(both) > 0.7 * sum(map(len, results)) > 30
    scorer = using(bundle, batch_tokens)
    by_scorer = scorer.log_probs([line for line, _ in both], [c.text for _, c in both])
    assert by_scorer == pytest.approx([c.log_prob for _, c in both], rel=1e-4, abs=1e-4)
    assert scorer.log_probs([], []) == []


@pytest.mark.parametrize("pieces", [0, 2])
def test_white_space_at_the_ends_is_not_scored(bundle: Bundle, pieces: int) -> None:
    """As it is not translated, whether or not the model has pieces for what is kept."""
    scorer = using(bundle._replace(reading=Reading(keeping=Keeping(nothing=True), pieces=pieces)))
    [[best, *_], [spaced, *_]] = streamed(scorer, ["3 1 2", "  3 1 2\t"])
    assert spaced.text == f"  {best.text}\t"
    assert spaced.log_prob == best.log_prob
    by_scorer = scorer.log_probs(["3 1 2", "  3 1 2\t"], [best.text, spaced.text])
    assert by_scorer == [pytest.approx(best.log_prob, rel=1e-4, abs=1e-4)] * 2


def is_canonical(bundle: Bundle, candidate: Translation) -> bool:
    """Whether the text is digits, for each of which the tokenizer has one token."""
    return re.fullmatch(r"\d( \d)*", candidate.text) is not None and len(
        bundle.tgt_tokenizer.encode([candidate.text])[0]
    ) == len(candidate.text.split())


@pytest.mark.parametrize("penalty", [0.0, 0.7, 2.0])
def test_candidates_come_best_first_and_their_score_is_by_the_formula(bundle: Bundle, penalty: float) -> None:
    for candidates in streamed(using(bundle, beam=5, length_penalty=penalty), [p.src for p in reversals(20, seed=8)]):
        assert 1 < len(candidates) <= 5
        assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)
        for c in candidates:
            if is_canonical(bundle, c):
                tokens = len(bundle.tgt_tokenizer.encode([c.text])[0]) + 1
                assert c.score == pytest.approx(c.log_prob / tokens**penalty)


def always_predicting(bundle: Bundle, text: str) -> Bundle:
    """The model, which predicts nothing but the tokens of this text, and never EOS."""
    assert isinstance(bundle.engine, TorchEngine)
    model = copy.deepcopy(bundle.engine.models[0])
    model.output.bias.data[EOS] = -99.0
    model.output.bias.data[bundle.tgt_tokenizer.encode([text])[0]] = 99.0
    return bundle._replace(engine=TorchEngine(model))


def test_the_limit_depends_on_the_source_and_not_on_the_batch(untrained_bundle: Bundle) -> None:
    endless = using(always_predicting(untrained_bundle, ""), beam=1, max_ratio=1.0, max_extra=2)
    sources = untrained_bundle.src_tokenizer.encode(["1", "1 2 3", "1 2 3 4 5 6 7"])
    results = endless.search([Unit(ids, [], [], 1, 0) for ids in sources])
    # The limit is the source with its EOS, and two more; it counts the translation's EOS.
    assert [len(h.tokens) for [h] in results] == [len(ids) + 1 + 2 - 1 for ids in sources]


# ---- one line in, one line out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("model", ["bundle", "untrained_bundle"])
def test_every_line_gives_one_line(request: pytest.FixtureRequest, model: str, beam: int) -> None:
    """From a trained and from an untrained model; a blank line has no translation."""
    lines = AWKWARD * 3
    results = streamed(using(request.getfixturevalue(model), beam=beam), lines)
    assert len(results) == len(lines)
    for line, candidates in zip(lines, results, strict=True):
        assert bool(candidates) == bool(line.strip())
        for candidate in candidates:
            assert not set("\n\r") & set(candidate.text)
            candidate.text.encode("utf-8")
    best = using(request.getfixturevalue(model), beam=beam).translate(lines)
    assert best == [candidates[0].text if candidates else "" for candidates in results]


@pytest.mark.parametrize("text", ["\n", "\r", "\r\n", "\xff"])
def test_no_token_breaks_a_line(untrained_bundle: Bundle, text: str) -> None:
    """There is a token for each byte."""
    [line] = using(always_predicting(untrained_bundle, text), beam=1).translate(["1 2 3"])
    assert line or text == "\xff"  # a byte that is no character is left out
    assert len((line + "\n").encode().splitlines()) == 1


def test_without_lines_there_are_no_translations(bundle: Bundle) -> None:
    assert using(bundle).translate([]) == []
    assert streamed(using(bundle), iter(())) == []
    assert using(bundle).translate(["", " "]) == ["", ""]


# ---- streams ---------------------------------------------------------------------------------------------------------


def test_a_stream_is_read_in_windows(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 lines before the first translation, then twice as many for each window, up to a bound."""
    monkeypatch.setattr(translator, "WINDOW", (translator.WINDOW[0], 200))
    monkeypatch.setattr(LineTranslator, "search", lambda self, parts: [[] for _ in parts])
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "1 2"

    results = using(bundle).stream(lines(), silent)
    assert read == 0
    counts = []
    for _ in range(800):
        next(results)
        counts.append(read)
    assert sorted(set(counts)) == [64, 64 + 128, 64 + 128 + 200, 64 + 128 + 400, 64 + 128 + 600, 64 + 128 + 800]
    assert all(ahead >= number for number, ahead in enumerate(counts, 1))


def test_windows_are_of_moderate_size() -> None:
    assert translator.WINDOW[0] <= 100
    assert translator.WINDOW[1] <= 10_000


# ---- long lines ------------------------------------------------------------------------------------------------------


def test_a_long_line_is_translated_in_parts_with_a_warning(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = bundle._replace(longest=4)
    monkeypatch.setattr(translator, "WINDOW", (2, 2))
    lines = ["1 2", "1 2 3 4", "5 6 7 8 9", "", "1 2 3 4 5 6 7 8 9 0"]
    warnings: list[str] = []
    results = using(bundle).stream(lines, warnings.append)
    assert [candidates[0].text if candidates else "" for candidates in results] == [
        "2 1",
        "4 3 2 1",
        "7 6 5 9 8",
        "",
        "3 2 1 6 5 4 0 9 8 7",
    ]  # cut before the last word in the later half of each run: 5 6 7 | 8 9 and 1 2 3 | 4 5 6 | 7 8 9 0
    assert warnings == [
        "line 3 is 5 tokens long and was translated in 2 pieces",
        "line 5 is 10 tokens long and was translated in 3 pieces",
    ]


@pytest.mark.parametrize("beam", [1, 3])
def test_the_candidates_of_a_long_line_are_those_of_its_parts(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, beam: int
) -> None:
    parts = streamed(using(bundle, beam=beam), ["5 6 7", "8 9"])
    bundle = bundle._replace(longest=4)
    [whole] = streamed(using(bundle, beam=beam), ["5 6 7 8 9"])
    pairs = sorted(itertools.product(*parts), key=lambda pair: -pair[0].score - pair[1].score)[:beam]
    assert [c.text for c in whole] == [f"{a.text} {b.text}" for a, b in pairs]
    sums = [a.log_prob + b.log_prob for a, b in pairs]
    assert [c.log_prob for c in whole] == pytest.approx(sums, rel=1e-4, abs=1e-5)
    assert whole[0].text == "7 6 5 9 8"


def test_the_candidates_of_a_long_line_come_best_first(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores are summed over parts; over the whole length, a long second candidate of one part might rank first."""
    a, b = bundle.tgt_tokenizer.encode(["1", "2 2 2 2 2 2 2 2"])
    one = [Hypothesis(a, -2.0, -1.0, [0] * len(a)), Hypothesis(b, -9.9, -1.1, [0] * len(b))]
    other = [Hypothesis(a, -8.0, -4.0, [0] * len(a)), Hypothesis(a, -8.2, -4.1, [0] * len(a))]
    bundle = bundle._replace(longest=2)
    for second in (other, other[:1]):  # the second has the text of the first, and is left out
        monkeypatch.setattr(LineTranslator, "search", lambda self, parts, second=second: [one, second])
        [whole] = streamed(using(bundle, beam=2), ["1 2 3"])
        assert [c.text for c in whole] == ["1 1", "2 2 2 2 2 2 2 2 1"]
        assert [c.log_prob for c in whole] == pytest.approx([-10.0, -17.9])
        assert whole[0].score > whole[1].score


def test_a_line_of_thousands_of_tokens_is_translated(bundle: Bundle) -> None:
    warnings: list[str] = []
    [[candidate]] = using(bundle, beam=1).stream(["1 2 3 " * 700], warnings.append)
    assert re.fullmatch(r"line 1 is 2\d\d\d tokens long and was translated in \d+ pieces", warnings[0])
    assert candidate.text


def test_split_keeps_every_token_and_cuts_before_words() -> None:
    draw = random.Random(0)
    for _ in range(300):
        pieces = [draw.choice(["▁a", "b", "b", "b"]) for _ in range(draw.randrange(60))]
        ids = list(range(len(pieces)))
        runs = split(ids, pieces, 10)
        assert [i for run in runs for i in run] == ids
        assert all(0 < len(run) <= 10 for run in runs) or runs == [[]]
        for before, after in itertools.pairwise(runs):
            words = [i for i in range(before[0] + 5, before[0] + 10) if pieces[i] == "▁a"]
            assert after[0] == (words[-1] if words else before[0] + 10)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("I see # dogs and # cats.", ["I see # dogs and # cats."]),
        ("I see # dogs, # cats and # birds.", ["I see # dogs,", " # cats and # birds."]),
        ("I see # dogs, # cats, # cows and # birds.", ["I see # dogs, # cats,", " # cows and # birds."]),
        ("Call # or # or # before # pm.", ["Call # or #", " or # before # pm."]),
        ("##### x", ["##### x"]),
        ("", [""]),
    ],
)
def test_a_run_has_two_values_at_most_where_words_begin(text: str, runs: list[str]) -> None:
    pieces = list(text.replace(" ", "\u2581"))
    found = by_values(list(map(ord, text)), pieces, [piece == "#" for piece in pieces])
    assert ["".join(map(chr, run)) for run in found] == runs


def test_a_short_source_is_not_split() -> None:
    for length in (0, 1, 10):
        ids = list(range(length))
        assert split(ids, ["▁a"] * length, 10) == [ids]
    assert len(split(list(range(11)), ["▁a"] * 11, 10)) == 2


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_the_shortest_runs(longest: int) -> None:
    """Where each token begins a word, too."""
    assert [ids for run in split(list(range(7)), ["▁a"] * 7, longest) for ids in run] == list(range(7))


# ---- prefixes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beam", [1, 3])
def test_a_translation_begins_with_its_prefix(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, beam: int) -> None:
    lines, prefixes = ["1 2 3", "4 5 6", "", "7 8 9"], ["9 9", "", "5", "9 8"]
    free, forced = (list(using(bundle, beam=beam).stream(lines, silent, p)) for p in ([""] * 4, prefixes))
    assert forced[0][0].text.startswith("9 9")
    assert forced[1] == free[1]
    assert forced[2] == []
    assert forced[3][0] == free[3][0]  # whose translation begins so without a prefix
    bundle = bundle._replace(longest=4)
    [long] = using(bundle, beam=beam).stream(["5 6 7 8 9"], silent, ["0"])
    assert long[0].text.startswith("0")
    assert long[0].text.endswith(" 9 8")


def test_a_prefix_counts_in_the_score(bundle: Bundle) -> None:
    [[best, *_]] = using(bundle, beam=2).stream(["1 2 3"], silent, ["9 9"])
    assert using(bundle).log_probs(["1 2 3"], [best.text])[0] == pytest.approx(best.log_prob, rel=1e-4)


# ---- alignments ------------------------------------------------------------------------------------------------------


def test_alignments_link_each_word_with_its_source(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model reverses digits: the first word is linked with the last digit, the last word with the first digit."""
    lines = [pair.src for pair in reversals(40, seed=7)]
    aligning = LineTranslator(bundle, SearchConfig(beam=2), alignments=True)
    right = total = 0
    for line, [best, *_] in zip(lines, streamed(aligning, lines), strict=True):
        length = len(line.split())
        assert best.alignment == sorted(best.alignment)
        assert all(0 <= s < length and 0 <= t < len(best.text.split()) for s, t in best.alignment)
        right += sum(s == length - 1 - t for s, t in best.alignment)
        total += len(best.text.split())
    assert right > 0.7 * total
    assert [c.alignment for c in streamed(using(bundle, beam=1), lines[:1])[0]] == [[]]
    bundle = bundle._replace(longest=4)
    [[long]] = LineTranslator(bundle, SearchConfig(beam=1), alignments=True).stream(["5 6 7 8 9"], silent)
    assert long.text == "7 6 5 9 8"
    assert [link for t in (0, 2, 3, 4) for link in long.alignment if link[1] == t] == [[2, 0], [0, 2], [4, 3], [3, 4]]


def test_a_word_whose_source_is_eos_has_no_link(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, tokens = bundle.src_tokenizer.encode(["1 2 3"])[0], bundle.tgt_tokenizer.encode(["3 2 1"])[0]
    of_eos = [len(ids)] * len(tokens)
    aligning = LineTranslator(bundle, SearchConfig(beam=1), alignments=True)
    for sources, links in ((of_eos, []), ([*of_eos[1:], 0], [[0, 2]])):
        hypothesis = Hypothesis(tokens, -1.0, -1.0, sources)
        monkeypatch.setattr(LineTranslator, "search", lambda self, units, h=hypothesis: [[h]])
        [[candidate]] = streamed(aligning, ["1 2 3"])
        assert candidate.alignment == links


def test_characters_belong_to_words() -> None:
    text = " ab  c def "
    assert [word_at(text, word_ends(text), place) for place in range(len(text))] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2]
    assert word_at("a", word_ends("a"), 0) == 0
    assert word_at(" ", word_ends(" "), 0) == 0


# ---- ensembles -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three() -> list[Bundle]:
    """Untrained models with one vocabulary, one for each of the three cells."""
    sizes = {"embedding": 40, "encoder_hidden": [48, 16], "hidden": 64, "attention": 24}
    return [untrained({**sizes, "cell": cell}) for cell in CELLS]


def ensemble(bundles: list[Bundle]) -> Bundle:
    models = [model for b in bundles if isinstance(b.engine, TorchEngine) for model in b.engine.models]
    return bundles[0]._replace(engine=TorchEngine(*models))


def test_an_ensemble_predicts_the_mean_probability_of_its_models(three: list[Bundle]) -> None:
    src = np.array([[5, 6, 7, EOS], [8, EOS, 0, 0], [9, 9, EOS, 0]])
    tokens = np.array([[BOS], [BOS], [BOS]])
    proposals = []
    for bundle in (*three, ensemble(three)):
        state = bundle.engine.start(src, src > 0)
        first, state = bundle.engine.propose(tokens, tokens + 3, state, 4)
        state = state.select(np.array([[2, 2], [0, 0]]))  # sentence 1 leaves, 2 is before 0
        second, _ = bundle.engine.propose(np.array([[7, 8], [9, 5]]), np.array([[8, 7], [5, 9]]), state, 10**6)
        total = np.sort(np.exp(second.log_probs).sum(-1))
        proposals.append((first.target_log_probs, second.target_log_probs, total))
    for i in (0, 1):
        expected = np.mean([np.exp(p[i]) for p in proposals[:3]], axis=0)
        assert np.exp(proposals[3][i]) == pytest.approx(expected, rel=1e-4)
    assert proposals[3][2] == pytest.approx(np.ones((2, 2)), rel=1e-4)


def test_an_ensemble_of_one_model_many_times_is_the_model(bundle: Bundle) -> None:
    lines = [pair.src for pair in reversals(20, seed=7)]
    one, two = (streamed(using(b, beam=3), lines) for b in (bundle, ensemble([bundle, bundle])))
    for alone, together in zip(one, two, strict=True):
        assert [c.text for c in together] == [c.text for c in alone]
        assert [c.log_prob for c in together] == pytest.approx([c.log_prob for c in alone], rel=1e-4, abs=1e-4)


def test_an_ensemble_is_the_same_in_any_batch(three: list[Bundle]) -> None:
    lines, both = [pair.src for pair in reversals(12, seed=7)], ensemble(three)
    results = [
        (
            streamed(using(both, batch_tokens, beam=2, max_ratio=0, max_extra=5), lines),
            using(both, batch_tokens).log_probs(lines, lines[::-1]),
        )
        for batch_tokens in (1, 50, 900)
    ]
    assert results[0] == results[1] == results[2]


# ---- loops -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [0.0, 0.3])
@pytest.mark.parametrize("beam", [1, 4])
def test_a_unit_without_a_loop_has_no_translation_with_one(
    untrained_bundle: Bundle, beam: int, sample: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Untrained models loop in most lines. Units that loop themselves may be translated so."""
    weights = np.full(len(untrained_bundle.tgt_tokenizer), 6)
    monkeypatch.setattr(unit_search, "weights_of", lambda pieces: weights)
    monkeypatch.setattr(unit_search, "MOST_LOST", 1e9)

    def searched(lines: Iterable[str], batch_tokens: int = 2048) -> list[list[Hypothesis]]:
        ids = untrained_bundle.src_tokenizer.encode(lines)
        units = [Unit(each, [], [], number, 0) for number, each in enumerate(ids)]
        return using(untrained_bundle, batch_tokens, beam=beam, sample=sample, max_extra=30).search(units)

    def loops(found: list[list[Hypothesis]]) -> list[bool]:
        return [bool(looping([h.tokens for h in each[: beam if sample else 1]], weights).any()) for each in found]

    lines = [" ".join("0123456789"[i % 5 : 3 + i % 7]) for i in range(20)]
    repeated = [f"{line} {line}" for line in lines]
    found, free = searched(lines), searched(repeated)
    assert not any(loops(found))
    assert searched(lines, 1) == found
    for each, line in zip(found, lines, strict=True):
        for hypothesis in each:
            ids = untrained_bundle.src_tokenizer.encode([line])
            [expected] = using(untrained_bundle).token_log_probs(ids, [hypothesis.tokens])
            assert hypothesis.log_prob == pytest.approx(expected, rel=1e-4)
    monkeypatch.setattr(unit_search, "MOST_LOST", -1e9)
    before = searched(lines)  # nothing without a loop is probable enough
    assert sum(loops(before)) >= 5
    assert searched(repeated) == free
    for loop, old, new in zip(loops(before), before, found, strict=True):
        assert old == new if not loop else all(h in new for h in old if sample and not loops([[h]])[0])
    for most_lost in (0.0, 0.5):
        monkeypatch.setattr(unit_search, "MOST_LOST", most_lost)
        some = searched(lines)
        for old, new, taken in zip(before, found, some, strict=True):
            if not sample:
                lost = old[0].log_prob / (len(old[0].tokens) + 1) - new[0].log_prob / (len(new[0].tokens) + 1)
                assert taken == (new if lost <= most_lost else old)
