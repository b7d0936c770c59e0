"""Law 11: a model learns; and the loop: losses, validation, averages, early stop, metrics, environment, bar."""

import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from reversal_task import Learnt, begin, chosen, resumed
from tiny_models import every_cell
from tiny_runs import PLAIN, SHORT, TEXT, Update, around_update, run_until, terminated
from torch import Tensor

from seq2seq.folder import checkpoint
from seq2seq.network.loss import cross_entropy
from seq2seq.text.corpus import Corpus
from seq2seq.training import validation
from seq2seq.training.collation import collate
from seq2seq.training.state import Progress
from seq2seq.training.trainer import KERNEL_CACHES, Trainer
from seq2seq.training.validation import Scores, Validator
from seq2seq.translation.translator import LineTranslator


def test_it_learns_to_reverse_digits(learnt: Learnt) -> None:
    bundle = checkpoint.load_model(learnt.folder)
    translations = LineTranslator(bundle, bundle.search).translate([pair.src for pair in learnt.unseen])
    exact = sum(y == pair.tgt for y, pair in zip(translations, learnt.unseen, strict=True)) / len(translations)
    assert exact >= 0.95
    assert learnt.cpu_seconds < 20


@every_cell
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_batch_can_be_overfitted(tmp_path: Path, cell: str, smoothing: float) -> None:
    """The loss falls near 0; with smoothing, near the entropy of the smoothed target and never below it."""
    text = Corpus(SHORT.train[:6], SHORT.dev[:1], {}, SHORT.report)
    settings = {"updates": 150, "warmup": 10, "schedule": "constant", "learning_rate": 0.02, "validate_every": 150}
    smoothed = chosen(
        {**settings, "label_smoothing": smoothing, "ema": 0.0},
        {**PLAIN, "cell": cell, "context": "general", "hidden": 32, "embedding": 16, "encoder_hidden": [16, 16]},
    )
    trainer = begin(tmp_path, smoothed, text)
    assert len(trainer.data.load_epoch(0)) == 1
    trainer.run(quiet=True)
    batch = trainer.data.batch([0, 1, 2, 3, 4, 5])
    logits = trainer.model(batch.src, batch.src_mask, batch.tgt_in, batch.tgt_mask).logits
    loss = cross_entropy(logits, batch.tgt_out[batch.tgt_mask], smoothing)
    per_token, share = loss.smoothed.item() / loss.tokens, smoothing / logits.shape[-1]
    reference = 1 - smoothing + share  # the target probability of the reference token
    least = -reference * math.log(reference) - ((logits.shape[-1] - 1) * share * math.log(share) if smoothing else 0.0)
    assert least <= per_token < least + 0.1
    assert loss.nats.item() / loss.tokens < (0.03 if smoothing == 0.0 else 0.3)


def test_bf16_trains_as_well_as_fp32(tmp_path: Path) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        settings = chosen({"precision": precision, "epochs": 8, "schedule": "constant"}, PLAIN)
        trainer = begin(tmp_path / precision, settings, TEXT)
        trainer.run(quiet=True)
        losses[precision] = [line["dev_loss"] for line in trainer.progress.metrics]
        assert all(w.dtype == torch.float32 for w in trainer.weights.values())
    assert losses["fp32"] != losses["bf16"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)
    assert losses["fp32"][-1] < 0.6 * losses["fp32"][0]


def test_the_reported_losses_are_nats_per_token(tmp_path: Path) -> None:
    """With a learning rate of 0, an epoch's loss is that of all pairs, computed one by one."""
    trainer = begin(tmp_path, chosen({"learning_rate": 0.0, "epochs": 1, "label_smoothing": 0.3}, PLAIN), TEXT)
    trainer.run(quiet=True)
    [line] = trainer.progress.metrics
    for key, pairs in (("train_loss", TEXT.train), ("dev_loss", TEXT.dev)):
        nats, tokens = 0.0, 0
        for pair in pairs:
            ids = [[t.encode([text])[0]] for t, text in zip(trainer.tokenizers, pair, strict=True)]
            batch = collate(*ids, [0])
            model = trainer.validator.model
            logits, _ = model.advance(batch.tgt_in, model.start(batch.src, batch.src_mask))
            nats -= torch.log_softmax(logits[0], -1)[range(batch.tgt_out.shape[1]), batch.tgt_out[0]].sum().item()
            tokens += batch.tgt_out.shape[1]
        assert line[key] == pytest.approx(nats / tokens, abs=1e-4)


