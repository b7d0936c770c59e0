"""One update of the weights: gradients of all workers and ranks, clipping, learning rate, AdamW, moving average.

    g = 1/N sum of the gradients of the losses of the update's N target tokens
    g <- g min(1, clip / |g|)                                                   Pascanu et al. (2013)

This module does not know which batches make an update, and nothing of validation and files.
"""

import math
import time
from collections.abc import Callable

import numpy as np
import torch

from seq2seq.errors import WorkError
from seq2seq.network.model import Model
from seq2seq.processes import CAN_FORK
from seq2seq.training.collation import Batch
from seq2seq.training.distributed import ProcessGroup
from seq2seq.training.epochs import TrainingData
from seq2seq.training.objective import Objective
from seq2seq.training.optimization import TrainingConfig, learning_rate, update_average
from seq2seq.training.state import Progress, TrainingState
from seq2seq.training.workers import Shard, Workers

MAX_LOSS = 3.0  # times log V, the loss of a uniform distribution; a training loss above it has diverged


class DivergenceError(WorkError):
    """The loss or the gradient's norm is not finite, or the loss is above MAX_LOSS times log V."""


class TrainingStep:
    """Computes updates of a model, with its workers.

    Workers read the weights from shared memory: making a `TrainingStep` moves the model's parameters there, so a
    `TrainingState`, which refers to their storage, is made after it.

    Args:
        total: updates of the whole run.
        say: called with a line of text when a batch does not fit in memory.
    """

    def __init__(
        self,
        model: Model,
        data: TrainingData,
        config: TrainingConfig,
        total: int,
        device: str,
        process_group: ProcessGroup,
        say: Callable[[str], None],
    ) -> None:
        self.model, self.data, self.config, self.total = model, data, config, total
        self.process_group, self.say = process_group, say
        self.objective = Objective(model, config, device)
        forks = device == "cpu" and CAN_FORK and process_group.world_size == 1
        self.workers = Workers(max(1, config.workers) if forks else 1, list(model.parameters()), self._gradient)

    def update(self, state: TrainingState, batches: list[list[int]]) -> None:
        """One update from the batches with these rows; every target token has the same weight.

        Raises:
            DivergenceError: the loss or the gradient is not finite, or too large; the weights are unchanged.
            WorkError: a single sentence does not fit in memory, or a worker failed.
        """
        started, progress = time.perf_counter(), state.progress
        progress.step += 1
        tokens = sum(len(self.data.tgt[row]) + 1 for rows in batches for row in rows)
        nats = self.workers.gradient(progress.epoch, progress.step, tokens, self.process_group.shard(batches))
        nats = self.process_group.all_reduce_gradients(self.workers.parameters, nats)
        with self.workers.all_threads():
            self._apply(state, nats / tokens)
        progress.nats, progress.tokens = progress.nats + nats, progress.tokens + tokens
        progress.seconds += time.perf_counter() - started

    def learning_rate(self, progress: Progress) -> float:
        """The learning rate of the update that was counted last."""
        return progress.rate_scale * learning_rate(self.config, progress.step, self.total)

    def _apply(self, state: TrainingState, loss: float) -> None:
        """Change the weights and their moving average by the gradient in `grad`."""
        norm = self._clip()
        bound = MAX_LOSS * math.log(self.model.output.out_features)
        for name, value, largest in (("loss", loss, bound), ("gradient", norm, math.inf)):
            if not (math.isfinite(value) and value <= largest):
                raise DivergenceError(f"the {name} is {value} at update {state.progress.step}")
        for parameters in state.optimizer.param_groups:
            parameters["lr"] = self.learning_rate(state.progress)
        state.optimizer.step()
        state.optimizer.zero_grad()
        if state.average:
            update_average(list(state.average.values()), state.weights.values(), self.config.ema, state.progress.step)

    def _clip(self) -> float:
        """Scale the gradient down to a norm of at most `clip`; returns its norm before that."""
        norm = torch.nn.utils.get_total_norm([p.grad for p in self.model.parameters() if p.grad is not None])
        length = norm.item()
        if 0.0 < self.config.clip < length:
            torch.nn.utils.clip_grads_with_norm_(self.model.parameters(), self.config.clip, norm)
        return length

    def _gradient(self, shard: Shard) -> float:
        """Add a shard's part of the update's gradient to `grad`; returns the sum of its losses in nats.

        If memory does not suffice, every batch is split in two until it does, which leaves the sum the same.
        """
        self.model.train()
        self.data.load_epoch(shard.epoch)
        batches = [self.data.batch(rows) for rows in shard.rows]
        while True:
            # Dropout is a function of the seed, the update and the number of the worker or rank alone.
            seed = np.random.SeedSequence((self.config.seed, shard.step, shard.worker + self.process_group.rank))
            torch.manual_seed(int(seed.generate_state(1, np.uint64)[0]))
            elapsed = shard.step / self.total
            try:
                return sum(self.objective.backward(batch, shard.tokens, elapsed) for batch in batches)
            except RuntimeError as e:
                if not _is_out_of_memory(e):
                    raise
                failure = str(e)  # the exception would keep the activations alive
            self.model.zero_grad()  # of the batches that fitted
            batches = self._split(batches, failure, shard.step)

    def _split(self, batches: list[Batch], failure: str, step: int) -> list[Batch]:
        """Every batch in two, after the allocator's message `failure`."""
        if all(len(batch.rows) == 1 for batch in batches):
            raise WorkError(
                f"memory does not suffice for one sentence ({failure}); lower data.max_words or the model's sizes"
            ) from None
        halves = [half for batch in batches for half in batch.split()]
        self.say(f"update {step}: out of memory; continuing with {len(halves)} smaller batches")
        return halves


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU's or the processor's allocator failed; the latter has no exception class of its own."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
