"""Learn a SentencePiece model; encode and decode lines, standard input to standard output.

    seq2seq tokenizer learn --input train.en --input train.de --out spm.model --vocab-size 4000
    echo "A cat sleeps." | seq2seq tokenizer encode --model spm.model
    echo "A cat sleeps." | seq2seq tokenizer encode --model spm.model --ids | seq2seq tokenizer decode --model spm.model

Encoding writes pieces, or with --ids their numbers, separated by spaces; decoding takes the numbers.
"""

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from seq2seq.commands.shared import example, lines_of, open_input, quiet_option, run, speaker
from seq2seq.config import build
from seq2seq.corpus import read_lines
from seq2seq.errors import InputError
from seq2seq.tokenizer import Tokenizer, TokenizerConfig

model_option = click.option("--model", type=click.Path(path_type=Path), required=True, help="a tokenizer.model")


@click.group("tokenizer", **example(__doc__))
def command() -> None:  # noqa: D103 (its help is the module's docstring)
    pass


@command.command()
@click.option(
    "--input", "sources", type=click.Path(path_type=Path), multiple=True, help="text (default: standard input)"
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="the model to write")
@click.option("--kind", default="unigram", help="unigram or bpe", show_default=True)
@click.option("--vocab-size", type=int, default=4000, help="pieces", show_default=True)
@quiet_option
def learn(sources: Sequence[Path], out: Path, kind: str, vocab_size: int, quiet: bool) -> None:
    """Learn a model of the text of one or more files."""
    settings = build(TokenizerConfig, {"kind": kind, "vocab_size": vocab_size}, "tokenizer")
    texts = [read_lines(path) for path in sources] or [list(lines_of(*open_input(None)))]
    tokenizer = Tokenizer.learn(itertools.chain.from_iterable(texts), settings, speaker(quiet))
    tokenizer.save(out)
    speaker(quiet)(f"{out}: {len(tokenizer)} pieces")


@command.command()
@model_option
@click.option("--ids", is_flag=True, help="write numbers instead of pieces")
def encode(model: Path, ids: bool) -> None:
    """Lines to pieces."""
    tokenizer = Tokenizer.load(model)
    for line in lines_of(*open_input(None)):
        [encoded] = tokenizer.encode([line])
        print(*(encoded if ids else tokenizer.pieces(encoded)))
        sys.stdout.flush()


@command.command()
@model_option
def decode(model: Path) -> None:
    """Numbers to lines."""
    tokenizer = Tokenizer.load(model)
    for number, line in enumerate(lines_of(*open_input(None)), 1):
        words = line.split()
        if not all(word.isascii() and word.isdigit() and int(word) < len(tokenizer) for word in words):
            raise InputError(
                f"standard input, line {number}: expected piece numbers below {len(tokenizer)}, from encode --ids"
            )
        sys.stdout.buffer.write(tokenizer.decode([int(word) for word in words]).encode() + b"\n")
        sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
