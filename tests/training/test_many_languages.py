"""Training one model of many languages: what it learns, reads, validates on and resumes with."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from languages_task import DIRECTIONS, Learnt, rows, write_text
from reversal_task import AS_IT_STANDS, TINY_MODEL, TINY_TRAINING, assert_same, end, silent
from tiny_runs import killed, run_until, terminated

from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.text.corpus import Corpus, DataConfig, Report
from seq2seq.text.directions import Direction, name_of
from seq2seq.text.multilingual import Corpora, load_all
from seq2seq.text.sources import Pair
from seq2seq.training import settings
from seq2seq.training.settings import Settings
from seq2seq.training.texts import dev_pairs, prepare, training_data
from seq2seq.training.trainer import Trainer
from seq2seq.training.validation import Dev, Scores, Validator


def chosen(training: Mapping[str, Any] = {}, data: Mapping[str, Any] = {}, **tokenizer: Any) -> Settings:
    """The settings of a tiny run of all directions of the task."""
    names = [name_of(direction) for direction in DIRECTIONS]
    languages = {"src": "", "tgt": "", "languages": ["en", "de", "fr"], "directions": names}
    return settings.resolve(
        {
            "data": {**languages, **data},
            "text": AS_IT_STANDS,
            "tokenizer": {"vocab_size": 300, "placeholders": 0, **tokenizer},
            "model": {**TINY_MODEL, "dropout": 0.1},
            "training": {**TINY_TRAINING, **training},
        }
    )


def corpora(*sizes: int, dev: int = 4) -> dict[Direction, Corpus]:
    """A corpus for each direction, with these numbers of training pairs."""
    sentences = rows(100)
    result = {}
    for (src, tgt), size in zip(DIRECTIONS, sizes, strict=False):
        pairs = [Pair(row[src], row[tgt]) for row in sentences]
        result[src, tgt] = Corpus(pairs[dev : dev + size], pairs[:dev], {}, Report([], []))
    return result


TEXT = corpora(40, 20, 10, 5)


def begin(folder: Path, resolved: Settings, text: Corpora = TEXT) -> Trainer:
    tokenizers = prepare(resolved, text, silent)
    trainer = Trainer(resolved, text, tokenizers, folder, "cpu", silent)
    layout.save_settings(folder, resolved._asdict(), *tokenizers)
    return trainer


def resumed(folder: Path, resolved: Settings, text: Corpora = TEXT) -> Trainer:
    trainer = Trainer(resolved, text, layout.read_tokenizers(folder, resolved.tokenizer), folder, "cpu", silent)
    trainer.restore()
    return trainer


def test_it_learns_all_directions(polyglot: Learnt) -> None:
    assert set(polyglot.run.scores) == {f"test {name_of(direction)}" for direction in DIRECTIONS}
    assert all(scores[0].value > 90 for scores in polyglot.run.scores.values()), polyglot.run.scores


# ---- what an epoch reads ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", [0.0, 0.3])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_an_epoch_reads_small_directions_more_often(sampling: float, temperature: float) -> None:
    resolved = chosen(data={"temperature": temperature}, sampling=sampling)
    tokenizers = prepare(resolved, TEXT, silent)
    data = training_data(resolved, TEXT, tokenizers)
    token, ends = tokenizers[0].languages, np.cumsum([len(corpus.train) for corpus in TEXT.values()])
    for epoch in (0, 3):
        data.load_epoch(epoch)
        seen = dict.fromkeys(DIRECTIONS, 0)
        for row, (src, tgt) in enumerate(zip(data.src, data.tgt, strict=True)):
            text = tokenizers[0].decode(src[1:]), tokenizers[1].decode(tgt)
            assert data.text(row) == text
            direction = DIRECTIONS[int(np.searchsorted(ends, data.rows[row], side="right"))]
            assert src[0] == token[direction[1]]
            assert text in TEXT[direction].train
            seen[direction] += 1
        whole = {("en", "de"): 40, ("de", "en"): 20, ("en", "fr"): 10, ("de", "fr"): 5}
        if temperature == 1.0:
            assert seen == whole
        else:  # 40 (n / 40) ** (1 / 4)
            assert seen == {("en", "de"): 40, ("de", "en"): 34, ("en", "fr"): 28, ("de", "fr"): 24}


def test_an_epoch_is_a_function_of_the_seed_and_its_number() -> None:
    resolved = chosen(sampling=0.3)
    tokenizers = prepare(resolved, TEXT, silent)

    def epochs(*numbers: int, seed: int = 1) -> list[Any]:
        again = resolved._replace(training=replace(resolved.training, seed=seed))
        data = training_data(again, TEXT, tokenizers)
        return [(list(data.load_epoch(n)), list(data.src), list(data.tgt), data.rows.tolist()) for n in numbers]

    in_turn = epochs(0, 1, 2)
    assert epochs(2, 0) == [in_turn[2], in_turn[0]]
    assert epochs(1) == in_turn[1:2]
    assert epochs(1, seed=2) != in_turn[1:2]


def test_a_batch_mixes_directions() -> None:
    resolved = chosen({"batch_tokens": 120})
    tokenizers = prepare(resolved, TEXT, silent)
    data = training_data(resolved, TEXT, tokenizers)
    mixed = [len({data.src[row][0] for row in rows}) for rows in data.load_epoch(0)]
    assert max(mixed) == 3
    assert np.mean(mixed) > 1.5


def test_each_line_is_learnt_from_once() -> None:
    """The tokenizer is that of the different lines, however many pairs they are in."""
    one = {("en", "de"): TEXT["en", "de"]}
    two = {**one, ("de", "en"): one["en", "de"]._replace(train=[Pair(b, a) for a, b in one["en", "de"].train])}
    data = {"languages": ["en", "de"], "directions": ["en-de", "de-en"]}
    once, twice = (
        prepare(chosen(data={**data, "directions": names}), text, silent)[0]
        for text, names in ((one, ["en-de"]), (two, ["en-de", "de-en"]))
    )
    assert [piece for piece in once.pieces(range(len(once))) if not piece.startswith("<2")] == [
        piece for piece in twice.pieces(range(len(twice))) if not piece.startswith("<2")
    ]
    assert list(twice.languages) == ["de", "en"]


def test_one_direction_goes_on_with_the_tokenizer_of_many() -> None:
    """As a model that begins with another's weights does: its sources begin with the token, too."""
    tokenizers = prepare(chosen(), TEXT, silent)
    single = chosen(data={"src": "en", "tgt": "fr", "languages": [], "directions": []})
    data = training_data(single, {("en", "fr"): TEXT["en", "fr"]}, tokenizers)
    data.load_epoch(0)
    assert {ids[0] for ids in data.src} == {tokenizers[0].languages["fr"]}
    assert sorted(data.rows.tolist()) == list(range(10))
    with pytest.raises(InputError, match="no token for the language it, only for de, en, fr"):
        training_data(single, {("en", "it"): TEXT["en", "fr"]}, tokenizers)
    of_two = prepare(single, {("en", "fr"): TEXT["en", "fr"]}, silent)
    with pytest.raises(InputError, match="no token for the language de, only for none"):
        training_data(chosen(), TEXT, of_two)


