"""The shipped models: small, with a complete model card, and with the BLEU of their card."""

import re
from pathlib import Path

import pytest

from seq2seq.folder.checkpoint import load_model
from seq2seq.text.corpus import DataConfig, artifacts, load_split
from seq2seq.text.scoring import score
from seq2seq.translation.translator import LineTranslator

MODELS = sorted((artifacts() / "models").iterdir())
models = pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)


def test_there_is_a_model_of_each_direction() -> None:
    assert [folder.name for folder in MODELS] == ["de-en", "en-de"]


@models
def test_a_shipped_model_is_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8_000_000


@models
def test_a_model_card_is_complete(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    src, tgt = folder.name.split("-")
    assert card.startswith(f"# {src} to {tgt}\n")
    for words in ("- Data: tatoeba-en-de", "CC BY 2.0", "- Licence: ", "- Recipe: `shipped`", "seed 1", "- Limits: "):
        assert words in card
    assert re.search(r"[\d,]+ updates in [\d.]+ minutes", card)
    assert re.findall(r"^\| test \| (BLEU|chrF2) \| [\d.]+ \| `nrefs:1", card, re.MULTILINE) == ["BLEU", "chrF2"]
    assert len(card.partition(f"| {src} | translation | reference |")[2].strip().splitlines()) == 1 + 10


@models
def test_a_model_has_at_least_the_bleu_of_its_card(folder: Path) -> None:
    """On the shipped test part, which is not trained on; the tolerance is for the rounding of other processors.

    The card is older than the reading of sentences and numbers, which gained a little.
    """
    bundle = load_model(folder)
    pairs = load_split(DataConfig(src=bundle.src, tgt=bundle.tgt), "test")
    translations = LineTranslator(bundle, bundle.search).translate([pair.src for pair in pairs])
    [bleu] = score(translations, [[pair.tgt for pair in pairs]], ("bleu",))
    [expected] = re.findall(r"^\| test \| BLEU \| ([\d.]+)", (folder / "README.md").read_text(), re.MULTILINE)
    assert float(expected) - 0.15 < bleu.value < float(expected) + 0.5
