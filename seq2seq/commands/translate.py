"""Translate lines, a file, or what is typed at a prompt.

    echo "A man is riding a bike." | seq2seq translate         # a small model that ships, to German
    echo "Eine Katze schläft." | seq2seq translate --to en
    seq2seq translate --model DIR --input FILE --output FILE --beam 5
    seq2seq translate --model DIR --model DIR2                # an ensemble, of one tokenizer
    seq2seq translate --model DIR                             # at a terminal: a prompt
    seq2seq translate --model DIR --input FILE --score FILE2  # log p of the translations in FILE2
    seq2seq translate --model DIR --memory DIR2               # with similar sentences of DIR2

One line in, one line out, in the same order; an empty line gives an empty line. --nbest N writes, tab-separated, line
number, rank, score and translation.
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
    given,
    grouped,
    option,
    path_option,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import lines_of, output, put
from seq2seq.errors import InputError
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import Bundle, LineTranslator, Translation


@dataclass(frozen=True)
class TextOptions:
    """Which model, and which text."""

    models: Sequence[Path] = path_option(
        "--model", multiple=True, metavar="DIR", help="model folder (default: one that ships); several: an ensemble"
    )
    from_: str | None = option("--from", metavar="LANG", help="language to translate from (default: the model's; en)")
    to: str | None = option("--to", metavar="LANG", help="language to translate to (default: the model's; de)")
    source: Path | None = path_option("--input", help="text to translate, plain or .gz (default: standard input)")
    target: Path | None = path_option("--output", help="file to write (default: standard output)")


@dataclass(frozen=True)
class SearchOptions:
    """Limits of the search."""

    prefix: Path | None = path_option("--prefix", help="what each translation begins with, a line each")
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
        help="no N tokens twice in the same order in a line",
    )
    nbest: int | None = option("--nbest", type=click.IntRange(min=1), metavar="N", help="write N translations a line")
    sample: float | None = option(
        "--sample",
        type=click.FloatRange(min=0.01, max=100),
        metavar="T",
        help="draw each token from p ** (1 / T), do not search; with --nbest N, N times",
    )
    seed: int | None = option(
        "--seed", type=click.IntRange(0, 2**31), metavar="N", help="with --sample: seed of the random numbers"
    )

    def config(self, defaults: SearchConfig, ranking: RankingOptions) -> SearchConfig:
        """The search settings: the model's own with the options in their place.

        Raises:
            InputError: options that do not go together.
        """
        if self.sample and ranking.beam:
            raise InputError(f"--beam {ranking.beam} searches and --sample {self.sample} draws; leave one out")
        wanted = {name: value for name, value in given(self).items() if name not in ("prefix", "nbest")}
        width = ranking.beam or max(1 if self.sample else defaults.beam, self.nbest or 1)
        config = replace(defaults, **{**given(ranking), **wanted, "beam": width})
        if self.nbest and self.nbest > config.beam:
            raise InputError(
                f"--nbest {self.nbest} needs a beam at least as wide, not --beam {config.beam}; "
                f"give --beam {self.nbest}"
            )
        return config


@dataclass(frozen=True)
class FormatOptions:
    """What is written, and how it is computed."""

    alignments: bool = option(
        "--alignments", is_flag=True, help="write the aligned words behind each translation, source-target: 0-0 1-2"
    )
    scores: bool = option("--scores", is_flag=True, help="write the score before each translation, tab-separated")
    given: Path | None = path_option("--score", help="score these translations, do not search")
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
        help="processes that share the lines, and the threads (default: one a thread)",
    )
    errors: str = option(
        "--errors",
        type=click.Choice(["strict", "replace"]),
        default="strict",
        help="what is not UTF-8 ends the command, or becomes U+FFFD",
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
    interactive = not (text.source or text.target or form.given or limits.prefix) and _at_a_terminal()
    bundle, workers = open_model(folders, compute.device, compute.threads, 1 if interactive else form.workers)
    choose_direction([(bundle.src, bundle.tgt)], text.from_, text.to)
    bundle = with_translation_memory(bundle, memory.memory, memory.memory_share)
    if form.alignments and not bundle.engine.aligns:
        names = ", ".join(map(str, folders))
        raise InputError(f"{names}: a fixed context vector gives no alignment; leave out --alignments")
    config = limits.config(bundle.search, ranking)
    translator = LineTranslator(bundle, config, form.batch_tokens, workers, form.alignments)
    prefixes = lines_of(limits.prefix, form.errors) if limits.prefix else repeat("")

    def translated(lines: Iterable[str]) -> Iterator[str]:
        stream = translator.stream(lines, notifier(report.quiet), chain(prefixes, _too_few(limits.prefix)))
        return formatted(stream, limits.nbest, form)

    with torch_threads(compute.threads), output(text.target) as file:
        if form.given:
            results = scored(translator, *(list(lines_of(side, form.errors)) for side in (text.source, form.given)))
        elif not interactive:
            results = translated(lines_of(text.source, form.errors))
        else:
            results = chain.from_iterable(translated([line]) for line in prompted(bundle))
        for result in results:
            put(result, file)
        if limits.prefix and next(prefixes, None) is not None:
            raise InputError(f"{limits.prefix} has more lines than there are to translate; give a prefix a line")


def _shipped_model(text: TextOptions) -> Path:
    models = shipped_models()
    return models[choose_direction(models, text.from_, text.to)]


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def formatted(results: Iterable[list[Translation]], nbest: int | None, form: FormatOptions) -> Iterator[str]:
    """The lines to write for each translated line; one without a word gives an empty translation."""
    for number, translations in enumerate(results, 1):
        ranked = translations or [Translation("", 0.0, 0.0, [])]
        for rank, best in enumerate(ranked[: nbest or 1], 1):
            place = [str(number), str(rank)] if nbest else []
            score = [f"{best.score:.4f}"] if nbest or form.scores else []
            links = [" ".join(f"{source}-{target}" for source, target in best.alignment)] if form.alignments else []
            yield "\t".join([*place, *score, best.text, *links])


def _too_few(prefix: Path | None) -> Iterator[str]:
    """What comes after the last prefix.

    Raises:
        InputError: as soon as a line is taken.
    """
    raise InputError(f"{prefix} has fewer lines than there are to translate; give a prefix a line")
    yield


def scored(translator: LineTranslator, src: list[str], tgt: list[str]) -> Iterator[str]:
    """The log-probability of each translation, in nats.

    Raises:
        InputError: there are not as many translations as lines.
    """
    if len(src) != len(tgt):
        raise InputError(f"{len(src)} source lines, but {len(tgt)} translations to score; give one a line")
    for log_prob in translator.log_probs(src, tgt):
        yield f"{log_prob:.4f}"


def prompted(bundle: Bundle) -> Iterator[str]:
    """The lines that are typed at a prompt."""
    print("Type a sentence and press Enter; Ctrl-D ends.", file=sys.stderr)
    with suppress(EOFError):
        while True:
            yield input(f"{bundle.src} > ")
    print(file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
