"""A task for the tests of training and translation: reverse a sequence of digits; tiny runs on it."""

import json
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from seq2seq.folder import layout
from seq2seq.network.model import Model
from seq2seq.text.corpus import Corpus, Report
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training import resume, settings
from seq2seq.training.settings import Settings
from seq2seq.training.texts import prepare
from seq2seq.training.trainer import Trainer
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine

DIRECTION = "digits", "stigid"
# Small, and every size different, so that no two can be confused.
TINY_MODEL = {"embedding": 6, "encoder_hidden": [5, 3], "hidden": 7, "context": "additive", "attention": 4}
TINY_TRAINING = {"epochs": 2, "batch_tokens": 60, "warmup": 3, "learning_rate": 0.01, "precision": "fp32"}
AS_IT_STANDS = {"normalisation": 0, "keep": False, "sentences": False, "longest": 200}  # digits are the language here


def silent(message: str) -> None:
    """Takes the place of `say`; prints nothing."""


def reversals(count: int, seed: int = 0, longest: int = 6) -> list[Pair]:
    """`count` distinct pairs such as `3 1 4`, `4 1 3`, with at most `longest` digits."""
    draw = random.Random(seed)
    sources: dict[str, None] = {}
    while len(sources) < count:
        sources[" ".join(draw.choices("0123456789", k=draw.randint(2, longest)))] = None
    return [Pair(source, source[::-1]) for source in sources]


def corpus(train: int, dev: int, seed: int = 0, longest: int = 6) -> Corpus:
    """Disjoint train and dev parts with these numbers of pairs, of at most `longest` digits."""
    pairs = reversals(train + dev, seed, longest)
    return Corpus(pairs[dev:], pairs[:dev], {}, Report([], []))


def chosen(training: Mapping[str, Any] = {}, model: Mapping[str, Any] = {}, **tokenizer: Any) -> Settings:
    """The settings of a tiny run, with overrides by section."""
    return settings.resolve(
        {
            "data": {"src": "digits", "tgt": "stigid"},
            "text": AS_IT_STANDS,
            "tokenizer": {"vocab_size": 300, "placeholders": 0, **tokenizer},
            "model": {**TINY_MODEL, **model},
            "training": {**TINY_TRAINING, **training},
        }
    )


def begin(folder: Path, resolved: Settings, text: Corpus, say: Callable[[str], None] = silent) -> Trainer:
    """A new run in the folder, made as `seq2seq train` makes it."""
    corpora = {DIRECTION: text}
    tokenizers = prepare(resolved, corpora, silent)
    trainer = Trainer(resolved, corpora, tokenizers, folder, "cpu", say)
    layout.save_settings(folder, resolved._asdict(), *tokenizers)
    return trainer


def resumed(folder: Path, text: Corpus, training: Mapping[str, Any] = {}) -> Trainer:
    """The run of the folder restored from its newest state, as `seq2seq train --resume` does; with other settings."""
    sections = layout.read_settings(folder)
    sections["training"] |= training
    resolved = settings.resolve(sections)
    tokenizers = layout.read_tokenizers(folder, resolved.tokenizer)
    trainer = Trainer(resolved, {DIRECTION: text}, tokenizers, folder, "cpu", silent)
    trainer.restore()
    return trainer


def untimed(numbers: dict[str, Any]) -> dict[str, Any]:
    """The numbers without times, which differ from run to run, and without the list of metrics."""
    return {k: v for k, v in numbers.items() if k not in ("seconds", "minutes", "tgt_tokens_per_s", "metrics")}


class End(NamedTuple):
    """Everything that a run writes into its folder, except times."""

    model: bytes
    config: bytes
    groups: resume.Groups
    numbers: dict[str, Any]
    metrics: list[dict[str, Any]]


def end(folder: Path) -> End:
    """Read what a finished run has written."""
    groups, numbers = resume.load(folder)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert numbers["metrics"] == lines
    model, config = ((folder / name).read_bytes() for name in ("model.safetensors", "config.toml"))
    return End(model, config, groups, untimed(numbers), [untimed(line) for line in lines])


def assert_same(one: End, other: End) -> None:
    """Assert that two runs ended equal to the bit."""
    assert one.numbers == other.numbers
    assert one.metrics == other.metrics
    assert one.groups.keys() == other.groups.keys()
    for group, named in one.groups.items():
        assert named.keys() == other.groups[group].keys()
        for name, tensor in named.items():
            assert torch.equal(tensor, other.groups[group][name]), (group, name)
    assert one.model == other.model
    assert one.config == other.config


to_the_bit = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason="equal bits are promised for processors with AVX2 or AVX-512",
)


class Learnt(NamedTuple):
    """The folder of a model that reverses digits, the CPU time of its training, and pairs that are not in its data."""

    folder: Path
    cpu_seconds: float
    unseen: list[Pair]


def learn(folder: Path) -> Learnt:
    """Train a model until it reverses digits, 2 to 9 seconds of CPU time."""
    resolved = chosen(
        {
            "epochs": 4,
            "batch_tokens": 300,
            "warmup": 20,
            "learning_rate": 1e-2,
            "label_smoothing": 0.0,
            "ema": 0.98,
            "metric": "loss",
        },
        {
            "context": "general",
            "embedding": 24,
            "encoder_hidden": [32, 32],
            "hidden": 64,
            "dropout": 0.0,
            "readout_dropout": 0.0,
        },
    )
    start = time.process_time()
    begin(folder, resolved, corpus(4000, 50)).run(quiet=True)
    return Learnt(folder, time.process_time() - start, reversals(4250)[4050:])


def untrained(model: dict[str, Any]) -> Bundle:
    """An untrained model: its translations are random tokens, also bytes that are not valid UTF-8."""
    settings = chosen({}, model)
    tokenizer = Tokenizer.learn([pair.src for pair in reversals(50)], settings.tokenizer, silent)
    torch.manual_seed(0)
    network = Model(settings.model, len(tokenizer), len(tokenizer), tokenizer.special).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight *= 3  # confident predictions
    return Bundle(TorchEngine(network), tokenizer, tokenizer, settings.search, "digits", "stigid")


AWKWARD = [
    "",
    " ",
    "\t",
    "\u3000\u00a0",
    "  1 2  ",
    "1\t2",
    "12",
    "x",
    "\u200b",
    "🙂 1 👩‍👩‍👧",
    "漢字かな",
    "\u2581 \u2581",
    "a\u2028b\x0cc\x85d\x1ee",
    "1 2\r",
    "\r",
    "\ufeff1",
    "\x00",
    "\x00 1",
    "\ufffd",
    "e\u0301 ‮ \u0627",
    "<s> </s> <unk> <0x0A>",
    "1 " * 50,
    "9" * 90,
]
