"""Options in groups: a dataclass whose fields are options, which a command takes as one argument.

    @dataclass(frozen=True)
    class SearchOptions:
        beam: int | None = option("--beam", type=click.IntRange(1), help="...")

    @click.command()
    @grouped(search=SearchOptions)
    def command(search: SearchOptions) -> None: ...

The groups below mean the same in every command that has them.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from seq2seq.api.computing import DEVICES
from seq2seq.api.models import MEMORY_SHARE


def option(*flags: str, **settings: Any) -> Any:
    """A field of a group: an option with these flags, and the settings that `click.option` takes."""
    return dataclasses.field(metadata={"flags": flags, "settings": settings})


def path_option(*flags: str, metavar: str = "FILE", **settings: Any) -> Any:
    """A field of a group: an option whose value is a path, or with `multiple` several."""
    return option(*flags, type=click.Path(path_type=Path), metavar=metavar, **settings)


def grouped(**groups: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of these groups; it is called with one object for each group, by its name."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(**values: Any) -> None:
            filled = {
                name: group(**{field.name: values[field.name] for field in dataclasses.fields(group)})
                for name, group in groups.items()
            }
            function(**filled)

        fields = [field for group in groups.values() for field in dataclasses.fields(group)]
        for field in reversed(fields):  # click lists them in the order in which decorators are read
            click.option(*field.metadata["flags"], field.name, **field.metadata["settings"])(command)
        return command

    return decorate


def given(options: Any) -> dict[str, Any]:
    """The options of a group that the command line names, by field: those that are neither None nor empty."""
    return {name: value for name, value in vars(options).items() if value is not None and value != ()}


@dataclass(frozen=True)
class ComputeOptions:
    """Where to compute."""

    device: str = option(
        "--device",
        type=click.Choice(DEVICES),
        default="auto",
        help="where to compute; auto: on a GPU where there is one",
    )
    threads: int | None = option(
        "--threads", type=click.IntRange(min=1), metavar="N", help="processor threads (default: all cores)"
    )


@dataclass(frozen=True)
class BeamOption:
    """The width of the beam."""

    beam: int | None = option(
        "--beam", type=click.IntRange(1, 1000), metavar="N", help="hypotheses kept at each step; 1 is greedy search"
    )


@dataclass(frozen=True)
class RankingOptions(BeamOption):
    """The width of the beam, and what its hypotheses rank by."""

    length_penalty: float | None = option(
        "--length-penalty",
        type=click.FloatRange(0, 10),
        metavar="X",
        help="score = (log p + reward * length) / length ** X",
    )
    word_reward: float | None = option(
        "--word-reward",
        type=click.FloatRange(0, 10),
        metavar="X",
        help="reward of a token in that score; longer translations",
    )


@dataclass(frozen=True)
class MemoryOptions:
    """A translation memory."""

    memory: str | None = option(
        "--memory", metavar="WHERE", help="translation memory: parallel text, as for train, of similar sentences"
    )
    memory_share: float | None = option(
        "--memory-share",
        type=click.FloatRange(0.01, 0.99),
        metavar="X",
        help=f"weight of the memory in each token's probability (default: {MEMORY_SHARE})",
    )


@dataclass(frozen=True)
class QuietOption:
    """Whether to be quiet."""

    quiet: bool = option("--quiet", is_flag=True, help="no progress, no notices")


@dataclass(frozen=True)
class ReportOptions(QuietOption):
    """How to report the result."""

    as_json: bool = option("--json", is_flag=True, help="print the result as one JSON object")
