"""Train a translation model; resume it.

    seq2seq train                                           # the corpus that ships, a few minutes
    seq2seq train --data DIR --src en --tgt de --out mine   # your own parallel text
    seq2seq train --recipe FILE.toml --set model.hidden=512 --set training.epochs=20
    seq2seq train --teacher DIR --teacher DIR2              # and what these make of it, either way
    seq2seq train --teacher DIR --mono FILE.de              # and of more text in one language
    seq2seq train --resume DIR                              # go on where it stopped
    torchrun --nproc-per-node 2 -m seq2seq train            # any of these, on two GPUs

DIR holds train.en, train.de, dev.en, dev.de and any test*.en, test*.de (plain or .gz), or train.tsv, .csv, .jsonl,
.parquet with columns named by language; hf:OWNER/NAME takes a data set from the hub. docs/settings.md lists the
settings.
"""

import itertools
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import torch
from tqdm import tqdm

from seq2seq.commands.shared import (
    device_options,
    example,
    json_option,
    open_model,
    path_option,
    put,
    put_json,
    quiet_option,
    run,
    set_device,
    speaker,
    stated,
    typed,
)
from seq2seq.errors import InputError, Interrupted
from seq2seq.folder import checkpoint, files, layout
from seq2seq.reporting.model_card import model_card
from seq2seq.text import corpus
from seq2seq.text.scoring import closest, score
from seq2seq.text.sources import Pair
from seq2seq.training import settings
from seq2seq.training.distributed import ProcessGroup, join_group
from seq2seq.training.settings import Settings
from seq2seq.training.trainer import Trainer, prepare
from seq2seq.training.workers import default_workers
from seq2seq.translation.translator import LineTranslator

RECIPE = "tatoeba"
RUNS = Path("artifacts/runs")
SHOWN = 10  # held-out sentences


