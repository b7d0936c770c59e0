"""Laws 8 and 11: a run that was stopped and resumed is one that was not, and it learns; and what each setting does."""

import copy
import errno
import json
import math
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from reversal_task import End, Learnt, assert_same, begin, chosen, corpus, end, resumed, silent
from tiny_models import every_cell
from torch import Tensor

from seq2seq.errors import InputError, Interrupted, WorkError
from seq2seq.folder import checkpoint, files
from seq2seq.network.loss import cross_entropy
from seq2seq.network.model import Model
from seq2seq.text.corpus import Corpus
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import BOS
from seq2seq.training import resume
from seq2seq.training.collation import collate
from seq2seq.training.epochs import TrainingData
from seq2seq.training.optimization import learning_rate
from seq2seq.training.settings import Settings
from seq2seq.training.signals import listening
from seq2seq.training.trainer import Trainer
from seq2seq.training.validation import Scores, Validator
from seq2seq.translation.translator import LineTranslator

PLAIN = {"dropout": 0.0, "readout_dropout": 0.0}

# Everything at once that has a state or draws random numbers.
EVERY_MODEL = {"dropout": 0.2, "readout_dropout": 0.2, "word_dropout": 0.1, "variational": True, "encoder_layers": 2}
EVERY_TRAINING = {
    "epochs": 4,
    "accumulate": 2,
    "schedule": "plateau",
    "learning_rate": 0.03,
    "scheduled_sampling": 0.5,
    "consistency": 0.5,
    "ema": 0.9,
    "average_last": 2,
    "validate_every": 4,
    "metric": "chrf",
    "keep": 2,
}
TEXT = corpus(60, 8)
Update = Callable[[Trainer, list[Any]], None]


class Killed(Exception):  # noqa: N818 (no error: it is what the test is about)
    """No signal that could be handled: the power is gone."""


def killed() -> None:
    raise Killed


def terminated() -> None:
    signal.raise_signal(signal.SIGTERM)


def around_update(monkeypatch: pytest.MonkeyPatch, after: Callable[[Trainer], None]) -> None:
    """Let something happen behind each update."""
    real: Update = Trainer._update

    def update(self: Trainer, group: list[Any]) -> None:
        real(self, group)
        after(self)

    monkeypatch.setattr(Trainer, "_update", update)


