"""Measure how fast this machine trains and translates, beside the peak of its processor.

    seq2seq benchmark                                # the quick start's recipe, the corpus that ships
    seq2seq benchmark --recipe FILE.toml --data DIR --src en --tgt de
    seq2seq benchmark --model DIR --json             # translating alone, with a trained model

Without --model, the model that translates has been trained only briefly: to compare translation speeds, give --model.
The figures are meaningful only on an idle machine. Exported forms are measured where ONNX is installed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from seq2seq.commands.options import data_option, grouped, option, path_option
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import put, put_json
from seq2seq.config import parse_override
from seq2seq.errors import InputError
from seq2seq.folder import layout

RECIPE = "tatoeba"
UPDATES = 100


@dataclass(frozen=True)
class BenchmarkOptions:
    """What to train, and what to translate."""

    recipe: str | None = option("--recipe", metavar="NAME|FILE", help=f"what to train (default: {RECIPE})")
    model: Path | None = path_option("--model", metavar="DIR", help="translate with this trained model; train nothing")
    data: Sequence[str] = data_option("the corpus that ships")
    src: str | None = option("--src", metavar="LANG", help="language to translate from")
    tgt: str | None = option("--tgt", metavar="LANG", help="language to translate to")
    set: Sequence[str] = option("--set", multiple=True, metavar="NAME=VALUE", help="override a setting of the recipe")
    updates: int | None = option("--updates", type=click.IntRange(min=1), help=f"updates to train (default: {UPDATES})")
    sentences: int = option(
        "--sentences", type=click.IntRange(min=2), default=1000, help="sentences to translate", show_default=True
    )
    as_json: bool = option("--json", is_flag=True, help="print the result as one JSON object")


@click.command("benchmark", **help_of(__doc__))
@grouped(options=BenchmarkOptions)
def command(options: BenchmarkOptions) -> None:  # noqa: D103 (its help is the module's docstring)
    model = options.model
    from seq2seq.reporting import benchmark
    from seq2seq.text.multilingual import load_all
    from seq2seq.training import settings  # here, because the processes it spawns import this module, without torch
    from seq2seq.training.automatic import AUTO
    from seq2seq.versions import versions

    if model and (options.recipe or options.set or options.updates):
        raise InputError("--model is already trained; leave out --recipe, --set and --updates")
    if options.recipe == AUTO:
        raise InputError(f"the settings of the recipe {AUTO} follow from a text; give another recipe")
    if model and layout.is_exported(model):
        raise InputError(f"{model} is an exported model; give the model it was made from, and all forms are measured")
    data = {"where": list(options.data) or None, "src": options.src, "tgt": options.tgt}
    data = {name: value for name, value in data.items() if value is not None}
    sections = layout.read_settings(model) if model else settings.recipe(options.recipe or RECIPE)
    sections["data"] = ({} if options.data else sections.get("data", {})) | data
    resolved = settings.resolve(settings.override(sections, map(parse_override, options.set)))
    tables: dict[str, list[dict[str, Any]]] = {}
    text, updates = load_all(resolved.data), options.updates or UPDATES
    for section, row in benchmark.measure(resolved, text, model, updates, options.sentences):
        if section not in tables and not options.as_json:
            put(f"\n{section}\n" + "  ".join(f"{name:>{width(name)}}" for name in row))
        tables.setdefault(section, []).append(row)
        if not options.as_json:
            put("  ".join(f"{value!s:>{width(name)}}" for name, value in row.items()))
    if options.as_json:
        put_json({"versions": versions(), **tables})
    else:
        put(f"\n{versions()}")


def width(name: str) -> int:
    """The width of the column with this heading."""
    return max(len(name), 6)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
