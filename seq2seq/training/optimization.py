"""The settings of training, and the parts of it that are functions: learning rate, precision, averages of weights."""

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq.config import setting
from seq2seq.errors import InputError


@dataclass(frozen=True)
class TrainingConfig:
    """How the weights are found."""

    seed: int = setting(1, "every random choice follows from it", low=0, high=2**31)
    epochs: int = setting(10, "passes over the training data", low=1)
    updates: int = setting(0, "stop after so many updates; 0: after the epochs", low=0)
    batch_tokens: int = setting(1200, "padded tokens a batch, on the longer side", low=1)
    accumulate: int = setting(1, "batches an update", low=1)
    learning_rate: float = setting(1e-3, "its highest value", low=0.0)
    schedule: str = setting("cosine", "how it falls", choices=("constant", "inverse_sqrt", "cosine", "plateau"))
    warmup: int = setting(200, "updates of linear warm-up", low=0)
    plateau_patience: int = setting(1, "validations without a better score before plateau halves the rate", low=1)
    weight_decay: float = setting(0.0, "decoupled, as in AdamW; 0 is Adam", low=0.0)
    clip: float = setting(1.0, "largest norm of the gradient; 0: any", low=0.0)
    label_smoothing: float = setting(0.1, "share of the target spread over the vocabulary", low=0.0, high=0.99)
    consistency: float = setting(0.0, "weight of R-Drop: two passes, their disagreement", low=0.0, high=100.0)
    word_vectors: str = setting("random", "what the embeddings start from", choices=("random", "skipgram", "cbow"))
    word_vectors_text: str = setting("", "a file of lines to learn them from, besides the training text")
    scheduled_sampling: float = setting(0.0, "share of own predictions read, reached at the end", low=0.0, high=1.0)
    ema: float = setting(0.998, "decay of the moving average of the weights; 0: none", low=0.0, high=0.99999)
    average_last: int = setting(1, "validations whose weights are averaged", low=1, high=100)
    validate_every: int = setting(0, "updates between validations; 0: an epoch", low=0)
    metric: str = setting("bleu", "dev score that chooses the best weights", choices=("bleu", "chrf", "loss"))
    patience: int = setting(0, "stop after so many validations without a better score; 0: never", low=0)
    precision: str = setting("auto", "arithmetic of the products", choices=("auto", "fp32", "bf16"))
    workers: int = setting(0, "processes that share each batch on a CPU; 0: as many as pay", low=0, high=1000)
    keep: int = setting(2, "training states kept", low=1)


def learning_rate(config: TrainingConfig, step: int, total: int) -> float:
    """The rate of update `step` (1 .. total): linear warm-up, then the decay; a pure function.

    inverse_sqrt is rate * sqrt(warmup / step) (Vaswani et al. 2017), cosine falls to 0 at `total` (Loshchilov & Hutter
    2017), plateau is constant here: its halvings follow from the validations, and multiply this.
    """
    if step < config.warmup:
        return config.learning_rate * step / config.warmup
    if config.schedule == "inverse_sqrt":
        return config.learning_rate * math.sqrt(max(config.warmup, 1) / step)
    if config.schedule == "cosine":
        done = (step - config.warmup) / max(total - config.warmup, 1)
        return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))
    return config.learning_rate


def autocast(precision: str, device: str) -> contextlib.AbstractContextManager[object]:
    """bfloat16 products where asked for, or where the processor computes in it; otherwise float32."""
    if precision == "auto":
        precision = "bf16" if _computes_in_bf16(device) else "fp32"
    return torch.autocast(device, torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


def check_precision(precision: str, device: str) -> None:
    """Whether what was asked for can be done here.

    Raises:
        InputError: it cannot.
    """
    if precision == "bf16" and device == "cpu" and not _has_bf16_layers():
        raise InputError("training.precision = 'bf16': this processor has no such products; take 'auto' or 'fp32'")


def _computes_in_bf16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return _has_bf16_layers() and bool(torch.cpu._is_avx512_bf16_supported())


def _has_bf16_layers() -> bool:
    return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def update_average(average: list[Tensor], weights: Iterable[Tensor], decay: float, step: int) -> None:
    """average += (1 - d) (weights - average), d = min(decay, (1 + step) / (10 + step)), so the start fades."""
    torch._foreach_lerp_(average, list(weights), 1.0 - min(decay, (1.0 + step) / (10.0 + step)))
