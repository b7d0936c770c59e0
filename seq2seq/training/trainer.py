"""The training loop of one run in one model folder: epochs, validation, checkpoints, early stopping, resuming.

What a run has to remember is in `state`, and one update of the weights in `step`.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Any

import torch
from torch import Tensor

from seq2seq.display import Display
from seq2seq.errors import InputError, Interrupted, WorkError
from seq2seq.folder import checkpoint, files, layout
from seq2seq.network.model import NOT_JOINT, UNTIED
from seq2seq.text.multilingual import Corpora
from seq2seq.text.preparation import longest_of
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.distributed import ProcessGroup
from seq2seq.training.epochs import fingerprint
from seq2seq.training.initialisation import load_word_vectors
from seq2seq.training.optimization import check_precision
from seq2seq.training.settings import Settings
from seq2seq.training.signals import listening
from seq2seq.training.state import Progress, TrainingState
from seq2seq.training.step import DivergenceError, TrainingStep
from seq2seq.training.texts import dev_pairs, training_data
from seq2seq.training.validation import Scores, Validator
from seq2seq.translation.padding import use_strict_products

# Compiled kernels that torch and oneDNN cache, one per shape: many batches have new shapes, and the default of 1,024
# each grows to gigabytes.
KERNEL_CACHES = {"LRU_CACHE_CAPACITY": "64", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "256"}


@contextmanager
def limited_kernel_caches() -> Iterator[None]:
    """Inside the context, the environment variables of KERNEL_CACHES are set, unless the user has set them.

    The libraries read them once, at the first matrix product.
    """
    unset = [name for name in KERNEL_CACHES if name not in os.environ]
    os.environ.update({name: KERNEL_CACHES[name] for name in unset})
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)


class Trainer:
    """One run in one folder.

    Args:
        folder: where the model, the training states and the metrics are written.
        device: cpu or cuda.
        say: called with each line of the training's log.
        process_group: the ranks that train together; by default this process alone.

    Raises:
        InputError: the settings do not fit one another, or the device does not support the precision.
    """

    def __init__(
        self,
        settings: Settings,
        corpora: Corpora,
        tokenizers: tuple[Tokenizer, Tokenizer],
        folder: Path,
        device: str,
        say: Callable[[str], None],
        process_group: ProcessGroup | None = None,
    ) -> None:
        self.config, self.tokenizers, self.folder = settings.training, tokenizers, folder
        self.device, self.say, self.process_group = device, say, process_group or ProcessGroup()
        if settings.model.tied == "all" and not settings.tokenizer.joint:
            raise InputError(UNTIED)
        if settings.model.copy and not settings.tokenizer.joint:
            raise InputError(NOT_JOINT)
        check_precision(self.config.precision, device)
        use_strict_products()  # before the first product, so that validation scores are those of `evaluate`
        torch.manual_seed(self.config.seed)
        self.model = checkpoint.untrained(settings.model, tokenizers).to(device)
        self.data = training_data(settings, corpora, tokenizers)
        updates_per_epoch = math.ceil(len(self.data.load_epoch(0)) / self.config.accumulate)
        self.longest = settings.text.longest or longest_of(self.data.src.lengths())
        self.total = self.config.updates or self.config.epochs * updates_per_epoch
        if not self.total:
            raise InputError("an epoch has no pair: so few have so small weights; give larger ones with --data")
        self.training_step = TrainingStep(
            self.model, self.data, self.config, self.total, device, self.process_group, say
        )
        kept = self.data.kept
        text_print = kept.fingerprint if kept else fingerprint(corpora, tokenizers)
        self.state = TrainingState(self.model, self.config, text_print)
        text, dev = replace(settings.text, longest=self.longest), dev_pairs(corpora, self.config.dev_pairs)
        right_to_left = settings.data.right_to_left
        self.validator = Validator(settings.model, tokenizers, dev, device, text, right_to_left, self.process_group)

    @property
    def progress(self) -> Progress:
        """The position in the run."""
        return self.state.progress

    @property
    def weights(self) -> dict[str, Tensor]:
        """The current weights by parameter name, in the storage that training updates."""
        return self.state.weights

    @property
    def is_finished(self) -> bool:
        """Whether all updates are done, or validations have not improved for `patience` times."""
        return self.progress.step >= self.total or 0 < self.config.patience <= self.progress.bad

    def begin(self, weights: Mapping[str, Tensor] | None = None) -> None:
        """Initialise a new run: with other weights, by parameter name; with `training.word_vectors`, the embeddings.

        Raises:
            InputError: gensim is not installed, or the text for the word vectors cannot be read.
        """
        if weights is not None:
            checkpoint.load_weights(self.model, weights)
            self.state.reset_average()
        if self.config.word_vectors != "random":
            load_word_vectors(self.model, self.tokenizers, self.data.lines, self.config, self.say)
            self.state.reset_average()

    def restore(self) -> None:
        """Continue from the newest training state of the folder.

        Raises:
            InputError: there is none, it is damaged or of another model, or it was trained on another text.
        """
        self.state.restore(self.folder, self.device)

    # ---- the loop --------------------------------------------------------------------------------------------------

    def run(self, quiet: bool) -> None:
        """Train until the last update, an early stop or a signal; the folder then holds the best model.

        Args:
            quiet: whether to show no progress bar.

        Raises:
            Interrupted: SIGINT or SIGTERM was received; the state is saved.
            InputError: this rank has read another text than rank 0.
            WorkError: the loss diverged, memory does not suffice, a worker or rank failed, or the disk is full.
        """
        progress, every = self.progress, self.config.validate_every
        if self.process_group.broadcast_object(lambda: self.state.text) != self.state.text:
            raise InputError(
                f"rank {self.process_group.rank} has read another text than rank 0; the files of the text must be the "
                "same on all machines"
            )
        self.process_group.broadcast([*self.weights.values(), *self.state.average.values()])
        with (
            limited_kernel_caches(),
            listening() as signals,
            self.training_step.workers,
            Display(self.total, progress.step, "update", self.say, quiet) as display,
        ):
            if self.config.finetuned and not progress.step:
                with self.training_step.workers.all_threads():
                    self._validate_start()
            while not self.is_finished:
                plan = self.data.load_epoch(progress.epoch)
                while progress.batch < len(plan) and not self.is_finished:
                    batches = plan[progress.batch : progress.batch + self.config.accumulate]
                    self._update(batches)
                    progress.batch += len(batches)
                    is_due = progress.step % every == 0 if every else progress.batch >= len(plan)
                    if is_due or progress.step == self.total:
                        with self.training_step.workers.all_threads():
                            self._validate(display)
                    display.advance(self._state_of_work)
                    if signum := self.process_group.maximum(signals[0] if signals else 0):
                        self._stop(signum)
                if progress.batch >= len(plan):
                    progress.epoch, progress.batch = progress.epoch + 1, 0

    def _update(self, batches: list[list[int]]) -> None:
        """One update from the batches with these rows. If it diverges, their text is written down."""
        try:
            self.training_step.update(self.state, batches)
        except DivergenceError as e:
            raise WorkError(
                f"{e} (see {self._write_pairs(batches)}); {self._last_checkpoint()}: "
                "lower training.learning_rate, or set training.precision = 'fp32'"
            ) from None

    def _last_checkpoint(self) -> str:
        """What a failure leaves in the folder."""
        names = layout.training_states(self.folder)
        return "the last checkpoint is whole" if names else "there was no checkpoint yet"

    def _write_pairs(self, batches: list[list[int]]) -> Path:
        """Write the pairs of these batches to a file; returns its path."""
        lines = ("\t".join(self.data.text(row)) + "\n" for rows in batches for row in rows)
        path = self.folder / layout.STOPPED
        if self.process_group.is_main:
            files.write(path, "".join(lines).encode())
        return path

    def _stop(self, signum: int) -> None:
        """End the run after a signal: its state is saved, and the folder holds a model that can translate.

        Raises:
            Interrupted: always.
        """
        self._save()
        step = self.progress.step
        if self.process_group.is_main and self.progress.best == -math.inf:  # there was no validation
            checkpoint.save_weights(self.folder, self.state.averaged(), *self.tokenizers)
            self.say(f"{self.folder} holds the model as it is after update {step}, before the first validation")
        raise Interrupted(signum, f"stopped after update {step}; go on with --resume {quote(str(self.folder))}")

    def _save(self) -> None:
        if self.process_group.is_main:
            self.state.save(self.folder)

    # ---- validation ------------------------------------------------------------------------------------------------

    def _validate_start(self) -> None:
        """Score the weights of another model that training begins with; they stay if no update is better on dev."""
        weights = self.state.averaged()
        scores = self.validator.validate(weights)
        self.progress.add_score(scores.rank(self.config.metric), self.config)
        if self.process_group.is_main:
            checkpoint.save_weights(self.folder, weights, *self.tokenizers)
        self.say(f"before fine-tuning  dev loss {scores.loss:.3f}  dev BLEU {scores.bleu:.1f}")

    def _validate(self, display: Display) -> None:
        """Score the averaged weights on dev; write them if they are the best so far, and a checkpoint."""
        started, progress = time.perf_counter(), self.progress
        weights = self.state.take_snapshot()
        scores = self.validator.validate(weights)
        is_best = progress.add_score(scores.rank(self.config.metric), self.config)
        progress.minutes += (progress.seconds + time.perf_counter() - started) / 60
        progress.metrics.append(self._metrics(scores))
        display.show(self._state_of_work)
        self._report(is_best)
        progress.nats, progress.tokens, progress.seconds = 0.0, 0, 0.0
        if self.process_group.is_main:
            if is_best:
                checkpoint.save_weights(self.folder, weights, *self.tokenizers)
            lines = "".join(json.dumps(line) + "\n" for line in progress.metrics)
            files.write(self.folder / layout.METRICS, lines.encode())
            self._plot(progress.metrics[-1])
            self._save()

    def _metrics(self, scores: Scores) -> dict[str, Any]:
        """What metrics.jsonl keeps of a validation."""
        progress = self.progress
        return {
            "step": progress.step,
            "epoch": progress.epoch + 1,
            "train_loss": round(progress.nats / progress.tokens, 4),
            "dev_loss": round(scores.loss, 4),
            "dev_bleu": round(scores.bleu, 2),
            "dev_chrf": round(scores.chrf, 2),
            **scores.by_direction(),
            "learning_rate": self.training_step.learning_rate(progress),
            "tgt_tokens_per_s": round(progress.tokens / progress.seconds),
            "minutes": round(progress.minutes, 2),
        }

    def _report(self, is_best: bool) -> None:
        """Log the newest metrics, and at the first validation how BLEU counts, and parameters without gradient."""
        metrics = self.progress.metrics
        self.say(
            "epoch {epoch}  update {step}  train loss {train_loss:.3f}  dev loss {dev_loss:.3f}  "
            "dev BLEU {dev_bleu:.1f}  {tgt_tokens_per_s} tokens/s  {minutes:.1f} min".format(**metrics[-1])
            + ("  best" if is_best else "")
        )
        if len(metrics) == 1:
            for notice in self.validator.notices():
                self.say(f"note: {notice}")
            for name in self.state.untrained_parameters():
                self.say(f"note: {name} has had no gradient in {self.progress.step} updates; it does not train")

    def _plot(self, metrics: dict[str, Any]) -> None:
        """Write the metrics for TensorBoard, if it is installed."""
        with suppress(ImportError):
            from torch.utils.tensorboard import SummaryWriter

            with SummaryWriter(str(self.folder / layout.PLOTS)) as writer:
                for name, value in metrics.items():
                    writer.add_scalar(name, value, metrics["step"])

    def _state_of_work(self) -> str:
        """Loss, BLEU and speed since the last validation, for the display."""
        progress = self.progress
        if not progress.tokens:
            return ""
        bleu = f"dev BLEU {progress.metrics[-1]['dev_bleu']:.1f}" if progress.metrics else "no dev BLEU yet"
        loss, speed = progress.nats / progress.tokens, progress.tokens / progress.seconds
        return f"epoch {progress.epoch + 1}, loss {loss:.2f}, {bleu}, {speed:.0f} tokens/s"
