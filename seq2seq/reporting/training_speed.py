"""The speed of training: target tokens per second, and the share of the processor's peak that the model's own
arithmetic reaches. Knows nothing about how the peak was measured.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seq2seq.folder import checkpoint, layout
from seq2seq.network.model import Model
from seq2seq.reporting.isolation import peak_memory
from seq2seq.text.multilingual import Corpora
from seq2seq.training.settings import Settings
from seq2seq.training.texts import prepare
from seq2seq.training.trainer import Trainer
from seq2seq.training.workers import default_workers


def measure_training(
    settings: Settings, corpora: Corpora, updates: int, threads: int, peak: float, folder: Path
) -> dict[str, Any]:
    """Train in `folder`, which then holds the model, and return the speed as a row.

    As many updates run before the timed ones, because the first updates are slower.

    Args:
        settings: the model and its training; the number of updates and of workers is set here.
        corpora: the text, by direction.
        updates: how many are timed.
        threads: of the processor.
        peak: GFLOP/s of matrix products with as many threads; the row's `share` is relative to it.
        folder: a new model folder.
    """
    torch.set_num_threads(threads)
    training, hidden = settings.training, settings.model.hidden
    workers = min(threads, training.workers) or default_workers(threads, training.batch_tokens, hidden)
    training = replace(training, updates=2 * updates, validate_every=updates, workers=workers)
    settings = settings._replace(training=training)
    # Validation is not measured.
    corpora = {direction: corpus._replace(dev=corpus.dev[:2]) for direction, corpus in corpora.items()}
    tokenizers = prepare(settings, corpora, _ignore)
    layout.save_settings(folder, settings._asdict(), *tokenizers)
    trainer = Trainer(settings, corpora, tokenizers, folder, "cpu", _ignore)
    trainer.run(quiet=True)
    speed = trainer.progress.metrics[-1]["tgt_tokens_per_s"]
    src, tgt = (sum(len(ids) + 1 for ids in side) / len(side) for side in (trainer.data.src, trainer.data.tgt))
    gflops = 3 * forward_flops(trainer.model, src, tgt) / tgt * speed / 1e9  # backward costs twice forward
    return {
        "parameters": sum(w.numel() for w in checkpoint.weights_of(trainer.model).values()),
        "threads": threads,
        "workers": workers,
        "tgt_tokens_per_s": speed,
        "gflops": round(gflops),
        "share": round(gflops / peak, 3),
        "memory_mb": peak_memory(),
    }


def forward_flops(model: Model, src_tokens: float, tgt_tokens: float) -> float:
    """Floating-point operations of the forward pass over one sentence pair of S and T tokens:

        2 (bridge + S source + T (target + S attention))

    `bridge` weights are used once, `source` weights for each source token, `target` weights for each target token, and
    `attention` multiplications are for each pair of them; 2 is a multiplication and an addition. Padding, dropout and
    elementwise operations do not count.
    """
    config, decoder = model.config, model.decoder

    def weights(module: Any) -> int:
        return sum(w.numel() for w in module.parameters() if w.ndim == 2)

    parts = {name: weights(part) for name, part in decoder.context.named_children()}
    source = weights(model.encoder.layers) + parts.get("key", 0) + parts.get("value", 0)
    target = weights(decoder.layers) + parts.get("query", 0) + parts.get("output", 0) + weights(decoder.readout)
    target += model.output.out_features * config.embedding
    lexical = 0
    if decoder.lexical is not None:
        target, lexical = target + weights(decoder.lexical), config.embedding
    scoring = config.hidden if config.context in ("dot", "general") else config.attention
    attention = 0 if decoder.context.fixed else scoring + decoder.context.size + lexical
    return 2.0 * (weights(decoder.bridge) + src_tokens * source + tgt_tokens * (target + src_tokens * attention))


def _ignore(message: str) -> None:
    """Take a message of the trainer and print nothing."""