def test_an_update_has_batches_of_one_epoch_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = len(begin(tmp_path, chosen(), TEXT).data.load_epoch(0))
    trainer, sizes = begin(tmp_path, chosen({"accumulate": plan - 1, "epochs": 2}), TEXT), []
    real: Update = Trainer._update
    monkeypatch.setattr(Trainer, "_update", lambda self, batches: (sizes.append(len(batches)), real(self, batches)))
    trainer.run(quiet=True)
    assert sizes == [plan - 1, 1] * 2
    assert trainer.total == 4


# ---- validation ------------------------------------------------------------------------------------------------------


class ScriptedRun(NamedTuple):
    """A finished run with scripted dev scores."""

    trainer: Trainer
    weights: list[dict[str, Tensor]]  # at each validation


def run_scripted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, scores: dict[str, list[float]], **settings: Any
) -> ScriptedRun:
    """A run with these dev scores, one per validation; a metric that is left out is always 1."""

    def scripted(metric: str) -> Iterator[float]:
        yield from scores.get(metric, [1.0] * 100)

    script = map(Scores, *map(scripted, Scores._fields[:3]))
    monkeypatch.setattr(Validator, "validate", lambda self, weights: next(script))
    weights: list[dict[str, Tensor]] = []
    scripted_settings = chosen({"validate_every": 2, "updates": 100, "ema": 0.0, **settings})
    trainer = begin(
        folder, scripted_settings, TEXT, lambda line: weights.append({k: w.clone() for k, w in trainer.weights.items()})
    )
    trainer.run(quiet=True)
    return ScriptedRun(trainer, weights)


def assert_holds(folder: Path, weights: dict[str, Tensor]) -> None:
    held = checkpoint.weights_of(checkpoint.load_model(folder).engine.models[0])
    assert held.keys() == weights.keys()
    assert all(torch.equal(held[name], w) for name, w in weights.items())


SCORES = {"bleu": [3.0, 1.0, 2.0, 3.0], "chrf": [1.0, 4.0, 2.0, 3.0], "loss": [9.0, 8.0, 7.0, 7.5]}


@pytest.mark.parametrize(("metric", "best"), [("bleu", 3), ("chrf", 1), ("loss", 2)])
def test_the_metric_chooses_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str, best: int
) -> None:
    """The highest score or the lowest loss; of two equal BLEU the one with the higher chrF."""
    run = run_scripted(tmp_path, monkeypatch, SCORES, metric=metric, updates=8)
    assert [line["step"] for line in run.trainer.progress.metrics] == [2, 4, 6, 8]
    assert run.trainer.progress.best_step == 2 * (best + 1)
    assert abs(run.trainer.progress.best) == max(SCORES[metric]) if metric != "loss" else 7.0
    assert [line[f"dev_{metric}"] for line in run.trainer.progress.metrics] == SCORES[metric]
    assert_holds(tmp_path, run.weights[best])
    assert not torch.equal(*(run.weights[i]["output.bias"] for i in (0, 1)))


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ({"bleu": [0.0, 0.0, 0.0], "chrf": [1.0, 3.0, 2.0]}, 1),
        ({"bleu": [0.04, 0.02, 0.03], "chrf": [1.0, 2.0, 3.0]}, 2),  # each is printed as 0.0
        ({"bleu": [0.04, 0.06, 0.03], "chrf": [3.0, 1.0, 2.0]}, 1),
        ({"bleu": [0.0, 0.0, 0.0], "chrf": [0.0, 0.0, 0.0], "loss": [3.0, 2.0, 2.5]}, 1),
        ({"bleu": [5.0, 5.0, 5.0], "chrf": [2.0, 2.0, 1.0], "loss": [3.0, 2.0, 1.0]}, 1),
        ({"bleu": [5.0, 5.0, 5.0], "chrf": [2.0, 2.0, 2.0], "loss": [3.0, 3.0, 3.0]}, 0),
    ],
)
def test_chrf_and_then_the_loss_choose_between_equal_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: dict[str, list[float]], best: int
) -> None:
    run = run_scripted(tmp_path, monkeypatch, scores, updates=6)
    assert run.trainer.progress.best_step == 2 * (best + 1)
    assert_holds(tmp_path, run.weights[best])


