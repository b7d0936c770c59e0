"""What all commands share: exit status, help, options that mean the same everywhere, and text in and out.

All text is UTF-8, whatever the locale. This module knows nothing of models.
"""

import gzip
import itertools
import json
import os
import re
import sys
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from seq2seq.config import nearest
from seq2seq.errors import InputError, Interrupted, WorkError

if TYPE_CHECKING:
    from seq2seq.translation.translator import Bundle

F = TypeVar("F", bound=Callable[..., Any])


def run(command: click.Command, argv: Sequence[str] | None) -> int:
    """Run a command; returns its exit status: 0 done, 1 the work failed, 2 the command or its input was wrong.

    A failure is one line on standard error. A closed output pipe ends quietly.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started this
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), "r+", encoding="utf-8", closefd=False))
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        _check_values(arguments)
        # Not `command.main`: it turns a closed pipe into status 1.
        with command.make_context(typed(command.name or ""), arguments) as context:
            command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as e:  # after --help
        return e.exit_code
    except click.exceptions.NoArgsIsHelpError as e:
        put(e.message)
    except click.ClickException as e:
        message = e.format_message().rstrip(".")
        return _fail(message if message.endswith("?") else f"{message}; --help shows what there is", 2)
    except InputError as e:
        return _fail(str(e), 2)
    except WorkError as e:
        return _fail(str(e), 1)
    except Interrupted as e:
        print(e, file=sys.stderr)
        return 128 + e.signum
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_output()
    except OSError as e:
        _drop_output()
        if e.filename is None:
            return _fail(f"reading or writing failed: {e.strerror or e}; send the output elsewhere, or make room", 1)
        return _fail(f"cannot use {os.fsdecode(e.filename)}: {e.strerror}; check the path and who may use it", 2)
    return 0


def _check_values(arguments: Sequence[str]) -> None:
    """Refuse an empty value, as a shell variable that is not set gives: it would mean this folder, or what ships."""
    for argument, after in itertools.zip_longest(arguments, arguments[1:]):
        option, equals, value = argument.partition("=")
        if option.startswith("--") and not value and (equals or after == ""):
            raise InputError(f"the value of {option} is empty; give one, or leave the option out")


def _fail(message: str, status: int) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return status


def _drop_output() -> None:
    """What standard output still holds goes nowhere, or the interpreter would complain at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# ---- help --------------------------------------------------------------------------------------------------------


class Group(click.Group):
    """Commands under one name; of a wrong one the nearest is suggested."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that name.

        Raises:
            InputError: there is none.
        """
        found = super().get_command(ctx, cmd_name)
        if found is None:
            raise InputError(f"unknown command '{cmd_name}'{nearest(cmd_name, self.list_commands(ctx))}")
        return found


def typed(name: str) -> str:
    """How a person types a command: `python scripts/train.py` if that is how this one runs, or `seq2seq train`."""
    started = Path(sys.argv[0]).absolute()
    if started.suffix == ".py" and started.parent.name == "scripts":
        return f"python scripts/{name}.py"
    return "seq2seq" if name == "seq2seq" else f"seq2seq {name}"


def example(docstring: str | None) -> dict[str, Any]:
    """Keyword arguments of a click command with this help: its examples, the indented lines, stay as they stand."""
    text = re.sub(r"\bseq2seq (\w+)", lambda match: typed(match[1]), docstring or "")
    return {
        "help": re.sub(r"\n\n(?= )", "\n\n\b\n", text),
        "short_help": text.partition("\n")[0],
        "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
    }


# ---- options -----------------------------------------------------------------------------------------------------


def path_option(*names: str, metavar: str = "FILE", **settings: Any) -> Callable[[F], F]:
    """An option whose value is a path."""
    return click.option(*names, type=click.Path(path_type=Path), metavar=metavar, **settings)


def stated(**options: Any) -> dict[str, Any]:
    """The options that were stated, without those left out."""
    return {name: value for name, value in options.items() if value is not None}


def device_options(function: F) -> F:
    """`--device` and `--threads`."""
    function = click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        help="where to compute; auto: on a GPU where there is one",
    )(function)
    return click.option(
        "--threads", type=click.IntRange(min=1), metavar="N", help="processor threads (default: all cores)"
    )(function)


beam_option = click.option(
    "--beam", type=click.IntRange(1, 1000), metavar="N", help="hypotheses kept at each step; 1 is greedy search"
)
penalty_option = click.option(
    "--length-penalty",
    type=click.FloatRange(0, 10),
    metavar="X",
    help="score = (log p + reward * length) / length ** X",
)
reward_option = click.option(
    "--word-reward",
    type=click.FloatRange(0, 10),
    metavar="X",
    help="reward of a token in that score; longer translations",
)

SHARE = 0.3  # of a translation memory, chosen on Multi30k


def memory_options(function: F) -> F:
    """`--memory` and `--memory-share`."""
    function = click.option(
        "--memory-share",
        type=click.FloatRange(0.01, 0.99),
        metavar="X",
        help=f"how much of what is said comes from there (default: {SHARE})",
    )(function)
    return click.option(
        "--memory",
        metavar="WHERE",
        help="translation memory: parallel text, as for train, whose sentences like this one the model looks at",
    )(function)


quiet_option = click.option("--quiet", is_flag=True, help="no progress, no notices")
json_option = click.option("--json", "as_json", is_flag=True, help="print the result as one JSON object")


workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="processes that share the lines, and the threads (default: one a thread)",
)


def shipped_models() -> dict[str, Path]:
    """The folders of the models that ship, by the language that they translate to."""
    from seq2seq.text.corpus import artifacts

    return {path.name.rpartition("-")[2]: path for path in sorted((artifacts() / "models").glob("*-*"))}


