"""Minimum risk training: which translations are weighed, how good they are, and what their risk is."""

import math

import pytest
import torch
from torch import Tensor
from toys import VOCABULARY, close, every_pair, shaken, tiny
from workshop import AWKWARD, Learnt, reversals

from seq2seq import checkpoint
from seq2seq.collation import beside, collate
from seq2seq.inference import Inference
from seq2seq.risk import Candidates, candidates, expected
from seq2seq.scoring import sentence_bleu
from seq2seq.search import SearchConfig
from seq2seq.translator import Translator


def own(learnt: Learnt, count: int) -> tuple[Candidates, list[str], list[str]]:
    """What a model that has learnt to reverse digits says to some sources, of which some are no digits."""
    bundle = checkpoint.load_model(learnt.folder)
    assert isinstance(bundle.engine, Inference)
    src = [pair.src for pair in reversals(20, seed=7)] + [line for line in AWKWARD[4:9] if line.strip()]
    tgt = [line[::-1] for line in src]
    sides = bundle.src_tokenizer.encode(src), bundle.tgt_tokenizer.encode(tgt)
    model = bundle.engine.models[0]
    found = candidates(model, collate(*sides, range(len(src))), bundle.tgt_tokenizer, count)
    assert not model.training
    assert not candidates(model.train(), collate(*sides, [0]), bundle.tgt_tokenizer, 2).quality.requires_grad
    assert model.training
    return found, src, tgt


def test_the_candidates_are_what_beam_search_finds(learnt: Learnt) -> None:
    """Behind the reference, which is none of them; and the quality of each is its BLEU."""
    found, src, tgt = own(learnt, 3)
    bundle = checkpoint.load_model(learnt.folder)
    expected = list(Translator(bundle, SearchConfig(beam=3)).stream(src, print))
    batch = found.batch
    rows = [ids[mask][:-1].tolist() for ids, mask in zip(batch.tgt_out, batch.tgt_mask, strict=True)]
    texts = [bundle.tgt_tokenizer.decode(ids) for ids in rows]
    for i, (each, reference) in enumerate(zip(expected, tgt, strict=True)):
        assert texts[4 * i] == reference
        assert texts[4 * i + 1 : 4 * i + 1 + len(each)] == [c.text for c in each]
        assert found.found[i].tolist() == [k < len(each) for k in range(3)]
        qualities = [sentence_bleu(c.text, reference) / 100 for c in each]
        assert found.quality[i, : len(each)].tolist() == pytest.approx(qualities)
    assert found.quality.max() == 1.0 > found.quality.min()


def toy(missing: bool) -> Candidates:
    """Three sentences with two translations each behind the reference."""
    draw = torch.Generator().manual_seed(3)
    targets = [
        torch.randint(3, VOCABULARY, (length,), generator=draw).tolist() for length in (4, 2, 6, 1, 3, 3, 5, 0, 2)
    ]
    batch = beside(collate([[5, 6, 7, 8], [9, 3], [4]], [[3]] * 3, range(3)), targets)
    quality = torch.tensor([[0.9, 0.1], [0.3, 0.4], [0.0, 1.0]], dtype=torch.float64)
    found = torch.tensor([[True, True], [True, not missing], [True, True]])
    return Candidates(batch, quality, found)


def slowly(every: list[Tensor], c: Candidates) -> Tensor:
    """The risk, from the logits (T, V) of each row, sentence by sentence."""
    total = torch.zeros((), dtype=torch.float64)
    for i in range(3):
        scores = []
        for k in range(2):
            row = 3 * i + 1 + k
            y = c.batch.tgt_out[row][c.batch.tgt_mask[row]]
            log_p = every[row].log_softmax(1)[torch.arange(len(y)), y]
            scores.append(log_p.mean() if c.found[i, k] else torch.tensor(-math.inf, dtype=torch.float64))
        q = torch.stack(scores).softmax(0)
        total = total + (q * (1 - c.quality[i])).sum()
    return total


@pytest.mark.parametrize("missing", [False, True])
def test_the_risk_is_its_formula_forward_and_backward(missing: bool) -> None:
    c = toy(missing)
    model = tiny()
    logits = model(c.batch.src, c.batch.src_mask, c.batch.tgt_in, c.batch.tgt_mask)
    lengths = c.batch.tgt_mask.sum(1).tolist()
    of_own = torch.cat([torch.full((n,), row % 3 > 0) for row, n in enumerate(lengths)])
    risk, by_hand = expected(logits[of_own], c), slowly(list(logits.split(lengths)), c)
    torch.testing.assert_close(risk.double(), by_hand, rtol=1e-5, atol=1e-6)
    weights = list(model.parameters())
    for found, wanted in zip(
        *(torch.autograd.grad(x, weights, retain_graph=True, allow_unused=True) for x in (risk, by_hand)), strict=True
    ):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


@every_pair
def test_targets_side_by_side_are_as_if_each_had_its_source(cell: str, context: str) -> None:
    c = toy(False)
    b, model = c.batch, shaken(tiny(cell, context))
    each = [x.repeat_interleave(3, 0) for x in (b.src, b.src_mask)]
    close(model(b.src, b.src_mask, b.tgt_in, b.tgt_mask), model(*each, b.tgt_in, b.tgt_mask))
