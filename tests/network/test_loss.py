"""The losses against their formulas and torch's; every real token counts once, padding never."""

import itertools
import math

import pytest
import torch
from tiny_models import VOCABULARY, close, draw, every_model, gradients, loss, sentences, tiny, together
from torch.nn import functional as F

from seq2seq.network import loss as losses
from seq2seq.network.loss import Mixture, Sample, consistency, cross_entropy, sample_vocabulary

N, V = 7, 5
TARGETS = torch.tensor([0, 4, 2, 2, 1, 3, 0])

smoothings = pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])


@smoothings
def test_the_loss_equals_its_formula(smoothing: float) -> None:
    logits, expected = draw(N, V) * 3, 0.0
    for row, target in zip(logits.tolist(), TARGETS.tolist(), strict=True):
        total = sum(math.exp(logit) for logit in row)
        nats = [-math.log(math.exp(logit) / total) for logit in row]
        expected += (1 - smoothing) * nats[target] + smoothing / V * sum(nats)
    assert cross_entropy(logits, TARGETS, smoothing).smoothed.item() == pytest.approx(expected, rel=1e-12)


@smoothings
def test_the_loss_equals_torchs_forward_and_backward(smoothing: float) -> None:
    logits = draw(N, V).requires_grad_()
    ours = cross_entropy(logits, TARGETS, smoothing)
    theirs = F.cross_entropy(logits, TARGETS, reduction="sum", label_smoothing=smoothing)
    close(ours.smoothed, theirs)
    close(torch.autograd.grad(ours.smoothed * 0.7, logits), torch.autograd.grad(theirs * 0.7, logits))


@smoothings
@pytest.mark.parametrize("mixed", [False, True])
def test_a_scale_multiplies_the_loss_and_its_gradient(smoothing: float, mixed: bool) -> None:
    logits = draw(N, V).requires_grad_()
    parts = [-draw(N, 1, seed=seed).abs().requires_grad_() for seed in (1, 2)] if mixed else []
    mixture = Mixture(*parts) if mixed else None
    plain, scaled = (cross_entropy(logits, TARGETS, smoothing, mixture, scale=scale) for scale in (1.0, 0.3))
    close(scaled.smoothed, 0.3 * plain.smoothed)
    close(scaled.nats, plain.nats)
    ours, theirs = (torch.autograd.grad(each.smoothed, [logits, *parts]) for each in (scaled, plain))
    close(ours, tuple(0.3 * gradient for gradient in theirs))


@smoothings
@pytest.mark.parametrize("mixed", [False, True])
def test_logits_behind_the_targets_do_not_count(smoothing: float, mixed: bool) -> None:
    more = draw(N + 3, V).requires_grad_()
    mixture = Mixture(-draw(N, 1, seed=1).abs(), -draw(N, 1, seed=2).abs()) if mixed else None
    ours, theirs = (cross_entropy(logits, TARGETS, smoothing, mixture) for logits in (more, more[:N]))
    close((ours.smoothed, ours.nats), (theirs.smoothed, theirs.nats))
    gradients = [torch.autograd.grad(each.smoothed, more)[0] for each in (ours, theirs)]
    close(*gradients)
    assert gradients[0][:N].all()
    assert not gradients[0][N:].any()


@smoothings
def test_the_reported_loss_is_not_smoothed_and_has_no_gradient(smoothing: float) -> None:
    reported = cross_entropy(draw(N, V).requires_grad_(), TARGETS, smoothing)
    close(reported.nats, F.cross_entropy(draw(N, V), TARGETS, reduction="sum"))
    assert not reported.nats.requires_grad
    assert reported.tokens == N


def test_the_loss_of_a_certain_model_is_zero_and_of_a_uniform_one_log_v_per_token() -> None:
    certain, uniform = F.one_hot(TARGETS, V) * 1000.0, torch.zeros(N, V)
    assert cross_entropy(certain, TARGETS, 0.0).smoothed == 0
    for smoothing in (0.0, 0.1):
        assert cross_entropy(uniform, TARGETS, smoothing).smoothed.item() == pytest.approx(N * math.log(V))


@smoothings
def test_logits_in_half_precision_are_summed_in_single(smoothing: float) -> None:
    half = draw(N, V).bfloat16().requires_grad_()
    single = half.detach().float().requires_grad_()
    of_half, of_single = cross_entropy(half, TARGETS, smoothing), cross_entropy(single, TARGETS, smoothing)
    assert of_half.smoothed.dtype == of_half.nats.dtype == torch.float32
    torch.testing.assert_close(of_half, of_single)
    (to_half,), (to_single,) = (torch.autograd.grad(a.smoothed, b) for a, b in ((of_half, half), (of_single, single)))
    assert torch.equal(to_half, to_single.bfloat16())


@pytest.mark.parametrize("block", [1, V, 3 * V, 100 * V])
def test_the_size_of_a_block_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def both() -> list[torch.Tensor]:
        single, double = draw(N, V).requires_grad_(), draw(2 * N, V).requires_grad_()
        values = cross_entropy(single, TARGETS, 0.1).smoothed, consistency(double)
        return [*values, *torch.autograd.grad(sum(values), (single, double))]

    expected = both()
    monkeypatch.setattr(losses, "BLOCK", block)
    close(both(), expected)


