"""Settings that depend on the text of a run, or on the speed of the machine: the recipe `auto`, and `--minutes`."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from seq2seq.errors import InputError
from seq2seq.text.cleaning import HELD_OUT
from seq2seq.text.corpus import Corpus
from seq2seq.text.mapped import Joined, characters
from seq2seq.text.multilingual import Corpora
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training import automatic, settings
from seq2seq.training.pacing import measure, updates_in
from seq2seq.training.settings import Settings
from seq2seq.training.texts import epoch_rows
from seq2seq.training.trainer import Trainer

Sections = dict[str, dict[str, Any]]
Tokenizers = tuple[Tokenizer, Tokenizer]
SAMPLE = 5000  # pairs whose tokens are counted
BEAM_TIME = 4.0  # of a sentence of the final test, in those of a greedy one
MOST_SCORING = 0.2  # of the time, which is mostly for training, even if the tests are many


def amount_of(text: Corpora) -> automatic.Amount:
    """The amount of text of all directions: of train parts, and of dev parts that are held out from them."""
    different = set().union(*(characters(each.train) for each in text.values()))
    return automatic.Amount(sum(map(_pairs_of, text.values())), len(different), len(text))


def different_pairs(text: Corpora) -> int:
    """The number of pairs, those of two opposite directions counted once."""
    return sum({frozenset(direction): _pairs_of(each) for direction, each in text.items()}.values())


def _pairs_of(corpus: Corpus) -> int:
    train = corpus.report.parts[0]
    return train.kept + train.dropped.get(HELD_OUT, 0)


def automatic_settings(explicit: Sections, amount: automatic.Amount) -> Settings:
    """The settings of the recipe `auto` for a text; those that the user or the model that is fine-tuned gives stay."""
    finetuned = bool(explicit.get("training", {}).get("finetuned"))
    share = automatic.dev_share(amount.pairs // amount.directions)  # of two directions both have all pairs
    sections = automatic.automatic(amount, finetuned) | {"data": {"dev_share": share}}
    for name, values in explicit.items():
        sections[name] = {**sections.get(name, {}), **values}
    return settings.resolve(sections)


def scheduled(
    resolved: Settings, explicit: Sections, text: Corpora, tokenizers: tuple[Tokenizer, Tokenizer]
) -> Settings:
    """The settings of the recipe `auto` with the number of updates that the epochs of this text have, and what fits it:
    a warm-up, validations and dropout.
    """
    train = Joined([each.train for each in text.values()])
    sample = train[:: max(1, len(train) // SAMPLE)]
    sides = [
        np.fromiter(map(len, tokenizer.encode([pair[side] for pair in sample])), np.int64)
        for side, tokenizer in enumerate(tokenizers)
    ]
    pairs, tokens = epoch_rows(resolved, text).pairs, float(np.maximum(*sides).mean())
    updates = automatic.updates_of(resolved.training, pairs, tokens)
    epochs = updates / automatic.updates_of_epoch(resolved.training, pairs, tokens)
    return _with_schedule(regularised(resolved, explicit, text, epochs), explicit, updates)


def regularised(resolved: Settings, explicit: Sections, text: Corpora, epochs: float) -> Settings:
    """The settings of the recipe `auto` with the dropout of a run of so many epochs, except what the user gives.

    A model that is fine-tuned keeps its own.
    """
    if resolved.training.finetuned:
        return resolved
    sections = automatic.regularisation(sum(map(_pairs_of, text.values())), epochs)
    tokenizer, model = (_not_given(sections[section], explicit, section) for section in ("tokenizer", "model"))
    return resolved._replace(tokenizer=replace(resolved.tokenizer, **tokenizer), model=replace(resolved.model, **model))


def in_minutes(
    resolved: Settings,
    explicit: Sections,
    trainer: Trainer,
    text: Corpora,
    seconds: float,
    is_automatic: bool,
    say: Callable[[str], None],
) -> Settings:
    """The settings with as many updates as this machine does in so many seconds, scoring included.

    Args:
        resolved: the settings.
        explicit: those that the user gives, by section.
        trainer: of these settings, to measure the speed with; it cannot be used afterwards.
        text: of the run.
        seconds: from now on.
        is_automatic: whether the recipe is `auto`, whose dropout follows from the epochs.
        say: called with a line about the speed.
    """
    begun, speed = time.monotonic(), measure(trainer)
    tested = sum(sum(map(len, each.tests.values())) or len(each.dev) for each in text.values())
    scoring = BEAM_TIME * speed.validation / trainer.validator.sentences * tested
    seconds -= time.monotonic() - begun
    seconds -= min(scoring, MOST_SCORING * seconds)
    if resolved.training.finetuned:  # the weights that it begins with are validated as well
        seconds -= speed.validation
    updates, validations = updates_in(seconds, speed, automatic.VALIDATIONS)
    say(f"{1 / speed.update:.1f} updates a second, {speed.validation:.1f} s a validation: {updates:,} updates")
    if is_automatic:
        epochs = updates * resolved.training.accumulate / len(trainer.data.load_epoch(0))
        resolved = regularised(resolved, explicit, text, epochs)
    return _with_schedule(resolved, explicit, updates, validations)


def check_minutes(minutes: float | None, resume: bool, explicit: Sections, ranks: int) -> None:
    """Check that a time limit fits the other options.

    Raises:
        InputError: it does not.
    """
    if minutes is None:
        return
    if not 0 < minutes < math.inf:
        raise InputError(f"--minutes {minutes:g}: give a number above 0")
    if resume:
        raise InputError("--minutes sets the schedule of a new run; a resumed one has its own: leave it out")
    if {"updates", "epochs"} & explicit.get("training", {}).keys():
        raise InputError("--minutes and training.updates or training.epochs exclude each other; give one")
    if ranks > 1:
        raise InputError("--minutes measures one process; with torchrun give --set training.updates=N")


def _with_schedule(
    resolved: Settings, explicit: Sections, updates: int, validations: int = automatic.VALIDATIONS
) -> Settings:
    """The settings with a schedule of so many updates, except what the user gives."""
    values = automatic.schedule(resolved.training.learning_rate, updates, validations)
    return resolved._replace(training=replace(resolved.training, **_not_given(values, explicit, "training")))


def _not_given(values: Mapping[str, Any], explicit: Sections, section: str) -> dict[str, Any]:
    """The settings of a section that the user does not give."""
    return {name: value for name, value in values.items() if name not in explicit.get(section, {})}
