"""`train` on text of one's own: settings that follow from it, the time there is, and models to begin with."""

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file
from shell import PARTS, Result, call, card, refused, snapshot, train, worked, write_part

from seq2seq.api import fitting
from seq2seq.api.models import shipped_models
from seq2seq.folder import files, layout
from seq2seq.folder.checkpoint import load_model, weights_of
from seq2seq.text.known_words import KnownWords
from seq2seq.text.name_learning import with_text
from seq2seq.text.sources import Pair
from seq2seq.training import automatic
from seq2seq.training.pacing import Speed, updates_in

# Sentences that the tiny model does not know, with letters that its tokenizer has no token for.
NEW = [
    (f"Nine owls {verb} {when}.", f"Девять сов {tgt} {tgt_when}.")
    for verb, tgt in {"sleep": "schlafen", "run": "rennen", "sing": "singen", "eat": "essen"}.items()
    for when, tgt_when in {"here": "hier", "there": "dort", "today": "heute"}.items()
]


def settings_of(folder: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(folder, "config.toml").read_text(encoding="utf-8"))


def train_only(*options: object) -> Result:
    """Train on the train part of the toy language alone, without a recipe."""
    write_part(Path("text"), "train", PARTS["train"])
    return call("train", "--data", "text", "--src", "en", "--tgt", "de", "--device", "cpu", "--threads", 1, *options)


# ---- recipe auto -----------------------------------------------------------------------------------------------------


def test_text_of_ones_own_has_settings_that_follow_from_it() -> None:
    result = worked(train_only("--out", "run", "--set", "training.epochs=12"))
    sections = settings_of("run")
    assert sections["seq2seq"]["recipe"] == "auto"
    training = sections["training"]
    assert (sections["model"]["hidden"], training["batch_tokens"]) == (128, 400)
    assert training["updates"] % 12 == 0 and training["warmup"] == training["updates"] // 10 > 0
    assert f"{training['updates']:,} updates" in result.err
    assert "note: no dev part: 5 of 52 train pairs are held out as dev" in result.err
    assert "note: 52 pairs are little text" in result.err


def test_two_directions_of_one_text_hold_out_what_one_does_and_count_its_pairs_once() -> None:
    options = ["--set", "training.epochs=2", "--set", "model.hidden=24"]
    write_part(Path("text"), "train", PARTS["train"])
    result = worked(call("train", "--data", "text", "--langs", "en,de", "--device", "cpu", "--out", "run", *options))
    assert "note: en-de: no dev part: 5 of 52 train pairs are held out as dev" in result.err
    assert "note: 52 pairs are little text" in result.err
    sections = settings_of("run")
    assert sections["data"]["dev_share"] == 0.1
    updates = sections["training"]["updates"] + 1
    worked(call("train", "--resume", "run", "--set", f"training.updates={updates}", "--quiet"))


def test_settings_that_are_given_win_over_those_of_the_text() -> None:
    sets = [
        "model.hidden=24",
        "training.epochs=2",
        "training.warmup=1",
        "data.dev_share=0.2",
        "tokenizer.vocab_size=320",
    ]
    options = [option for setting in sets for option in ("--set", setting)]
    worked(train_only("--out", "run", *options, "--quiet"))
    sections = settings_of("run")
    assert (sections["model"]["hidden"], sections["model"]["embedding"]) == (24, 96)
    assert (sections["training"]["epochs"], sections["training"]["warmup"]) == (2, 1)
    assert sections["data"]["dev_share"] == 0.2
    assert sections["tokenizer"]["vocab_size"] == 320
    # Resuming reads the same text and holds out the same pairs, in spite of the recipe.
    worked(
        call("train", "--resume", "run", "--set", f"training.updates={sections['training']['updates'] + 1}", "--quiet")
    )


def test_a_recipe_is_still_taken_for_text_of_ones_own(corpus: Path, recipe: Path) -> None:
    worked(train(recipe, corpus, "--out", "run", "--quiet"))
    assert settings_of("run")["training"]["warmup"] == 10
    result = call("train", "--recipe", "atuo", "--data", corpus)
    refused(result, "unknown recipe 'atuo'", "did you mean 'auto'")


# ---- minutes ---------------------------------------------------------------------------------------------------------


