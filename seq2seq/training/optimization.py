"""The settings of training, and its pure functions: learning rate schedules, precision, moving average of weights.

It does not know models, text or the training loop.
"""

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
    """How the weights are trained."""

    seed: int = setting(1, "seed of every random choice", low=0, high=2**31)
    finetuned: str = setting("", "folder of the model whose weights the run began with; --finetune sets it")
    epochs: int = setting(10, "passes over the training data", low=1)
    updates: int = setting(0, "number of updates, in place of `epochs`; 0: as many as the epochs have", low=0)
    batch_tokens: int = setting(
        1200, "largest number of tokens in a batch, padding included, on its longer side", low=1
    )
    accumulate: int = setting(1, "batches per update (gradient accumulation)", low=1)
    learning_rate: float = setting(1e-3, "peak learning rate", low=0.0)
    schedule: str = setting(
        "cosine", "learning rate after the warm-up", choices=("constant", "inverse_sqrt", "cosine", "plateau")
    )
    warmup: int = setting(200, "updates of linear warm-up", low=0)
    plateau_patience: int = setting(1, "with plateau: validations without a better score before the rate halves", low=1)
    weight_decay: float = setting(0.0, "decoupled weight decay (AdamW); 0: Adam", low=0.0)
    clip: float = setting(1.0, "largest norm of the gradient; 0: no clipping", low=0.0)
    label_smoothing: float = setting(
        0.1, "probability spread uniformly over the vocabulary in the target", low=0.0, high=0.99
    )
    sampled_softmax: float = setting(
        1.0,
        "share of the vocabulary, besides the targets of a batch, over which the softmax of the training loss sums in "
        "the first four fifths of the updates; below 1 the sum is an estimate, and a large vocabulary costs less time",
        low=0.001,
        high=1.0,
    )
    consistency: float = setting(0.0, "weight of the R-Drop consistency loss; 0: off", low=0.0, high=100.0)
    coverage: float = setting(
        0.0,
        "weight of the coverage loss, which counts attention to source tokens that have had it before; 0: off",
        low=0.0,
        high=100.0,
    )
    word_vectors: str = setting(
        "random", "initial embeddings: random, or word2vec of the training text", choices=("random", "skipgram", "cbow")
    )
    word_vectors_text: str = setting("", "file of more sentences to learn the word vectors from")
    scheduled_sampling: float = setting(
        0.0, "share of decoder inputs replaced by predictions at the end of the run; it rises from 0", low=0.0, high=1.0
    )
    ema: float = setting(0.998, "decay of the moving average of the weights; 0: none", low=0.0, high=0.99999)
    average_last: int = setting(1, "number of last validations whose weights are averaged", low=1, high=100)
    dev_pairs: int = setting(
        0,
        "most dev pairs that a validation scores, of all directions together; 0: all, or of several directions 2,000",
        low=0,
    )
    validate_every: int = setting(0, "updates between validations; 0: one per epoch", low=0)
    metric: str = setting("bleu", "dev score that chooses the best weights", choices=("bleu", "chrf", "loss"))
    patience: int = setting(0, "validations without a better score before an early stop; 0: no early stop", low=0)
    precision: str = setting(
        "auto", "precision of matrix products; auto: bf16 where it is native", choices=("auto", "fp32", "bf16")
    )
    workers: int = setting(0, "processes that share each batch on a CPU; 0: the fastest number", low=0, high=1000)
    keep: int = setting(2, "number of training states kept in the model folder, for --resume", low=1)


def learning_rate(config: TrainingConfig, step: int, total: int) -> float:
    """The learning rate of update `step` (1 .. total): linear warm-up, then the schedule.

    inverse_sqrt is rate * sqrt(warmup / step) (Vaswani et al. 2017), cosine falls to 0 at `total` (Loshchilov & Hutter
    2017), plateau is constant here: the validations halve it by a factor of its own (`Progress.rate_scale`).
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
    """A context of bfloat16 products if `precision` is bf16, or auto on a device with native ones; else float32."""
    if precision == "auto":
        precision = "bf16" if _computes_in_bf16(device) else "fp32"
    return torch.autocast(device, torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


def check_precision(precision: str, device: str) -> None:
    """Check that the device supports the precision.

    Raises:
        InputError: it does not.
    """
    if precision == "bf16" and device == "cpu" and not _has_bf16_layers():
        raise InputError("training.precision = 'bf16': this processor does not support it; set 'auto' or 'fp32'")


def _computes_in_bf16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return _has_bf16_layers() and bool(torch.cpu._is_avx512_bf16_supported())


def _has_bf16_layers() -> bool:
    return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def update_average(average: list[Tensor], weights: Iterable[Tensor], decay: float, step: int) -> None:
    """average += (1 - d) (weights - average), in place, d = min(decay, (1 + step) / (10 + step)).

    The smaller d of the first updates keeps the initial weights from dominating the average.
    """
    torch._foreach_lerp_(average, list(weights), 1.0 - min(decay, (1.0 + step) / (10.0 + step)))