def run_until(trainer: Trainer, step: int, stop: Callable[[], None]) -> None:
    """Run, and be stopped behind the update of this number."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        around_update(monkeypatch, lambda trainer: stop() if trainer.progress.step == step else None)
        with pytest.raises((Interrupted, Killed)):
            trainer.run(quiet=True)
    assert trainer.progress.step == step
    torch.manual_seed(99)  # nobody may count on what the generators happen to hold
    random.seed(99)


# ---- law 8: resume = never stopped -----------------------------------------------------------------------------------


class Unstopped(NamedTuple):
    settings: Settings
    end: End


@pytest.fixture(scope="module", params=["rnn", "gru", "lstm", "gru in bf16", "gru by two"])
def unstopped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Unstopped:
    cell, *how = request.param.split()
    wanted = chosen(
        {**EVERY_TRAINING, "precision": "bf16" if "bf16" in how else "fp32", "workers": 1 + ("two" in how)},
        {**EVERY_MODEL, "cell": cell},
        sampling=0.3,
    )
    folder = tmp_path_factory.mktemp("unstopped")
    trainer = begin(folder, wanted, TEXT)
    trainer.run(quiet=True)
    result = end(folder)
    assert trainer.total > 12
    assert trainer.progress.epoch > 0
    rates = [line["learning_rate"] for line in trainer.progress.metrics]
    assert rates[-1] < rates[0]  # plateau halved it, so there was something to remember
    moments = {"step", "exp_avg", "exp_avg_sq"}
    assert result.groups.keys() == {"weights", "average", "snapshot-0", "snapshot-1"} | moments
    return Unstopped(wanted, result)


@pytest.mark.parametrize("stops", [[1], [4], [5], [7, 8], [2, 6, 11], [-1]])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    unstopped: Unstopped, tmp_path: Path, stops: list[int]
) -> None:
    trainer = begin(tmp_path, unstopped.settings, TEXT)
    for stop in stops:
        step = stop % trainer.total
        run_until(trainer, step, terminated)
        trainer = resumed(tmp_path, TEXT)
        assert trainer.progress.step == step  # it does not begin again, which would end the same way
    trainer.run(quiet=True)
    assert_same(end(tmp_path), unstopped.end)


@pytest.mark.parametrize("step", [4, 6, 9])
def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(
    unstopped: Unstopped, tmp_path: Path, step: int
) -> None:
    run_until(begin(tmp_path, unstopped.settings, TEXT), step, killed)
    if step == 4:  # before it could validate
        with pytest.raises(InputError, match="there is nothing to resume"):
            resumed(tmp_path, TEXT)
        return
    trainer = resumed(tmp_path, TEXT)
    assert trainer.progress.step == step // 4 * 4
    trainer.run(quiet=True)
    assert_same(end(tmp_path), unstopped.end)


@pytest.mark.parametrize("broken", ["model.safetensors", "metrics.jsonl", "step-00000008.safetensors"])
def test_a_disk_that_fills_up_costs_no_more_than_the_way_back_to_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    wanted = chosen({**EVERY_TRAINING, "metric": "loss"}, EVERY_MODEL)
    begin(tmp_path / "whole", wanted, TEXT).run(quiet=True)

    real = files.write

    def full(path: Path, content: bytes) -> None:
        if path.name == broken and trainer.progress.step == 8:
            raise WorkError(f"cannot write {path}: {os.strerror(errno.ENOSPC)}")
        real(path, content)

    trainer = begin(tmp_path / "full", wanted, TEXT)
    with monkeypatch.context() as context:
        context.setattr(files, "write", full)
        with pytest.raises(WorkError, match="No space left on device"):
            trainer.run(quiet=True)
    checkpoint.load_model(tmp_path / "full")
    trainer = resumed(tmp_path / "full", TEXT)
    assert trainer.progress.step == 4
    trainer.run(quiet=True)
    assert_same(end(tmp_path / "full"), end(tmp_path / "whole"))


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path, chosen(), TEXT).run(quiet=True)
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    around_update(monkeypatch, lambda trainer: killed())
    resumed(tmp_path, TEXT).run(quiet=True)
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    ends = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        wanted = chosen({**EVERY_TRAINING, "seed": seed}, EVERY_MODEL, sampling=0.3)
        begin(tmp_path / name, wanted, TEXT).run(quiet=True)
        ends.append(end(tmp_path / name))
    assert_same(ends[0], ends[1])
    assert ends[0].model != ends[2].model
    assert ends[0].metrics != ends[2].metrics


def test_other_text_is_refused(tmp_path: Path) -> None:
    """A changed word, a swapped pair, one pair from train in dev; of the tests nothing is known yet."""
    trainer = begin(tmp_path, chosen({"epochs": 1}), TEXT)
    trainer.run(quiet=True)
    train, dev = TEXT.train, TEXT.dev
    changed = Pair(train[0].src, train[0].tgt + " 1")
    for other in (
        TEXT._replace(train=[changed, *train[1:]]),
        TEXT._replace(train=[train[1], train[0], *train[2:]]),
        TEXT._replace(train=train[:-1], dev=[train[-1], *dev]),
        TEXT._replace(dev=dev[1:]),
    ):
        with pytest.raises(InputError, match="the text or the tokenizer is not the one"):
            resumed(tmp_path, other)
    resumed(tmp_path, TEXT._replace(tests={"test": dev}))


def test_the_states_of_another_model_are_refused(tmp_path: Path) -> None:
    """Who changes [model] in config.toml and resumes is told so."""
    begin(tmp_path, chosen(), TEXT).run(quiet=True)
    path = tmp_path / "config.toml"
    for old, new in (("hidden = 7", "hidden = 8"), ("decoder_layers = 1", "decoder_layers = 2")):
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))
        with pytest.raises(InputError, match=r"does not fit config\.toml"):
            resumed(tmp_path, TEXT)
        path.write_text(text)
    resumed(tmp_path, TEXT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"ema": 0.0}, {"ema": 0.9}),
        ({"ema": 0.9}, {"ema": 0.0}),
        ({"average_last": 1}, {"average_last": 3}),
        ({"average_last": 3}, {"average_last": 1}),
        ({"accumulate": 1}, {"accumulate": 2}),
    ],
)
def test_a_run_may_be_resumed_with_other_settings(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    settings = {"updates": 12, "validate_every": 2}
    run_until(begin(tmp_path, chosen({**settings, **before}), TEXT), 7, terminated)
    trainer = resumed(tmp_path, TEXT, training={**settings, **after})
    trainer.run(quiet=True)
    assert trainer.progress.step == 12
    assert len(trainer.snapshots) == trainer.config.average_last
    assert bool(trainer.average) == (trainer.config.ema > 0)
    checkpoint.load_model(tmp_path)


def test_a_shorter_average_is_of_the_newest(tmp_path: Path) -> None:
    settings = {"updates": 12, "validate_every": 2, "ema": 0.0}
    trainer = begin(tmp_path, chosen({**settings, "average_last": 3}), TEXT)
    run_until(trainer, 7, terminated)
    newest = trainer.snapshots[1:]
    again = resumed(tmp_path, TEXT, training={**settings, "average_last": 2})
    run_until(again, 8, terminated)
    assert all(torch.equal(again.snapshots[0][name], w) for name, w in newest[-1].items())


# ---- signals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_state_and_says_how_to_go_on(tmp_path: Path, signum: signal.Signals) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    trainer = begin(tmp_path, chosen(), TEXT)
    with pytest.MonkeyPatch.context() as monkeypatch, pytest.raises(Interrupted) as stopped:
        around_update(monkeypatch, lambda t: signal.raise_signal(signum) if t.progress.step == 3 else None)
        trainer.run(quiet=True)
    assert stopped.value.signum == signum
    assert str(stopped.value) == f"stopped after update 3; go on with --resume {tmp_path}"
    assert resume.load(tmp_path)[1]["step"] == 3
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


def test_who_asks_twice_need_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt), listening() as caught:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)  # a launcher may send the other kind after the first
        assert caught == [signal.SIGTERM, signal.SIGINT]
        signal.raise_signal(signal.SIGINT)


# ---- law 11: it learns -----------------------------------------------------------------------------------------------


def test_it_learns_to_reverse_digits(learnt: Learnt) -> None:
    bundle = checkpoint.load_model(learnt.folder)
    found = LineTranslator(bundle, bundle.search).translate([pair.src for pair in learnt.unseen])
    exact = sum(y == pair.tgt for y, pair in zip(found, learnt.unseen, strict=True)) / len(found)
    assert exact >= 0.95
    assert learnt.cpu_seconds < 20


@every_cell
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_batch_can_be_learnt_by_heart(tmp_path: Path, cell: str, smoothing: float) -> None:
    """To a loss near 0; with smoothing, near the entropy of the smoothed target and never below it."""
    text = Corpus(TEXT.train[:6], TEXT.dev[:1], {}, TEXT.report)
    settings = {"updates": 150, "warmup": 10, "schedule": "constant", "learning_rate": 0.02, "validate_every": 150}
    wanted = chosen(
        {**settings, "label_smoothing": smoothing, "ema": 0.0},
        {**PLAIN, "cell": cell, "context": "general", "hidden": 32, "embedding": 16, "encoder_hidden": [16, 16]},
    )
    trainer = begin(tmp_path, wanted, text)
    assert len(trainer.encoded.epoch(0)) == 1
    trainer.run(quiet=True)
    batch = trainer.encoded.batch([0, 1, 2, 3, 4, 5])
    logits = trainer.model(batch.src, batch.src_mask, batch.tgt_in, batch.tgt_mask)
    loss = cross_entropy(logits, batch.tgt_out[batch.tgt_mask], smoothing)
    per_token, share = loss.smoothed.item() / loss.tokens, smoothing / logits.shape[-1]
    right = 1 - smoothing + share
    least = -right * math.log(right) - ((logits.shape[-1] - 1) * share * math.log(share) if smoothing else 0.0)
    assert least <= per_token < least + 0.1
    assert loss.nats.item() / loss.tokens < (0.03 if smoothing == 0.0 else 0.3)


def test_half_precision_trains_as_well(tmp_path: Path) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        wanted = chosen({"precision": precision, "epochs": 8, "schedule": "constant"}, PLAIN)
        trainer = begin(tmp_path / precision, wanted, TEXT)
        trainer.run(quiet=True)
        losses[precision] = [line["dev_loss"] for line in trainer.progress.metrics]
        assert all(w.dtype == torch.float32 for w in trainer.weights.values())
    assert losses["fp32"] != losses["bf16"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)
    assert losses["fp32"][-1] < 0.6 * losses["fp32"][0]


# ---- the loss --------------------------------------------------------------------------------------------------------


def test_the_reported_losses_are_nats_a_token(tmp_path: Path) -> None:
    """With a rate of 0 nothing moves, so an epoch's loss is the loss of all pairs, taken one by one."""
    trainer = begin(tmp_path, chosen({"learning_rate": 0.0, "epochs": 1, "label_smoothing": 0.3}, PLAIN), TEXT)
    trainer.run(quiet=True)
    [line] = trainer.progress.metrics
    for key, pairs in (("train_loss", TEXT.train), ("dev_loss", TEXT.dev)):
        nats, tokens = 0.0, 0
        for pair in pairs:
            ids = [[t.encode([text])[0]] for t, text in zip(trainer.tokenizers, pair, strict=True)]
            batch = collate(*ids, [0])
            logits, _ = trainer.judge.model.advance(batch.tgt_in, trainer.judge.model.start(batch.src, batch.src_mask))
            nats -= torch.log_softmax(logits[0], -1)[range(batch.tgt_out.shape[1]), batch.tgt_out[0]].sum().item()
            tokens += batch.tgt_out.shape[1]
        assert line[key] == pytest.approx(nats / tokens, abs=1e-4)


