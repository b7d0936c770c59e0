"""The recipe `auto`: a pure function of the amount of text, whose settings fit one another for every amount."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest

from seq2seq.training import settings
from seq2seq.training.automatic import (
    LEAST_DROPOUT,
    LONG,
    SIZES,
    Amount,
    Size,
    automatic,
    dev_share,
    little_text,
    regularisation,
    schedule,
    updates_of,
    updates_of_epoch,
    vocabulary,
)
from seq2seq.training.optimization import TrainingConfig, learning_rate

AMOUNTS = [1, 20, 200, 2_000, 8_000, 30_000, 180_000, 1_000_000]


@pytest.mark.parametrize(("pairs", "finetuned"), list(itertools.product(AMOUNTS, [False, True])))
def test_the_settings_of_every_amount_are_valid_and_the_same_each_time(pairs: int, finetuned: bool) -> None:
    amount = Amount(pairs, 100)
    assert automatic(amount, finetuned) == automatic(amount, finetuned)
    resolved = settings.resolve(automatic(amount, finetuned))
    assert resolved.training.schedule == "cosine"


def test_less_text_has_a_smaller_model_more_dropout_and_more_epochs() -> None:
    all_settings = [settings.resolve(automatic(Amount(pairs))) for pairs in AMOUNTS]
    for less, more in itertools.pairwise(all_settings):
        assert less.model.hidden <= more.model.hidden
        assert less.model.dropout >= more.model.dropout
        assert less.tokenizer.vocab_size <= more.tokenizer.vocab_size
        assert less.training.batch_tokens <= more.training.batch_tokens
        assert less.training.epochs >= more.training.epochs
    assert all_settings[0].training.epochs > 10 * all_settings[-1].training.epochs


def test_of_several_directions_the_source_has_a_table_of_its_own() -> None:
    assert automatic(Amount(8_000))["model"]["tied"] == "all"
    assert automatic(Amount(8_000, directions=2))["model"]["tied"] == "target"


@pytest.mark.parametrize("pairs", AMOUNTS)
def test_fine_tuning_has_fewer_epochs_and_no_settings_of_the_model(pairs: int) -> None:
    new, finetuned = automatic(Amount(pairs)), automatic(Amount(pairs), finetuned=True)
    assert finetuned.keys() == {"training"}
    assert finetuned["training"]["epochs"] < new["training"]["epochs"]
    assert finetuned["training"] | {"epochs": 0} == new["training"] | {"epochs": 0}


@pytest.mark.parametrize("updates", [1, 2, 9, 10, 60, 4_000, 100_000])
def test_the_warm_up_is_shorter_than_the_run(updates: int) -> None:
    config = replace(TrainingConfig(), **schedule(3e-3, updates))
    assert config.warmup <= updates / 10 and config.warmup <= 400
    assert 0 < config.validate_every <= updates
    assert (
        max(learning_rate(config, step, updates) for step in range(1, min(updates, 500) + 1))
        > (0.9 * config.learning_rate if updates > 9 else 0)
        or updates == 1
    )


@pytest.mark.parametrize("rate", [3e-3, 1e-3])
def test_the_sum_of_the_squared_rates_is_bounded_whatever_the_length_of_the_run(rate: float) -> None:
    def total(updates: int) -> float:
        config = replace(TrainingConfig(), **schedule(rate, updates))
        return sum(learning_rate(config, step, updates) ** 2 for step in range(1, updates + 1))

    short, long, longer = total(LONG), total(4 * LONG), total(25 * LONG)
    assert long == pytest.approx(short, rel=0.05) and longer == pytest.approx(short, rel=0.05)
    assert schedule(rate, LONG)["learning_rate"] == rate


def test_the_updates_are_those_of_the_epochs() -> None:
    """100 pairs of 9 tokens and EOS are 10 batches of 100 tokens."""
    config = TrainingConfig(epochs=3, batch_tokens=100)
    assert updates_of(config, 100, 9.0) == 30
    assert updates_of(replace(config, accumulate=4), 100, 9.0) == 9
    assert updates_of(replace(config, updates=7), 100, 9.0) == 7
    assert updates_of(config, 1, 9.0) == 3
    assert updates_of_epoch(config, 100, 9.0) == 10
    assert updates_of_epoch(replace(config, accumulate=4), 100, 9.0) == 3
    assert updates_of_epoch(config, 1, 9.0) == 1


@pytest.mark.parametrize("pairs", AMOUNTS)
def test_a_run_of_fewer_epochs_has_less_dropout(pairs: int) -> None:
    """As the square root of the share of its epochs, and no subword sampling below half of them."""
    size = Size.of(pairs)
    whole, quarter, hardly = (regularisation(pairs, share * size.epochs) for share in (1, 0.25, 0))
    assert whole == regularisation(pairs, 10 * size.epochs)
    assert whole["model"] == {"dropout": size.dropout, "readout_dropout": size.dropout}
    assert quarter["model"]["dropout"] == max(LEAST_DROPOUT, size.dropout / 2)
    assert hardly["model"]["dropout"] == LEAST_DROPOUT
    assert [each["tokenizer"]["sampling"] for each in (quarter, hardly)] == [0, 0]
    assert whole["tokenizer"]["sampling"] == (0 if pairs > 300_000 else 0.7)


def test_the_vocabulary_has_room_for_every_character() -> None:
    assert vocabulary(Amount(2_000, 80)) == 1789
    assert vocabulary(Amount(2_000, 3_000)) == 1789 + 2800
    assert vocabulary(Amount(10_000_000, 80)) == 16_000


@pytest.mark.parametrize("pairs", AMOUNTS)
def test_dev_is_a_smaller_share_of_more_text(pairs: int) -> None:
    assert 0 < dev_share(pairs) <= 0.1
    assert dev_share(pairs) >= dev_share(2 * pairs)
    settings.resolve({"data": {"dev_share": dev_share(pairs)}})


def test_little_text_has_a_note() -> None:
    assert "200 pairs are little text" in little_text(200, finetuned=False)
    assert little_text(200, finetuned=True) == little_text(20_000, finetuned=False) == ""


def test_the_guide_has_the_table_of_sizes() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "guide.md").read_text(encoding="utf-8")
    for size in SIZES:
        pairs = "more" if math.isinf(size.pairs) else f"{size.pairs:,}"
        sizes = f"{size.embedding}, {size.encoder}, {size.hidden} | {size.layers} | {size.dropout}"
        assert f"| {pairs} | {sizes} | {size.batch_tokens:,} | {size.epochs} |\n" in guide
