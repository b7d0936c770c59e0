"""Translate lines, a file, or what is typed at a prompt.

    echo "A man is riding a bike." | seq2seq translate         # a small model that ships, to German
    echo "Eine Katze schläft." | seq2seq translate --to en
    seq2seq translate --model DIR --input FILE --output FILE --beam 5
    seq2seq translate --model DIR --model DIR2                # an ensemble, of one tokenizer
    seq2seq translate --model DIR                             # at a terminal: a prompt
    seq2seq translate --model DIR --input FILE --score FILE2  # log p of the translations in FILE2
    seq2seq translate --model DIR --memory DIR2               # looks up what is alike in DIR2

One line in, one line out, in the same order; an empty line gives an empty line. --nbest N writes, tab-separated, line
number, rank, score and translation.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path

import click

from seq2seq.commands.shared import (
    beam_option,
    device_options,
    example,
    lines_of,
    memory_options,
    open_model,
    output,
    path_option,
    penalty_option,
    put,
    quiet_option,
    remembering,
    reward_option,
    run,
    shipped_model,
    speaker,
    stated,
    workers_option,
)
from seq2seq.errors import InputError
from seq2seq.translation.translator import LineTranslator, Translation


@click.command("translate", **example(__doc__))
@path_option(
    "--model",
    "models",
    multiple=True,
    metavar="DIR",
    help="model folder (default: one that ships); several: an ensemble",
)
@click.option("--to", metavar="LANG", help="without --model: the language to translate to, de or en (default: de)")
@path_option("--input", "source", help="text to translate, plain or .gz (default: standard input)")
@path_option("--output", "target", help="file to write (default: standard output)")
@beam_option
@penalty_option
@reward_option
@memory_options
@path_option("--prefix", "prefix", help="what each translation begins with, a line each")
@click.option("--max-length", type=click.IntRange(1, 100_000), metavar="N", help="longest translation, in tokens")
@click.option("--min-length", type=click.IntRange(0, 100_000), metavar="N", help="shortest translation, in tokens")
@click.option(
    "--no-repeat-ngram", type=click.IntRange(min=1), metavar="N", help="no N tokens twice in the same order in a line"
)
@click.option("--nbest", type=click.IntRange(min=1), metavar="N", help="write N translations a line")
@click.option(
    "--sample",
    type=click.FloatRange(min=0.01, max=100),
    metavar="T",
    help="draw each token from p ** (1 / T), do not search; with --nbest N, N times",
)
@click.option("--seed", type=click.IntRange(0, 2**31), metavar="N", help="with --sample: what chance follows from")
@click.option("--alignments", is_flag=True, help="write behind each translation which words it comes from: 0-0 1-2")
@click.option("--scores", is_flag=True, help="write the score before each translation, tab-separated")
@path_option("--score", "given", help="score these translations, do not search")
@click.option(
    "--batch-tokens",
    type=click.IntRange(min=1),
    default=1024,
    metavar="N",
    help="source tokens translated at once; changes speed, not results",
    show_default=True,
)
@workers_option
@click.option(
    "--errors",
    type=click.Choice(["strict", "replace"]),
    default="strict",
    help="what is not UTF-8 ends the command, or becomes U+FFFD",
    show_default=True,
)
@device_options
@quiet_option
def command(  # noqa: D103 (its help is the module's docstring)
    models: Sequence[Path],
    to: str | None,
    source: Path | None,
    target: Path | None,
    beam: int | None,
    length_penalty: float | None,
    word_reward: float | None,
    memory: str | None,
    memory_share: float | None,
    prefix: Path | None,
    max_length: int | None,
    min_length: int | None,
    no_repeat_ngram: int | None,
    nbest: int | None,
    sample: float | None,
    seed: int | None,
    alignments: bool,
    scores: bool,
    given: Path | None,
    batch_tokens: int,
    workers: int | None,
    errors: str,
    device: str,
    threads: int | None,
    quiet: bool,
) -> None:
    if models and to:
        raise InputError(f"--model {models[0]} knows what it translates to; --to goes without it")
    folders = models or [shipped_model(to)]
    if sample and beam:
        raise InputError(f"--beam {beam} searches and --sample {sample} draws; leave one out")
    interactive = not (source or target or given or prefix) and sys.stdin.isatty() and sys.stdout.isatty()
    bundle, count = open_model(folders, device, threads, 1 if interactive else workers)
    bundle = remembering(bundle, memory, memory_share)
    if alignments and not bundle.engine.aligns:
        raise InputError(
            f"{', '.join(map(str, folders))}: one context for the whole sentence aligns nothing; leave out --alignments"
        )
    wanted = stated(
        beam=beam or max(1 if sample else bundle.search.beam, nbest or 1),
        sample=sample,
        seed=seed,
        length_penalty=length_penalty,
        word_reward=word_reward,
        max_length=max_length,
        min_length=min_length,
        no_repeat_ngram=no_repeat_ngram,
    )
    config = replace(bundle.search, **wanted)
    if nbest and nbest > config.beam:
        raise InputError(
            f"--nbest {nbest} needs a beam at least as wide, not --beam {config.beam}; give --beam {nbest}"
        )
    translator = LineTranslator(bundle, config, batch_tokens, count, alignments)
    begun = lines_of(prefix, errors) if prefix else repeat("")

    def translated(lines: Iterable[str]) -> Iterator[str]:
        return formatted(
            translator.stream(lines, speaker(quiet), chain(begun, missing(prefix))), nbest, scores, alignments
        )

    with output(target) as file:
        if given:
            results = scored(translator, *(list(lines_of(side, errors)) for side in (source, given)))
        elif not interactive:
            results = translated(lines_of(source, errors))
        else:
            results = chain.from_iterable(translated([line]) for line in asked(f"{bundle.src} > "))
        for result in results:
            put(result, file)
        if prefix and next(begun, None) is not None:
            raise InputError(f"{prefix} has more lines than there are to translate; give a prefix a line")


def formatted(results: Iterable[list[Translation]], nbest: int | None, scores: bool, alignments: bool) -> Iterator[str]:
    """The lines to write for each translated line; one without a word gives an empty translation."""
    for number, candidates in enumerate(results, 1):
        found = candidates or [Translation("", 0.0, 0.0, [])]
        for rank, c in enumerate(found[: nbest or 1], 1):
            before = [str(number), str(rank)] if nbest else []
            score = [f"{c.score:.4f}"] if nbest or scores else []
            links = [" ".join(f"{source}-{target}" for source, target in c.alignment)] if alignments else []
            yield "\t".join([*before, *score, c.text, *links])


def missing(prefix: Path | None) -> Iterator[str]:
    """What comes after the last prefix.

    Raises:
        InputError: whenever it is asked for.
    """
    raise InputError(f"{prefix} has fewer lines than there are to translate; give a prefix a line")
    yield


def scored(translator: LineTranslator, src: list[str], tgt: list[str]) -> Iterator[str]:
    """log p of each translation.

    Raises:
        InputError: there are not as many translations as lines.
    """
    if len(src) != len(tgt):
        raise InputError(f"{len(src)} source lines, but {len(tgt)} translations to score; give one a line")
    for log_prob in translator.log_probs(src, tgt):
        yield f"{log_prob:.4f}"


def asked(prompt: str) -> Iterator[str]:
    """What a person types at the prompt, line by line."""
    print("Type a sentence and press Enter; Ctrl-D ends.", file=sys.stderr)
    with suppress(EOFError):
        while True:
            yield input(prompt)
    print(file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
