"""What a person types: `seq2seq NAME ...`, and `scripts/NAME.py ...`, which is the same command.

Each command parses, makes one call into the package and prints what came of it. Its help is its module's docstring.
"""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from seq2seq import __version__

# Threads that wait for one another by spinning lose whole time slices when any other program runs: training was seen
# to fall to a twentieth of its speed beside one busy process. So they spin briefly and then sleep. The library reads
# this once, when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

COMMANDS = ("tokenizer", "train", "translate", "evaluate")


class Commands(click.Group):
    """The commands by name, each imported when it is asked for: torch takes a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"seq2seq.commands.{cmd_name}").command
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="seq2seq")
def seq2seq() -> None:
    """Recurrent machine translation: train a translator on your own parallel text, translate, measure."""


def main(argv: Sequence[str] | None = None) -> int:
    """`seq2seq ARGV`; returns the exit status."""
    from seq2seq.commands.shared import run

    return run(seq2seq, sys.argv[1:] if argv is None else argv)
