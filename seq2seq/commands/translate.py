"""Translate standard input, a file, or lines typed at a prompt.

    echo "A man is riding a bike." | seq2seq translate         # a small model that ships, to German
    echo "Eine Katze schläft." | seq2seq translate --to en
    seq2seq translate --model DIR --input FILE --output FILE --beam 5
    seq2seq translate --model DIR --model DIR2                # an ensemble, of one tokenizer
    seq2seq translate --model DIR                             # at a terminal: a prompt
    seq2seq translate --model DIR --input FILE --score FILE2  # log p of the translations in FILE2
    seq2seq translate --model DIR --memory DIR2               # with similar sentences of DIR2

Each line gives one line, in the same order; an empty line gives an empty line. --nbest N writes line number, rank,
score and translation, separated by tabs.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path

import click

from seq2seq.api.computing import notifier, torch_threads
from seq2seq.api.models import choose_direction, open_model, shipped_models, with_translation_memory
from seq2seq.commands.options import (
    ComputeOptions,
    MemoryOptions,
    QuietOption,
    RankingOptions,
    grouped,
    option,
    path_option,
    specified,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import lines_of, output, put
from seq2seq.errors import InputError
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.texts import EMPTY
from seq2seq.translation.translator import Bundle, LineTranslator, Translation


@dataclass(frozen=True)
class TextOptions:
    """The model, and the text."""

    models: Sequence[Path] = path_option(
        "--model", multiple=True, metavar="DIR", help="model folder (default: one that ships); several: an ensemble"
    )
    from_: str | None = option("--from", metavar="LANG", help="language to translate from (default: the model's; en)")
    to: str | None = option("--to", metavar="LANG", help="language to translate to (default: the model's; de)")
    source: Path | None = path_option("--input", help="text to translate, plain or .gz (default: standard input)")
    target: Path | None = path_option("--output", help="file to write (default: standard output)")


@dataclass(frozen=True)
class SearchOptions:
    """The kind of search, and its limits."""

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
        type=click.FloatRange(min=0.01, max=100),
        metavar="T",
        help="sample each token from p ** (1 / T) instead of searching; with --nbest N, N times",
    )
    seed: int | None = option(
        "--seed", type=click.IntRange(0, 2**31), metavar="N", help="with --sample: seed of the random numbers"
    )

    def config(self, defaults: SearchConfig, ranking: RankingOptions) -> SearchConfig:
        """The model's own search settings, overridden by the options.

        Raises:
            InputError: the n-best list is longer than the beam is wide.
        """
        limits = {name: value for name, value in specified(self).items() if name not in ("prefix", "nbest")}
        width = ranking.beam or max(1 if self.sample else defaults.beam, self.nbest or 1)
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


@click.command("translate", **help_of(__doc__))
@grouped(
    text=TextOptions,
    ranking=RankingOptions,
    memory=MemoryOptions,
    limits=SearchOptions,
    form=FormatOptions,
    compute=ComputeOptions,
    report=QuietOption,
)
def command(  # noqa: D103 (its help is the module's docstring)
    text: TextOptions,
    ranking: RankingOptions,
    memory: MemoryOptions,
    limits: SearchOptions,
    form: FormatOptions,
    compute: ComputeOptions,
    report: QuietOption,
) -> None:
    folders = text.models or [_shipped_model(text)]
    if limits.sample and ranking.beam:
        raise InputError(f"--beam {ranking.beam} searches and --sample {limits.sample} samples; leave one out")
    interactive = not (text.source or text.target or form.to_score or limits.prefix) and _at_a_terminal()
    bundle, workers = open_model(folders, compute.device, compute.threads, 1 if interactive else form.workers)
    choose_direction([(bundle.src, bundle.tgt)], text.from_, text.to)
    bundle = with_translation_memory(bundle, memory.memory, memory.memory_share)
    if form.alignments and not bundle.engine.aligns:
        names = ", ".join(map(str, folders))
        raise InputError(f"{names}: a model without attention gives no alignment; leave out --alignments")
    config = limits.config(bundle.search, ranking)
    translator = LineTranslator(bundle, config, form.batch_tokens, workers, form.alignments)
    prefixes = lines_of(limits.prefix, form.errors) if limits.prefix else repeat("")

    def translated(lines: Iterable[str]) -> Iterator[str]:
        stream = translator.stream(lines, notifier(report.quiet), chain(prefixes, _too_few(limits.prefix)))
        return formatted(stream, limits.nbest, form)

    with torch_threads(compute.threads), output(text.target) as file:
        if form.to_score:
            results = scored(translator, *(list(lines_of(side, form.errors)) for side in (text.source, form.to_score)))
        elif not interactive:
            results = translated(lines_of(text.source, form.errors))
        else:
            results = chain.from_iterable(translated([line]) for line in prompted(bundle))
        for result in results:
            put(result, file)
        if limits.prefix and next(prefixes, None) is not None:
            raise InputError(f"{limits.prefix} has more lines than the input; give one prefix per line")


def _shipped_model(text: TextOptions) -> Path:
    models = shipped_models()
    return models[choose_direction(models, text.from_, text.to)]


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def formatted(results: Iterable[list[Translation]], nbest: int | None, form: FormatOptions) -> Iterator[str]:
    """The lines to write for each translated line; a blank line gives an empty translation."""
    for number, translations in enumerate(results, 1):
        ranked = translations or [EMPTY]
        for rank, best in enumerate(ranked[: nbest or 1], 1):
            place = [str(number), str(rank)] if nbest else []
            score = [f"{best.score:.4f}"] if nbest or form.scores else []
            links = [" ".join(f"{source}-{target}" for source, target in best.alignment)] if form.alignments else []
            yield "\t".join([*place, *score, best.text, *links])


def _too_few(prefix: Path | None) -> Iterator[str]:
    """Continues the prefixes after the last one.

    Raises:
        InputError: at the first line that has no prefix.
    """
    raise InputError(f"{prefix} has fewer lines than the input; give one prefix per line")
    yield


def scored(translator: LineTranslator, src: list[str], tgt: list[str]) -> Iterator[str]:
    """The log-probability of each translation, in nats.

    Raises:
        InputError: the numbers of lines and of translations differ.
    """
    if len(src) != len(tgt):
        raise InputError(f"{len(src)} source lines, but {len(tgt)} translations to score; give one per line")
    for log_prob in translator.log_probs(src, tgt):
        yield f"{log_prob:.4f}"


def prompted(bundle: Bundle) -> Iterator[str]:
    """The lines that the user types at a prompt."""
    print("Type a sentence and press Enter; Ctrl-D ends.", file=sys.stderr)
    with suppress(EOFError):
        while True:
            yield input(f"{bundle.src} > ")
    print(file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
