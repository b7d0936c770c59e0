"""`train --teacher`: synthetic pairs by knowledge distillation and back-translation."""

import json
import re
import shutil
import tomllib
from itertools import groupby
from pathlib import Path

from sacrebleu.metrics import BLEU
from shell import call, card, refused, train, worked

# Teachers that have not learnt the text yet; without a limit, they would write as long as they may.
UNTRAINED = "--set=training.updates=30", "--set=training.validate_every=30", "--set=search.max_length=12"


def train_part(corpus: Path) -> list[list[str]]:
    """The source and the target lines of the train part."""
    return [(corpus / f"train.{language}").read_text().splitlines() for language in ("en", "de")]


def synthetic_pairs(folder: str) -> list[tuple[str, str]]:
    """The pairs that teachers added, as stored in a model folder."""
    rows = map(json.loads, Path(folder, "taught.jsonl").read_text(encoding="utf-8").splitlines())
    return [(row["src"], row["tgt"]) for row in rows]


def teacher_translations(model: str, corpus: Path, source: str, references: list[str]) -> list[tuple[str, str]]:
    """For each line of the train part, a model's best translation, and of its 5 best the closest to the reference."""
    nbest = call("translate", "--model", model, "--input", corpus / f"train.{source}", "--nbest", "5")
    rows = [line.split("\t") for line in worked(nbest).lines]  # line, rank, score, translation
    nbest_lists = [[row[3] for row in group] for _, group in groupby(rows, key=lambda row: row[0])]
    bleu = BLEU(smooth_method="add-k", smooth_value=1, effective_order=True)
    return [
        (texts[0], max(texts, key=lambda text: bleu.sentence_score(text, [ref]).score))
        for texts, ref in zip(nbest_lists, references, strict=True)
    ]


