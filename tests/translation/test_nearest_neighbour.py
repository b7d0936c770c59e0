"""Nearest-neighbour translation follows the equations, does not depend on the batch, and uses its memory."""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from reversal_task import Learnt, reversals, silent, to_the_bit, untrained
from tiny_models import every_pair, tiny

from seq2seq.folder import checkpoint
from seq2seq.text.preparation import prepared
from seq2seq.text.ragged import Ragged
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import BOS, EOS
from seq2seq.translation import datastore
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translation_memory import TranslationMemory
from seq2seq.translation.translator import LineTranslator, Translation

SOURCES = [[5, 6, 7], [8, 9], [5, 5, 5, 5], [10]]
TARGETS = [[7, 6, 5], [9, 8, 9, 9], [], [12, 11]]
MEMORY = TranslationMemory(Ragged.of(SOURCES), Ragged.of(TARGETS))
LINES = [" ".join("0123456789"[: 1 + i % 9] * (1 + i % 4)) for i in range(11)]


@pytest.fixture(scope="module")
def bundle(learnt: Learnt) -> Bundle:
    return checkpoint.load_model(learnt.folder)


def remembering(bundle: Bundle, pairs: list[Pair], share: float) -> Bundle:
    """The bundle with these pairs as its memory."""
    if bundle.reading:
        pairs = prepared(pairs, bundle.reading)
    src, tgt = bundle.src_tokenizer, bundle.tgt_tokenizer
    return bundle.with_memory(
        src.encode_all([pair.src for pair in pairs]), tgt.encode_all([pair.tgt for pair in pairs]), share
    )


@every_pair
def test_its_probabilities_follow_the_equations(cell: str, context: str) -> None:
    model, share = tiny(cell, context), 0.4
    engine = TorchEngine(model, memory=MEMORY, share=share)

    def features(src: list[int], tgt: list[int]) -> torch.Tensor:
        """The features (T, E) after BOS and each token of the target, the sentence alone."""
        ids = torch.tensor([[*src, EOS]])
        state = model.start(ids, torch.ones_like(ids, dtype=torch.bool))
        return model.features(torch.tensor([[BOS, *tgt]]), state)[0][0]

    with torch.no_grad():
        keys = torch.cat([features(src, tgt) for src, tgt in zip(SOURCES, TARGETS, strict=True)])
        values = [y for tgt in TARGETS for y in (*tgt, EOS)]
        pairs = list(itertools.product(keys, keys))  # each with itself as well, as the mean over both has it
        floor = datastore.FLOOR * sum(float((one - other).square().sum()) for one, other in pairs) / len(pairs)
        expected = []
        for src, tgt in (([6, 7, 5, 8], [3, 4]), ([11], [5])):
            total = 0.0
            for g, y in zip(features(src, tgt), [*tgt, EOS], strict=True):
                weights = [math.exp(-float((g - key).square().sum()) * datastore.SHARPNESS / len(g)) for key in keys]
                none = math.exp(-floor * datastore.SHARPNESS / len(g))
                whole = none + sum(weights)
                p_knn = sum(a for a, value in zip(weights, values, strict=True) if value == y) / whole
                p_model = float(model.logits(g).softmax(-1)[y])
                total += math.log((1 - share + share * none / whole) * p_model + share * p_knn)
            expected.append(total)
    src = np.array([[6, 7, 5, 8, EOS], [11, EOS, 0, 0, 0]])
    state = engine.start(src, src > 0)
    tokens = np.array([[BOS, 3, 4], [BOS, 5, 0]])
    targets = np.array([[3, 4, EOS], [5, EOS, 0]])
    total = np.zeros(2)
    for t in range(3):
        proposal, state = engine.propose(tokens[:, t : t + 1], targets[:, t : t + 1], state, 3)
        total += np.where(targets[:, t] > 0, proposal.target_log_probs[:, 0], 0.0)
    assert total == pytest.approx(expected, rel=1e-5)


@to_the_bit
def test_neither_batches_nor_threads_nor_the_cache_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"embedding": 40, "encoder_hidden": [48, 16], "hidden": 64, "attention": 24, "decoder_layers": 2}
    bundle, pairs = untrained({**sizes, "cell": "lstm"}), reversals(300, seed=3)
    results = []
    for threads, batch_tokens, cached in itertools.product((1, 2), (10**6, 90, 1), (0, 10**6)):
        torch.set_num_threads(threads)
        monkeypatch.setattr(datastore, "CACHED_ENTRIES", cached)
        with_pairs = remembering(bundle, pairs, 0.4)
        searches = []
        for order, beam in ((LINES, 3), (LINES[::-1], 1)):
            config = SearchConfig(beam=beam, max_ratio=0.3, max_extra=2)
            searches.append(list(LineTranslator(with_pairs, config, batch_tokens).stream(order, silent)))
        scores = LineTranslator(with_pairs, SearchConfig(), batch_tokens).log_probs(LINES, LINES[::-1])
        results.append((searches, scores))
    torch.set_num_threads(1)
    assert all(result == results[0] for result in results)
    alone = list(LineTranslator(bundle, SearchConfig(beam=3, max_ratio=0.3, max_extra=2)).stream(LINES, silent))
    assert alone != results[0][0][0]


