"""The model card: what it describes, and that no text breaks its tables."""

import html
import itertools
import re
from dataclasses import replace
from typing import Any

import pytest
from reversal_task import chosen

from seq2seq.reporting.model_card import model_card
from seq2seq.versions import versions

RESULT: dict[str, Any] = {
    "parameters": 1234567,
    "updates": 3210,
    "minutes": 4.567,
    "dev": {"step": 2500, "dev_loss": 2.1, "dev_bleu": 17.2, "dev_chrf": 39.1},
    "scores": {
        "test": [
            {"name": "BLEU", "value": 18.126, "signature": "nrefs:1|case:mixed|tok:13a"},
            {"name": "chrF2", "value": 40.0, "signature": "nrefs:1|case:mixed|nc:6"},
        ],
        "test2": [{"name": "BLEU", "value": 7.0, "signature": "nrefs:1"}],
    },
    "samples": [["A cat.", "Eine Katze.", "Ein Kater."]],
}


def table(card: str, header: str) -> list[list[str]]:
    """The cells of each row of the table with this header; a `|` ends a cell, `\\|` does not, even in code."""
    lines = card.split("\n")
    start, width = lines.index(header), header.count("|") - 1
    assert lines[start + 1] == "|" + "---|" * width
    rows = []
    for line in itertools.takewhile(bool, lines[start + 2 :]):
        before, *cells, behind = re.split(r"(?<!\\)\|", line)
        assert (before, behind) == ("", "")
        assert len(cells) == width
        rows.append([cell.strip().replace("\\|", "|") for cell in cells])
    return rows


def test_a_card_describes_the_model() -> None:
    card = model_card(chosen({"seed": 7}), RESULT)
    assert card.startswith("# digits to stigid\n")
    assert card.endswith("|\n")
    for words in (
        "gru, context `additive`, 1,234,567 parameters",
        "3,210 updates in 4.6 minutes, seed 7",
        "Kept: the weights of update 2,500, the best on dev (BLEU 17.2, chrF 39.1, loss 2.1; greedy search)",
        versions(),
        "beam 5, length penalty 1.0, word reward 0.0",
    ):
        assert words in card


def test_scores_have_two_decimals_and_their_signature() -> None:
    assert table(model_card(chosen(), RESULT), "| part | metric | score | signature |") == [
        ["test", "BLEU", "18.13", "`nrefs:1|case:mixed|tok:13a`"],
        ["test", "chrF2", "40.00", "`nrefs:1|case:mixed|nc:6`"],
        ["test2", "BLEU", "7.00", "`nrefs:1`"],
    ]


def test_a_run_that_was_stopped_before_any_score_has_a_card() -> None:
    card = model_card(chosen(), {**RESULT, "scores": {}, "samples": [], "dev": {}})
    assert "3,210 updates" in card
    assert "|" not in card
    assert "Kept" not in card


@pytest.mark.parametrize(
    ("where", "words"),
    [("", "Tatoeba contributors"), ("some/folder", "Data: some/folder\n"), ("a\udce9", "Data: a\\xe9\n")],
)
def test_the_data_is_named(where: str, words: str) -> None:
    settings = chosen()._replace(data=type(chosen().data)(where=where))
    card = model_card(settings, RESULT)
    assert words in card
    assert ("Tatoeba" in card) == (not where)


@pytest.mark.parametrize(
    ("monolingual", "texts"), [((), "the training part;"), (("a.en", "b.de"), "the training part, a.en, b.de;")]
)
def test_teachers_are_named_with_what_they_translated(monolingual: tuple[str, ...], texts: str) -> None:
    data = replace(chosen().data, teachers=("A", "B"), monolingual=monolingual)
    card = model_card(chosen()._replace(data=data), RESULT)
    assert f"- Synthetic data: {texts} translated by A, B (knowledge distillation by models from digits" in card
    assert "Synthetic" not in model_card(chosen(), RESULT)


@pytest.mark.parametrize("text", ["a | b", "|", "||", "", "\\", "\\|"])
def test_a_sample_stays_in_its_cell(text: str) -> None:
    card = model_card(chosen(), {**RESULT, "samples": [[text, "x", text], ["1", "2", "3"]]})
    rows = table(card, "| digits | translation | reference |")
    assert [[html.unescape(cell) for cell in row] for row in rows] == [[text, "x", text], ["1", "2", "3"]]
