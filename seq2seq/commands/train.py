"""Train a translation model, or resume its training.

    seq2seq train                                           # the corpus that ships, a few minutes
    seq2seq train --data DIR --src en --tgt de --out mine   # your own parallel text
    seq2seq train --data DIR --langs en,de,fr --out mine    # one model of many languages
    seq2seq train --recipe FILE.toml --set model.hidden=512 --set training.epochs=20
    seq2seq train --data DIR --data MORE.tmx=0.5      # two sources; half of the second an epoch
    seq2seq train --teacher DIR --teacher DIR2              # also on the translations of these models
    seq2seq train --teacher DIR --mono FILE.de              # and of more text in one language
    seq2seq train --resume DIR                              # go on where it stopped
    seq2seq train --resume DIR --data WHERE                 # the same, where the text has moved
    seq2seq train --finetune MODEL --data DIR --out DIR2    # begin with another model's weights
    seq2seq train --minutes 20 --data DIR                   # as many updates as there is time for
    torchrun --nproc-per-node 2 -m seq2seq train            # any of these, on two GPUs

WHERE is a folder with train.en, train.de, dev.en, dev.de and any test*.en, test*.de, or train.tsv, .csv, .json,
.jsonl, .parquet with columns named by language; a file of such a kind, or .tmx, .po, .mo, .xliff, .zip, OPUS's and
Moses' pairs of files (all of these plain or packed by gz, bz2, xz, zst); or hf:OWNER/NAME, a data set from the hub.
docs/settings.md lists the settings.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from seq2seq.api.planning import RECIPE, RUNS, TrainOptions
from seq2seq.api.results import Run
from seq2seq.api.training import train
from seq2seq.commands.options import (
    COLUMNS_HELP,
    ERRORS,
    ERRORS_HELP,
    ComputeOptions,
    Number,
    ReportOptions,
    grouped,
    option,
    path_option,
    specified,
)
from seq2seq.commands.running import help_of, invocation, run
from seq2seq.commands.streams import put, put_json
from seq2seq.text.directions import name_of
from seq2seq.training.automatic import AUTO


@dataclass(frozen=True)
class RunOptions:
    """The recipe, the text and the model folder."""

    recipe: str | None = option(
        "--recipe",
        metavar="NAME",
        help=f"a recipe that ships, or a .toml file (default: {AUTO}, settings that follow from the text, for your own "
        f"text, and {RECIPE} for the corpus that ships)",
    )
    data: Sequence[str] = option(
        "--data",
        multiple=True,
        metavar="WHERE[=X]",
        help="parallel text; may be repeated, =X: its pairs are trained on X times an epoch (default: the corpus that "
        "ships)",
    )
    columns: str | None = option("--columns", metavar="LANG,LANG", help=COLUMNS_HELP)
    errors: str | None = option("--errors", type=click.Choice(ERRORS), help=ERRORS_HELP)
    src: str | None = option("--src", metavar="LANG", help="language to translate from")
    tgt: str | None = option("--tgt", metavar="LANG", help="language to translate to")
    langs: str | None = option(
        "--langs", metavar="LANG,..", help="in place of --src and --tgt: one model for all directions between these"
    )
    directions: str | None = option(
        "--directions", metavar="SRC-TGT,..", help="with --langs: only these directions (default: all in the text)"
    )
    out: Path | None = path_option("--out", metavar="DIR", help=f"model folder (default: a new one in {RUNS})")
    teachers: Sequence[str] = option(
        "--teacher",
        multiple=True,
        metavar="DIR",
        help="also train on the translations of this model, or its back-translations; may be repeated",
    )
    mono: Sequence[str] = option(
        "--mono",
        multiple=True,
        metavar="FILE.LANG",
        help="text in one of the languages, plain or .gz, which the teachers translate as well",
    )
    set: Sequence[str] = option("--set", multiple=True, metavar="SECTION.NAME=VALUE", help="override a setting")
    resume: Path | None = path_option("--resume", metavar="DIR", help="go on with the run of this folder")
    finetune: Path | None = path_option(
        "--finetune", metavar="MODEL", help="begin with the weights and the tokenizer of this trained model"
    )
    minutes: float | None = option(
        "--minutes",
        type=Number(min=0, min_open=True),
        metavar="N",
        help="fit the number of updates to this time, from the start of the command to its scores",
    )
    overwrite: bool = option("--overwrite", is_flag=True, help="replace the model that --out holds")
    seed: int | None = option("--seed", type=int, metavar="N", help="short for --set training.seed=N")


@click.command("train", **help_of(__doc__))
@grouped(options=RunOptions, compute=ComputeOptions, report=ReportOptions)
def command(options: RunOptions, compute: ComputeOptions, report: ReportOptions) -> None:  # noqa: D103 (help: above)
    arguments: TrainOptions = {**specified(options), **specified(compute), "quiet": report.quiet}  # type: ignore[typeddict-item]
    finished = train(**arguments)
    if not finished.scores:  # a rank other than 0, which reports
        return
    if report.as_json:
        put_json(finished.as_dict())
    elif not report.quiet:
        put(_summary(finished))


def _summary(finished: Run) -> str:
    lines, [direction, *others] = [], finished.model.directions
    for *label, source, translation, reference in finished.samples:
        src, tgt = next(d for d in (direction, *others) if not label or name_of(d) == label[0])
        lines += ["", f"  {src}  {source}", f"  {tgt}  {translation}", f"  ref {reference}"]
    lines += [""]
    for name, scores in finished.scores.items():
        lines += [f"{name}  {s}" for s in scores]
    example, folder = shlex.quote(finished.samples[0][-3]), shlex.quote(str(finished.folder))
    if others:
        folder += f" --from {shlex.quote(direction[0])} --to {shlex.quote(direction[1])}"
    lines += [
        "",
        f"The model is in {finished.folder}. Translate with it:",
        f"  echo {example} | {invocation('translate')} --model {folder}",
    ]
    if not finished.settings.data.where:  # the corpus that ships
        lines += [
            "Train on your own text, a folder with train.xx and train.yy, one sentence per line:",
            f"  {invocation('train')} --data FOLDER --src xx --tgt yy --out artifacts/runs/mine",
        ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