def gradient(trainer: Trainer, groups: list[list[int]]) -> list[Tensor]:
    """Of one update in float64; Adam's first moment is a tenth of it."""
    trainer.model.double()
    trainer.encoded.epoch(0)
    trainer._update(groups)
    return [10 * state["exp_avg"] for state in trainer.optimizer.state.values()]


@pytest.mark.parametrize("fits", [1, 3])
def test_a_batch_that_does_not_fit_in_memory_is_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: int
) -> None:
    """And the update is the same."""
    wanted, real, refused, said = chosen({"accumulate": 2}, PLAIN), Model.forward, [], list[str]()

    def forward(self: Model, src: Tensor, *others: Tensor) -> Tensor:
        if len(src) > fits:
            refused.append(len(src))
            torch.empty(2**60)
        return real(self, src, *others)

    one, two = begin(tmp_path / "one", wanted, TEXT), begin(tmp_path / "two", wanted, TEXT)
    two.say = said.append
    for start in (0, 2):
        one._update(one.encoded.epoch(0)[start : start + 2])
    with monkeypatch.context() as context:
        context.setattr(Model, "forward", forward)
        for start in (0, 2):
            two._update(two.encoded.epoch(0)[start : start + 2])
    assert len(refused) == len(said) > 2
    assert said[0] == "update 1: out of memory; goes on in 4 smaller batches"
    for name, weight in one.weights.items():
        torch.testing.assert_close(two.weights[name], weight, rtol=1e-3, atol=1e-5)
    assert two.progress.nats == pytest.approx(one.progress.nats)


