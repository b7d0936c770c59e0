"""Read parallel text of any kind, check, clean and divide it, and write it as a folder to train on.

    seq2seq corpus --data memory.tmx --src en --tgt de --out DIR
    seq2seq corpus --data de-en.zip --src en --tgt de --dev 1000 --test 1000 --out DIR
    seq2seq corpus --data A --data B.csv --errors skip --src en --tgt de --out DIR
    seq2seq corpus --data DIR --src en --tgt de --check    # only the report
    seq2seq corpus --data DIR --src en --tgt fr --model EN-FR --model FR-EN --drop-suspects --out DIR2

The folder has train, dev and test, of which dev and test share no sentence with train on either side, a README.md
with the report, and two tables with the reason for each pair: dropped.tsv, and suspects.tsv for pairs that may be
wrong: lines that have slipped, copies, a wrong encoding or language, markup, numbers that disagree, odd lengths, and
unlikely translations by models of both directions (their cross-entropies against those of mismatched pairs).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from seq2seq.api.checking import dual_check
from seq2seq.api.computing import notifier
from seq2seq.commands.options import (
    COLUMNS_HELP,
    ERRORS,
    ERRORS_HELP,
    ReportOptions,
    data_option,
    grouped,
    option,
    path_option,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import put, put_json
from seq2seq.errors import InputError
from seq2seq.folder import files
from seq2seq.text import clean_corpus, corpus
from seq2seq.text.corpus import DataConfig
from seq2seq.text.sources import check_unweighted


@dataclass(frozen=True)
class TextOptions:
    """The text, and its languages."""

    data: Sequence[str] = data_option("the corpus that ships")
    src: str = option("--src", metavar="LANG", default="en", show_default=True, help="language to translate from")
    tgt: str = option("--tgt", metavar="LANG", default="de", show_default=True, help="language to translate to")
    columns: str | None = option("--columns", metavar="LANG,LANG", help=COLUMNS_HELP)
    errors: str = option("--errors", type=click.Choice(ERRORS), default="strict", help=ERRORS_HELP)


@dataclass(frozen=True)
class OutputOptions:
    """The folder, and how the text is divided."""

    out: Path | None = path_option("--out", metavar="DIR", help="folder to write; it must not exist, or be empty")
    dev: int | None = option(
        "--dev",
        type=click.IntRange(min=0),
        metavar="N",
        help="pairs to take as dev (default: 2% of the text, at most 1,000; none if the text has a dev part)",
    )
    test: int | None = option("--test", type=click.IntRange(min=0), metavar="N", help="pairs to take as test, as --dev")
    drop_suspects: bool = option("--drop-suspects", is_flag=True, help="drop pairs that the checks find suspicious")
    check: bool = option("--check", is_flag=True, help="write nothing, only report")


@dataclass(frozen=True)
class CheckOptions:
    """Models that are asked about the pairs."""

    models: Sequence[Path] = path_option(
        "--model",
        multiple=True,
        metavar="DIR",
        help="models of both directions, asked whether pairs are translations (default: those that ship, for their "
        "languages and up to 20,000 pairs)",
    )
    no_model: bool = option("--no-model", is_flag=True, help="ask no model")


@click.command("corpus", **help_of(__doc__))
@grouped(text=TextOptions, output=OutputOptions, checks=CheckOptions, report=ReportOptions)
def command(  # noqa: D103 (its help is the module's docstring)
    text: TextOptions, output: OutputOptions, checks: CheckOptions, report: ReportOptions
) -> None:
    if not output.out and not output.check:
        raise InputError("give --out DIR, the folder to write, or --check for the report alone")
    if output.out and not output.check:
        clean_corpus.check_folder(output.out)
        files.check_writable(output.out)
    check_unweighted(text.data)
    columns = [name.strip() for name in text.columns.split(",")] if text.columns else []
    config = DataConfig(tuple(text.data), text.src, text.tgt, columns=tuple(columns), errors=text.errors)
    corpus.check_columns(config)
    notify, sizes = notifier(report.quiet), {"dev": output.dev, "test": output.test}
    if checks.no_model and checks.models:
        raise InputError("--model and --no-model exclude each other; leave one out")
    check = None if checks.no_model else dual_check(checks.models, (config.src, config.tgt), notify)
    result = clean_corpus.clean(config, sizes, output.drop_suspects, notify, check)
    if output.out and not output.check:
        clean_corpus.write(output.out, result, config)
    if report.as_json:
        put_json(result.as_dict())
    elif output.check or not report.quiet:  # the report is all that --check is for
        put(str(result.report))
        for notice in () if report.quiet else result.report.notices:
            put(f"note: {notice}")
    if output.out and not output.check:
        notify(f"{output.out}: {len(result.parts['train']):,} train pairs")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
