"""Runs a command: its exit status, one line for a failure, and a help text whose examples can be copied.

This module does not know models.
"""

import itertools
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from seq2seq.commands.streams import put
from seq2seq.config import nearest
from seq2seq.errors import InputError, Interrupted, WorkError, shown


def run(command: click.Command, argv: Sequence[str] | None) -> int:
    """Run a command; returns its exit status: 0 done, 1 the work failed, 2 the command or its input was wrong.

    A failure is one line on standard error. A closed output pipe ends quietly.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the parent process
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "r+", encoding="utf-8", closefd=False))
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        _check_values(arguments)
        # Not `command.main`, which turns a closed pipe into status 1.
        with _ends_by_signal(), command.make_context(invocation(command.name or ""), arguments) as context:
            command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as e:  # after --help
        return e.exit_code
    except click.exceptions.NoArgsIsHelpError as e:
        put(e.message)
    except click.ClickException as e:
        message = e.format_message().rstrip(".")
        return _fail(message if message.endswith("?") else f"{message}; see --help", 2)
    except InputError as e:
        return _fail(str(e), 2)
    except WorkError as e:
        return _fail(str(e), 1)
    except Interrupted as e:
        if str(e):
            print(e, file=sys.stderr)
        return 128 + e.signum
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_output()
    except (MemoryError, RuntimeError) as e:
        if not isinstance(e, MemoryError) and not re.search("out of memory|allocate memory", str(e)):
            raise
        return _fail("there is not enough memory; divide very long lines, or make batches smaller", 1)
    except OSError as e:
        _drop_output()
        if e.filename is None:
            return _fail(f"reading or writing failed: {e.strerror or e}; free some space, or write elsewhere", 1)
        return _fail(f"cannot use {os.fsdecode(e.filename)}: {e.strerror}; check the path and its permissions", 2)
    return 0


@contextmanager
def _ends_by_signal() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, so that no half file stays behind."""

    def end(number: int, frame: object) -> None:
        raise Interrupted(number, "")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_values(arguments: Sequence[str]) -> None:
    """Refuse an empty value, as an unset shell variable gives: it would mean the current folder, or the default."""
    for argument, after in itertools.zip_longest(arguments, arguments[1:]):
        option, equals, value = argument.partition("=")
        if option.startswith("--") and not value and (equals or after == ""):
            raise InputError(f"the value of {option} is empty; give one, or leave the option out")


def _fail(message: str, status: int) -> int:
    print(shown("error: " + " ".join(message.split())), file=sys.stderr)
    return status


def _drop_output() -> None:
    """Discard buffered standard output, which the interpreter would fail to write when it exits."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# ---- help --------------------------------------------------------------------------------------------------------


class Group(click.Group):
    """A command with subcommands; for an unknown name the nearest is suggested."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that name.

        Raises:
            InputError: there is none.
        """
        command = super().get_command(ctx, cmd_name)
        if command is None:
            raise InputError(f"unknown command '{cmd_name}'{nearest(cmd_name, self.list_commands(ctx))}")
        return command


def invocation(name: str) -> str:
    """What to type for a command: `python scripts/NAME.py` if this process was started so, otherwise `seq2seq NAME`."""
    started = Path(sys.argv[0]).absolute()
    if started.suffix == ".py" and started.parent.name == "scripts":
        return f"python scripts/{name}.py"
    return "seq2seq" if name == "seq2seq" else f"seq2seq {name}"


def help_of(docstring: str | None) -> dict[str, Any]:
    """Keyword arguments of a click command with this help. Its examples, the indented lines, are not wrapped."""
    text = re.sub(r"\bseq2seq (\w+)", lambda match: invocation(match[1]), docstring or "")
    return {
        "help": re.sub(r"\n\n(?= )", "\n\n\b\n", text),
        "short_help": text.partition("\n")[0],
        "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
    }