@pytest.mark.parametrize("cached", [0, 500, 10**6])
def test_threads_that_share_a_model_translate_as_one_alone(monkeypatch: pytest.MonkeyPatch, cached: int) -> None:
    """One thread evicts from the cache keys that another needs, or needs keys that another computes."""
    monkeypatch.setattr(datastore, "CACHED_ENTRIES", cached)
    bundle, pairs = untrained({"hidden": 64, "embedding": 40, "attention": 24}), reversals(300, seed=3)
    lines, config = [pair.src for pair in reversals(12, seed=5)], SearchConfig(beam=2, max_ratio=0.3, max_extra=2)
    expected = list(LineTranslator(remembering(bundle, pairs, 0.4), config, 20).stream(lines, silent))
    shared, barrier = remembering(bundle, pairs, 0.4), Barrier(4)

    def translate(first: int) -> list[list[Translation]]:
        """The translations of the lines, made in an order of the thread's own."""
        order = [*range(first, len(lines)), *range(first)]
        barrier.wait()
        translations = LineTranslator(shared, config, 20).stream([lines[i] for i in order], silent)
        by_line = dict(zip(order, translations, strict=True))
        return [by_line[i] for i in range(len(lines))]

    with ThreadPoolExecutor(barrier.parties) as pool:
        results = list(pool.map(translate, range(0, len(lines), len(lines) // barrier.parties)))
    for candidates, alone in zip(itertools.chain(*results), itertools.cycle(expected), strict=False):
        assert [c.text for c in candidates] == [c.text for c in alone]
        assert [c.log_prob for c in candidates] == pytest.approx([c.log_prob for c in alone], rel=1e-4)
    assert isinstance(shared.engine, TorchEngine)
    [store] = shared.engine.datastores
    assert store
    assert store.cached_entries == sum(map(len, store.cache.values())) <= cached


def test_the_scorers_score_of_a_translation_is_the_searchs(bundle: Bundle) -> None:
    with_pairs = remembering(bundle, [Pair(p.src, p.src) for p in reversals(100, seed=3)], 0.5)
    lines = [pair.src for pair in reversals(30, seed=7)]
    best = [c[0] for c in LineTranslator(with_pairs, SearchConfig(beam=3)).stream(lines, silent)]
    kept = [(line, c) for line, c in zip(lines, best, strict=True) if set(c.text) <= set("0123456789 ")]
    assert len(kept) > 20
    scores = LineTranslator(with_pairs, SearchConfig(), 60).log_probs(
        [line for line, _ in kept], [c.text for _, c in kept]
    )
    assert scores == pytest.approx([c.log_prob for _, c in kept], rel=1e-4, abs=1e-4)


def test_with_a_large_share_a_line_of_the_memory_is_translated_as_there(bundle: Bundle) -> None:
    """The model reverses digits, and the memory has the translation 7 for each line."""
    lines = [pair.src for pair in reversals(20, seed=7)]
    memory = [Pair(line, "7") for line in lines]
    for share, expected in ((0.98, 20), (0.01, 0)):
        translations = LineTranslator(remembering(bundle, memory, share), SearchConfig(beam=1)).translate(lines)
        assert translations.count("7") == expected


def test_in_an_ensemble_each_model_has_its_own_datastore() -> None:
    sizes = {"embedding": 40, "encoder_hidden": [48, 16], "hidden": 64, "attention": 24}
    models = []
    for cell in ("gru", "lstm"):
        engine = untrained({**sizes, "cell": cell}).engine
        assert isinstance(engine, TorchEngine)
        models.extend(engine.models)
    src, bos = np.array([[5, 6, EOS], [9, EOS, 0]]), np.array([[BOS]] * 2)
    probs = []
    for ensemble in (models[:1], models[1:], models):
        engine = TorchEngine(*ensemble, memory=MEMORY, share=0.3)
        proposal, _ = engine.propose(bos, bos + 5, engine.start(src, src > 0), 2)
        probs.append(np.exp(proposal.target_log_probs))
    assert probs[2] == pytest.approx((probs[0] + probs[1]) / 2, rel=1e-4)
    assert not np.allclose(probs[0], probs[1], rtol=1e-2)


def test_a_memory_of_other_text_leaves_the_translation_to_the_model(bundle: Bundle) -> None:
    """The model reverses digits; the one pair of the memory has nothing to do with them."""
    lines = [pair.src for pair in reversals(30, seed=7)]
    config = SearchConfig(beam=3)
    alone = LineTranslator(bundle, config).translate(lines)
    beside = LineTranslator(remembering(bundle, [Pair("9 9 9 9", "4")], 0.5), config).translate(lines)
    assert sum(map(str.__eq__, alone, beside)) >= 0.9 * len(lines)