@click.command("train", **example(__doc__))
@click.option("--recipe", metavar="NAME", help=f"a recipe that ships, or a .toml file (default: {RECIPE})")
@click.option("--data", metavar="WHERE", help="parallel text (default: the corpus that ships)")
@click.option("--src", metavar="LANG", help="language to translate from")
@click.option("--tgt", metavar="LANG", help="language to translate to")
@path_option("--out", metavar="DIR", help=f"model folder (default: a new one in {RUNS})")
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    metavar="DIR",
    help="learn a model's translations too, of the other direction its back-translations; any number of times",
)
@click.option(
    "--mono",
    "monolingual",
    multiple=True,
    metavar="FILE.LANG",
    help="text of either language, plain or .gz, for the teachers to translate as well",
)
@click.option("--set", "assignments", multiple=True, metavar="SECTION.NAME=VALUE", help="override a setting")
@path_option("--resume", metavar="DIR", help="go on with the run in this folder")
@click.option("--overwrite", is_flag=True, help="replace the model that --out holds")
@click.option("--seed", type=int, metavar="N", help="short for --set training.seed=N")
@device_options
@quiet_option
@json_option
def command(  # noqa: D103 (its help is the module's docstring)
    recipe: str | None,
    data: str | None,
    src: str | None,
    tgt: str | None,
    teachers: Sequence[str],
    monolingual: Sequence[str],
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
    say, where = speaker(quiet), set_device(device, threads)
    ranks = click.get_current_context().with_resource(join_group(where))
    if not ranks.is_main:
        _follow(ranks, where)
        return
    if resume:
        if recipe or data or src or tgt or teachers or monolingual or out or seed is not None or overwrite:
            raise InputError("--resume goes on with the folder's own settings; only training.* may be --set with it")
        if any(not text.strip().startswith("training.") for text in assignments):
            raise InputError("--resume with --set: only training.* may change; train a new model for the rest")
        folder, sections, name = resume, layout.read_settings(resume), layout.read_recipe_name(resume)
    else:
        models, lines = list(teachers) or None, list(monolingual) or None
        given = stated(where=data, src=src, tgt=tgt, teachers=models, monolingual=lines)
        name = recipe or RECIPE
        sections = settings.recipe(name)
        sections["data"] = sections.get("data", {}) | given
        if seed is not None:
            assignments = [*assignments, f"training.seed={seed}"]
        folder = out or _new_folder(name)
        _check_folder(folder)
        if layout.holds_model(folder) and not overwrite:
            raise InputError(f"{folder} holds a model; give another --out, --resume {folder}, or --overwrite")
        if (card := folder / layout.CARD).exists() and not overwrite:
            raise InputError(f"{card} would be lost to the model's; give another --out, or --overwrite")
    chosen = settings.resolve(settings.override(sections, assignments))
    chosen = _with_workers(chosen, ranks.world_size)
    opened = [] if resume else _teachers(chosen.data, device, threads)
    text = corpus.load(chosen.data)
    if resume:
        if chosen.data.teachers:
            text = corpus.with_synthetic(text, corpus.load_synthetic(folder / layout.SYNTHETIC))
        tokenizers = layout.read_tokenizers(folder, chosen.tokenizer)
    else:
        text = corpus.with_monolingual(text, chosen.data)
        for line in (str(text.report), *(f"note: {notice}" for notice in text.report.notices)):
            say(line)
        if opened:
            text = corpus.with_synthetic(text, _taught(opened, text, quiet))
            opened.clear()  # training needs the memory
            say(f"the teachers add {len(text.synthetic):,} pairs")
        tokenizers = prepare(chosen, text, say)
    trainer = Trainer(chosen, text, tokenizers, folder, where, say, ranks)  # checks that the settings fit one another
    if resume:
        trainer.restore()
    else:
        trainer.begin()
        checkpoint.clear(folder)
    layout.save_settings(folder, chosen._asdict(), *tokenizers, name)
    if chosen.data.teachers and not resume:
        files.publish(folder, layout.SYNTHETIC, corpus.synthetic_text(text.synthetic).encode())
    size = sum(w.numel() for w in trainer.weights.values())
    device_count = f"{where}, {ranks.world_size} ranks" if ranks.world_size > 1 else where
    say(f"{folder}: {size:,} parameters, {trainer.total:,} updates, on {device_count}")
    ranks.broadcast_object(lambda: (str(folder.absolute()), resume is not None))
    trainer.run(quiet)
    result = _finish(folder, chosen, name, text, trainer, where)
    if as_json:
        put_json(result)
    elif not quiet:
        put(_summary(folder, chosen, result))


def _follow(ranks: ProcessGroup, device: str) -> None:
    """Train along with rank 0, by what it wrote; it has to tell what goes wrong."""
    name, resumed = ranks.broadcast_object(lambda: ("", False))
    folder = Path(name)
    chosen = settings.resolve(layout.read_settings(folder))
    text = corpus.load(chosen.data)
    if chosen.data.teachers:
        text = corpus.with_synthetic(text, corpus.load_synthetic(folder / layout.SYNTHETIC))
    tokenizers = layout.read_tokenizers(folder, chosen.tokenizer)
    trainer = Trainer(chosen, text, tokenizers, folder, device, lambda message: None, ranks)
    if resumed:
        trainer.restore()
    try:
        trainer.run(quiet=True)
    except Interrupted as e:
        raise click.exceptions.Exit(128 + e.signum) from None


class Teacher(NamedTuple):
    """A model of the direction of the training (`forth`), or of the other one."""

    forth: bool
    translator: LineTranslator


def _teachers(data: corpus.DataConfig, device: str, threads: int | None) -> list[Teacher]:
    """The teachers; that one is no model, or of other languages, is said before the text is read."""
    ways = [_way(Path(teacher), data) for teacher in data.teachers]
    for path in map(Path, data.monolingual):
        forth = corpus.side_of(path, data) == 0
        if forth not in ways:
            src, tgt = (data.src, data.tgt) if forth else (data.tgt, data.src)
            raise InputError(f"--mono {path} needs a model that translates {src} to {tgt}; give one by --teacher")
    teachers = []
    for forth, folder in zip(ways, data.teachers, strict=True):
        bundle, workers = open_model([Path(folder)], device, threads, None)
        teachers.append(Teacher(forth, LineTranslator(bundle, bundle.search, workers=workers)))
    return teachers


def _way(teacher: Path, data: corpus.DataConfig) -> bool:
    """Whether a teacher translates in the direction of the training; otherwise it does in the other one."""
    known = layout.read_settings(teacher).get("data", {})
    way = known.get("src"), known.get("tgt")
    if way not in ((data.src, data.tgt), (data.tgt, data.src)):
        raise InputError(
            f"the teacher {teacher} translates {way[0]} to {way[1]}, not {data.src} to {data.tgt} or back; "
            "take another, or give --src and --tgt"
        )
    return way == (data.src, data.tgt)


def _taught(teachers: Sequence[Teacher], text: corpus.Corpus, quiet: bool) -> Iterator[Pair]:
    """What the teachers make of the training text and of the monolingual: data diversification (Nguyen et al. 2020).

    Each gives every line of its language its best translation (from the target's, back-translation, Sennrich et al.
    2016), and of its n-best the one most like the reference (Kim & Rush 2016, sections 3.2 and 3.3).
    """
    for forth, translator in teachers:
        here, there = (0, 1) if forth else (1, 0)
        lines = [*(pair[here] for pair in text.train), *text.monolingual[here]]
        found = translator.stream(lines, lambda message: None)
        shown = tqdm(found, "teaching", len(lines), disable=True if quiet else None, unit="line")
        for line, candidates, pair in itertools.zip_longest(lines, shown, text.train):
            texts = [candidate.text for candidate in candidates] or [""]
            for said in (texts[0], closest(texts, pair[there])) if pair else texts[:1]:
                yield Pair(line, said) if forth else Pair(said, line)


def _with_workers(chosen: Settings, ranks: int) -> Settings:
    """The settings with a number of workers, the ranks where torchrun started several: resuming repeats it.

    Raises:
        InputError: the settings say another number than torchrun started.
    """
    training = chosen.training
    if ranks > 1 and training.workers not in (0, ranks):
        raise InputError(
            f"training.workers = {training.workers}, but torchrun started {ranks} ranks; start as many, "
            "or --set training.workers=0"
        )
    alone = default_workers(torch.get_num_threads(), training.batch_tokens, chosen.model.hidden)
    return chosen._replace(training=replace(training, workers=ranks if ranks > 1 else training.workers or alone))


def _new_folder(recipe: str) -> Path:
    """The first of artifacts/runs/NAME, NAME-2, NAME-3 .. that is free."""
    name = Path(recipe).stem
    names = itertools.chain([name], (f"{name}-{i}" for i in itertools.count(2)))
    return next(RUNS / n for n in names if not (RUNS / n).exists())


def _check_folder(folder: Path) -> None:
    """Say now, and not after the text is read, that no folder can be made or written there."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise InputError(f"--out {folder}: {there} is a file; give a folder")
    if not os.access(there, os.W_OK):
        raise InputError(f"--out {folder}: {there} cannot be written; give another folder")


def _finish(
    folder: Path, chosen: Settings, recipe: str | None, text: corpus.Corpus, trainer: Trainer, device: str
) -> dict[str, Any]:
    """Score the best weights on every test part (dev where there is none), and write the model card."""
    translator = LineTranslator(checkpoint.load_model(folder, device), chosen.search)
    parts = text.tests or {"dev": text.dev}
    scores: dict[str, list[dict[str, object]]] = {}
    samples: list[list[str]] = []
    for name, pairs in parts.items():
        translations = translator.translate([pair.src for pair in pairs])
        found = score(translations, [[pair.tgt for pair in pairs]], ("bleu", "chrf"))
        scores[name] = [s._asdict() for s in found]
        if not samples:
            shown = range(0, len(pairs), max(1, len(pairs) // SHOWN))[:SHOWN]
            samples = [[pairs[i].src, translations[i], pairs[i].tgt] for i in shown]
    result = {
        "folder": str(folder),
        "recipe": recipe,
        "parameters": sum(w.numel() for w in trainer.weights.values()),
        "updates": trainer.progress.step,
        "minutes": round(trainer.progress.minutes, 2),
        "dev": next(m for m in trainer.progress.metrics if m["step"] == trainer.progress.best_step),
        "scores": scores,
        "samples": samples,
    }
    files.write(folder / layout.CARD, model_card(chosen, result).encode())
    return result


def _summary(folder: Path, chosen: Settings, result: dict[str, Any]) -> str:
    lines = []
    for source, translation, reference in result["samples"]:
        lines += ["", f"  {chosen.data.src}  {source}", f"  {chosen.data.tgt}  {translation}", f"  ref {reference}"]
    lines += [""]
    for name, scores in result["scores"].items():
        lines += [f"{name}  {s['name']} = {s['value']:.2f}  ({s['signature']})" for s in scores]
    lines += [
        "",
        f"The model is in {folder}. Translate with it:",
        f"  echo {shlex.quote(result['samples'][0][0])} | {typed('translate')} --model {shlex.quote(str(folder))}",
        "Train on your own text, a folder with train.xx, train.yy, one sentence a line:",
        f"  {typed('train')} --data FOLDER --src xx --tgt yy --out artifacts/runs/mine",
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
