"""The options of `translate`, in groups."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import click

from seq2seq.commands.options import ChoiceOptions, Number, RankingOptions, option, path_option, specified
from seq2seq.documents.formats import FORMATS, LINES
from seq2seq.errors import InputError
from seq2seq.translation.search import SAMPLES, SearchConfig
from seq2seq.translation.texts import EMPTY, different
from seq2seq.translation.translator import Translation


@dataclass(frozen=True)
class TextOptions:
    """The model, the text, and what kind of document it is."""

    models: Sequence[Path] = path_option(
        "--model", multiple=True, metavar="DIR", help="model folder (default: one that ships); several: an ensemble"
    )
    from_: str | None = option(
        "--from", metavar="LANG", help="language to translate from (default: the model's; en); auto: that of the text"
    )
    to: str | None = option("--to", metavar="LANG", help="language to translate to (default: the model's; de)")
    source: Path | None = path_option("--input", help="text or document to translate (default: standard input)")
    target: Path | None = path_option("--output", help="file to write (default: standard output)")
    kind: str | None = option(
        "--format",
        metavar="KIND",
        help=f"kind of document (default: by the ending of --input, else {LINES}): {', '.join(FORMATS)}",
    )
    columns: Sequence[str] = option(
        "--column", multiple=True, metavar="NAME", help="column of a CSV or TSV file to translate, by name or number"
    )
    everything: bool = option("--all", is_flag=True, help="PO, XLIFF: translate what is translated already, too")
    resume: bool = option("--resume", is_flag=True, help="go on with an interrupted job of --input and --output")


@dataclass(frozen=True)
class SearchOptions(ChoiceOptions):
    """The kind of search, its limits, and what chooses among its n best."""

    prefix: Path | None = path_option("--prefix", help="prefixes that the translations begin with, one per line")
    max_length: int | None = option(
        "--max-length", type=click.IntRange(1, 100_000), metavar="N", help="longest translation, in tokens"
    )
    min_length: int | None = option(
        "--min-length", type=click.IntRange(0, 100_000), metavar="N", help="shortest translation, in tokens"
    )
    no_repeat_ngram: int | None = option(
        "--no-repeat-ngram",
        type=click.IntRange(min=1),
        metavar="N",
        help="no sequence of N tokens twice in a translation",
    )
    nbest: int | None = option(
        "--nbest", type=click.IntRange(min=1), metavar="N", help="write the N best translations of each line"
    )
    sample: float | None = option(
        "--sample",
        type=Number(min=0.01, max=100),
        metavar="T",
        help="sample each token from p ** (1 / T) instead of searching; with --nbest N, N times; with --rescore or "
        f"--mbr, --beam N of them to choose from (default: {SAMPLES})",
    )
    seed: int | None = option(
        "--seed", type=click.IntRange(0, 2**31), metavar="N", help="with --sample: seed of the random numbers"
    )

    def config(self, defaults: SearchConfig, ranking: RankingOptions, chooses: bool) -> SearchConfig:
        """The model's own search settings, overridden by the options.

        Args:
            defaults: the model's.
            ranking: further options.
            chooses: whether something else than the search chooses among samples.

        Raises:
            InputError: the n-best list is longer than the beam is wide.
        """
        settings = {field.name for field in fields(SearchConfig)}
        limits = {name: value for name, value in specified(self).items() if name in settings}
        samples = SAMPLES if chooses else 1
        width = ranking.beam or max(samples if self.sample else defaults.beam, self.nbest or 1)
        config = replace(defaults, **{**specified(ranking), **limits, "beam": width})
        if self.nbest and self.nbest > config.beam:
            raise InputError(
                f"--nbest {self.nbest} needs a beam at least as wide, not --beam {config.beam}; "
                f"give --beam {self.nbest}"
            )
        return config


@dataclass(frozen=True)
class FormatOptions:
    """What to write, and how to compute it."""

    alignments: bool = option(
        "--alignments",
        is_flag=True,
        help="append the word alignment to each translation, as pairs source-target: 0-0 1-2",
    )
    scores: bool = option("--scores", is_flag=True, help="write the score before each translation, tab-separated")
    to_score: Path | None = path_option("--score", help="score these translations instead of searching")
    batch_tokens: int = option(
        "--batch-tokens",
        type=click.IntRange(min=1),
        default=1024,
        metavar="N",
        help="source tokens translated at once; changes speed, not results",
        show_default=True,
    )
    workers: int | None = option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="processes that share the lines and the threads (default: one per thread)",
    )
    errors: str = option(
        "--errors",
        type=click.Choice(["strict", "replace"]),
        default="strict",
        help="invalid UTF-8 is an error, or is replaced by U+FFFD",
        show_default=True,
    )

    def rows(self, translations: Sequence[Translation], number: int, nbest: int | None) -> list[str]:
        """The rows to write for a line, one or `nbest`; a blank line has an empty translation.

        Args:
            translations: of the line, best first.
            number: of the line, from 1 on.
            nbest: most rows; None: one, without number and rank.
        """
        rows = list[str]()
        for rank, best in enumerate(different(translations or [EMPTY])[: nbest or 1], 1):
            place = [str(number), str(rank)] if nbest else []
            score = [f"{best.score:.4f}"] if nbest or self.scores else []
            links = [" ".join(f"{source}-{target}" for source, target in best.alignment)] if self.alignments else []
            columns = [*place, *score, best.text, *links]
            rows.append("\t".join(column.replace("\t", " ") for column in columns) if columns[1:] else best.text)
        return rows
