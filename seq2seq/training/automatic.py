"""The recipe `auto`: settings that follow from the amount of text. Pure functions, documented in docs/guide.md.

Less text needs fewer and shorter subword tokens, a smaller model, more dropout, smaller batches and more passes over it
(Sennrich & Zhang 2019). The sizes for up to 60,000 and 300,000 pairs are those of the recipes `multi30k` and
`tatoeba-large`, the others are scaled from them. A run of fewer epochs has seen less of the text than it could learn by
heart, so it has less dropout (docs/lab).

This module does not know text, files or the training loop.
"""

import math
from typing import Any, NamedTuple

from seq2seq.training.optimization import TrainingConfig

AUTO = "auto"  # the name of the recipe
LITTLE = 5000  # pairs; a model of fewer makes many mistakes in any sentence
VALIDATIONS, PATIENCE = 16, 6  # of a run; validations without a better score that end it
FEW = 1000  # pairs; their dev part is so small that its BLEU is mostly chance
FINETUNING_SHARE = 0.3  # of the epochs of a new model
LEAST_DROPOUT = 0.05
SAMPLED_SHARE = 0.5  # of the epochs that an amount of text has; shorter runs have no subword sampling
LONG = 8000  # updates; a longer run has a lower peak learning rate


class Amount(NamedTuple):
    """The amount of text to train on."""

    pairs: int  # that cleaning leaves, those to be held out as dev included
    characters: int = 0  # different ones, on both sides together
    directions: int = 1  # of a model of many languages


class Size(NamedTuple):
    """The settings for texts of up to `pairs` pairs."""

    pairs: float
    embedding: int
    encoder: int  # of each direction
    hidden: int
    layers: int  # of the decoder
    dropout: float
    batch_tokens: int
    epochs: int

    @classmethod
    def of(cls, pairs: int) -> "Size":
        """Those for so many pairs."""
        return next(size for size in SIZES if pairs <= size.pairs)


SIZES = (
    Size(1_000, 96, 96, 128, 1, 0.3, 400, 120),
    Size(4_000, 128, 128, 192, 1, 0.3, 800, 60),
    Size(15_000, 192, 192, 256, 1, 0.3, 1200, 36),
    Size(60_000, 192, 192, 256, 2, 0.25, 2400, 27),
    Size(300_000, 256, 256, 384, 2, 0.2, 2400, 12),
    Size(math.inf, 256, 384, 512, 2, 0.1, 3600, 5),
)


def automatic(amount: Amount, finetuned: bool = False) -> dict[str, dict[str, Any]]:
    """The settings for this amount of text, by section.

    Args:
        amount: of text.
        finetuned: whether training begins with another model's weights; its tokenizer and shape are kept.
    """
    size = Size.of(amount.pairs)
    training = {
        "batch_tokens": size.batch_tokens,
        "epochs": size.epochs,
        "learning_rate": 3e-3,
        "ema": 0.995,
        "metric": "chrf" if amount.pairs <= FEW else "bleu",
        "patience": 0 if amount.pairs <= FEW else PATIENCE,
    }
    if finetuned:
        epochs = max(1, round(FINETUNING_SHARE * size.epochs))
        return {"training": {**training, "epochs": epochs}}
    regularised = regularisation(amount.pairs, size.epochs)
    return {
        "tokenizer": {"vocab_size": vocabulary(amount), **regularised["tokenizer"]},
        "model": {
            "cell": "lstm",
            "embedding": size.embedding,
            "encoder_hidden": [size.encoder, size.encoder],
            "hidden": size.hidden,
            "attention": size.embedding,
            "decoder_layers": size.layers,
            # A language that is read and written: with one table the source's words come untranslated (docs/lab).
            "tied": "all" if amount.directions == 1 else "target",
            **regularised["model"],
            "variational": True,
        },
        "training": training,
    }


def regularisation(pairs: int, epochs: float) -> dict[str, dict[str, Any]]:
    """Dropout and subword sampling of a new model, by section.

    Args:
        pairs: of the text.
        epochs: of the run; with a share of those that `SIZES` has, dropout is multiplied by the square root of that
            share. More of them change nothing.
    """
    size = Size.of(pairs)
    share = min(1.0, epochs / size.epochs)
    dropout = max(LEAST_DROPOUT, round(size.dropout * math.sqrt(share), 3))
    sampled = pairs <= SIZES[-2].pairs and share >= SAMPLED_SHARE
    return {
        "tokenizer": {"sampling": 0.7 if sampled else 0.0},
        "model": {"dropout": dropout, "readout_dropout": dropout},
    }


def vocabulary(amount: Amount) -> int:
    """Subword tokens for both languages: 40 times the square root of the pairs, 500 to 16,000.

    A text with more than 200 different characters, such as Japanese, has one more for each of these.
    """
    return max(500, min(16_000, round(40 * math.sqrt(amount.pairs)))) + max(0, amount.characters - 200)


def dev_share(pairs: int) -> float:
    """The share of the pairs that is held out as dev where there is no dev part: 4 by their square root, at most 10%.

    That is 10% of 200 and 1,600 pairs, 358 of 8,000, 1,697 of 180,000.
    """
    return min(0.1, 4 / math.sqrt(pairs)) if pairs else 0.0


def updates_of(config: TrainingConfig, pairs: int, tokens: float) -> int:
    """The updates of the run: those that its settings give, or those of its epochs; see `updates_of_epoch`."""
    return config.updates or config.epochs * updates_of_epoch(config, pairs, tokens)


def updates_of_epoch(config: TrainingConfig, pairs: int, tokens: float) -> int:
    """The updates of an epoch.

    Args:
        config: the run's batches.
        pairs: that are trained on.
        tokens: of a pair, on its longer side, on average.
    """
    batches = max(1, round(pairs * (tokens + 1) / config.batch_tokens))
    return math.ceil(batches / config.accumulate)


def schedule(rate: float, updates: int, validations: int = VALIDATIONS) -> dict[str, float]:
    """The settings of [training] for a run of so many updates: the warm-up is a tenth of it, at most 400 updates.

    Adam moves a weight by about the learning rate at each update, so that the weights grow with the square root of the
    sum of the squared rates, until they saturate the gates and training stops to improve. So the peak falls with the
    square root of the updates beyond `LONG`, which bounds that sum.
    """
    return {
        "learning_rate": rate * min(1.0, math.sqrt(LONG / updates)),
        "updates": updates,
        "warmup": min(400, updates // 10),
        "validate_every": max(1, math.ceil(updates / validations)),
    }


def little_text(pairs: int, finetuned: bool) -> str:
    """A note for texts that are too small; empty for others."""
    if pairs >= LITTLE or finetuned:
        return ""
    return (
        f"{pairs:,} pairs are little text; a model of fewer than {LITTLE:,} makes mistakes in most sentences: "
        "add text, or begin with a model of the same languages (--finetune MODEL)"
    )
