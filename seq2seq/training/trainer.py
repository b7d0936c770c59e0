"""From settings and text to a model folder: batches, teacher forcing, validation, early stop, and resuming exactly.

Every random choice is a function of the seed and the place in the run (epoch, update), so the state to save is weights,
averages, moments and a few numbers, and a run that was stopped and resumed takes the very steps of one that was not.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from seq2seq.errors import InputError, Interrupted, WorkError
from seq2seq.folder import checkpoint, files, layout
from seq2seq.network.model import UNTIED, Model
from seq2seq.processes import CAN_FORK
from seq2seq.text.corpus import Corpus
from seq2seq.text.sources import read_lines
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.text.vectors import learn
from seq2seq.training import resume
from seq2seq.training.distributed import ProcessGroup
from seq2seq.training.epochs import TrainingData, fingerprint
from seq2seq.training.objective import Objective
from seq2seq.training.optimization import check_precision, learning_rate, update_average
from seq2seq.training.settings import Settings
from seq2seq.training.signals import listening
from seq2seq.training.validation import Validator
from seq2seq.training.workers import Shard, Workers

EXPLODED = 3.0  # a loss of so many times that of a uniform guess stops the run

# Kernels that torch and oneDNN keep for shapes which hardly come again: by default 1,024, which grow to gigabytes.
KERNELS = {"LRU_CACHE_CAPACITY": "64", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}


@dataclass
class Progress:
    """Where a run stands, in numbers; with the tensors, all that resuming needs."""

    step: int = 0  # updates done
    epoch: int = 0
    batch: int = 0  # batches of this epoch done
    best: float = -math.inf
    best_step: int = 0
    bad: int = 0  # validations since the best
    rate_scale: float = 1.0  # plateau's halvings
    nats: float = 0.0  # training loss since the last validation ...
    tokens: int = 0  # ... over so many target tokens ...
    seconds: float = 0.0  # ... in so much time
    minutes: float = 0.0  # of training, validation included
    metrics: list[dict[str, Any]] = field(default_factory=list)


def prepare(settings: Settings, corpus: Corpus, say: Callable[[str], None]) -> tuple[Tokenizer, Tokenizer]:
    """The tokenizers of a new run, learnt from the training text."""
    sides = [pair.src for pair in corpus.train], [pair.tgt for pair in corpus.train]
    if settings.tokenizer.joint:
        joint = Tokenizer.learn([*sides[0], *sides[1]], settings.tokenizer, say)
        joint, count = joint.sorted_for(sides[1], settings.tokenizer.kind)
        return joint, joint.first(count)
    src, tgt = (Tokenizer.learn(side, settings.tokenizer, say) for side in sides)
    return src, tgt


class Trainer:
    """One run in one folder."""

    def __init__(
        self,
        settings: Settings,
        corpus: Corpus,
        tokenizers: tuple[Tokenizer, Tokenizer],
        folder: Path,
        device: str,
        say: Callable[[str], None],
        ranks: ProcessGroup | None = None,
    ) -> None:
        for name, count in KERNELS.items():
            os.environ.setdefault(name, count)  # read at the first product
        self.settings, self.config, self.folder = settings, settings.training, folder
        self.tokenizers, self.device, self.say = tokenizers, device, say
        if settings.model.tied == "all" and not settings.tokenizer.joint:
            raise InputError(UNTIED)
        check_precision(self.config.precision, device)
        torch.manual_seed(self.config.seed)
        self.model = Model(settings.model, *map(len, tokenizers)).to(device)
        self.ranks = ranks or ProcessGroup()
        forked = device == "cpu" and CAN_FORK and self.ranks.count == 1
        workers = max(1, self.config.workers) if forked else 1
        self.workers = Workers(workers, list(self.model.parameters()), self._gradient)
        self.weights = checkpoint.weights_of(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), betas=(0.9, 0.98), weight_decay=self.config.weight_decay, fused=True
        )
        self.average = {name: w.clone() for name, w in self.weights.items()} if self.config.ema else {}
        self.snapshots: list[dict[str, Tensor]] = []  # of the last validations, the newest last
        self.validator = Validator(settings.model, tokenizers, corpus.dev, device)
        self.progress = Progress()
        self.encoded = TrainingData(
            [*corpus.train, *corpus.synthetic],
            tokenizers,
            settings.tokenizer.sampling,
            self.config.seed,
            self.config.batch_tokens,
        )
        self.objective = Objective(self.model, self.config, device)
        self.text = fingerprint(corpus, tokenizers)
        self.total = self.config.updates or self.config.epochs * math.ceil(
            len(self.encoded.epoch(0)) / self.config.accumulate
        )

    def begin(self) -> None:
        """What a new run does before its first update: the embeddings start from word vectors where that is wanted.

        Raises:
            InputError: gensim is not installed, or the text to learn from cannot be read.
        """
        kind, extra = self.config.word_vectors, self.config.word_vectors_text
        if kind == "random":
            return
        more = read_lines(Path(extra)) if extra else []
        sides = [
            [*tokenizer.encode(lines), *tokenizer.encode(more)]
            for tokenizer, lines in zip(self.tokenizers, self.encoded.lines, strict=True)
        ]
        if self.settings.model.tied == "all":
            sides = [[*sides[0], *sides[1]]]  # one table
        embeddings = (self.model.tgt_embedding, self.model.src_embedding)[: len(sides)]
        for embedding, sentences in zip(embeddings, reversed(sides), strict=True):
            self.say(f"learning word vectors ({kind}) from {len(sentences):,} sentences")
            vocabulary, size = embedding.table.weight.shape
            vectors = learn(sentences, vocabulary, size, kind, self.config.seed)
            with torch.no_grad():
                embedding.table.weight.copy_(torch.from_numpy(vectors))
        self.average = {name: self.weights[name].clone() for name in self.average}

    # ---- state -----------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the training state of this moment."""
        if not self.ranks.is_main:
            return
        groups: resume.Groups = {resume.WEIGHTS: self.weights, resume.AVERAGE: self.average}
        groups |= {f"snapshot-{i}": snapshot for i, snapshot in enumerate(self.snapshots)}
        for name, parameter in self.model.named_parameters():
            for moment, value in self.optimizer.state[parameter].items():
                groups.setdefault(moment, {})[name] = value
        numbers = {"text": self.text, **asdict(self.progress)}
        resume.save(self.folder, self.progress.step, groups, numbers, self.config.keep)

    def restore(self) -> None:
        """Take up the newest training state of the folder.

        Raises:
            InputError: there is none, it is damaged or of another model, or the text is not the one it was trained on.
        """
        found, numbers = resume.load(self.folder)
        groups = {group: {name: t.to(self.device) for name, t in named.items()} for group, named in found.items()}
        checkpoint.load_weights(self.model, groups[resume.WEIGHTS], f"the training state in {self.folder}")
        if numbers.pop("text") != self.text:
            raise InputError(
                f"the text or the tokenizer is not the one that {self.folder} was trained on; restore it, "
                "or start a new run: give another --out"
            )
        averaged = groups.get(resume.AVERAGE, groups[resume.WEIGHTS])
        self.average = {name: averaged[name].clone() for name in self.average}  # in the order of the weights
        snapshots = sorted((int(group.partition("-")[2]), group) for group in groups if group.startswith("snapshot-"))
        self.snapshots = [groups[group] for _, group in snapshots[-self.config.average_last :]]
        for name, parameter in self.model.named_parameters():
            self.optimizer.state[parameter] = {key: groups[key][name] for key in ("step", "exp_avg", "exp_avg_sq")}
        self.progress = Progress(**numbers)

    # ---- steps -----------------------------------------------------------------------------------------------------

    def run(self, quiet: bool) -> None:
        """Train until the end, an early stop or a signal; the folder then holds the best model.

        Raises:
            Interrupted: SIGINT or SIGTERM came; the state is saved.
            WorkError: the loss is not a number any more, or the disk is full.
        """
        progress = self.progress
        self.ranks.broadcast([*self.weights.values(), *self.average.values()])
        with (
            listening() as signals,
            self.workers,
            tqdm(
                total=self.total,
                initial=progress.step,
                disable=True if quiet else None,
                unit="update",
                ncols=shutil.get_terminal_size().columns,  # tqdm shows nothing where a terminal hides its size
                nrows=shutil.get_terminal_size().lines,
            ) as bar,
        ):
            while progress.step < self.total and not self._stopped():
                plan = self.encoded.epoch(progress.epoch)
                while progress.batch < len(plan) and progress.step < self.total and not self._stopped():
                    group = plan[progress.batch : progress.batch + self.config.accumulate]
                    self._update(group)
                    progress.batch += len(group)
                    over = progress.batch >= len(plan)
                    every = self.config.validate_every
                    if (progress.step % every == 0 if every else over) or progress.step == self.total:
                        with self.workers.all_threads():
                            self._validate(bar)
                    bar.update()
                    if progress.step % 20 == 0:
                        self._show(bar)
                    if stop := self.ranks.maximum(signals[0] if signals else 0):
                        self.save()
                        raise Interrupted(
                            stop, f"stopped after update {progress.step}; go on with --resume {self.folder}"
                        )
                if progress.batch >= len(plan):
                    progress.epoch, progress.batch = progress.epoch + 1, 0

    def _stopped(self) -> bool:
        return 0 < self.config.patience <= self.progress.bad

    def _update(self, group: list[list[int]]) -> None:
        """One update from the batches with these rows, weighted by their tokens."""
        started, progress = time.perf_counter(), self.progress
        progress.step += 1
        tokens = sum(len(self.encoded.tgt[i]) + 1 for rows in group for i in rows)
        nats = self.workers.gradient(progress.epoch, progress.step, tokens, self.ranks.shard(group))
        nats = self.ranks.all_reduce(self.workers.parameters, nats)
        with self.workers.all_threads():
            self._step(nats / tokens, group)
        progress.nats, progress.tokens = progress.nats + nats, progress.tokens + tokens
        progress.seconds += time.perf_counter() - started

    def _step(self, loss: float, group: list[list[int]]) -> None:
        """Change the weights, and their average, by the gradient that is there."""
        config, progress = self.config, self.progress
        norm = self._clip()
        exploded = EXPLODED * math.log(len(self.tokenizers[1]))
        for name, value, bound in (("loss", loss, exploded), ("gradient", norm, math.inf)):
            if not (math.isfinite(value) and value <= bound):
                raise WorkError(
                    f"the {name} is {value} at update {progress.step} (see {self._keep_text(group)}); the "
                    "last checkpoint is whole: lower training.learning_rate, or set training.precision = 'fp32'"
                )
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = self._rate()
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average:
            update_average(list(self.average.values()), self.weights.values(), config.ema, progress.step)

    def _rate(self) -> float:
        """The learning rate of the update that was counted last."""
        return self.progress.rate_scale * learning_rate(self.config, self.progress.step, self.total)

    def _clip(self) -> float:
        """Shorten the gradient where it is longer than `clip`; returns its norm before that."""
        norm = torch.nn.utils.get_total_norm([p.grad for p in self.model.parameters() if p.grad is not None])
        length = norm.item()
        if 0.0 < self.config.clip < length:
            torch.nn.utils.clip_grads_with_norm_(self.model.parameters(), self.config.clip, norm)
        return length

    def _gradient(self, share: Shard) -> float:
        """Add the gradient of a share of an update's mean loss of a token; returns its summed nats.

        Where memory does not suffice, every batch is halved until it does. The sum over the share stays what it is.
        """
        self.model.train()
        self.encoded.epoch(share.epoch)
        group = [self.encoded.batch(rows) for rows in share.rows]
        while True:
            # Dropout follows from the seed, the update's number and the worker's, or the rank's, alone.
            dropout = np.random.SeedSequence((self.config.seed, share.step, share.worker + self.ranks.rank))
            torch.manual_seed(int(dropout.generate_state(1, np.uint64)[0]))
            try:
                return sum(self.objective.backward(batch, share.tokens, share.step / self.total) for batch in group)
            except RuntimeError as e:
                if not _out_of_memory(e):
                    raise
                failure = e
            self.optimizer.zero_grad()  # of the batches that went well
            if all(len(batch.rows) == 1 for batch in group):
                raise WorkError(
                    f"memory does not suffice for one sentence ({failure}); lower data.max_words or the model's sizes"
                ) from None
            group = [half for batch in group for half in batch.halves()]
            self.say(f"update {share.step}: out of memory; goes on in {len(group)} smaller batches")

    def _keep_text(self, group: list[list[int]]) -> Path:
        """Write down the pairs of these batches, for a person to look at."""
        src, tgt = self.encoded.lines
        lines = (f"{src[i]}\t{tgt[i]}\n" for rows in group for i in rows)
        path = self.folder / layout.STOPPED
        if self.ranks.is_main:
            files.write(path, "".join(lines).encode())
        return path

    # ---- validation ------------------------------------------------------------------------------------------------

    def _validate(self, bar: "tqdm[Any]") -> None:
        """Score the averaged weights on dev; keep them where they are the best; write a checkpoint."""
        started, progress, config = time.perf_counter(), self.progress, self.config
        newest = {name: w.clone() for name, w in (self.average or self.weights).items()}
        self.snapshots = [*self.snapshots, newest][-config.average_last :]
        mean = {name: torch.stack([s[name] for s in self.snapshots]).mean(0) for name in newest}
        verdict = self.ranks.broadcast_object(lambda: self.validator.scores(mean))
        value = verdict.value(config.metric)
        if better := value > progress.best:
            progress.best, progress.best_step, progress.bad = value, progress.step, 0
        else:
            progress.bad += 1
            if config.schedule == "plateau" and progress.bad % config.plateau_patience == 0:
                progress.rate_scale *= 0.5
        progress.minutes += (progress.seconds + time.perf_counter() - started) / 60
        progress.metrics.append(
            {
                "step": progress.step,
                "epoch": progress.epoch + 1,
                "train_loss": round(progress.nats / progress.tokens, 4),
                "dev_loss": round(verdict.loss, 4),
                "dev_bleu": round(verdict.bleu, 2),
                "dev_chrf": round(verdict.chrf, 2),
                "learning_rate": self._rate(),
                "tgt_tokens_per_s": round(progress.tokens / progress.seconds),
                "minutes": round(progress.minutes, 2),
            }
        )
        self._show(bar)
        self.say(
            "epoch {epoch}  update {step}  train loss {train_loss:.3f}  dev loss {dev_loss:.3f}  "
            "dev BLEU {dev_bleu:.1f}  {tgt_tokens_per_s} tokens/s  {minutes:.1f} min".format(**progress.metrics[-1])
            + ("  best" if better else "")
        )
        if len(progress.metrics) == 1:
            for name, parameter in self.model.named_parameters():
                if not self.optimizer.state[parameter]["exp_avg_sq"].any():
                    self.say(f"note: {name} has had no gradient in {progress.step} updates; it does not train")
        progress.nats, progress.tokens, progress.seconds = 0.0, 0, 0.0
        if not self.ranks.is_main:
            return
        if better:
            checkpoint.save_weights(self.folder, mean, *self.tokenizers)
        lines = "".join(json.dumps(line) + "\n" for line in progress.metrics)
        files.write(self.folder / layout.METRICS, lines.encode())
        self._plot(progress.metrics[-1])
        self.save()

    def _plot(self, metrics: dict[str, Any]) -> None:
        """The newest metrics for TensorBoard, where it is installed."""
        with suppress(ImportError):
            from torch.utils.tensorboard import SummaryWriter

            with SummaryWriter(str(self.folder / layout.PLOTS)) as writer:
                for name, value in metrics.items():
                    writer.add_scalar(name, value, metrics["step"])

    def _show(self, bar: "tqdm[Any]") -> None:
        progress, bar.ncols = self.progress, shutil.get_terminal_size().columns
        if progress.tokens:
            bar.set_postfix_str(
                f"epoch {progress.epoch + 1}, loss {progress.nats / progress.tokens:.2f}, "
                f"dev BLEU {progress.metrics[-1]['dev_bleu'] if progress.metrics else 0:.1f}, "
                f"{progress.tokens / progress.seconds:.0f} tokens/s",
                refresh=False,
            )


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU's or the processor's allocator gave up; the latter has no exception of its own."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
