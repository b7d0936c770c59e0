"""What a person types: `seq2seq NAME ...`, and `scripts/NAME.py ...`, which is the same command.

Each command parses, makes one call into the package and prints what came of it. Its help is its module's docstring.
"""

import importlib
import os
from collections.abc import Sequence

import click

from seq2seq.commands.running import Group, help_of, run
from seq2seq.commands.streams import put
from seq2seq.versions import versions

# Threads that wait for one another spin, by default for so long that another program beside them costs a factor of
# twenty. So they spin for a moment and sleep. The library reads this once, when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

COMMANDS = ("tokenizer", "train", "translate", "evaluate", "export", "serve", "report", "benchmark")

HELP = """Recurrent machine translation: train a translator on your own parallel text, translate, measure.

    seq2seq train --data DIR --src en --tgt de --out runs/mine
    echo "A man is riding a bike." | seq2seq translate --model runs/mine
    seq2seq evaluate --model runs/mine --data DIR

Each command shows more with --help.
"""


class Commands(Group):
    """The commands by name, each imported when it is asked for: torch takes a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that name, or an InputError with the nearest."""
        if cmd_name in COMMANDS:
            self.add_command(importlib.import_module(f"seq2seq.commands.{cmd_name}").command)
        return super().get_command(ctx, cmd_name)


@click.command("seq2seq", cls=Commands, **help_of(HELP))
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, option, wanted: put_versions(context) if wanted else None,
    help="print the version of this program and of the packages it computes with",
)
def seq2seq() -> None:  # noqa: D103 (its help is HELP)
    pass


def put_versions(context: click.Context) -> None:
    """Print what computes here, and end."""
    put(versions())
    context.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """`seq2seq ARGV`; returns the exit status."""
    return run(seq2seq, argv)