def test_what_never_trains_is_named_once(tmp_path: Path) -> None:
    """A table that gets no gradient is told at the first validation, and all the others are silent."""
    for frozen in ((), ("src_embedding.table.weight",)):
        said: list[str] = []
        trainer = begin(tmp_path / str(len(frozen)), chosen({"epochs": 2}), TEXT, said.append)
        for name, parameter in trainer.model.named_parameters():
            if name in frozen:
                parameter.register_hook(torch.zeros_like)
        trainer.run(quiet=True)
        notes = [line for line in said if "does not train" in line]
        assert notes == [
            f"note: {name} has had no gradient in {trainer.total // 2} updates; it does not train" for name in frozen
        ]


def test_a_sentence_that_does_not_fit_in_memory_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "forward", lambda *arguments: torch.empty(2**60))
    with pytest.raises(WorkError, match=r"memory does not suffice for one sentence .*; lower data\.max_words"):
        begin(tmp_path, chosen(), TEXT).run(quiet=True)


def test_other_errors_are_not_taken_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "forward", lambda *arguments: torch.ones(2) @ torch.ones(3))
    with pytest.raises(RuntimeError, match="size"):
        begin(tmp_path, chosen(), TEXT).run(quiet=True)


def test_two_batches_an_update_are_one_batch(tmp_path: Path) -> None:
    """Weighted by tokens: the second has fewer of them."""
    wanted = chosen({"clip": 0.0}, PLAIN)
    whole, halves, first = (
        gradient(begin(tmp_path / str(i), wanted, TEXT), groups)
        for i, groups in enumerate([[[0, 1, 2, 3, 4]], [[0, 1, 2, 3], [4]], [[0, 1, 2, 3]]])
    )
    torch.testing.assert_close(halves, whole, rtol=1e-10, atol=1e-14)
    assert not torch.allclose(first[0], whole[0], rtol=1e-3)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_follows_from_the_seed_and_the_update(tmp_path: Path, dropout: float) -> None:
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
def test_two_passes_that_agree_are_one(tmp_path: Path, dropout: float) -> None:
    """Without dropout R-Drop has nothing to compare, and the gradient stays as it is."""
    model = {**PLAIN, "dropout": dropout}
    one, two, twice_as_strict = (
        gradient(begin(tmp_path / str(weight), chosen({"clip": 0.0, "consistency": weight}, model), TEXT), [[0, 1, 2]])
        for weight in (0.0, 1.0, 2.0)
    )
    if dropout == 0.0:
        torch.testing.assert_close(two, one, rtol=1e-10, atol=1e-14)
    else:
        assert not torch.allclose(two[0], twice_as_strict[0], rtol=1e-3)


