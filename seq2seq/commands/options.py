"""Groups of options: dataclasses whose fields are options. A command receives each group as one argument.

    @dataclass(frozen=True)
    class SearchOptions:
        beam: int | None = option("--beam", type=click.IntRange(1), help="...")

    @click.command()
    @grouped(search=SearchOptions)
    def command(search: SearchOptions) -> None: ...

The groups below mean the same in every command that uses them.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seq2seq.api.computing import DEVICES
from seq2seq.api.models import MEMORY_SHARE
from seq2seq.api.terms import read_terms
from seq2seq.errors import InputError

if TYPE_CHECKING:
    from seq2seq.api.choosing import Choice
    from seq2seq.translation.bundle import Bundle

ERRORS = ("strict", "skip")
ERRORS_HELP = "lines and rows that cannot be read: strict, the default, ends with an error; skip drops and counts them"
COLUMNS_HELP = "names of the columns of tables without a header; - for a column to pass over"


def data_option(default: str) -> Any:
    """A field of a group: the places of parallel text, `--data`; `default` says what is read without it."""
    return option(
        "--data",
        multiple=True,
        metavar="WHERE",
        help=f"parallel text, as for train; may be repeated (default: {default})",
    )


def option(*flags: str, **settings: Any) -> Any:
    """A field of a group: an option with these flags; `settings` are passed to `click.option`."""
    return dataclasses.field(metadata={"flags": flags, "settings": settings})


def path_option(*flags: str, metavar: str = "FILE", **settings: Any) -> Any:
    """A field of a group: an option whose value is a path, or with `multiple` a sequence of paths."""
    return option(*flags, type=click.Path(path_type=Path), metavar=metavar, **settings)


def grouped(**groups: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a command with the options of these groups; it is called with one object per group, by keyword."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(**values: Any) -> None:
            arguments = {
                name: group(**{field.name: values[field.name] for field in dataclasses.fields(group)})
                for name, group in groups.items()
            }
            function(**arguments)

        fields = [field for group in groups.values() for field in dataclasses.fields(group)]
        for field in reversed(fields):  # the last decorator that is applied is listed first
            click.option(*field.metadata["flags"], field.name, **field.metadata["settings"])(command)
        return command

    return decorate


def specified(options: Any) -> dict[str, Any]:
    """The options of a group that have a value, by field name: those that are neither None nor an empty tuple."""
    return {name: value for name, value in vars(options).items() if value is not None and value != ()}


@dataclass(frozen=True)
class ComputeOptions:
    """The device, and the number of threads."""

    device: str = option(
        "--device",
        type=click.Choice(DEVICES),
        default="auto",
        help="device to compute on; auto: a GPU if there is one",
    )
    threads: int | None = option(
        "--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads (default: all cores)"
    )


@dataclass(frozen=True)
class BeamOption:
    """The width of the beam."""

    beam: int | None = option(
        "--beam", type=click.IntRange(1, 1000), metavar="N", help="hypotheses kept at each step; 1 is greedy search"
    )


class Number(click.FloatRange):
    """A number in a range. `nan`, which no comparison finds outside of it, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


@dataclass(frozen=True)
class RankingOptions(BeamOption):
    """The width of the beam, and the score that ranks its hypotheses."""

    length_penalty: float | None = option(
        "--length-penalty",
        type=Number(0, 10),
        metavar="X",
        help="score = (log p + reward * length) / length ** X",
    )
    word_reward: float | None = option(
        "--word-reward",
        type=Number(0, 10),
        metavar="X",
        help="reward per token in that score; favours longer translations",
    )


@dataclass(frozen=True)
class MemoryOptions:
    """A translation memory."""

    memory: Sequence[str] = option(
        "--memory",
        multiple=True,
        metavar="WHERE",
        help="translation memory: parallel text, as for train, to look up similar sentences; may be repeated",
    )
    memory_share: float | None = option(
        "--memory-share",
        type=Number(0.01, 0.99),
        metavar="X",
        help=f"weight of the memory in each token's probability (default: {MEMORY_SHARE})",
    )


@dataclass(frozen=True)
class ReadingOptions:
    """How text is read: what is kept untranslated, and whether lines are divided into sentences."""

    keep: Sequence[str] = option(
        "--keep", multiple=True, metavar="REGEX", help="keep what matches untranslated, as numbers, tags .. are"
    )
    keep_nothing: bool = option("--keep-nothing", is_flag=True, help="translate everything, also numbers and tags")
    no_split: bool = option("--no-split", is_flag=True, help="translate a line of several sentences as one")

    def applied(self, bundle: "Bundle") -> "Bundle":
        """The model, reading text in this way.

        Raises:
            InputError: options exclude each other, or a pattern is not a regular expression.
        """
        if self.keep and self.keep_nothing:
            raise InputError("--keep and --keep-nothing exclude each other; leave one out")
        return bundle.with_reading(self.keep, self.keep_nothing, not self.no_split)


@dataclass(frozen=True)
class TermOptions(ReadingOptions):
    """How text is read, and phrases that translations hold, or do not hold."""

    glossaries: Sequence[Path] = path_option(
        "--glossary", multiple=True, help="phrases and their translations, two columns separated by a tab"
    )
    avoided: Sequence[Path] = path_option(
        "--avoid", multiple=True, help="phrases that no translation holds, one per line"
    )

    def applied(self, bundle: "Bundle") -> "Bundle":
        """The model, reading text in this way, with these terms.

        Raises:
            InputError: as for `ReadingOptions`; a file cannot be read, or a line is wrong.
        """
        bundle = super().applied(bundle)
        languages = {language for direction in bundle.known for language in direction}
        return bundle._replace(terms=read_terms(self.glossaries, self.avoided, (bundle.src, bundle.tgt), languages))


@dataclass(frozen=True)
class ChoiceOptions:
    """How the translation is chosen among the n best."""

    rescore: Sequence[str] = option(
        "--rescore",
        multiple=True,
        metavar="DIR[=WEIGHT]",
        help="rank the n best by this model's score as well: of the same direction, or of the other one (default "
        "weight: 1)",
    )
    weights: Path | None = path_option("--weights", help="rescoring models and weights that evaluate --tune wrote")
    mbr: str | None = option(
        "--mbr",
        type=click.Choice(["bleu", "chrf"]),  # `seq2seq.text.utility.UTILITIES`, which would import sacreBLEU
        help="choose the translation that is most similar to the other n best, or samples, by this metric (minimum "
        "Bayes risk)",
    )

    @property
    def chooses(self) -> bool:
        """Whether any of the options is given."""
        return bool(self.rescore or self.weights or self.mbr)

    def opened(self, folder: Path, compute: ComputeOptions, workers: int) -> "Choice | None":
        """The choice, with its models opened; None if no option is given.

        Args:
            folder: of the model that translates.
            compute: what it computes with.
            workers: its processes.

        Raises:
            InputError: a weight or a folder is wrong, or the file of weights does not fit.
        """
        if not self.chooses:
            return None
        from seq2seq.api.choosing import open_beside, open_choice, parse_weighted, weighted

        models, length = weighted([parse_weighted(text) for text in self.rescore], self.weights)
        opened = partial(open_beside, model=folder, device=compute.device, threads=compute.threads, workers=workers)
        return open_choice(models, length, self.mbr, opened)


@dataclass(frozen=True)
class QuietOption:
    """Whether to print progress and notices."""

    quiet: bool = option("--quiet", is_flag=True, help="no progress, no notices")


@dataclass(frozen=True)
class ReportOptions(QuietOption):
    """What to print, and in which form."""

    as_json: bool = option("--json", is_flag=True, help="print the result as one JSON object")
