"""What all commands share: exit status, options that mean the same everywhere, and lines of text in and out."""

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from seq2seq.errors import InputError, Interrupted, WorkError

F = TypeVar("F", bound=Callable[..., Any])


def run(command: click.Command, argv: Sequence[str] | None) -> int:
    """Run a command; returns its exit status: 0 done, 1 the work failed, 2 the command or its input was wrong.

    A failure is one line on standard error. A closed output pipe ends quietly.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    try:
        command.main(args=None if argv is None else list(argv), standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at exit
        return 0
    except click.ClickException as e:
        return _fail(f"{e.format_message().rstrip('.')}; --help shows what there is", 2)
    except InputError as e:
        return _fail(str(e), 2)
    except WorkError as e:
        return _fail(str(e), 1)
    except Interrupted as e:
        print(e, file=sys.stderr)
        return 128 + e.signum
    except (click.Abort, KeyboardInterrupt):
        return 130
    return 0


def _fail(message: str, status: int) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return status


def example(docstring: str | None) -> dict[str, Any]:
    """Keyword arguments of a click command whose help is its module's docstring, laid out as it stands there."""
    head, _, rest = (docstring or "").partition("\n\n")
    return {"help": f"{head}\n\n\b\n{rest}", "context_settings": {"help_option_names": ["-h", "--help"]}}


def device_options(function: F) -> F:
    """`--device` and `--threads`."""
    function = click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="auto: a GPU where there is one"
    )(function)
    return click.option("--threads", type=click.IntRange(min=1), help="processor threads (default: all cores)")(
        function
    )


quiet_option = click.option("--quiet", is_flag=True, help="no progress, no notices")
json_option = click.option("--json", "as_json", is_flag=True, help="print the result as one JSON object")


def set_device(device: str, threads: int | None) -> str:
    """Apply `--threads` and return the device that `--device` means.

    Raises:
        InputError: cuda was asked for and there is none.
    """
    import torch

    if threads:
        torch.set_num_threads(threads)
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: this torch sees no GPU; take --device cpu, or install a CUDA build of torch")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def speaker(quiet: bool) -> Callable[[str], None]:
    """What tells the person something on standard error, above a progress bar where there is one."""
    from tqdm import tqdm

    return (lambda message: None) if quiet else (lambda message: tqdm.write(message, file=sys.stderr))


def print_json(result: Any) -> None:
    """One JSON object on standard output."""
    print(json.dumps(result, ensure_ascii=False))


def lines_of(stream: BinaryIO, name: str) -> Iterator[str]:
    r"""The lines of a stream as they come, broken at `\n` alone, without a `\r` at their end.

    Raises:
        InputError: a line that is not UTF-8, by number.
    """
    for number, line in enumerate(stream, 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{name}, line {number}: not valid UTF-8; convert the text to UTF-8") from None
        yield (text.removeprefix("\ufeff") if number == 1 else text).removesuffix("\n").removesuffix("\r")


def open_input(path: Path | None) -> tuple[BinaryIO, str]:
    """Standard input, or the file, and its name for messages."""
    if path is None:
        return sys.stdin.buffer, "standard input"
    try:
        return path.open("rb"), str(path)
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check the path") from None
