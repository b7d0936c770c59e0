"""Learn a SentencePiece model; encode and decode lines, from standard input to standard output.

    seq2seq tokenizer learn --input train.en --input train.de --out spm.model
    echo "A cat sleeps." | seq2seq tokenizer encode --model spm.model
    echo "A cat sleeps." | seq2seq tokenizer encode --model spm.model --ids > ids
    seq2seq tokenizer decode --model spm.model < ids

encode writes pieces separated by spaces, or with --ids their numbers; decode reads these numbers.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from seq2seq.api.computing import notifier
from seq2seq.commands.options import QuietOption, grouped, option, path_option
from seq2seq.commands.running import Group, help_of, run
from seq2seq.commands.streams import lines_of, output, put
from seq2seq.config import build
from seq2seq.errors import InputError
from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig

LEARN = """Learn a model from the text of one or more files.

    seq2seq tokenizer learn --input train.en --input train.de --out spm.model
"""
ENCODE = """Encode lines as pieces, or as the numbers of pieces.

    echo "A cat sleeps." | seq2seq tokenizer encode --model spm.model
"""
DECODE = """Decode numbers of pieces to lines.

    seq2seq tokenizer decode --model spm.model < ids
"""


@dataclass(frozen=True)
class LearnOptions:
    """The text to learn from, and the model to learn."""

    sources: Sequence[Path] = path_option("--input", multiple=True, help="text, plain or .gz (default: standard input)")
    out: Path = path_option("--out", required=True, help="model to write")
    kind: str = option("--kind", default="unigram", metavar="KIND", help="algorithm: unigram or bpe", show_default=True)
    vocab_size: int = option(
        "--vocab-size", type=int, default=4000, metavar="N", help="number of pieces", show_default=True
    )


@dataclass(frozen=True)
class ModelOption:
    """The tokenizer to use."""

    path: Path = path_option(
        "--model", required=True, help="tokenizer, as learn writes it, or the tokenizer.model of a model folder"
    )


@dataclass(frozen=True)
class EncodeOptions(ModelOption):
    """The tokenizer to use, and what to write."""

    ids: bool = option("--ids", is_flag=True, help="write numbers instead of pieces")


@click.group("tokenizer", cls=Group, **help_of(__doc__))
def command() -> None:  # noqa: D103 (its help is the module's docstring)
    pass


@command.command(**help_of(LEARN))
@grouped(options=LearnOptions, report=QuietOption)
def learn(options: LearnOptions, report: QuietOption) -> None:  # noqa: D103 (its help is LEARN)
    settings = build(TokenizerConfig, {"kind": options.kind, "vocab_size": options.vocab_size}, "tokenizer")
    if options.out.suffix.lower() == ".gz":
        raise InputError(f"--out {options.out}: a tokenizer is not packed; give a name that does not end with .gz")
    notice = notifier(report.quiet)
    with output(options.out) as file:
        files = map(lines_of, options.sources) if options.sources else [lines_of(None)]
        tokenizer = Tokenizer.learn(itertools.chain.from_iterable(files), settings, notice)
        file.write(tokenizer.model_bytes)
    notice(f"{options.out}: {len(tokenizer)} pieces")


@command.command(**help_of(ENCODE))
@grouped(options=EncodeOptions)
def encode(options: EncodeOptions) -> None:  # noqa: D103 (its help is ENCODE)
    tokenizer = Tokenizer.load(options.path)
    for line in lines_of(None):
        [encoded] = tokenizer.encode([line])
        put(" ".join(map(str, encoded) if options.ids else tokenizer.pieces(encoded)))


@command.command(**help_of(DECODE))
@grouped(options=ModelOption)
def decode(options: ModelOption) -> None:  # noqa: D103 (its help is DECODE)
    tokenizer = Tokenizer.load(options.path)
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
