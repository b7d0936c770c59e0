"""Translate lines, a file, or what is typed at a prompt.

    echo "A man is riding a bike." | seq2seq translate --model DIR
    seq2seq translate --model DIR --input FILE --output FILE --beam 5
    seq2seq translate --model DIR                              at a terminal: a prompt
    seq2seq translate --model DIR --score FILE --input SOURCE  log p of given translations

One line in, one line out, in the same order; an empty line gives an empty line. --nbest N writes, tab-separated, line
number, rank, score and translation.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from seq2seq import checkpoint
from seq2seq.commands.shared import (
    device_options,
    example,
    lines_of,
    open_input,
    quiet_option,
    run,
    set_device,
    speaker,
)
from seq2seq.errors import InputError, WorkError
from seq2seq.translator import Candidate, Translator


@click.command("translate", **example(__doc__))
@click.option("--model", type=click.Path(path_type=Path), required=True, metavar="DIR", help="model folder")
@click.option("--input", "source", type=click.Path(path_type=Path), help="file to translate (default: standard input)")
@click.option("--output", type=click.Path(path_type=Path), help="file to write (default: standard output)")
@click.option("--beam", type=click.IntRange(1, 1000), help="hypotheses kept at each step; 1 is greedy search")
@click.option("--length-penalty", type=click.FloatRange(0, 10), help="score = log p / length ** this")
@click.option("--nbest", type=click.IntRange(min=1), help="write so many translations a line")
@click.option("--scores", is_flag=True, help="write the score before each translation, tab-separated")
@click.option("--score", "given", type=click.Path(path_type=Path), help="score these translations, do not search")
@click.option("--batch-tokens", type=click.IntRange(min=1), default=2048, help="source tokens translated at once")
@device_options
@quiet_option
def command(  # noqa: D103 (its help is the module's docstring)
    model: Path,
    source: Path | None,
    output: Path | None,
    beam: int | None,
    length_penalty: float | None,
    nbest: int | None,
    scores: bool,
    given: Path | None,
    batch_tokens: int,
    device: str,
    threads: int | None,
    quiet: bool,
) -> None:
    bundle = checkpoint.load_model(model, set_device(device, threads))
    config = bundle.search if length_penalty is None else replace(bundle.search, length_penalty=length_penalty)
    config = replace(config, beam=beam or max(config.beam, nbest or 1))
    if nbest and nbest > config.beam:
        raise InputError(
            f"--nbest {nbest} needs a beam at least as wide, not --beam {config.beam}; give --beam {nbest}"
        )
    translator = Translator(bundle, config, batch_tokens)
    stream, name = open_input(source)
    if given:
        write(output, _scored(translator, list(lines_of(stream, name)), list(lines_of(*open_input(given)))))
    elif source is None and sys.stdin.isatty():
        _prompt(translator, f"{bundle.src} > ")
    else:
        write(output, formatted(translator.stream(lines_of(stream, name), speaker(quiet)), nbest, scores))


def formatted(results: Iterable[list[Candidate]], nbest: int | None, scores: bool) -> Iterator[str]:
    """The lines to write for each translated line; an empty one is written as it came."""
    for number, candidates in enumerate(results, 1):
        found = candidates or [Candidate("", 0.0, 0.0)]
        if nbest:
            for rank, c in enumerate(found[:nbest], 1):
                yield f"{number}\t{rank}\t{c.score:.4f}\t{c.text}"
        else:
            yield f"{found[0].score:.4f}\t{found[0].text}" if scores else found[0].text


def write(path: Path | None, lines: Iterable[str]) -> None:
    """Write lines as they come, to standard output, or to a file that is there only once it is whole.

    Raises:
        WorkError: the file cannot be written.
    """
    if path is None:
        for line in lines:
            sys.stdout.buffer.write(line.encode("utf-8", errors="replace") + b"\n")
            sys.stdout.buffer.flush()
        return
    beside = path.with_name(f".{path.name}.partial")
    try:
        with beside.open("wb") as file:
            for line in lines:
                file.write(line.encode("utf-8", errors="replace") + b"\n")
        beside.replace(path)
    except OSError as e:
        raise WorkError(f"cannot write {path}: {e.strerror}; check the folder and its free space") from None
    finally:
        beside.unlink(missing_ok=True)


def _scored(translator: Translator, src: list[str], tgt: list[str]) -> Iterator[str]:
    if len(src) != len(tgt):
        raise InputError(f"{len(src)} source lines, but {len(tgt)} translations to score; give one a line")
    for log_prob in translator.log_probs(src, tgt):
        yield f"{log_prob:.4f}"


def _prompt(translator: Translator, prompt: str) -> None:
    print("Type a sentence and press Enter; Ctrl-D ends.", file=sys.stderr)
    read: Callable[[str], str] = input
    while True:
        try:
            line = read(prompt)
        except EOFError:
            print(file=sys.stderr)
            return
        print(*translator.best([line]))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
