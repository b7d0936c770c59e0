"""One update: its gradient, clipping, weight decay, learning rate, batches too large for the memory, divergence."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from reversal_task import assert_same, begin, chosen, end, resumed
from tiny_runs import EVERY_MODEL, EVERY_TRAINING, PLAIN, SHORT, TEXT, around_update
from torch import Tensor

from seq2seq.errors import InputError, WorkError
from seq2seq.folder import checkpoint
from seq2seq.network.loss import cross_entropy
from seq2seq.network.model import Forced, Model
from seq2seq.text.sources import Pair
from seq2seq.training import objective
from seq2seq.training.optimization import learning_rate
from seq2seq.training.pacing import measure
from seq2seq.training.trainer import Trainer


def gradient(trainer: Trainer, batches: list[list[int]]) -> list[Tensor]:
    """The gradient of the first update, in float64; Adam's first moment is a tenth of it."""
    trainer.model.double()
    trainer.data.load_epoch(0)
    trainer._update(batches)
    return [10 * state["exp_avg"] for state in trainer.state.optimizer.state.values()]


def test_the_gradient_is_that_of_the_mean_loss_per_token(tmp_path: Path) -> None:
    trainer = begin(tmp_path, chosen({"clip": 0.0, "label_smoothing": 0.1}, PLAIN), TEXT)
    model = copy.deepcopy(trainer.model).double()
    trainer.data.load_epoch(0)
    batch = trainer.data.batch([0, 1, 2])
    logits = model(batch.src, batch.src_mask, batch.tgt_in, batch.tgt_mask).logits
    loss = cross_entropy(logits, batch.tgt_out[batch.tgt_mask], 0.1)
    expected = torch.autograd.grad(loss.smoothed / loss.tokens, list(model.parameters()))
    torch.testing.assert_close(gradient(trainer, [[0, 1, 2]]), list(expected), rtol=1e-10, atol=1e-14)


def test_an_update_of_two_batches_is_that_of_one_batch(tmp_path: Path) -> None:
    """Each target token has the same weight, though the second batch has fewer."""
    settings = chosen({"clip": 0.0}, PLAIN)
    whole, halves, first = (
        gradient(begin(tmp_path / str(i), settings, TEXT), batches)
        for i, batches in enumerate([[[0, 1, 2, 3, 4]], [[0, 1, 2, 3], [4]], [[0, 1, 2, 3]]])
    )
    torch.testing.assert_close(halves, whole, rtol=1e-10, atol=1e-14)
    assert not torch.allclose(first[0], whole[0], rtol=1e-3)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_is_a_function_of_the_seed_and_the_update(tmp_path: Path, dropout: float) -> None:
    weights = begin(tmp_path, chosen(), TEXT).weights

    def drawn(seed: int, step: int) -> list[Tensor]:
        trainer = begin(tmp_path, chosen({"seed": seed}, {**PLAIN, "dropout": dropout}), TEXT)
        checkpoint.load_weights(trainer.model, weights)
        trainer.progress.step = step
        return gradient(trainer, [[0, 1, 2]])

    one = drawn(1, 0)
    assert torch.equal(drawn(1, 0)[0], one[0])
    for other in (drawn(2, 0), drawn(1, 1)):
        assert torch.equal(other[0], one[0]) == (dropout == 0.0)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_r_drop_without_dropout_leaves_the_gradient_unchanged(tmp_path: Path, dropout: float) -> None:
    """The two passes are equal then; with dropout the weight of the consistency loss matters."""
    model = {**PLAIN, "dropout": dropout}
    one, two, weighted_twice = (
        gradient(begin(tmp_path / str(weight), chosen({"clip": 0.0, "consistency": weight}, model), TEXT), [[0, 1, 2]])
        for weight in (0.0, 1.0, 2.0)
    )
    if dropout == 0.0:
        torch.testing.assert_close(two, one, rtol=1e-10, atol=1e-14)
    else:
        assert not torch.allclose(two[0], weighted_twice[0], rtol=1e-3)