def test_translations_by_teachers_are_trained_on(corpus: Path, recipe: Path) -> None:
    """The new ones among each teacher's best and its closest to the reference; resuming does not need the teachers."""
    for seed in "12":  # teachers that have not learnt the text yet
        worked(train(recipe, corpus, "--out", seed, "--seed", seed, *UNTRAINED))
    src, tgt = train_part(corpus)
    by_teacher = [teacher_translations(seed, corpus, "en", tgt) for seed in "12"]
    assert sum(best != close for lines in by_teacher for best, close in lines) > 5 and by_teacher[0] != by_teacher[1]
    candidates = [
        (line, text) for lines in by_teacher for line, texts in zip(src, lines, strict=True) for text in texts
    ]
    new = {*candidates} - {*zip(src, tgt, strict=True)}
    teachers = "--teacher", "1", "--teacher", "2"
    first = worked(train(recipe, corpus, "--out", "whole", *teachers))
    assert f"the teachers add {len(new)} pairs" in first.err
    assert synthetic_pairs("whole") == [pair for pair in dict.fromkeys(candidates) if pair in new]
    assert tomllib.loads(Path("whole/config.toml").read_text())["data"]["teachers"] == ["1", "2"]
    assert "- Synthetic data: the training part; translated by 1, 2 (knowledge distillation" in card(Path("whole"))

    worked(train(recipe, corpus, "--out", "parts", *teachers, "--set", "training.updates=1"))
    shutil.rmtree("1")
    worked(call("train", "--resume", "parts", "--set", "training.updates=2", "--device", "cpu", "--threads", "1"))
    assert Path("parts/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()

    Path("parts/taught.jsonl").write_text('{"src": "No.", "tgt": "Nein."}\n')
    refused(call("train", "--resume", "parts", "--set", "training.updates=3"), "text", "parts")
    Path("parts/taught.jsonl").write_text("Nein.\n")
    refused(call("train", "--resume", "parts", "--set", "training.updates=3"), "parts/taught.jsonl, line 1", "JSON")
    Path("parts/taught.jsonl").unlink()
    refused(call("train", "--resume", "parts", "--set", "training.updates=3"), "parts/taught.jsonl", "cannot read")
    worked(train(recipe, corpus, "--out", "whole", "--overwrite"))
    assert not Path("whole/taught.jsonl").exists()


def test_teachers_of_the_opposite_direction_back_translate(corpus: Path, recipe: Path) -> None:
    """Their translations are sources of the references, in the order of the teachers."""
    worked(train(recipe, corpus, "--out", "forth", *UNTRAINED))
    worked(train(recipe, corpus, "--out", "back", "--src", "de", "--tgt", "en", *UNTRAINED))
    src, tgt = train_part(corpus)
    known = {*zip(src, tgt, strict=True)}
    candidates = [
        (text, ref)
        for texts, ref in zip(teacher_translations("back", corpus, "de", src), tgt, strict=True)
        for text in texts
    ]
    new = [pair for pair in dict.fromkeys(candidates) if pair not in known and pair[0]]
    assert len(new) > 30
    worked(train(recipe, corpus, "--out", "alone", "--teacher", "back"))
    assert synthetic_pairs("alone") == new
    worked(train(recipe, corpus, "--out", "straight", "--teacher", "forth"))
    worked(train(recipe, corpus, "--out", "both", "--teacher", "back", "--teacher", "forth"))
    assert synthetic_pairs("both") == [*dict.fromkeys([*new, *synthetic_pairs("straight")])]
    worked(train(recipe, corpus, "--out", "parts", "--teacher", "back", "--set", "training.updates=1"))
    worked(call("train", "--resume", "parts", "--set", "training.updates=2", "--device", "cpu", "--threads", "1"))
    assert Path("parts/model.safetensors").read_bytes() == Path("alone/model.safetensors").read_bytes()


def test_teachers_translate_monolingual_text_too(corpus: Path, recipe: Path) -> None:
    """Its pairs follow those of the same teacher's training text; resuming needs neither the text nor the teachers."""
    worked(train(recipe, corpus, "--out", "forth", *UNTRAINED))
    worked(train(recipe, corpus, "--out", "back", "--src", "de", "--tgt", "en", *UNTRAINED))
    monolingual = {"en": ["the sun sees me", "see me"], "de": ["die Sonne sieht", "sieht mich"]}
    for language, lines in monolingual.items():
        Path(f"more.{language}").write_text("".join(f"{line}\n" for line in lines))
    translations = {
        language: worked(call("translate", "--model", model, "--input", f"more.{language}")).lines
        for language, model in (("en", "forth"), ("de", "back"))
    }
    both = "--teacher", "forth", "--teacher", "back"
    worked(train(recipe, corpus, "--out", "without", *both))
    first = worked(train(recipe, corpus, "--out", "whole", *both, "--mono", "more.en", "--mono", "more.de"))
    assert re.search(r"^more\.de +2 +0 +0 +0 +0 +2$", first.err, re.MULTILINE), first.err
    new = [
        *zip(monolingual["en"], translations["en"], strict=True),
        *zip(translations["de"], monolingual["de"], strict=True),
    ]
    assert len(new) == 4 and not {*new} & {*synthetic_pairs("without")}
    assert [pair for pair in synthetic_pairs("whole") if pair not in new] == synthetic_pairs("without")
    assert [pair for pair in synthetic_pairs("whole") if pair in new] == new
    assert "- Synthetic data: the training part, more.en, more.de; translated by forth, back (" in card(Path("whole"))
    worked(
        train(
            recipe,
            corpus,
            "--out",
            "parts",
            *both,
            "--mono",
            "more.en",
            "--mono",
            "more.de",
            "--set",
            "training.updates=1",
        )
    )
    for name in "more.en", "more.de":
        Path(name).unlink()
    worked(call("train", "--resume", "parts", "--set", "training.updates=2", "--device", "cpu", "--threads", "1"))
    assert Path("parts/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


def test_monolingual_text_that_no_teacher_can_translate_is_refused(model: Path, corpus: Path, recipe: Path) -> None:
    for name in "more.en", "more.de", "more.txt":
        Path(name).write_text("x\n")
    refused(train(recipe, corpus, "--out", "new", "--mono", "more.en"), "more.en", "en to de", "--teacher")
    result = train(recipe, corpus, "--out", "new", "--mono", "more.de", "--teacher", model)
    refused(result, "more.de", "de to en", "--teacher")
    refused(train(recipe, corpus, "--out", "new", "--mono", "more.txt", "--teacher", model), "more.txt", ".en", ".de")
    refused(train(recipe, corpus, "--out", "new", "--mono", "none.en", "--teacher", model), "none.en")
    refused(call("train", "--resume", model, "--mono", "more.en"), "--resume")
    assert not Path("new").exists()


def test_an_exported_model_can_be_a_teacher(model: Path, corpus: Path, recipe: Path) -> None:
    worked(call("export", "--model", model, "--out", "fast", "--format", "onnx", "--int8"))
    worked(train(recipe, corpus, "--out", "new", "--teacher", "fast"))
    src, tgt = train_part(corpus)
    candidates = [
        (line, text)
        for line, texts in zip(src, teacher_translations("fast", corpus, "en", tgt), strict=True)
        for text in texts
    ]
    new = [pair for pair in dict.fromkeys(candidates) if pair not in {*zip(src, tgt, strict=True)}]
    assert new and synthetic_pairs("new") == new
    worked(train(recipe, corpus, "--out", "beside", "--teacher", "fast", "--teacher", model))
    assert synthetic_pairs("beside")[: len(new)] == new
    worked(train(recipe, corpus, "--out", "trained", "--teacher", model))
    assert synthetic_pairs("beside") == [*dict.fromkeys([*new, *synthetic_pairs("trained")])]


def test_unsuitable_teachers_are_refused(model: Path, corpus: Path, recipe: Path) -> None:
    refused(train(recipe, corpus, "--out", "new", "--teacher", "nobody"), "nobody")
    result = train(recipe, corpus, "--out", "new", "--src", "en", "--tgt", "fr", "--teacher", model)
    refused(result, str(model), "en to de", "en to fr or back")
    refused(call("train", "--resume", model, "--teacher", model), "--resume")
    refused(train(recipe, corpus, "--out", "new", "--set", "data.teachers=5"), "data.teachers", '["DIR"]')
    assert not Path("new").exists()