@pytest.mark.parametrize(("scores", "validations"), [({"chrf": [1.0, 2.0, 3.0]}, 3), ({"loss": [3.0, 2.0, 1.0]}, 2)])
def test_a_better_chrf_of_the_same_bleu_counts_for_patience_and_a_better_loss_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: dict[str, list[float]], validations: int
) -> None:
    run = run_scripted(tmp_path, monkeypatch, scores, updates=6, patience=1)
    assert len(run.weights) == validations
    assert run.trainer.progress.best_step == 2 * validations


def test_a_state_of_an_earlier_version_keeps_the_first_of_equal_scores() -> None:
    progress = Progress(step=4, best=3.0, best_step=2)
    assert not progress.add_score((3.0, 9.0, -1.0), chosen().training)
    assert progress.add_score((3.1, 1.0, -9.0), chosen().training)


@pytest.mark.parametrize(("patience", "validations"), [(1, 3), (2, 7), (3, 8), (0, 9)])
def test_patience_ends_a_run_that_does_not_improve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: int, validations: int
) -> None:
    scores = [5.0, 4.0, 4.5, 3.0, 2.5, 3.5, 2.6, 2.7, 2.8]  # the best are the second, the fourth and the fifth
    run = run_scripted(tmp_path, monkeypatch, {"loss": scores}, metric="loss", patience=patience, updates=18)
    assert len(run.weights) == len(run.trainer.progress.metrics) == validations
    assert run.trainer.progress.step == 2 * validations
    assert_holds(tmp_path, run.weights[scores.index(min(scores[:validations]))])
    if patience:  # a run that stopped early is finished
        again = resumed(tmp_path, TEXT)
        again.run(quiet=True)
        assert again.progress.step == 2 * validations


def test_plateau_halves_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every second validation in a row without a better score; a better score resets the count."""
    rates: list[float] = []
    around_update(monkeypatch, lambda trainer: rates.append(trainer.state.optimizer.param_groups[0]["lr"]))
    settings = {"schedule": "plateau", "plateau_patience": 2, "warmup": 0, "learning_rate": 0.01, "updates": 18}
    scores = [5.0, 6.0, 6.0, 6.0, 6.0, 4.0, 6.0, 6.0, 6.0]
    run = run_scripted(tmp_path, monkeypatch, {"loss": scores}, metric="loss", **settings)
    scales = [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125]
    assert [line["learning_rate"] for line in run.trainer.progress.metrics] == [0.01 * scale for scale in scales]
    assert rates == [0.01 * scale for scale in [1, *scales[:-1]] for _ in range(2)]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "inverse_sqrt"])
def test_no_other_schedule_depends_on_the_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    assert run_scripted(tmp_path, monkeypatch, {}, schedule=schedule, updates=8).trainer.progress.rate_scale == 1.0


@pytest.mark.parametrize("last", [1, 2, 3])
def test_the_weights_of_the_last_validations_are_averaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    run = run_scripted(
        tmp_path, monkeypatch, {"loss": [4.0, 3.0, 2.0, 1.0]}, metric="loss", average_last=last, updates=8
    )
    mean = {name: torch.stack([w[name] for w in run.weights[-last:]]).mean(0) for name in run.weights[0]}
    assert_holds(tmp_path, mean)
    assert not run.trainer.state.average


def test_the_moving_average_is_validated_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It starts at the initial weights and is updated after each update."""
    weights: list[dict[str, Tensor]] = []
    record = lambda trainer: weights.append({k: w.double() for k, w in trainer.weights.items()})  # noqa: E731
    around_update(monkeypatch, record)
    trainer = begin(tmp_path, chosen({"ema": 0.5, "updates": 12, "validate_every": 12}), TEXT)
    expected = {name: w.double() for name, w in trainer.weights.items()}
    trainer.run(quiet=True)
    for step, now in enumerate(weights, 1):
        d = min(0.5, (1 + step) / (10 + step))
        expected = {name: d * w + (1 - d) * now[name] for name, w in expected.items()}
    for held in (trainer.state.average, checkpoint.weights_of(trainer.validator.model)):
        torch.testing.assert_close({k: w.double() for k, w in held.items()}, expected, rtol=1e-5, atol=1e-6)
    assert_holds(tmp_path, trainer.state.average)
    assert not torch.allclose(expected["output.bias"], weights[-1]["output.bias"], rtol=1e-3)