def test_sides_that_learn_apart_share_no_table(tmp_path: Path) -> None:
    """Though the vocabularies are as large as each other."""
    with pytest.raises(InputError, match=r"model\.tied = 'all' needs one vocabulary.*set tokenizer\.joint = true"):
        begin(tmp_path, chosen({}, {"tied": "all"}, joint=False), TEXT)


def test_an_update_follows_the_mean_loss_of_a_token(tmp_path: Path) -> None:
    trainer = begin(tmp_path, chosen({"clip": 0.0, "label_smoothing": 0.1}, PLAIN), TEXT)
    model = copy.deepcopy(trainer.model).double()
    trainer.encoded.epoch(0)
    batch = trainer.encoded.batch([0, 1, 2])
    logits = model(batch.src, batch.src_mask, batch.tgt_in, batch.tgt_mask)
    loss = cross_entropy(logits, batch.tgt_out[batch.tgt_mask], 0.1)
    expected = torch.autograd.grad(loss.smoothed / loss.tokens, list(model.parameters()))
    torch.testing.assert_close(gradient(trainer, [[0, 1, 2]]), list(expected), rtol=1e-10, atol=1e-14)


def test_groups_of_batches_are_cut_at_the_end_of_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = len(begin(tmp_path, chosen(), TEXT).encoded.epoch(0))
    trainer, sizes = begin(tmp_path, chosen({"accumulate": plan - 1, "epochs": 2}), TEXT), []
    real: Update = Trainer._update
    monkeypatch.setattr(Trainer, "_update", lambda self, group: (sizes.append(len(group)), real(self, group)))
    trainer.run(quiet=True)
    assert sizes == [plan - 1, 1] * 2
    assert trainer.total == 4


@pytest.mark.parametrize("clip", [0.0, 1e-2, 1e6])
def test_the_gradient_is_clipped_to_its_largest_norm(tmp_path: Path, clip: float) -> None:
    free = gradient(begin(tmp_path / "free", chosen({"clip": 0.0}, PLAIN), TEXT), [[0, 1, 2]])
    norm = torch.cat([g.flatten() for g in free]).norm().item()
    assert norm > 0.1
    clipped = gradient(begin(tmp_path / "clipped", chosen({"clip": clip}, PLAIN), TEXT), [[0, 1, 2]])
    share = clip / norm if clip == 1e-2 else 1.0
    torch.testing.assert_close(clipped, [share * g for g in free], rtol=1e-3, atol=1e-12)


def test_weight_decay_is_decoupled(tmp_path: Path) -> None:
    """AdamW takes rate * decay * w off each weight, whatever the gradient (Loshchilov & Hutter 2019)."""
    after = []
    for decay in (0.0, 0.5):
        trainer = begin(tmp_path / str(decay), chosen({"weight_decay": decay, "warmup": 0}, PLAIN), TEXT)
        before = {name: w.double() for name, w in trainer.weights.items()}
        gradient(trainer, [[0, 1, 2]])
        after.append(checkpoint.weights_of(trainer.model))
        rate = trainer.optimizer.param_groups[0]["lr"]
    for name, w in before.items():
        torch.testing.assert_close(after[1][name], after[0][name] - rate * 0.5 * w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt", "cosine"])
def test_each_update_has_the_rate_of_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str) -> None:
    rates = []
    around_update(monkeypatch, lambda trainer: rates.append(trainer.optimizer.param_groups[0]["lr"]))
    trainer = begin(tmp_path, chosen({"schedule": schedule, "epochs": 1}), TEXT)
    trainer.run(quiet=True)
    steps = range(1, trainer.total + 1)
    assert rates == [learning_rate(trainer.config, step, trainer.total) for step in steps]
    assert len(rates) > 5