def test_consistency_equals_its_formula_and_is_zero_for_equal_passes() -> None:
    logits = draw(2 * N, V).requires_grad_()
    p, q = F.log_softmax(logits, dim=1).chunk(2)
    expected = (F.kl_div(q, p, reduction="sum", log_target=True) + F.kl_div(p, q, reduction="sum", log_target=True)) / 2
    close(consistency(logits), expected)
    close(torch.autograd.grad(consistency(logits) * 0.7, logits), torch.autograd.grad(expected * 0.7, logits))
    same = draw(N, V).repeat(2, 1).requires_grad_()
    assert consistency(same) == 0
    assert not torch.autograd.grad(consistency(same), same)[0].any()


def test_a_second_backward_is_an_error() -> None:
    logits = draw(N, V).requires_grad_()
    once = cross_entropy(logits, TARGETS, 0.1).smoothed
    torch.autograd.grad(once, logits, retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(once, logits)


@every_model
def test_the_loss_of_a_batch_is_the_sum_of_its_sentences_losses(cell: str, context: str) -> None:
    """So its mean over tokens is the token-weighted mean of the sentences' means; likewise the gradients."""
    model, pairs = tiny(cell, context), sentences()
    whole, parts = loss(model, together(pairs)), [loss(model, together([pair])) for pair in pairs]
    assert whole.tokens == sum(part.tokens for part in parts) == sum(len(tgt) - 1 for _, tgt in pairs)
    close(whole.smoothed, sum(part.smoothed for part in parts))
    close(whole.nats, sum(part.nats for part in parts))
    close(
        whole.smoothed / whole.tokens,
        sum(part.smoothed / part.tokens * (part.tokens / whole.tokens) for part in parts),
    )
    of_parts = [gradients(model, together([pair])) for pair in pairs]
    for name, grad in gradients(model, together(pairs)).items():
        close(grad, sum(part[name] for part in of_parts))


@every_model
def test_the_ids_at_padding_change_neither_loss_nor_gradient(cell: str, context: str) -> None:
    model, b = tiny(cell, context), together(sentences())
    for padding in (7, VOCABULARY - 1):
        changed = together(sentences(), padding)
        assert all((getattr(changed, ids) != getattr(b, ids)).any() for ids in ("src", "tgt_in", "tgt_out"))
        close(loss(model, changed), loss(model, b))
        close(gradients(model, changed), gradients(model, b))


def test_a_sample_of_the_whole_vocabulary_is_the_vocabulary() -> None:
    sample = sample_vocabulary(TARGETS, TARGETS[:0], 9, 1.0)
    assert sorted(sample.tokens.tolist()) == list(range(9))
    assert torch.equal(sample.weights, torch.ones(9))
    assert torch.equal(sample.tokens[sample.targets], TARGETS)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9])
def test_a_sample_holds_the_targets_once_and_its_weights_add_up_to_the_vocabulary(share: float) -> None:
    targets, likely = torch.tensor([7, 3, 3, 40]), torch.tensor([9, 40, 9])
    sample = sample_vocabulary(targets, likely, 50, share)
    assert sample.tokens[:4].tolist() == [3, 7, 9, 40]
    assert sample.tokens[sample.targets].tolist() == targets.tolist()
    assert len(set(sample.tokens.tolist())) == len(sample.tokens) == 4 + math.ceil(share * 46)
    assert sample.weights[:4].tolist() == [1, 1, 1, 1]
    assert sample.weights.sum().item() == pytest.approx(50)


def test_over_all_samples_the_sum_of_the_softmax_and_label_smoothing_are_those_of_the_vocabulary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Enumerated: two targets of seven tokens, two of the other five drawn."""
    targets, x = torch.tensor([5, 1, 5]), draw(7)
    sums, means = [], []
    for order in itertools.permutations(range(5)):
        monkeypatch.setattr(torch, "randperm", lambda n, order=order, **_: torch.tensor(order))
        tokens, weights, _ = sample_vocabulary(targets, targets[:0], 7, 0.4)
        assert len(tokens) == 4
        sums.append((weights * x[tokens].exp()).sum())
        means.append((weights * x[tokens]).sum() / weights.sum())
    assert len(set(sums)) > 1
    close(sum(sums) / len(sums), x.exp().sum())
    close(sum(means) / len(means), x.mean())


def sample() -> Sample:
    """Of TARGETS: seven columns, the last two of which stand for 2.5 tokens each."""
    return Sample(torch.arange(V + 2), torch.tensor([1.0] * V + [2.5] * 2), TARGETS)


@smoothings
@pytest.mark.parametrize("mixed", [False, True])
def test_the_loss_of_a_sample_equals_its_formula_forward_and_backward(smoothing: float, mixed: bool) -> None:
    logits, generated, other = (draw(N, n, seed=n).requires_grad_() for n in (V + 2, 1, 2))
    weights = sample().weights.double()
    mixture = Mixture(F.logsigmoid(generated), F.logsigmoid(other[:, :1])) if mixed else None
    ours = cross_entropy(logits, TARGETS, smoothing, mixture, weights)

    log_p = logits - (weights * logits.exp()).sum(1, keepdim=True).log()
    of_targets = log_p[range(N), TARGETS]
    if mixture is not None:
        of_targets = torch.logaddexp(mixture.generated[:, 0] + of_targets, mixture.other[:, 0])
    expected = -(1 - smoothing) * of_targets.sum() - smoothing / weights.sum() * (weights * log_p).sum()
    close(ours.smoothed, expected)
    close(ours.nats, -of_targets.sum().detach())
    inputs = (logits, generated, other) if mixed else (logits,)
    close(
        torch.autograd.grad(ours.smoothed * 0.7, inputs, retain_graph=True),
        torch.autograd.grad(expected * 0.7, inputs),
    )
