"""Train a translation model; resume it.

    seq2seq train                                              on the corpus that ships, a few minutes
    seq2seq train --data DIR --src en --tgt de --out runs/mine on your own parallel text
    seq2seq train --recipe FILE.toml --set model.hidden=512 --set training.epochs=20 --out DIR
    seq2seq train --resume DIR                                 go on where it stopped

DIR holds train.en, train.de, dev.en, dev.de and any test*.en, test*.de (plain or .gz), or train.tsv, .csv, .jsonl,
.parquet with columns named by language; hf:OWNER/NAME takes a data set from the hub. The settings are listed in README.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from seq2seq import checkpoint, corpus, settings
from seq2seq.card import model_card
from seq2seq.commands.shared import (
    device_options,
    example,
    json_option,
    print_json,
    quiet_option,
    run,
    set_device,
    speaker,
)
from seq2seq.errors import InputError
from seq2seq.scoring import score
from seq2seq.settings import Settings
from seq2seq.training import Trainer, prepare
from seq2seq.translator import Translator

RUNS = Path("artifacts/runs")
SHOWN = 10  # held-out sentences


@click.command("train", **example(__doc__))
@click.option("--recipe", default="tatoeba", help="a recipe that ships, or a .toml file", show_default=True)
@click.option("--data", help="folder or table of parallel text, or hf:OWNER/NAME (default: the corpus that ships)")
@click.option("--src", help="language to translate from")
@click.option("--tgt", help="language to translate to")
@click.option("--out", type=click.Path(path_type=Path), help="model folder (default: a new one in artifacts/runs)")
@click.option("--set", "assignments", multiple=True, metavar="SECTION.NAME=VALUE", help="override a setting")
@click.option("--resume", type=click.Path(path_type=Path), metavar="DIR", help="go on with the run in this folder")
@click.option("--overwrite", is_flag=True, help="replace the model that --out holds")
@click.option("--seed", type=int, help="short for --set training.seed=N")
@device_options
@quiet_option
@json_option
def command(  # noqa: D103 (its help is the module's docstring)
    recipe: str,
    data: str | None,
    src: str | None,
    tgt: str | None,
    out: Path | None,
    assignments: Sequence[str],
    resume: Path | None,
    overwrite: bool,
    seed: int | None,
    device: str,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    say = speaker(quiet)
    if resume:
        if data or src or tgt or out or seed is not None or overwrite:
            raise InputError("--resume goes on with the folder's own settings; only training.* may be --set with it")
        if any(not text.strip().startswith("training.") for text in assignments):
            raise InputError("--resume with --set: only training.* may change; train a new model for the rest")
        folder, sections = resume, checkpoint.read_settings(resume)
    else:
        given = {"where": data, "src": src, "tgt": tgt}
        sections = settings.recipe(recipe)
        sections["data"] = sections.get("data", {}) | {k: v for k, v in given.items() if v is not None}
        if seed is not None:
            assignments = [*assignments, f"training.seed={seed}"]
        folder = out or _new_folder(recipe)
        if checkpoint.holds_model(folder) and not overwrite:
            raise InputError(f"{folder} holds a model; give another --out, --resume {folder}, or --overwrite")
    chosen = settings.resolve(settings.override(sections, assignments))
    where = set_device(device, threads)
    text = corpus.load(chosen.data)
    say(str(text.report))
    for notice in text.report.notices:
        say(f"note: {notice}")
    tokenizers = checkpoint.read_tokenizers(folder, chosen.tokenizer) if resume else prepare(chosen, text, say)
    trainer = Trainer(chosen, text, tokenizers, folder, where, say)  # checks that the settings fit one another
    if resume:
        trainer.restore()
    else:
        checkpoint.clear(folder)
    checkpoint.save_settings(folder, chosen._asdict(), *tokenizers)
    size = sum(w.numel() for w in trainer.weights.values())
    say(f"{folder}: {size:,} parameters, {trainer.total:,} updates, on {where}")
    trainer.run(quiet)
    result = _finish(folder, chosen, text, trainer, where)
    if as_json:
        print_json(result)
    elif not quiet:
        print(_summary(folder, chosen, result))


def _new_folder(recipe: str) -> Path:
    """The first of artifacts/runs/NAME, NAME-2, NAME-3 .. that is free."""
    name = Path(recipe).stem
    names = itertools.chain([name], (f"{name}-{i}" for i in itertools.count(2)))
    return next(RUNS / n for n in names if not (RUNS / n).exists())


def _finish(folder: Path, chosen: Settings, text: corpus.Corpus, trainer: Trainer, device: str) -> dict[str, Any]:
    """Score the best weights on every test part (dev where there is none), and write the model card."""
    translator = Translator(checkpoint.load_model(folder, device), chosen.search)
    parts = text.tests or {"dev": text.dev}
    scores: dict[str, list[dict[str, object]]] = {}
    samples: list[list[str]] = []
    for name, pairs in parts.items():
        translations = translator.best([pair.src for pair in pairs])
        found = score(translations, [[pair.tgt for pair in pairs]], ("bleu", "chrf"))
        scores[name] = [s._asdict() for s in found]
        if not samples:
            shown = range(0, len(pairs), max(1, len(pairs) // SHOWN))[:SHOWN]
            samples = [[pairs[i].src, translations[i], pairs[i].tgt] for i in shown]
    result = {
        "folder": str(folder),
        "parameters": sum(w.numel() for w in trainer.weights.values()),
        "updates": trainer.progress.step,
        "minutes": round(trainer.progress.minutes, 2),
        "dev": trainer.progress.metrics[-1] if trainer.progress.metrics else {},
        "scores": scores,
        "samples": samples,
    }
    checkpoint.write(folder / "README.md", model_card(chosen, result).encode())
    return result


def _summary(folder: Path, chosen: Settings, result: dict[str, Any]) -> str:
    lines = []
    for source, translation, reference in result["samples"]:
        lines += ["", f"  {chosen.data.src}  {source}", f"  {chosen.data.tgt}  {translation}", f"  ref {reference}"]
    lines += [""]
    for name, scores in result["scores"].items():
        lines += [f"{name}  {s['name']} = {s['value']:.2f}  ({s['signature']})" for s in scores]
    start = "python scripts/" if Path("scripts/train.py").exists() else "seq2seq "
    end = ".py" if Path("scripts/train.py").exists() else ""
    lines += [
        "",
        f"The model is in {folder}. Translate with it:",
        f'  echo "{result["samples"][0][0]}" | {start}translate{end} --model {folder}',
        "Train on your own text, a folder with train.xx, train.yy, one sentence a line:",
        f"  {start}train{end} --data FOLDER --src xx --tgt yy --out artifacts/runs/mine",
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