# ---- what is not a number --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["loss", "gradient", "explosion"])
def test_what_is_not_a_number_stops_the_run_and_the_last_checkpoint_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    wanted = chosen({**EVERY_TRAINING, "metric": "loss"}, EVERY_MODEL)
    begin(tmp_path / "well", wanted, TEXT).run(quiet=True)

    trainer, real = begin(tmp_path / "ill", wanted, TEXT), Trainer._update
    spoilt = torch.full((trainer.model.config.embedding,), math.nan)

    def update(self: Trainer, group: list[Any]) -> None:
        if self.progress.step == 7:  # the update before a validation
            bias = self.model.decoder.readout.bias
            if where == "loss":
                bias.data[:] = spoilt
            elif where == "explosion":
                self.model.output.bias.data[0] = 1e4
            else:
                bias.register_hook(lambda grad: spoilt)
        real(self, group)

    with monkeypatch.context() as context, pytest.raises(WorkError) as stopped:
        context.setattr(Trainer, "_update", update)
        trainer.run(quiet=True)
    for words in ("at update 8", "lower training.learning_rate", "training.precision = 'fp32'"):
        assert words in str(stopped.value)
    stopped_at = tmp_path / "ill" / "stopped.tsv"
    assert str(stopped_at) in str(stopped.value)
    pairs = [Pair(*line.split("\t")) for line in stopped_at.read_text().splitlines()]
    plan, at = trainer.encoded.epoch(trainer.progress.epoch), trainer.progress.batch
    rows = [row for batch in plan[at : at + 2] for row in batch]  # two batches an update
    assert pairs == [Pair(trainer.encoded.lines[0][row], trainer.encoded.lines[1][row]) for row in rows]
    weights = checkpoint.weights_of(checkpoint.load_model(tmp_path / "ill").engine.models[0])
    assert all(w.isfinite().all() for w in weights.values())
    trainer = resumed(tmp_path / "ill", TEXT)
    assert trainer.progress.step == 4
    trainer.run(quiet=True)
    assert_same(end(tmp_path / "ill"), end(tmp_path / "well"))


# ---- validation ------------------------------------------------------------------------------------------------------


class Watched(NamedTuple):
    """A run whose dev scores were written by hand."""

    trainer: Trainer
    weights: list[dict[str, Tensor]]  # at each validation


def watched(folder: Path, monkeypatch: pytest.MonkeyPatch, scores: dict[str, list[float]], **settings: Any) -> Watched:
    """Run with these scores, one for each validation; a metric that is left out stays at 1."""

    def scripted(metric: str) -> Iterator[float]:
        yield from scores.get(metric, [1.0] * 100)

    script = map(Scores, *map(scripted, Scores._fields))
    monkeypatch.setattr(Validator, "verdict", lambda self, weights: next(script))
    weights: list[dict[str, Tensor]] = []
    wanted = chosen({"validate_every": 2, "updates": 100, "ema": 0.0, **settings})
    trainer = begin(
        folder, wanted, TEXT, lambda line: weights.append({k: w.clone() for k, w in trainer.weights.items()})
    )
    trainer.run(quiet=True)
    return Watched(trainer, weights)


def assert_holds(folder: Path, weights: dict[str, Tensor]) -> None:
    held = checkpoint.weights_of(checkpoint.load_model(folder).engine.models[0])
    assert held.keys() == weights.keys()
    assert all(torch.equal(held[name], w) for name, w in weights.items())


SCORES = {"bleu": [3.0, 1.0, 2.0, 3.0], "chrf": [1.0, 4.0, 2.0, 3.0], "loss": [9.0, 8.0, 7.0, 7.5]}


@pytest.mark.parametrize(("metric", "best"), [("bleu", 0), ("chrf", 1), ("loss", 2)])
def test_the_metric_chooses_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str, best: int
) -> None:
    """The highest score or the lowest loss, and of equals the first."""
    run = watched(tmp_path, monkeypatch, SCORES, metric=metric, updates=8)
    assert [line["step"] for line in run.trainer.progress.metrics] == [2, 4, 6, 8]
    assert run.trainer.progress.best_step == 2 * (best + 1)
    assert abs(run.trainer.progress.best) == max(SCORES[metric]) if metric != "loss" else 7.0
    assert [line[f"dev_{metric}"] for line in run.trainer.progress.metrics] == SCORES[metric]
    assert_holds(tmp_path, run.weights[best])
    assert not torch.equal(*(run.weights[i]["output.bias"] for i in (0, 1)))