def shipped_model(to: str | None) -> Path:
    """The folder of the model that ships and translates to this language; without one, to German.

    Raises:
        InputError: none does.
    """
    models = shipped_models()
    if (to or "de") not in models:
        raise InputError(f"no model that ships translates to '{to or 'de'}'{nearest(to or 'de', models)}; give --model")
    return models[to or "de"]


def open_model(
    folders: Sequence[Path], device: str, threads: int | None, workers: int | None = 1
) -> "tuple[Bundle, int]":
    """The model of a folder, trained or exported, and the processes to use: `workers`, or as many as there are threads.

    Trained models of several folders are an ensemble, which searches as the first of them does.

    Raises:
        InputError: a folder holds no whole model, or what was asked for cannot be.
    """
    from seq2seq.folder import layout
    from seq2seq.processes import CAN_FORK, available_threads

    folder, *others = folders
    if exported := [path for path in folders if layout.is_exported(path)]:
        if others:
            raise InputError(f"{exported[0]} is an exported model, which is no part of an ensemble; give trained ones")
        if device == "cuda":
            raise InputError(f"{folder} is an exported model, which computes on the processor; leave out --device cuda")
        try:
            from seq2seq.onnx.runtime import load
        except ImportError:
            raise InputError(
                f"{folder} is an exported model, which needs the package onnxruntime; "
                "install it: pip install 'seq2seq[onnx]'"
            ) from None
        threads = threads or available_threads()
        count = _workers(workers, threads, CAN_FORK)
        return load(folder, 1 if count > 1 else threads), count  # threads of an engine do not outlive a fork
    import torch

    from seq2seq.folder.checkpoint import load_ensemble

    where = set_device(device, threads)
    bundle = load_ensemble(folders, where)
    return bundle, _workers(workers, torch.get_num_threads(), CAN_FORK and where == "cpu")


def remembering(bundle: "Bundle", memory: str | None, share: float | None) -> "Bundle":
    """The bundle with the memory that `--memory` and `--memory-share` name, if they do.

    Raises:
        InputError: there is no such text, the model is an exported one, or a share of no memory is asked for.
    """
    if memory is None:
        if share:
            raise InputError(f"--memory-share {share:g} goes with --memory; name the text to look at")
        return bundle
    from seq2seq.text.corpus import DataConfig, load_train
    from seq2seq.translation.inference import with_memory

    try:
        pairs = load_train(DataConfig(where=memory, src=bundle.src, tgt=bundle.tgt))
    except InputError as e:  # what it advises may be options that only train has
        raise InputError(re.sub("; [^;]*--(data|src)[^;]*$", "; check --memory", str(e))) from None
    return with_memory(bundle, pairs, share or SHARE)


def _workers(workers: int | None, threads: int, possible: bool) -> int:
    if workers and workers > 1 and not possible:
        raise InputError(f"--workers {workers} needs Linux and --device cpu; leave it out")
    return workers or (threads if possible else 1)


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


# ---- text in and out ---------------------------------------------------------------------------------------------


def speaker(quiet: bool) -> Callable[[str], None]:
    """What tells the person something on standard error, above a progress bar where there is one."""
    from tqdm import tqdm

    return (lambda message: None) if quiet else (lambda message: tqdm.write(message, file=sys.stderr))


def lines_of(path: Path | None, errors: str = "") -> Iterator[str]:
    r"""The lines of a file, plain or `.gz`, or of standard input, as they come.

    They are broken at `\n` alone, and lose a `\r` at their end. `errors` is what the command's --errors says, where it
    has one: with "replace", what is not UTF-8 becomes U+FFFD.

    Raises:
        InputError: the file cannot be read, or a line is not UTF-8.
    """
    if path is None:
        yield from _decoded(sys.stdin.buffer, "standard input", errors)
        return
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield from _decoded(stream, str(path), errors)
    except (OSError, EOFError, zlib.error) as e:
        raise InputError(f"cannot read {path}: {getattr(e, 'strerror', '') or e}; check the path") from None


def _decoded(stream: Iterable[bytes], name: str, errors: str) -> Iterator[str]:
    for number, line in enumerate(stream, 1):
        try:
            text = line.decode("utf-8", errors or "strict")
        except UnicodeDecodeError:
            hint = ", or give --errors replace" if errors else ""
            raise InputError(f"{name}, line {number}: not valid UTF-8; convert the text to UTF-8{hint}") from None
        yield (text.removeprefix("\ufeff") if number == 1 else text).removesuffix("\n").removesuffix("\r")


@contextmanager
def output(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that is there only once it is whole.

    Raises:
        InputError: no file can be written there.
        WorkError: the disk is full.
    """
    if path is None:
        yield sys.stdout.buffer
        return
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}; make it, or check the path")
    if path.exists() and not path.is_file():  # a pipe or a device: nothing may take its place
        with path.open("wb") as stream:
            yield stream
        return
    target = path.resolve()  # of a link
    beside = target.with_name(f".{target.name}.partial")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(target)
    except OSError as e:
        failure = WorkError if e.filename is None else InputError  # in writing, or already in opening
        raise failure(f"cannot write {path}: {e.strerror}; what was there before is untouched") from None
    finally:
        beside.unlink(missing_ok=True)


def put(line: str, file: BinaryIO | None = None) -> None:
    """Write a line, on standard output where no file is given, at once."""
    file = file or sys.stdout.buffer
    file.write(line.encode("utf-8", errors="replace") + b"\n")
    file.flush()


def put_json(result: Any) -> None:
    """One JSON object on standard output."""
    put(json.dumps(result, ensure_ascii=False))
