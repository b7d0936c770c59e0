"""A model that writes from right to left is the same weights with reversed targets; its translations read as others."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reversal_task import begin, chosen, corpus, reversals, silent, untrained

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint
from seq2seq.segments.segment import Segment
from seq2seq.text.ragged import Ragged
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.rescoring import Rescorer, Rescoring
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator

LINES = [pair.src for pair in reversals(7, seed=5)]
CONFIG = SearchConfig(beam=4, length_penalty=0.0, max_ratio=1.0, max_extra=3)


@pytest.fixture(scope="module")
def forward() -> Bundle:
    return untrained({"hidden": 16})


@pytest.fixture(scope="module")
def bundle(forward: Bundle) -> Bundle:
    """The same weights, read from right to left."""
    return forward._replace(right_to_left=True)


def test_a_pair_has_the_score_of_the_reversed_target(forward: Bundle, bundle: Bundle) -> None:
    translator = LineTranslator(bundle, CONFIG)
    src, tgt = translator.encoded(LINES, LINES[::-1], None)
    turned = [ids[::-1] for ids in tgt]
    assert turned != tgt
    assert translator.log_probs(LINES, LINES[::-1]) == LineTranslator(forward, CONFIG).token_log_probs(src, turned)


def test_translations_are_those_of_the_same_weights_turned_round(forward: Bundle, bundle: Bundle) -> None:
    translator = LineTranslator(bundle, CONFIG)
    units = [unit for line in LINES for unit in next(translator.steps(Segment(line)))]
    found = translator.search(units)
    for own, other in zip(found, LineTranslator(forward, CONFIG).search(units), strict=True):
        assert [h.tokens for h in own] == [h.tokens[::-1] for h in other]
        assert [h.sources for h in own] == [h.sources[::-1] for h in other]
        assert [h.log_prob for h in own] == [h.log_prob for h in other]
    scored = translator.token_log_probs([unit.ids for unit in units], [best[0].tokens for best in found])
    assert scored == pytest.approx([best[0].log_prob for best in found], abs=1e-4)


def test_a_prefix_is_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="line 2 has a prefix, but this model writes translations from the end"):
        list(LineTranslator(bundle, CONFIG).stream(LINES, silent, ["", "1"] + [""] * 5))


def test_a_memory_holds_what_the_model_writes(forward: Bundle, bundle: Bundle) -> None:
    sides = bundle.src_tokenizer.encode_all(LINES), bundle.tgt_tokenizer.encode_all(LINES[::-1])
    own, other = (LineTranslator(each.with_memory(*sides, 0.5), CONFIG) for each in (bundle, forward))
    stores = [translator.bundle.engine.datastores[0] for translator in (own, other)]  # type: ignore[attr-defined]
    assert stores[0].memory.tgt[0] == stores[1].memory.tgt[0][::-1]
    assert own.log_probs(LINES, LINES) != LineTranslator(bundle, CONFIG).log_probs(LINES, LINES)


@pytest.mark.parametrize("turned", ["model", "rescorer"])
def test_rescoring_joins_both_directions_of_writing(forward: Bundle, bundle: Bundle, turned: str) -> None:
    """Either is the model, and the other adds its hypotheses, which have the scores of the model."""
    other = untrained({"hidden": 24})._replace(right_to_left=turned == "rescorer")
    main = bundle if turned == "model" else forward
    choose = Rescoring(main, CONFIG, [Rescorer.of("other", other, 0.3, main)])
    plain = LineTranslator(main, CONFIG)
    units = [unit for line in LINES for unit in next(plain.steps(Segment(line)))]
    decode, added = main.tgt_tokenizer.decode, 0
    others = choose.models[0].search(units)
    for unit, table, theirs in zip(units, choose.tables(units, plain.search(units)), others, strict=True):
        new = [h.tokens for h, own in zip(table.hypotheses, table.origins[:, 0], strict=True) if not own]
        scores = plain.token_log_probs([unit.ids] * len(new), new)
        assert scores == pytest.approx([h.log_prob for h in table.hypotheses if h.tokens in new], abs=1e-3)
        assert {decode(tokens) for tokens in new} <= {decode(h.tokens) for h in theirs}
        added += len(new)
    assert added > 3
    with_prefix = [unit._replace(prefix=main.tgt_tokenizer.encode(["1"])[0]) for unit in units]
    if turned == "rescorer":
        tables = choose.tables(with_prefix, plain.search(with_prefix))
        assert all(table.origins[:, 0].all() for table in tables)


def test_reversed_lists() -> None:
    lists = [[1, 2, 3], [], [4], [], [5, 6], []]
    assert list(Ragged.of(lists).reversed()) == [ids[::-1] for ids in lists]
    assert list(Ragged.of([]).reversed()) == []


@pytest.mark.parametrize("sampling", [0.0, 0.3])
def test_training_reads_reversed_targets_and_the_folder_says_so(tmp_path: Path, sampling: float) -> None:
    settings = chosen({"epochs": 1}, sampling=sampling)
    turned = settings._replace(data=replace(settings.data, right_to_left=True))
    one, other = (begin(tmp_path / str(i), each, corpus(40, 6)) for i, each in enumerate((settings, turned)))
    assert one.data.load_epoch(1) == other.data.load_epoch(1)
    assert list(other.data.src) == list(one.data.src)
    assert list(other.data.tgt) == [ids[::-1] for ids in one.data.tgt]
    other.run(quiet=True)
    bundle = checkpoint.load_model(tmp_path / "1")
    assert bundle.right_to_left
    validator = other.validator.dev[("digits", "stigid")]
    assert validator.translator.bundle.right_to_left
    assert np.isfinite(LineTranslator(bundle, CONFIG).log_probs(LINES, LINES)).all()


def test_an_ensemble_writes_from_one_end(tmp_path: Path) -> None:
    settings = chosen({"epochs": 1})
    begin(tmp_path / "a", settings, corpus(40, 6)).run(quiet=True)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    config = tmp_path / "b" / "config.toml"
    config.write_text(config.read_text().replace("right_to_left = false", "right_to_left = true"))
    (tmp_path / "b" / "manifest.json").unlink()
    with pytest.raises(InputError, match="write from opposite ends; give one of them as --rescore"):
        checkpoint.load_ensemble([tmp_path / "a", tmp_path / "b"])