@pytest.mark.parametrize(("patience", "validations"), [(1, 3), (2, 7), (3, 8), (0, 9)])
def test_patience_ends_a_run_that_gets_no_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: int, validations: int
) -> None:
    scores = [5.0, 4.0, 4.5, 3.0, 2.5, 3.5, 2.6, 2.7, 2.8]  # the best are the second, the fourth and the fifth
    run = watched(tmp_path, monkeypatch, {"loss": scores}, metric="loss", patience=patience, updates=18)
    assert len(run.weights) == len(run.trainer.progress.metrics) == validations
    assert run.trainer.progress.step == 2 * validations
    assert_holds(tmp_path, run.weights[scores.index(min(scores[:validations]))])
    if patience:  # and a run that ended so has ended
        again = resumed(tmp_path, TEXT)
        again.run(quiet=True)
        assert again.progress.step == 2 * validations


def test_plateau_halves_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every second validation in a row without a better score; a better one begins a new row."""
    rates: list[float] = []
    around_update(monkeypatch, lambda trainer: rates.append(trainer.optimizer.param_groups[0]["lr"]))
    settings = {"schedule": "plateau", "plateau_patience": 2, "warmup": 0, "learning_rate": 0.01, "updates": 18}
    scores = [5.0, 6.0, 6.0, 6.0, 6.0, 4.0, 6.0, 6.0, 6.0]
    run = watched(tmp_path, monkeypatch, {"loss": scores}, metric="loss", **settings)
    scales = [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125]
    assert [line["learning_rate"] for line in run.trainer.progress.metrics] == [0.01 * scale for scale in scales]
    assert rates == [0.01 * scale for scale in [1, *scales[:-1]] for _ in range(2)]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "inverse_sqrt"])
def test_no_other_schedule_listens_to_the_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    assert watched(tmp_path, monkeypatch, {}, schedule=schedule, updates=8).trainer.progress.rate_scale == 1.0


@pytest.mark.parametrize("last", [1, 2, 3])
def test_the_weights_of_the_last_validations_are_averaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    run = watched(tmp_path, monkeypatch, {"loss": [4.0, 3.0, 2.0, 1.0]}, metric="loss", average_last=last, updates=8)
    mean = {name: torch.stack([w[name] for w in run.weights[-last:]]).mean(0) for name in run.weights[0]}
    assert_holds(tmp_path, mean)
    assert not run.trainer.average


def test_the_moving_average_is_what_is_judged_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins at the first weights and follows each update."""
    weights: list[dict[str, Tensor]] = []
    record = lambda trainer: weights.append({k: w.double() for k, w in trainer.weights.items()})  # noqa: E731
    around_update(monkeypatch, record)
    trainer = begin(tmp_path, chosen({"ema": 0.5, "updates": 12, "validate_every": 12}), TEXT)
    expected = {name: w.double() for name, w in trainer.weights.items()}
    trainer.run(quiet=True)
    for step, now in enumerate(weights, 1):
        d = min(0.5, (1 + step) / (10 + step))
        expected = {name: d * w + (1 - d) * now[name] for name, w in expected.items()}
    for held in (trainer.average, checkpoint.weights_of(trainer.judge.model)):
        torch.testing.assert_close({k: w.double() for k, w in held.items()}, expected, rtol=1e-5, atol=1e-6)
    assert_holds(tmp_path, trainer.average)
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
def test_when_it_validates(tmp_path: Path, settings: dict[str, int], validated: list[Any]) -> None:
    trainer = begin(tmp_path, chosen(settings), TEXT)
    steps = {"epoch": len(trainer.encoded.epoch(0)), "end": trainer.total}
    trainer.run(quiet=True)
    expected = [steps.get(step, step) for step in validated]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == expected
    kept = sorted((tmp_path / "training").iterdir())
    assert [int(path.stem.removeprefix("step-")) for path in kept] == expected[-trainer.config.keep :]
    assert trainer.progress.step == trainer.total == expected[-1]


def test_what_a_validation_tells(tmp_path: Path) -> None:
    heard: list[str] = []
    trainer = begin(tmp_path, chosen({"updates": 3}), TEXT, heard.append)
    trainer.run(quiet=True)
    [line] = trainer.progress.metrics
    assert heard[0].startswith(f"epoch 1  update 3  train loss {line['train_loss']:.3f}  dev loss ")
    assert len(heard) == 1
    assert line["tgt_tokens_per_s"] > 0
    assert 0 <= line["minutes"] < 1


