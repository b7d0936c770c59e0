"""The model that ships: small, with a complete model card, and with the BLEU of its card."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq.api.models import INT8, directions_in, open_model, shipped_models, trained_form
from seq2seq.folder.checkpoint import load_model
from seq2seq.text.artifacts import artifacts
from seq2seq.text.corpus import DataConfig, load_split
from seq2seq.text.directions import Direction
from seq2seq.text.scoring import score
from seq2seq.translation.translator import LineTranslator

MODELS = sorted((artifacts() / "models").iterdir())
PAIR = ("en", "de"), ("de", "en")  # of the text that ships
models = pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
of_the_pair = pytest.mark.parametrize(
    ("folder", "direction"),
    [(folder, way) for folder, way in itertools.product(MODELS, PAIR) if way in directions_in(folder)],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)


def test_each_direction_between_the_six_languages_ships() -> None:
    assert set(shipped_models()) == set(itertools.permutations(("de", "en", "es", "fr", "ja", "nl"), 2))


@models
def test_a_shipped_model_is_small(folder: Path) -> None:
    """Each of its forms has at most 25 MB."""
    for form in (folder, folder / INT8):
        assert sum(path.stat().st_size for path in form.iterdir() if path.is_file()) <= 25_000_000


@models
def test_a_model_card_is_complete(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Between en, de, es, fr, ja, nl\n")
    words = (
        "Tatoeba contributors",
        "CC BY 2.0",
        "manythings.org",
        "- Licence: ",
        "a model of the recipe `many`",
        "- Recipe: `auto`",
        "seed 1",
        "- Limits: ",
    )
    assert [each for each in words if each not in card] == []
    assert re.search(r"[\d,]+ updates in [\d.]+ minutes", card)
    for src, tgt in directions_in(folder):
        scores = re.findall(rf"^\| test {src}-{tgt} \| (BLEU|chrF2) \| [\d.]+ \| `nrefs:1", card, re.MULTILINE)
        assert scores == ["BLEU", "chrF2"]
    samples = card.partition("| direction | source | translation | reference |")[2].strip().splitlines()[1:]
    assert {row.split(" | ")[0].strip("| ") for row in samples} == {"-".join(way) for way in directions_in(folder)}


@of_the_pair
def test_a_model_has_at_least_the_bleu_of_its_card(folder: Path, direction: Direction) -> None:
    """On the shipped test part, which is not trained on.

    The card's scores are those of the model before its weights had eight bits, which costs 0.2.
    """
    bundle = load_model(folder).toward(direction)
    pairs = load_split(DataConfig(src=bundle.src, tgt=bundle.tgt), "test")
    translations = LineTranslator(bundle, bundle.search).translate([pair.src for pair in pairs])
    [bleu] = score(translations, [[pair.tgt for pair in pairs]], ("bleu",))
    card, name = (folder / "README.md").read_text(encoding="utf-8"), "-".join(direction)
    [expected] = re.findall(rf"^\| test {name} \| BLEU \| ([\d.]+)", card, re.MULTILINE)
    assert bleu.value == pytest.approx(float(expected), abs=0.3)


def test_the_exported_form_is_taken_where_onnxruntime_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    exported = shipped_models()
    assert {folder.name for folder in exported.values()} == {INT8}
    assert sorted(set(map(trained_form, exported.values()))) == MODELS
    monkeypatch.setattr("seq2seq.api.models.find_spec", lambda name: None)
    assert sorted(set(shipped_models().values())) == MODELS
    assert list(map(trained_form, MODELS)) == MODELS


@of_the_pair
def test_the_exported_form_is_that_of_the_model_beside_it(folder: Path, direction: Direction) -> None:
    """Weights of another training would score these pairs otherwise by several nats a sentence."""
    bundles = [each.toward(direction) for each in (load_model(folder), open_model([folder / INT8], threads=1)[0])]
    pairs = load_split(DataConfig(src=bundles[0].src, tgt=bundles[0].tgt), "test")[:20]
    sides = [pair.src for pair in pairs], [pair.tgt for pair in pairs]
    trained, exported = (LineTranslator(bundle, bundle.search).log_probs(*sides) for bundle in bundles)
    assert exported == pytest.approx(trained, abs=1, rel=0.02)


def test_what_ships_translates_without_torch() -> None:
    program = (
        "import sys; from seq2seq.commands.translate import main; status = main(sys.argv[1:]); "
        "print(status, {'torch', 'datasets', 'sacrebleu', 'onnx', 'tqdm', 'numpy.random'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="Hurry up.\n", capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1:] == ["0 set()"] and done.stdout.splitlines()[0]
