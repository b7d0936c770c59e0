"""The command line: `seq2seq NAME ...`, and `scripts/NAME.py ...`, which is the same command.

Each module is a command: it parses its options, calls the package and prints the result. Its help is its docstring.
"""

import importlib
import os
from collections.abc import Sequence

import click

from seq2seq.commands.running import Group, help_of, run
from seq2seq.commands.streams import put

# By default, waiting OpenMP threads spin so long that a second program on the machine makes them twenty times slower.
# With this they spin briefly and then sleep. OpenMP reads it once, when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

COMMANDS = ("tokenizer", "corpus", "train", "translate", "evaluate", "export", "serve", "report", "benchmark")

HELP = """Recurrent machine translation: train a translator on your own parallel text, translate, measure.

    seq2seq train --data DIR --src en --tgt de --out runs/mine
    echo "A man is riding a bike." | seq2seq translate --model runs/mine
    seq2seq evaluate --model runs/mine --data DIR

Each command has its own --help.
"""


class Commands(Group):
    """The commands by name. Each is imported when it is used, because importing torch takes a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that name.

        Raises:
            InputError: there is none; the nearest is suggested.
        """
        if cmd_name in COMMANDS:
            self.add_command(importlib.import_module(f"seq2seq.commands.{cmd_name}").command)
        return super().get_command(ctx, cmd_name)


@click.command("seq2seq", cls=Commands, **help_of(HELP))
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, option, value: put_versions(context) if value else None,
    help="print the version of this program and of the packages it computes with",
)
def seq2seq() -> None:  # noqa: D103 (its help is HELP)
    pass


def put_versions(context: click.Context) -> None:
    """Print the versions on one line, and exit."""
    from seq2seq.versions import versions  # it imports importlib.metadata, and that much more

    put(versions())
    context.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """`seq2seq ARGV`; returns the exit status."""
    return run(seq2seq, argv)
