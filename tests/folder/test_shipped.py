"""The models that ship: small, whole, with a card that says what they are, and as good as it says."""

import re
from pathlib import Path

import pytest

from seq2seq.folder.checkpoint import load_model
from seq2seq.text.corpus import DataConfig, artifacts, load_split
from seq2seq.text.scoring import score
from seq2seq.translation.translator import LineTranslator

MODELS = sorted((artifacts() / "models").iterdir())
models = pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)


def test_there_is_one_for_each_direction() -> None:
    assert [folder.name for folder in MODELS] == ["de-en", "en-de"]


@models
def test_it_is_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8_000_000


@models
def test_its_card_says_what_it_is(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    src, tgt = folder.name.split("-")
    assert card.startswith(f"# {src} to {tgt}\n")
    for words in ("- Data: tatoeba-en-de", "CC BY 2.0", "- Licence: ", "- Recipe: `shipped`", "seed 1", "- Limits: "):
        assert words in card
    assert re.search(r"[\d,]+ updates in [\d.]+ minutes", card)
    assert re.findall(r"^\| test \| (BLEU|chrF2) \| [\d.]+ \| `nrefs:1", card, re.MULTILINE) == ["BLEU", "chrF2"]
    assert len(card.partition(f"| {src} | translation | reference |")[2].strip().splitlines()) == 1 + 10


@models
def test_it_is_as_good_as_its_card_says(folder: Path) -> None:
    """On the shipped test part, which is not trained on; another processor may add in another order."""
    bundle = load_model(folder)
    pairs = load_split(DataConfig(src=bundle.src, tgt=bundle.tgt), "test")
    translations = LineTranslator(bundle, bundle.search).translate([pair.src for pair in pairs])
    [bleu] = score(translations, [[pair.tgt for pair in pairs]], ("bleu",))
    [told] = re.findall(r"^\| test \| BLEU \| ([\d.]+)", (folder / "README.md").read_text(), re.MULTILINE)
    assert bleu.value == pytest.approx(float(told), abs=0.15)
