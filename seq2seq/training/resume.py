"""Files of training states: one per checkpoint, with everything that resuming needs.

A state is numbers (JSON) and groups of tensors, each by its parameter's name. This module knows which group holds the
weights and which their moving average, but not what training uses the other groups for.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from seq2seq.errors import InputError
from seq2seq.folder import files
from seq2seq.folder.layout import TRAINING, training_states

WEIGHTS, AVERAGE = "weights", "average"

Groups = dict[str, dict[str, Tensor]]


def save(
    folder: Path, step: int, groups: Mapping[str, Mapping[str, Tensor]], numbers: Mapping[str, Any], keep: int
) -> None:
    """Write the state after `step` updates, and remove all but the `keep` newest."""
    tensors = {f"{group}/{name}": t.contiguous() for group, named in groups.items() for name, t in named.items()}
    content = safetensors.torch.save(tensors, {"state": json.dumps(numbers)})
    files.publish(folder, f"{TRAINING}/step-{step:08d}.safetensors", content)
    files.remove(folder, training_states(folder)[:-keep])


def load(folder: Path, age: int = 0) -> tuple[Groups, dict[str, Any]]:
    """The groups and numbers of a folder's newest state, or of the one `age` states before it.

    Raises:
        InputError: there is no state, or it is damaged.
    """
    names = training_states(folder)
    if not names:
        raise InputError(
            f"{folder / TRAINING} holds no training state; there is nothing to resume; train again with --overwrite, "
            "or train a finished model on other text with --finetune"
        )
    name = names[-1 - age]
    path, groups = folder / name, Groups()
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            numbers = json.loads(file.metadata()["state"])
            for key in file.keys():  # noqa: SIM118
                group, parameter = key.split("/", 1)
                groups.setdefault(group, {})[parameter] = file.get_tensor(key)
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError) as e:
        raise InputError(f"{path} is damaged ({e}); remove it to resume from the state before it") from None
    files.verify(folder, name)
    return groups, numbers


def average_weights(folder: Path, last: int) -> dict[str, Tensor]:
    """The mean of the weights of a run's `last` newest states; of their moving averages if the run has any.

    Raises:
        InputError: there are fewer states, or one is damaged.
    """
    if not (kept := len(training_states(folder))):
        raise InputError(f"{folder} holds no checkpoints of a run to average; give the folder that train wrote")
    if kept < last:
        raise InputError(
            f"{folder / TRAINING} holds {kept} training states, fewer than {last}; ask for an average of fewer "
            "(training.keep sets how many a run keeps)"
        )
    states = [load(folder, age)[0] for age in range(last)]
    averages = [groups.get(AVERAGE, groups[WEIGHTS]) for groups in states]
    return {name: torch.stack([weights[name] for weights in averages]).mean(0) for name in averages[0]}