def test_where_tensorboard_is_installed_it_gets_every_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


# ---- what the batches are made of ------------------------------------------------------------------------------------


def encoded(trainer: Trainer, sampling: float, seed: int = 1, pairs: list[Pair] = TEXT.train) -> TrainingData:
    return TrainingData(pairs, trainer.tokenizers, sampling, seed, trainer.config.batch_tokens)


@pytest.fixture(scope="module")
def any_trainer(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    return begin(tmp_path_factory.mktemp("any"), chosen({"scheduled_sampling": 1.0}, PLAIN), TEXT)


@pytest.mark.parametrize("sampling", [0.0, 0.3])
def test_an_epoch_is_a_function_of_the_seed_and_its_number(any_trainer: Trainer, sampling: float) -> None:
    def epochs(*numbers: int, seed: int = 1) -> list[tuple[Any, ...]]:
        it = encoded(any_trainer, sampling, seed)
        return [(it.epoch(n), list(it.src), list(it.tgt)) for n in numbers]

    in_turn = epochs(0, 1, 2, 3)
    assert epochs(3, 0, 2) == [in_turn[3], in_turn[0], in_turn[2]]
    assert epochs(1) == in_turn[1:2]
    others = [*in_turn[1:], *epochs(0, seed=2)]
    for plan, src, tgt in others:
        assert plan != in_turn[0][0]
        assert (src != in_turn[0][1]) == (tgt != in_turn[0][2]) == (sampling > 0)
        assert sorted(row for rows in plan for row in rows) == list(range(len(TEXT.train)))
    assert len({str(plan) for plan, _, _ in others}) == len(others)


@pytest.mark.parametrize("sampling", [0.0, 0.3])
def test_a_batch_holds_the_text_of_its_rows(any_trainer: Trainer, sampling: float) -> None:
    it = encoded(any_trainer, sampling)
    for number in (0, 1):
        for rows in it.epoch(number):
            batch = it.batch(rows)
            assert batch.rows == rows
            for i, row in enumerate(rows):
                src, tgt = any_trainer.tokenizers
                assert (src.decode(batch.src[i]), tgt.decode(batch.tgt_out[i])) == TEXT.train[row]


def test_the_two_sides_are_drawn_apart(any_trainer: Trainer) -> None:
    it = encoded(any_trainer, 0.3, pairs=[Pair(pair.src, pair.src) for pair in TEXT.train])
    it.epoch(0)
    assert it.src != it.tgt


# ---- scheduled sampling ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("done", [0.0, 0.5, 1.0])
def test_the_decoder_reads_its_own_words_more_and_more(any_trainer: Trainer, done: float) -> None:
    trainer = any_trainer
    trainer.encoded.epoch(0)
    batch = trainer.encoded.batch(list(range(60)))
    trainer.model.eval()
    logits, _ = trainer.model.advance(batch.tgt_in, trainer.model.start(batch.src, batch.src_mask))
    own = torch.cat((torch.full((60, 1), BOS), logits[:, :-1].argmax(-1)), dim=1)
    torch.manual_seed(0)
    read = trainer.objective.tgt_in(batch, done)
    assert (read[:, 0] == BOS).all()
    assert torch.equal(read[~batch.tgt_mask], batch.tgt_in[~batch.tgt_mask])
    assert ((read == batch.tgt_in) | (read == own)).all()
    open_ = batch.tgt_mask & (own != batch.tgt_in)  # where the two can be told apart
    assert open_.sum() > 100
    assert (read == own)[open_].double().mean().item() == pytest.approx(done, abs=0.1 if done == 0.5 else 0.0)


def test_without_scheduled_sampling_it_reads_the_reference(tmp_path: Path) -> None:
    trainer = begin(tmp_path, chosen(), TEXT)
    batch = trainer.encoded.batch(trainer.encoded.epoch(0)[0])
    assert trainer.objective.tgt_in(batch, 1.0) is batch.tgt_in


def test_a_trained_folder_may_be_moved_and_resumed_elsewhere(tmp_path: Path) -> None:
    wanted = chosen()
    run_until(begin(tmp_path / "here", wanted, TEXT, silent), 3, terminated)
    shutil.move(tmp_path / "here", tmp_path / "there")
    resumed(tmp_path / "there", TEXT).run(quiet=True)
    begin(tmp_path / "whole", wanted, TEXT).run(quiet=True)
    assert_same(end(tmp_path / "there"), end(tmp_path / "whole"))
