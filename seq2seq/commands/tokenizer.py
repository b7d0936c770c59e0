"""Learn a SentencePiece model; encode and decode lines, standard input to standard output.

    seq2seq tokenizer learn --input train.en --input train.de --out spm.model
    echo "A cat sleeps." | seq2seq tokenizer encode --model spm.model
    echo "A cat sleeps." | seq2seq tokenizer encode --model spm.model --ids > ids
    seq2seq tokenizer decode --model spm.model < ids

Encoding writes pieces, or with --ids their numbers, separated by spaces; decoding takes the numbers.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import click

from seq2seq.commands.shared import Group, example, lines_of, output, path_option, put, quiet_option, run, speaker
from seq2seq.config import build
from seq2seq.errors import InputError
from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig

LEARN = """Learn a model of the text of one or more files.

    seq2seq tokenizer learn --input train.en --input train.de --out spm.model
"""
ENCODE = """Lines to pieces.

    echo "A cat sleeps." | seq2seq tokenizer encode --model spm.model
"""
DECODE = """Numbers to lines.

    seq2seq tokenizer decode --model spm.model < ids
"""

model_option = path_option("--model", required=True, help="a tokenizer.model")


@click.group("tokenizer", cls=Group, **example(__doc__))
def command() -> None:  # noqa: D103 (its help is the module's docstring)
    pass


@command.command(**example(LEARN))
@path_option("--input", "sources", multiple=True, help="text, plain or .gz (default: standard input)")
@path_option("--out", required=True, help="the model to write")
@click.option("--kind", default="unigram", metavar="KIND", help="unigram or bpe", show_default=True)
@click.option("--vocab-size", type=int, default=4000, metavar="N", help="pieces", show_default=True)
@quiet_option
def learn(  # noqa: D103 (its help stands above)
    sources: Sequence[Path], out: Path, kind: str, vocab_size: int, quiet: bool
) -> None:
    settings = build(TokenizerConfig, {"kind": kind, "vocab_size": vocab_size}, "tokenizer")
    with output(out) as file:
        lines = itertools.chain.from_iterable(map(lines_of, sources) if sources else [lines_of(None)])
        tokenizer = Tokenizer.learn(lines, settings, speaker(quiet))
        file.write(tokenizer.model_bytes)
    speaker(quiet)(f"{out}: {len(tokenizer)} pieces")


@command.command(**example(ENCODE))
@model_option
@click.option("--ids", is_flag=True, help="write numbers instead of pieces")
def encode(model: Path, ids: bool) -> None:  # noqa: D103 (its help stands above)
    tokenizer = Tokenizer.load(model)
    for line in lines_of(None):
        [encoded] = tokenizer.encode([line])
        put(" ".join(map(str, encoded) if ids else tokenizer.pieces(encoded)))


@command.command(**example(DECODE))
@model_option
def decode(model: Path) -> None:  # noqa: D103 (its help stands above)
    tokenizer = Tokenizer.load(model)
    for number, line in enumerate(lines_of(None), 1):
        numbers = [int(word) if re.fullmatch("[0-9]{1,9}", word) else -1 for word in line.split()]
        if not all(0 <= i < len(tokenizer) for i in numbers):
            raise InputError(
                f"standard input, line {number}: expected piece numbers below {len(tokenizer)}, from encode --ids"
            )
        put(tokenizer.decode(numbers))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