@pytest.mark.parametrize("copied", [False, True])
def test_a_sampled_softmax_has_the_gradient_of_the_loss_over_its_sample(tmp_path: Path, copied: bool) -> None:
    """Against the logits of the whole vocabulary at the sample's tokens; each update draws another sample."""
    model = {**PLAIN, "copy": copied, "tied": "all" if copied else "target"}
    settings = chosen({"clip": 0.0, "label_smoothing": 0.1, "sampled_softmax": 0.2}, model, joint=copied)
    trainer = begin(tmp_path, settings, TEXT)
    reference = copy.deepcopy(trainer.model).double()
    trainer.data.load_epoch(0)
    batch = trainer.data.batch([0, 1, 2])
    targets, samples = batch.tgt_out[batch.tgt_mask], []
    real = objective.sample_vocabulary
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objective, "sample_vocabulary", lambda *a: samples.append(real(*a)) or samples[-1])
        actual = gradient(trainer, [[0, 1, 2]])
        gradient(trainer, [[0, 1, 2]])
    tokens, weights, places = samples[0]
    assert set(targets.tolist()) < set(tokens.tolist()) != set(samples[1].tokens.tolist())
    assert len(tokens) < reference.output.out_features

    forced = reference(batch.src, batch.src_mask, batch.tgt_in, batch.tgt_mask)
    logits, mixture = forced.logits[:, tokens], reference.mixture(forced, targets)
    loss = cross_entropy(logits, places, 0.1, mixture, weights)
    expected = torch.autograd.grad(loss.smoothed / loss.tokens, list(reference.parameters()))
    torch.testing.assert_close(actual, list(expected), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("tied", ["all", "target"])
def test_a_sampled_softmax_sums_over_the_source_tokens_that_the_model_may_copy(tmp_path: Path, tied: str) -> None:
    """Those of one table for both sides; some source tokens are no target tokens."""
    settings = chosen({"sampled_softmax": 0.01}, {**PLAIN, "tied": tied}, joint=True)
    model = begin(tmp_path, settings, TEXT).model
    vocabulary = model.output.out_features
    drawn = objective.Objective(model, settings.training, "cpu").sample(
        torch.tensor([5, 6]), torch.tensor([7, 5, vocabulary]), elapsed=0.5
    )
    assert drawn is not None
    assert drawn.tokens[drawn.weights == 1].tolist() == ([5, 6, 7] if tied == "all" else [5, 6])


def test_the_last_fifth_of_the_updates_sums_over_the_whole_vocabulary(tmp_path: Path) -> None:
    """Its gradient is that of a run without a sampled softmax; the updates before have another one."""

    def gradient_of(share: float, update: int) -> list[Tensor]:
        trainer = begin(tmp_path / f"{share}{update}", chosen({"updates": 10, "sampled_softmax": share}, PLAIN), TEXT)
        trainer.progress.step = update - 1
        return gradient(trainer, [[0, 1, 2]])

    same = [
        all(torch.equal(*pair) for pair in zip(gradient_of(0.2, update), gradient_of(1.0, update), strict=True))
        for update in (1, 8, 9, 10)
    ]
    assert same == [False, False, True, True]


def test_the_speed_is_measured_in_each_fifth_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last has slower updates with a sampled softmax."""
    trainer = begin(tmp_path, chosen({"updates": 50, "sampled_softmax": 0.2}, PLAIN), TEXT)
    update, steps = trainer.training_step.update, list[int]()
    monkeypatch.setattr(
        trainer.training_step, "update", lambda state, b: (update(state, b), steps.append(trainer.progress.step))
    )
    measure(trainer)
    assert [sum(step == 10 * fifth + 1 for step in steps) for fifth in range(5)] == [7, 7, 7, 6, 6]


def test_a_sampled_softmax_with_r_drop_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sampled_softmax = 0\.5"):
        begin(tmp_path, chosen({"consistency": 1.0, "sampled_softmax": 0.5}), TEXT)


@pytest.mark.parametrize("clip", [0.0, 1e-2, 1e6])
def test_the_gradient_is_clipped_to_the_largest_norm(tmp_path: Path, clip: float) -> None:
    free = gradient(begin(tmp_path / "free", chosen({"clip": 0.0}, PLAIN), TEXT), [[0, 1, 2]])
    norm = torch.cat([g.flatten() for g in free]).norm().item()
    assert norm > 0.1
    clipped = gradient(begin(tmp_path / "clipped", chosen({"clip": clip}, PLAIN), TEXT), [[0, 1, 2]])
    share = clip / norm if clip == 1e-2 else 1.0
    torch.testing.assert_close(clipped, [share * g for g in free], rtol=1e-3, atol=1e-12)


def test_weight_decay_is_decoupled(tmp_path: Path) -> None:
    """AdamW subtracts rate * decay * w from each weight w, whatever its gradient (Loshchilov & Hutter 2019)."""
    after = []
    for decay in (0.0, 0.5):
        trainer = begin(tmp_path / str(decay), chosen({"weight_decay": decay, "warmup": 0}, PLAIN), TEXT)
        before = {name: w.double() for name, w in trainer.weights.items()}
        gradient(trainer, [[0, 1, 2]])
        after.append(checkpoint.weights_of(trainer.model))
        rate = trainer.state.optimizer.param_groups[0]["lr"]
    for name, w in before.items():
        torch.testing.assert_close(after[1][name], after[0][name] - rate * 0.5 * w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt", "cosine"])
def test_each_update_has_the_learning_rate_of_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    rates = []
    around_update(monkeypatch, lambda trainer: rates.append(trainer.state.optimizer.param_groups[0]["lr"]))
    trainer = begin(tmp_path, chosen({"schedule": schedule, "epochs": 1}), TEXT)
    trainer.run(quiet=True)
    steps = range(1, trainer.total + 1)
    assert rates == [learning_rate(trainer.config, step, trainer.total) for step in steps]
    assert len(rates) > 5


def test_separate_tokenizers_cannot_share_one_embedding(tmp_path: Path) -> None:
    """Even if their vocabularies have the same size."""
    with pytest.raises(InputError, match=r"model\.tied = 'all' needs one vocabulary.*set tokenizer\.joint = true"):
        begin(tmp_path, chosen({}, {"tied": "all"}, joint=False), TEXT)


# ---- out of memory ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fits", [1, 3])
def test_a_batch_that_does_not_fit_in_memory_is_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: int
) -> None:
    """The update stays the same."""
    settings, real, refused, log = chosen({"accumulate": 2}, PLAIN), Model.forward, [], list[str]()

    def forward(self: Model, src: Tensor, *others: Tensor) -> Forced:
        if len(src) > fits:
            refused.append(len(src))
            torch.empty(2**60)
        return real(self, src, *others)

    one, two = begin(tmp_path / "one", settings, TEXT), begin(tmp_path / "two", settings, TEXT, log.append)
    for start in (0, 2):
        one._update(one.data.load_epoch(0)[start : start + 2])
    with monkeypatch.context() as context:
        context.setattr(Model, "forward", forward)
        for start in (0, 2):
            two._update(two.data.load_epoch(0)[start : start + 2])
    assert len(refused) == len(log) > 2
    assert log[0] == "update 1: out of memory; continuing with 4 smaller batches"
    for name, weight in one.weights.items():
        torch.testing.assert_close(two.weights[name], weight, rtol=1e-3, atol=1e-5)
    assert two.progress.nats == pytest.approx(one.progress.nats)


def test_a_sentence_that_does_not_fit_in_memory_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "forward", lambda *arguments: torch.empty(2**60))
    with pytest.raises(WorkError, match=r"memory does not suffice for one sentence .*; lower data\.max_words"):
        begin(tmp_path, chosen(), TEXT).run(quiet=True)


def test_other_errors_are_not_taken_for_out_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "forward", lambda *arguments: torch.ones(2) @ torch.ones(3))
    with pytest.raises(RuntimeError, match="size"):
        begin(tmp_path, chosen(), TEXT).run(quiet=True)


# ---- divergence ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["loss", "gradient", "explosion"])
def test_divergence_stops_the_run_and_the_last_checkpoint_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    settings = chosen({**EVERY_TRAINING, "metric": "loss"}, EVERY_MODEL)
    begin(tmp_path / "whole", settings, SHORT).run(quiet=True)

    trainer, real = begin(tmp_path / "diverged", settings, SHORT), Trainer._update
    nans = torch.full((trainer.model.config.embedding,), math.nan)

    def update(self: Trainer, batches: list[Any]) -> None:
        if self.progress.step == 7:  # the update before a validation
            bias = self.model.decoder.readout.bias
            if where == "loss":
                bias.data[:] = nans
            elif where == "explosion":
                self.model.output.bias.data[0] = 1e4
            else:
                bias.register_hook(lambda grad: nans)
        real(self, batches)

    with monkeypatch.context() as context, pytest.raises(WorkError) as stopped:
        context.setattr(Trainer, "_update", update)
        trainer.run(quiet=True)
    for words in ("at update 8", "lower training.learning_rate", "training.precision = 'fp32'"):
        assert words in str(stopped.value)
    stopped_at = tmp_path / "diverged" / "stopped.tsv"
    assert str(stopped_at) in str(stopped.value)
    pairs = [Pair(*line.split("\t")) for line in stopped_at.read_text().splitlines()]
    plan, i = trainer.data.load_epoch(trainer.progress.epoch), trainer.progress.batch
    rows = [row for batch in plan[i : i + 2] for row in batch]  # two batches per update
    assert pairs == [Pair(trainer.data.lines[0][row], trainer.data.lines[1][row]) for row in rows]
    weights = checkpoint.weights_of(checkpoint.load_model(tmp_path / "diverged").engine.models[0])
    assert all(w.isfinite().all() for w in weights.values())
    trainer = resumed(tmp_path / "diverged", SHORT)
    assert trainer.progress.step == 4
    trainer.run(quiet=True)
    assert_same(end(tmp_path / "diverged"), end(tmp_path / "whole"))