@pytest.mark.parametrize(
    ("settings", "validated"),
    [
        ({"epochs": 2}, ["epoch", "end"]),
        ({"updates": 5}, [5]),
        ({"updates": 5, "validate_every": 2}, [2, 4, 5]),
        ({"updates": 4, "validate_every": 2}, [2, 4]),
        ({"epochs": 1, "validate_every": 10_000}, ["end"]),
    ],
)
def test_the_updates_that_are_validated(tmp_path: Path, settings: dict[str, int], validated: list[Any]) -> None:
    trainer = begin(tmp_path, chosen(settings), TEXT)
    steps = {"epoch": len(trainer.data.load_epoch(0)), "end": trainer.total}
    trainer.run(quiet=True)
    expected = [steps.get(step, step) for step in validated]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == expected
    kept = sorted((tmp_path / "training").iterdir())
    assert [int(path.stem.removeprefix("step-")) for path in kept] == expected[-trainer.config.keep :]
    assert trainer.progress.step == trainer.total == expected[-1]


def test_a_validation_is_logged(tmp_path: Path) -> None:
    log: list[str] = []
    trainer = begin(tmp_path, chosen({"updates": 3}), TEXT, log.append)
    trainer.run(quiet=True)
    [line] = trainer.progress.metrics
    assert log[0].startswith(f"epoch 1  update 3  train loss {line['train_loss']:.3f}  dev loss ")
    assert len(log) == 1
    assert line["tgt_tokens_per_s"] > 0
    assert 0 <= line["minutes"] < 1


def test_the_dev_loss_leaves_out_very_long_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(name: str) -> tuple[float, list[str]]:
        log: list[str] = []
        trainer = begin(tmp_path / name, chosen({"updates": 2}), TEXT, log.append)
        trainer.run(quiet=True)
        return trainer.progress.metrics[-1]["dev_loss"], [line for line in log if "leaves out" in line]

    whole, notes = trained("whole")
    assert not notes
    monkeypatch.setattr(validation, "LONGEST", 4)
    some, notes = trained("some")
    assert some != whole and len(notes) == 1 and "pairs of more than 4 tokens" in notes[0]
    monkeypatch.setattr(validation, "LONGEST", 0)
    assert trained("none")[0] == 0


def test_a_parameter_without_gradient_is_logged_once(tmp_path: Path) -> None:
    """At the first validation, and not at the second."""
    for frozen in ((), ("src_embedding.table.weight",)):
        log: list[str] = []
        trainer = begin(tmp_path / str(len(frozen)), chosen({"epochs": 2}), TEXT, log.append)
        for name, parameter in trainer.model.named_parameters():
            if name in frozen:
                parameter.register_hook(torch.zeros_like)
        trainer.run(quiet=True)
        notes = [line for line in log if "does not train" in line]
        assert notes == [
            f"note: {name} has had no gradient in {trainer.total // 2} updates; it does not train" for name in frozen
        ]


def test_tensorboard_gets_every_validation_if_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, str, float, int]] = []

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            self.folder = folder

        def __enter__(self) -> "SummaryWriter":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((self.folder, name, value, step))

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=SummaryWriter))
    trainer = begin(tmp_path, chosen({"updates": 4, "validate_every": 2}), TEXT)
    trainer.run(quiet=True)
    metrics = trainer.progress.metrics
    assert [line["step"] for line in metrics] == [2, 4]
    folder = str(tmp_path / "tensorboard")
    assert written == [(folder, name, value, line["step"]) for line in metrics for name, value in line.items()]


# ---- the program that trains -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["end", "signal", "error"])
def test_the_environment_is_restored_after_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """The limits of the kernel caches hold during training alone, and a limit that the user has set stays."""
    limits: list[list[str | None]] = []
    unset, own = KERNEL_CACHES
    monkeypatch.delenv(unset, raising=False)
    monkeypatch.setenv(own, "7")
    before = dict(os.environ)

    def record(trainer: Trainer) -> None:
        limits.append([os.environ.get(name) for name in (unset, own)])
        if ending == "error":
            raise RuntimeError("of the test")

    trainer = begin(tmp_path, chosen({"epochs": 1}), TEXT)
    if ending == "signal":
        run_until(trainer, 1, terminated)
    else:
        around_update(monkeypatch, record)
        with nullcontext() if ending == "end" else pytest.raises(RuntimeError, match="of the test"):
            trainer.run(quiet=True)
        assert limits[0] == [KERNEL_CACHES[unset], "7"]
    assert dict(os.environ) == before