def test_the_updates_fit_into_the_time() -> None:
    assert updates_in(100.0, Speed(0.5, 2.0), 16) == (180, 5)  # 10 s for validations, 90 s for updates
    assert updates_in(1000.0, Speed(0.5, 2.0), 16) == (1936, 16)
    assert updates_in(0.1, Speed(0.5, 2.0), 16) == (1, 1)
    assert updates_in(-5.0, Speed(0.5, 2.0), 16) == (1, 1)


def test_minutes_fit_the_schedule_to_the_measured_speed(
    corpus: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here an update takes 4 s and a validation 1 s, so that 5 minutes have 64 updates: 16 s are for
    validations and 24 s for the translation of 24 test sentences with a beam."""
    monkeypatch.setattr(fitting, "measure", lambda trainer: Speed(4.0, 1.0))
    options = ["--recipe", recipe, "--data", corpus, "--minutes", 5, "--device", "cpu", "--quiet", "--out", "run"]
    worked(call("train", *options, "--set", "training.keep=1"))
    training = settings_of("run")["training"]
    assert 60 <= training["updates"] <= 64  # less what the command has taken
    assert training["warmup"] == training["updates"] // 10
    assert len(Path("run/metrics.jsonl").read_text().splitlines()) == -(
        -training["updates"] // training["validate_every"]
    )


def test_the_rate_of_a_run_in_minutes_follows_from_its_own_updates(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from those that the epochs of the recipe `auto` would have."""
    monkeypatch.setattr(fitting, "measure", lambda trainer: Speed(40.0, 1.0))
    monkeypatch.setattr(automatic, "LONG", 2)
    worked(call("train", "--data", corpus, "--minutes", 5, "--device", "cpu", "--quiet", "--out", "run"))
    training = settings_of("run")["training"]
    assert 2 < training["updates"] < 8
    assert training["learning_rate"] == pytest.approx(3e-3 * (2 / training["updates"]) ** 0.5)


@pytest.mark.parametrize("epochs", [12, 300])
def test_dropout_follows_from_the_epochs_of_the_run(corpus: Path, epochs: int) -> None:
    """What the user gives stays: here the dropout of the readout."""
    given = [f"training.epochs={epochs}", "training.patience=1", "model.readout_dropout=0.4"]
    sets = [f"--set={each}" for each in given]
    worked(call("train", "--data", corpus, *sets, "--device", "cpu", "--quiet", "--out", "run"))
    found, expected = settings_of("run"), automatic.regularisation(100, epochs)
    assert found["model"]["dropout"] == expected["model"]["dropout"]
    assert found["model"]["readout_dropout"] == 0.4
    assert found["tokenizer"]["sampling"] == expected["tokenizer"]["sampling"]


def test_a_run_in_minutes_has_the_dropout_of_its_epochs(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here 5 minutes have 4 to 8 updates, which are less than two of 120 epochs."""
    monkeypatch.setattr(fitting, "measure", lambda trainer: Speed(40.0, 1.0))
    worked(call("train", "--data", corpus, "--minutes", 5, "--device", "cpu", "--quiet", "--out", "run"))
    found = settings_of("run")
    assert found["model"]["dropout"] == found["model"]["readout_dropout"] == automatic.LEAST_DROPOUT
    assert found["tokenizer"]["sampling"] == 0


def test_the_measured_speed_changes_nothing_else(corpus: Path, recipe: Path) -> None:
    """A run that was measured has the weights of one with the same settings that was not."""
    worked(
        call(
            "train", "--recipe", recipe, "--data", corpus, "--minutes", 0.01, "--device", "cpu", "--out", "a", "--quiet"
        )
    )
    training = settings_of("a")["training"]
    sets = [f"--set=training.{name}={training[name]}" for name in ("updates", "warmup", "validate_every")]
    worked(call("train", "--recipe", recipe, "--data", corpus, *sets, "--device", "cpu", "--out", "b", "--quiet"))
    assert Path("a/model.safetensors").read_bytes() == Path("b/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--minutes", 0], "--minutes"),
        (["--minutes", "inf"], "--minutes inf: give a number above 0"),
        (["--minutes", 5, "--set", "training.updates=3"], "exclude each other"),
        (["--minutes", 5, "--set", "training.epochs=3"], "exclude each other"),
        (["--minutes", 5, "--resume", "{model}"], "a resumed one has its own"),
    ],
)
def test_minutes_that_do_not_fit_the_other_options(model: Path, options: list[object], words: str) -> None:
    filled = [str(option).replace("{model}", str(model)) for option in options]
    refused(call("train", *filled, *([] if "--resume" in filled else ["--out", "new"])), words)
    assert not Path("new").exists()


# ---- fine-tuning -----------------------------------------------------------------------------------------------------


@pytest.fixture
def new_text() -> Path:
    """A folder with sentences that the tiny model does not know."""
    for part, pairs in (("train", NEW), ("dev", NEW[:4]), ("test", NEW[4:8])):
        write_part(Path("new"), part, pairs)
    return Path("new")


def finetune(model: Path, out: str, updates: int, *options: object) -> Result:
    sets = [
        f"training.updates={updates}",
        "training.validate_every=2",
        "training.schedule=constant",
        "training.warmup=0",
    ]
    arguments = [option for setting in sets for option in ("--set", setting)]
    where = ["--data", "new", "--out", out, "--device", "cpu", "--threads", 1]
    return call("train", "--finetune", model, *where, *arguments, *options)


def bleu(folder: object, data: Path) -> float:
    result = call("evaluate", "--model", folder, "--data", data, "--metric", "bleu", "--json", "--device", "cpu")
    return float(json.loads(worked(result).out)["scores"][0]["value"])


def test_a_model_learns_new_sentences_and_letters(model: Path, new_text: Path, corpus: Path) -> None:
    """Its tokenizer and its shape stay, and so does most of what it knew."""
    result = worked(
        finetune(model, "run", 60, "--set", "training.learning_rate=0.01", "--set", "training.validate_every=20")
    )
    assert re.search(r"^before fine-tuning  dev loss [\d.]+  dev BLEU [\d.]+$", result.err, re.MULTILINE)
    assert bleu(model, new_text) < 20
    assert bleu("run", new_text) > 60
    for name in ("tokenizer.model",):
        assert (model / name).read_bytes() == Path("run", name).read_bytes()
    before, after = settings_of(str(model)), settings_of("run")
    assert all(before[section] == after[section] for section in ("text", "tokenizer", "model", "search"))
    assert after["training"]["finetuned"] == str(model)
    assert f"- Fine-tuned from: {model}\n" in card(Path("run"))
    shapes = [{name: w.shape for name, w in load_file(Path(f) / "model.safetensors").items()} for f in (model, "run")]
    assert shapes[0] == shapes[1]


def test_fine_tuning_adds_to_the_words_that_are_known(model: Path, new_text: Path) -> None:
    """Or words that the new text alone has would be taken for names."""
    source, target = (settings_of(str(model))["data"][side] for side in ("src", "tgt"))
    shutil.copytree(model, "base")
    old = KnownWords({source: "old"}, {(source, target): (True, False)})
    files.publish(Path("base"), layout.WORDS, old.to_json())
    worked(finetune(Path("base"), "run", 1, "--quiet"))
    new = KnownWords.from_json(Path("run", layout.WORDS).read_bytes())
    twice = with_text(old, {(source, target): [Pair(*pair) for pair in NEW]})
    assert new == twice
    worked(finetune(model, "other", 1, "--quiet"))
    assert not Path("other", layout.WORDS).exists()


def test_fine_tuning_begins_with_the_weights_and_keeps_them_if_no_update_is_better(model: Path, new_text: Path) -> None:
    """With a learning rate of 0, every validation is as good as the first."""
    worked(finetune(model, "run", 4, "--set", "training.learning_rate=0.0", "--quiet"))
    one, other = (load_file(Path(folder) / "model.safetensors") for folder in (model, "run"))
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)
    assert "- Kept: the weights of that model; no validation of others was better\n" in card(Path("run"))


def test_a_resumed_fine_tuning_equals_one_that_never_stopped(model: Path, new_text: Path) -> None:
    worked(finetune(model, "straight", 6, "--quiet"))
    shutil.copytree(model, "base")
    worked(finetune(Path("base"), "stopped", 4, "--quiet"))
    shutil.rmtree("base")  # is not needed any more
    worked(call("train", "--resume", "stopped", "--set", "training.updates=6", "--threads", 1, "--quiet"))
    for name in ("model.safetensors", "training/step-00000006.safetensors"):
        one, other = (load_file(Path(folder) / name) for folder in ("straight", "stopped"))
        assert one.keys() == other.keys()
        assert all((one[key] == other[key]).all() for key in one)


def test_the_share_of_the_softmax_is_that_of_the_model_unless_it_is_given(model: Path, new_text: Path) -> None:
    shutil.copytree(model, "base")
    settings = Path("base", "config.toml").read_text(encoding="utf-8")
    shared = settings.replace("sampled_softmax = 1.0", "sampled_softmax = 0.5")
    assert shared != settings
    files.publish(Path("base"), "config.toml", shared.encode())
    for out, given, expected in (("run", [], 0.5), ("other", ["--set", "training.sampled_softmax=0.7"], 0.7)):
        command = ["--data", "new", "--out", out, "--set", "training.updates=1", "--quiet", *given]
        worked(call("train", "--finetune", "base", *command))
        assert settings_of(out)["training"]["sampled_softmax"] == expected


def test_a_recipe_of_ones_own_sets_how_a_model_is_fine_tuned(model: Path, new_text: Path) -> None:
    worked(call("train", "--finetune", model, "--data", "new", "--out", "run", "--set", "training.epochs=1", "--quiet"))
    sections = settings_of("run")
    assert sections["seq2seq"]["recipe"] == "auto"
    assert sections["training"]["learning_rate"] == 3e-3
    Path("slow.toml").write_text("[training]\nlearning_rate = 1e-4\nupdates = 1\n[search]\nbeam = 2\n")
    worked(call("train", "--finetune", model, "--data", "new", "--out", "slow", "--recipe", "slow.toml", "--quiet"))
    sections = settings_of("slow")
    assert (sections["training"]["learning_rate"], sections["search"]["beam"], sections["data"]["tgt"]) == (
        1e-4,
        2,
        "de",
    )


def test_a_model_that_ships_can_be_fine_tuned(new_text: Path) -> None:
    """Its weights are stored in eight bits, and those of the new model are not."""
    base = shipped_models(trained=True)["en", "de"]
    worked(finetune(base, "run", 1, "--set", "training.learning_rate=0.0", "--quiet"))
    one, other = (weights_of(load_model(folder).engine.models[0]) for folder in (base, Path("run")))  # type: ignore[attr-defined]
    assert all((one[name] == other[name]).all() for name in one)
    assert (Path("run") / "tokenizer.model").read_bytes() == (base / "tokenizer.model").read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "model.hidden=64"], ["model.hidden is that of", "leave it out"]),
        (["--set", "tokenizer.vocab_size=500"], ["tokenizer.vocab_size is that of"]),
        (["--recipe", "multi30k"], ["the recipe multi30k sets [tokenizer]", "--recipe auto"]),
        (["--resume", "run"], ["--resume goes on with the folder's own settings"]),
        (["--set", "training.finetuned=x", "--finetune", ""], ["--finetune is empty"]),
    ],
)
def test_what_fine_tuning_cannot_change(model: Path, new_text: Path, options: list[str], words: list[str]) -> None:
    before = snapshot(Path())
    refused(
        call(
            "train", "--finetune", model, "--data", "new", *(["--out", "run"] * ("--resume" not in options)), *options
        ),
        *words,
    )
    assert snapshot(Path()) == before


def test_only_a_trained_model_can_be_fine_tuned(model: Path, new_text: Path, corpus: Path, recipe: Path) -> None:
    refused(call("train", "--finetune", "nosuch", "--data", "new", "--out", "run"), "there is no model folder nosuch")
    refused(call("train", "--finetune", "new", "--data", "new", "--out", "run"), "new is not a model folder")
    Path("exported").mkdir()
    for name in ("config.toml", "tokenizer.model"):
        shutil.copy(model / name, "exported")
    Path("exported/decoder.onnx").touch()
    refused(call("train", "--finetune", "exported", "--data", "new", "--out", "run"), "exported is an exported model")
    refused(train(recipe, corpus, "--out", "run", "--set", "training.finetuned=x"), "give --finetune MODEL instead")
    assert not Path("run").exists()


def test_dropout_and_sampling_may_change(model: Path, new_text: Path) -> None:
    worked(finetune(model, "run", 1, "--set", "model.dropout=0.3", "--set", "tokenizer.sampling=0.1", "--quiet"))
    sections = settings_of("run")
    assert (sections["model"]["dropout"], sections["tokenizer"]["sampling"]) == (0.3, 0.1)
