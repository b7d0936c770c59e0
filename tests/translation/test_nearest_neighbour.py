"""A model that looks at a translation memory: by the equations, to the bit, and to some purpose."""

import itertools
import math

import numpy as np
import pytest
import torch
from reversal_task import Learnt, reversals, silent, to_the_bit, untrained
from tiny_models import every_pair, tiny

from seq2seq.folder import checkpoint
from seq2seq.text.ragged import Ragged
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import BOS, EOS
from seq2seq.translation import nearest_neighbour
from seq2seq.translation.inference import TorchEngine, with_memory
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translation_memory import TranslationMemory
from seq2seq.translation.translator import Bundle, LineTranslator

SOURCES = [[5, 6, 7], [8, 9], [5, 5, 5, 5], [10]]
TARGETS = [[7, 6, 5], [9, 8, 9, 9], [], [12, 11]]
MEMORY = TranslationMemory(Ragged.of(SOURCES), Ragged.of(TARGETS))


@pytest.fixture(scope="module")
def bundle(learnt: Learnt) -> Bundle:
    return checkpoint.load_model(learnt.folder)


@every_pair
def test_it_says_what_the_equations_say(cell: str, context: str) -> None:
    model, share = tiny(cell, context), 0.4
    engine = TorchEngine(model, memory=MEMORY, share=share)

    def places(src: list[int], tgt: list[int]) -> torch.Tensor:
        """The features after each token of BOS and the target, the sentence alone."""
        ids = torch.tensor([[*src, EOS]])
        state = model.start(ids, torch.ones_like(ids, dtype=torch.bool))
        return model.features(torch.tensor([[BOS, *tgt]]), state)[0][0]

    with torch.no_grad():
        keys = torch.cat([places(src, tgt) for src, tgt in zip(SOURCES, TARGETS, strict=True)])
        said = [y for tgt in TARGETS for y in (*tgt, EOS)]
        expected = []
        for src, tgt in (([6, 7, 5, 8], [3, 4]), ([11], [5])):
            total = 0.0
            for g, y in zip(places(src, tgt), [*tgt, EOS], strict=True):
                near = [
                    math.exp(-float((g - key).square().sum()) * nearest_neighbour.SHARPNESS / len(g)) for key in keys
                ]
                of_memory = sum(a for a, token in zip(near, said, strict=True) if token == y) / sum(near)
                of_model = float(model.logits(g).softmax(-1)[y])
                total += math.log((1 - share) * of_model + share * of_memory)
            expected.append(total)
    src = np.array([[6, 7, 5, 8, EOS], [11, EOS, 0, 0, 0]])
    state = engine.start(src, src > 0)
    tokens = np.array([[BOS, 3, 4], [BOS, 5, 0]])
    asked = np.array([[3, 4, EOS], [5, EOS, 0]])
    total = np.zeros(2)
    for t in range(3):
        proposal, state = engine.propose(tokens[:, t : t + 1], asked[:, t : t + 1], state, 3)
        total += np.where(asked[:, t] > 0, proposal.asked[:, 0], 0.0)
    assert total == pytest.approx(expected, rel=1e-5)


@to_the_bit
def test_neither_batches_nor_threads_nor_what_was_asked_before_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"embedding": 40, "encoder_hidden": [48, 16], "hidden": 64, "attention": 24, "decoder_layers": 2}
    model, pairs = untrained({**sizes, "cell": "lstm"}), reversals(300, seed=3)
    lines = [" ".join("0123456789"[: 1 + i % 9] * (1 + i % 4)) for i in range(11)]
    found = []
    for threads, batch_tokens, held in itertools.product((1, 2), (10**6, 90, 1), (0, 10**6)):
        torch.set_num_threads(threads)
        monkeypatch.setattr(nearest_neighbour, "HELD", held)
        looking = with_memory(model, pairs, 0.4)
        searched = []
        for order, beam in ((lines, 3), (lines[::-1], 1)):
            config = SearchConfig(beam=beam, max_ratio=0.3, max_extra=2)
            searched.append(list(LineTranslator(looking, config, batch_tokens).stream(order, silent)))
        scores = LineTranslator(looking, SearchConfig(), batch_tokens).log_probs(lines, lines[::-1])
        found.append((searched, scores))
    torch.set_num_threads(1)
    assert all(each == found[0] for each in found)
    alone = list(LineTranslator(model, SearchConfig(beam=3, max_ratio=0.3, max_extra=2)).stream(lines, silent))
    assert alone != found[0][0][0]


def test_the_scorers_score_of_a_translation_is_the_searchs(bundle: Bundle) -> None:
    looking = with_memory(bundle, [Pair(p.src, p.src) for p in reversals(100, seed=3)], 0.5)
    lines = [pair.src for pair in reversals(30, seed=7)]
    found = [c[0] for c in LineTranslator(looking, SearchConfig(beam=3)).stream(lines, silent)]
    kept = [(line, c) for line, c in zip(lines, found, strict=True) if set(c.text) <= set("0123456789 ")]
    assert len(kept) > 20
    scores = LineTranslator(looking, SearchConfig(), 60).log_probs(
        [line for line, _ in kept], [c.text for _, c in kept]
    )
    assert scores == pytest.approx([c.log_prob for _, c in kept], rel=1e-4, abs=1e-4)


def test_what_the_memory_has_is_said_as_it_has_it(bundle: Bundle) -> None:
    """The model reverses digits; the memory does not, and is believed where it knows the line."""
    lines = [pair.src for pair in reversals(20, seed=7)]
    memory = [Pair(line, "7") for line in lines]
    for share, wanted in ((0.98, 20), (0.01, 0)):
        said = LineTranslator(with_memory(bundle, memory, share), SearchConfig(beam=1)).translate(lines)
        assert said.count("7") == wanted


def test_in_an_ensemble_each_model_looks_for_itself() -> None:
    sizes = {"embedding": 40, "encoder_hidden": [48, 16], "hidden": 64, "attention": 24}
    models = []
    for cell in ("gru", "lstm"):
        engine = untrained({**sizes, "cell": cell}).engine
        assert isinstance(engine, TorchEngine)
        models.extend(engine.models)
    src, one = np.array([[5, 6, EOS], [9, EOS, 0]]), np.array([[BOS]] * 2)
    asked = []
    for some in (models[:1], models[1:], models):
        engine = TorchEngine(*some, memory=MEMORY, share=0.3)
        asked.append(np.exp(engine.propose(one, one + 5, engine.start(src, src > 0), 2)[0].asked))
    assert asked[2] == pytest.approx((asked[0] + asked[1]) / 2, rel=1e-4)
    assert not np.allclose(asked[0], asked[1], rtol=1e-2)
