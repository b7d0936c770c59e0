"""Models that copy, with coverage, from training to translation: every form, ensembles, scores, memories, refusals."""

from pathlib import Path

import numpy as np
import pytest
import torch
from reversal_task import begin, chosen, corpus, reversals, silent
from tiny_models import TINY, sentences, shaken, together

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint, layout
from seq2seq.network.model import Model, ModelConfig
from seq2seq.onnx import runtime
from seq2seq.onnx.export import export
from seq2seq.text.batches import pad, pad_pairs
from seq2seq.text.ragged import Ragged
from seq2seq.text.tokenizer import BOS, EOS, UNK, Tokenizer, TokenizerConfig
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import Request, SearchConfig, search
from seq2seq.translation.translator import LineTranslator, Translation

LINES = [pair.src for pair in reversals(12, seed=7)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model that copies with coverage, and one that does not with the same tokenizers; the first in every form."""
    root = tmp_path_factory.mktemp("copying")
    for name, model in (("copying", {"copy": True, "coverage": True}), ("plain", {})):
        settings = chosen({"epochs": 1, "coverage": 0.1}, {**model, "hidden": 16, "embedding": 16})
        begin(root / name, settings, corpus(150, 4)).run(quiet=True)
    for form in ("onnx", "int8", "quarter"):
        export(root / "copying", root / form, form)
    return {path.name: path for path in root.iterdir()}


def loaded(folder: Path) -> Bundle:
    return runtime.load(folder, 1) if layout.is_exported(folder) else checkpoint.load_model(folder)


def translated(bundle: Bundle, batch_tokens: int) -> list[list[Translation]]:
    translator = LineTranslator(bundle, SearchConfig(beam=3, max_ratio=0, max_extra=8), batch_tokens)
    return list(translator.stream(LINES, silent))


@pytest.mark.parametrize(("form", "tolerance"), [("onnx", 1e-4), ("int8", 0.5), ("quarter", 0.5)])
def test_every_form_translates_as_the_model_does(folders: dict[str, Path], form: str, tolerance: float) -> None:
    model, other = loaded(folders["copying"]), loaded(folders[form])
    expected, actual = (
        LineTranslator(bundle, SearchConfig()).log_probs(LINES, [line[::-1] for line in LINES])
        for bundle in (model, other)
    )
    assert actual == pytest.approx(expected, abs=tolerance)
    texts = [
        [[c.text for c in line] for line in translated(bundle, batch_tokens)]
        for bundle, batch_tokens in ((other, 1024), (other, 1), (other, 60), (model, 1024))
    ]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0] == texts[3] or form != "onnx"


@pytest.mark.parametrize("form", ["copying", "onnx", "int8"])
def test_the_teacher_forced_score_of_a_hypothesis_is_the_searchs(folders: dict[str, Path], form: str) -> None:
    bundle = loaded(folders[form])
    sources = bundle.src_tokenizer.encode(LINES)
    src, mask = pad([[*ids, EOS] for ids in sources])
    requests = [Request(8)] * len(LINES)
    state = bundle.engine.start(src, mask)
    found = search(bundle.engine.propose, state, requests, SearchConfig(beam=3), BOS, EOS)
    hypotheses = [(row, hypothesis) for row, best in enumerate(found) for hypothesis in best]
    pairs = pad_pairs(
        [sources[row] for row, _ in hypotheses], [h.tokens for _, h in hypotheses], range(len(hypotheses))
    )
    scores = bundle.engine.log_probs(pairs)
    assert scores == pytest.approx([h.log_prob for _, h in hypotheses], abs=1e-3)


def test_an_ensemble_with_a_model_that_does_not_copy_has_their_mean_probability(folders: dict[str, Path]) -> None:
    both = checkpoint.load_ensemble([folders["copying"], folders["plain"]])
    engines = [loaded(folders["copying"]).engine, loaded(folders["plain"]).engine, both.engine]
    src, mask = pad([[*both.src_tokenizer.encode(["3 1 4"])[0], EOS]])
    states = [engine.start(src, mask) for engine in engines]
    for token in (1, 9, 5):
        proposals = []
        for i, engine in enumerate(engines):
            proposal, states[i] = engine.propose(np.array([[token]]), np.array([[7]]), states[i], 10**6)
            order = proposal.tokens[0, 0].argsort()
            proposals.append(np.exp(proposal.log_probs[0, 0][order].astype(np.float64)))
        assert proposals[2] == pytest.approx((proposals[0] + proposals[1]) / 2, rel=1e-4)
        assert abs(proposals[0] - proposals[1]).max() > 1e-3


def test_a_wide_beam_of_such_an_ensemble_lists_sentences_at_their_teacher_forced_score() -> None:
    torch.manual_seed(0)
    models = [shaken(Model(ModelConfig(**TINY, copy=copy), 13, 5), seed=3 + copy) for copy in (False, True)]
    b, engine = together(sentences()[:2]), TorchEngine(*models)
    state = engine.start(b.src.numpy(), b.src_mask.numpy())
    config = SearchConfig(beam=100, length_penalty=0.0)
    listed = search(engine.propose, state, [Request(3)] * 2, config, 1, 2)
    for row, (src, _) in enumerate(sentences()[:2]):
        assert len(listed[row]) == 1 + 4 + 16
        for hypothesis in listed[row]:
            tokens = [*hypothesis.tokens, 2]
            tgt = torch.tensor([[1, *hypothesis.tokens]])
            both = [
                model.log_probs(*model.features(tgt, model.start(src[None], torch.ones_like(src[None]).bool())))[0]
                for model in models
            ]
            mean = (both[0].exp() + both[1].exp()) / 2
            expected = mean[range(len(tokens)), tokens].log().sum().item()
            assert hypothesis.log_prob == pytest.approx(expected, rel=1e-5)


def test_a_translation_memory_is_mixed_with_the_whole_distribution(folders: dict[str, Path]) -> None:
    """p = (1 - share) p_model + share p_kNN: less than share away from the model's."""
    bundle = loaded(folders["copying"])
    pairs = [Ragged.of(bundle.src_tokenizer.encode(LINES)), Ragged.of(bundle.tgt_tokenizer.encode(LINES[::-1]))]
    for share, near in ((1e-6, True), (0.5, False)):
        scores = [
            LineTranslator(each, SearchConfig()).log_probs(LINES[:4], LINES[::-1][:4])
            for each in (bundle, bundle.with_memory(*pairs, share))
        ]
        assert (scores[0] == pytest.approx(scores[1], abs=1e-2)) == near


def test_without_a_joint_tokenizer_a_model_that_copies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.copy = true needs one vocabulary .* set tokenizer.joint = true"):
        begin(tmp_path / "new", chosen({}, {"copy": True}, joint=False), corpus(60, 8))
    assert not (tmp_path / "new").exists()


def test_the_coverage_loss_needs_attention(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training\.coverage .* model\.context = 'mean'"):
        begin(tmp_path / "new", chosen({"coverage": 1.0}, {"context": "mean"}), corpus(60, 8))


def test_special_tokens_are_the_first_and_numbered_pieces_are_not_among_them() -> None:
    """A numbered piece stands for the same text on both sides, so it may be copied."""
    lines = [pair.src for pair in reversals(50)]
    plain = Tokenizer.learn(lines, TokenizerConfig(vocab_size=300, placeholders=0), silent)
    many = Tokenizer.learn(lines, TokenizerConfig(vocab_size=320, placeholders=3), silent, ["de", "fr"])
    assert plain.special == UNK + 1
    assert many.special == UNK + 1 + 2 == max(many.languages.values()) + 1 == min(many.placeholders)
    joint, count = many.sorted_for(lines, "unigram")
    assert joint.special == joint.first(count).special == many.special
    assert min(joint.placeholders) == joint.special
