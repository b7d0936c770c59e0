"""The state of a run: weights, their moving average, AdamW's moments, snapshots and progress; saved and restored.

Every random choice is a function of the seed and the position in the run (epoch, update), so no generator's state is
part of it, and a resumed run takes the same steps as an uninterrupted one.

This module does not know how an update is computed, nor the format of the file (see `resume`).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint
from seq2seq.network.model import Model
from seq2seq.training import resume
from seq2seq.training.optimization import TrainingConfig

MOMENTS = "step", "exp_avg", "exp_avg_sq"  # AdamW's state of a parameter


@dataclass
class Progress:
    """The position in a run and its scores. The names are those of the training state's file."""

    step: int = 0  # updates done
    epoch: int = 0
    batch: int = 0  # batches of this epoch done
    best: float = -math.inf  # best validation score
    ties: list[float] = field(default_factory=list)  # of that validation: what decides between equal scores, in order
    best_step: int = 0
    bad: int = 0  # validations since the best one
    rate_scale: float = 1.0  # factor on the learning rate, halved by the plateau schedule
    nats: float = 0.0  # training loss since the last validation, summed ...
    tokens: int = 0  # ... over this many target tokens ...
    seconds: float = 0.0  # ... in this much time
    minutes: float = 0.0  # of training and validation
    metrics: list[dict[str, Any]] = field(default_factory=list)  # one entry per validation

    def add_score(self, rank: Sequence[float], config: TrainingConfig) -> bool:
        """Count a validation; returns whether it is the best so far. Plateau lowers the learning rate.

        Args:
            rank: its score, then what decides between equal scores: chrF and the negated loss; higher is better. A
                loss that is better alone does not count for `patience` and plateau.
        """
        score, *ties = rank
        # A state of an earlier version has no `ties`; there the first of equal scores stays the best.
        is_best = score > self.best or (score == self.best and bool(self.ties) and ties > self.ties)
        is_better = score > self.best or (is_best and ties[:-1] > self.ties[:-1])
        if is_best:
            self.best, self.ties, self.best_step = score, ties, self.step
        if is_better:
            self.bad = 0
            return is_best
        self.bad += 1
        if config.schedule == "plateau" and self.bad % config.plateau_patience == 0:
            self.rate_scale *= 0.5
        return is_best


class TrainingState:
    """Everything that resuming needs.

    Args:
        model: whose parameters are trained. `weights` shares their storage.
        config: settings of the optimizer and of the averages.
        text: fingerprint of the training text and the tokenizers; a state of another text is not restored.
    """

    def __init__(self, model: Model, config: TrainingConfig, text: str) -> None:
        self.model, self.config, self.text = model, config, text
        self.weights = checkpoint.weights_of(model)
        self.optimizer = torch.optim.AdamW(
            model.parameters(), betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True
        )
        self.average: dict[str, Tensor] = {}  # moving average of the weights; empty without `training.ema`
        self.reset_average()
        self.snapshots: list[dict[str, Tensor]] = []  # weights at the last `average_last` validations, oldest first
        self.progress = Progress()

    def reset_average(self) -> None:
        """Start the moving average at the current weights."""
        self.average = {name: w.clone() for name, w in self.weights.items()} if self.config.ema else {}

    def take_snapshot(self) -> dict[str, Tensor]:
        """Add the weights, or their moving average, to the snapshots; returns the mean of all snapshots."""
        self.snapshots = self._with_newest()
        return _mean(self.snapshots)

    def averaged(self) -> dict[str, Tensor]:
        """What `take_snapshot` would return; the snapshots stay as they are."""
        return _mean(self._with_newest())

    def _with_newest(self) -> list[dict[str, Tensor]]:
        newest = {name: w.clone() for name, w in (self.average or self.weights).items()}
        return [*self.snapshots, newest][-self.config.average_last :]

    def untrained_parameters(self) -> list[str]:
        """The names of the parameters whose gradient was zero in every update so far."""
        moments = {name: self.optimizer.state[parameter] for name, parameter in self.model.named_parameters()}
        return [name for name, moment in moments.items() if not moment["exp_avg_sq"].any()]

    def save(self, folder: Path) -> None:
        """Write the state into the folder, and remove all but the newest `training.keep` states."""
        groups: resume.Groups = {resume.WEIGHTS: self.weights, resume.AVERAGE: self.average}
        groups |= {f"snapshot-{i}": snapshot for i, snapshot in enumerate(self.snapshots)}
        for name, parameter in self.model.named_parameters():
            for moment, value in self.optimizer.state[parameter].items():
                groups.setdefault(moment, {})[name] = value
        numbers = {"text": self.text, **asdict(self.progress)}
        resume.save(folder, self.progress.step, groups, numbers, self.config.keep)

    def restore(self, folder: Path, device: str) -> None:
        """Load the newest state of the folder; its tensors go to `device`.

        Raises:
            InputError: there is none, it is damaged or of another model, or it was trained on another text.
        """
        stored, numbers = resume.load(folder)
        groups = {group: {name: t.to(device) for name, t in named.items()} for group, named in stored.items()}
        checkpoint.load_weights(self.model, groups[resume.WEIGHTS], f"the training state in {folder}")
        if numbers.pop("text") != self.text:
            raise InputError(
                f"the text or the tokenizer is not the one that {folder} was trained on; restore it, give the text's "
                "new place with --data (all places, in their order, with their weights), or start a new run with "
                "another --out"
            )
        averages = groups.get(resume.AVERAGE, groups[resume.WEIGHTS])
        self.average = {name: averages[name].clone() for name in self.average}  # in the order of the weights
        snapshots = sorted((int(group.partition("-")[2]), group) for group in groups if group.startswith("snapshot-"))
        self.snapshots = [groups[group] for _, group in snapshots[-self.config.average_last :]]
        for name, parameter in self.model.named_parameters():
            self.optimizer.state[parameter] = {key: groups[key][name] for key in MOMENTS}
        self.progress = Progress(**numbers)


def _mean(weights: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several sets of weights."""
    return {name: torch.stack([each[name] for each in weights]).mean(0) for name in weights[0]}