# ---- validation ------------------------------------------------------------------------------------------------------


def test_dev_pairs_are_shared_among_the_directions() -> None:
    text = corpora(5, 5, 5, 5, dev=50)
    shared = dev_pairs(text, 40)
    assert {direction: len(pairs) for direction, pairs in shared.items()} == dict.fromkeys(DIRECTIONS, 10)
    assert shared["en", "de"] == text["en", "de"].dev[::5]
    assert dev_pairs(text, 0) == {direction: corpus.dev for direction, corpus in text.items()}
    single = {("en", "de"): text["en", "de"]}
    assert dev_pairs(single, 0)["en", "de"] is text["en", "de"].dev
    assert len(dev_pairs(single, 7)["en", "de"]) == 7


def test_the_mean_over_directions_chooses_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = iter([(1.0, 9.0), (6.0, 6.0), (5.0, 5.0)])  # dev BLEU of both directions
    now: list[float] = []

    def scripted(self: Dev) -> Scores:
        if not now:
            now.extend(next(script))
        value = now.pop(0)
        return Scores(value, value, value)

    monkeypatch.setattr(Dev, "scores", scripted)
    names = {"directions": ["en-de", "de-en"]}
    trainer = begin(tmp_path, chosen({"updates": 6, "validate_every": 2}, names), corpora(20, 20))
    trainer.run(quiet=True)
    assert [line["dev_bleu"] for line in trainer.progress.metrics] == [5.0, 6.0, 5.0]
    assert trainer.progress.best_step == 4
    assert trainer.progress.metrics[0]["directions"] == {
        "en-de": {"dev_loss": 1.0, "dev_bleu": 1.0, "dev_chrf": 1.0},
        "de-en": {"dev_loss": 9.0, "dev_bleu": 9.0, "dev_chrf": 9.0},
    }


def test_a_validation_scores_each_direction_by_its_own_pairs(tmp_path: Path) -> None:
    trainer = begin(tmp_path, chosen())
    scores = trainer.validator.validate(trainer.weights)
    text = {direction: dev_pairs(TEXT, 0)[direction] for direction in DIRECTIONS}
    for direction in DIRECTIONS:
        alone = Validator(
            chosen().model, trainer.tokenizers, {d: text[d] for d in DIRECTIONS if d == direction}, "cpu", chosen().text
        ).validate(trainer.weights)
        assert scores.directions[name_of(direction)] == alone


# ---- resuming --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", [0.0, 0.3])
def test_a_stopped_and_a_killed_run_end_as_an_uninterrupted_one(tmp_path: Path, sampling: float) -> None:
    training = {"epochs": 2, "batch_tokens": 120, "validate_every": 4, "keep": 1}
    resolved = chosen(training, {"temperature": 3.0}, sampling=sampling)
    whole = begin(tmp_path / "whole", resolved)
    whole.run(quiet=True)
    assert whole.progress.step == whole.total > 9
    run_until(begin(tmp_path / "parts", resolved), 5, terminated)
    run_until(resumed(tmp_path / "parts", resolved), whole.total - 2, killed)
    resumed(tmp_path / "parts", resolved).run(quiet=True)
    assert_same(end(tmp_path / "parts"), end(tmp_path / "whole"))


def test_the_text_of_a_table_is_trained_on(tmp_path: Path) -> None:
    """From a file to a run: the corpora are those of `load_all`, and their order is that of the directions."""
    write_text(tmp_path / "data", 60)
    names = tuple(name_of(direction) for direction in DIRECTIONS)
    config = DataConfig(where=str(tmp_path / "data"), src="", tgt="", languages=("en", "de", "fr"), directions=names)
    text = load_all(config)
    assert set(text) == set(DIRECTIONS)
    resolved = chosen({"updates": 3, "validate_every": 3})._replace(data=config)
    begin(tmp_path / "run", resolved, text).run(quiet=True)
    assert (tmp_path / "run" / "model.safetensors").exists()
