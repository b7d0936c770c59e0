"""The training data of an epoch, and what the decoder reads with scheduled sampling."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from reversal_task import begin, chosen
from tiny_runs import PLAIN, TEXT

from seq2seq.text.directions import EpochRows
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import BOS
from seq2seq.training.epochs import TrainingData
from seq2seq.training.trainer import Trainer


def training_data(trainer: Trainer, sampling: float, seed: int = 1, pairs: list[Pair] = TEXT.train) -> TrainingData:
    return TrainingData(pairs, trainer.tokenizers, sampling, seed, trainer.config.batch_tokens)


@pytest.fixture(scope="module")
def any_trainer(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    return begin(tmp_path_factory.mktemp("any"), chosen({"scheduled_sampling": 1.0}, PLAIN), TEXT)


@pytest.mark.parametrize("sampling", [0.0, 0.3])
def test_an_epoch_is_a_function_of_the_seed_and_its_number(any_trainer: Trainer, sampling: float) -> None:
    def epochs(*numbers: int, seed: int = 1) -> list[tuple[Any, ...]]:
        data = training_data(any_trainer, sampling, seed)
        return [(list(data.load_epoch(n)), list(data.src), list(data.tgt)) for n in numbers]

    in_turn = epochs(0, 1, 2, 3)
    assert epochs(3, 0, 2) == [in_turn[3], in_turn[0], in_turn[2]]
    assert epochs(1) == in_turn[1:2]
    others = [*in_turn[1:], *epochs(0, seed=2)]
    for plan, src, tgt in others:
        assert plan != in_turn[0][0]
        assert (src != in_turn[0][1]) == (tgt != in_turn[0][2]) == (sampling > 0)
        assert sorted(row for rows in plan for row in rows) == list(range(len(TEXT.train)))
    assert len({str(plan) for plan, _, _ in others}) == len(others)


@pytest.mark.parametrize("sampling", [0.0, 0.3])
def test_a_batch_holds_the_text_of_its_rows(any_trainer: Trainer, sampling: float) -> None:
    data = training_data(any_trainer, sampling)
    for number in (0, 1):
        for rows in data.load_epoch(number):
            batch = data.batch(rows)
            assert batch.rows == rows
            for i, row in enumerate(rows):
                src, tgt = any_trainer.tokenizers
                assert (src.decode(batch.src[i]), tgt.decode(batch.tgt_out[i])) == TEXT.train[row]


def test_the_two_sides_are_sampled_independently(any_trainer: Trainer) -> None:
    data = training_data(any_trainer, 0.3, pairs=[Pair(pair.src, pair.src) for pair in TEXT.train])
    data.load_epoch(0)
    assert data.src != data.tgt


# ---- scheduled sampling ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("elapsed", [0.0, 0.5, 1.0])
def test_the_share_of_predictions_grows_with_the_run(any_trainer: Trainer, elapsed: float) -> None:
    trainer = any_trainer
    trainer.data.load_epoch(0)
    batch = trainer.data.batch(list(range(60)))
    trainer.model.eval()
    logits, _ = trainer.model.advance(batch.tgt_in, trainer.model.start(batch.src, batch.src_mask))
    predicted = torch.cat((torch.full((60, 1), BOS), logits[:, :-1].argmax(-1)), dim=1)
    torch.manual_seed(0)
    read = trainer.training_step.objective.decoder_input(batch, elapsed)
    assert (read[:, 0] == BOS).all()
    assert torch.equal(read[~batch.tgt_mask], batch.tgt_in[~batch.tgt_mask])
    assert ((read == batch.tgt_in) | (read == predicted)).all()
    distinct = batch.tgt_mask & (predicted != batch.tgt_in)  # where prediction and reference differ
    assert distinct.sum() > 100
    assert (read == predicted)[distinct].double().mean().item() == pytest.approx(
        elapsed, abs=0.1 if elapsed == 0.5 else 0.0
    )


def test_without_scheduled_sampling_the_decoder_reads_the_reference(tmp_path: Path) -> None:
    trainer = begin(tmp_path, chosen(), TEXT)
    batch = trainer.data.batch(trainer.data.load_epoch(0)[0])
    assert trainer.training_step.objective.decoder_input(batch, 1.0) is batch.tgt_in


def test_a_weight_is_how_often_a_pair_occurs_in_an_epoch() -> None:
    weights = [1.0] * 10 + [0.5] * 7 + [2.25] * 4
    rows, total = EpochRows([21], 1.0, 3, weights), np.zeros(21)
    for epoch in range(8):
        counts = np.bincount(rows(epoch), minlength=21)
        assert counts[:10].tolist() == [1] * 10
        assert counts[10:17].sum() in (3, 4) and counts[10:17].max() == 1
        assert counts[17:].sum() == 9 and counts[17:].max() <= 3
        total += counts
    assert total.tolist() == [8 * weight for weight in weights], "every pair gets its share"
    assert EpochRows([21], 1.0, 3, weights)(5).tolist() == rows(5).tolist()
    assert EpochRows([21], 1.0, 4, weights)(5).tolist() != rows(5).tolist()


def test_weights_and_temperature_together() -> None:
    """A direction counts by its weights, and the temperature then raises each of its groups by the same factor."""
    weights = [2.0] * 50 + [1.0] * 10 + [0.5] * 30
    rows = EpochRows([50, 40], 2.0, 3, weights)
    counts = np.bincount(np.concatenate([rows(epoch) for epoch in range(20)]), minlength=90) / 20
    assert counts[:50].tolist() == [2.0] * 50
    assert counts[50:].sum() == 50  # 100 * (25 / 100) ** (1 / 2)
    assert counts[50:60].mean() == pytest.approx(2 * counts[60:].mean(), rel=0.02)
