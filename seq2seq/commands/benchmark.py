"""Measure how fast this machine trains and translates, beside what its processor could do.

    seq2seq benchmark                                # the quick start's recipe, the corpus that ships
    seq2seq benchmark --recipe FILE.toml --data DIR --src en --tgt de
    seq2seq benchmark --model DIR --json             # translating alone, with a trained model

Without --model a model is trained for a moment, and translates as such a young one does: measure a gain with a trained
one. An idle machine gives figures that mean something. An exported form is measured where ONNX is installed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from seq2seq.commands.shared import example, json_option, path_option, put, put_json, run, stated
from seq2seq.errors import InputError
from seq2seq.folder import layout

RECIPE = "tatoeba"


@click.command("benchmark", **example(__doc__))
@click.option("--recipe", metavar="NAME|FILE", help=f"what to train (default: {RECIPE})")
@path_option("--model", metavar="DIR", help="translate with this trained model; train nothing")
@click.option("--data", metavar="WHERE", help="text, as for train (default: the corpus that ships)")
@click.option("--src", metavar="LANG", help="language to translate from")
@click.option("--tgt", metavar="LANG", help="language to translate to")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="override a setting of the recipe")
@click.option("--updates", type=click.IntRange(min=1), default=100, help="updates to train", show_default=True)
@click.option("--sentences", type=click.IntRange(min=2), default=1000, help="to translate", show_default=True)
@json_option
def command(  # noqa: D103 (its help is the module's docstring)
    recipe: str | None,
    model: Path | None,
    data: str | None,
    src: str | None,
    tgt: str | None,
    assignments: Sequence[str],
    updates: int,
    sentences: int,
    as_json: bool,
) -> None:
    from seq2seq.reporting import benchmark
    from seq2seq.text import corpus
    from seq2seq.training import settings  # here, so that the processes it starts have no torch by that
    from seq2seq.versions import versions

    if model and (recipe or assignments):
        raise InputError("--model is trained already; --recipe and --set go without it")
    if model and layout.is_exported(model):
        raise InputError(f"{model} is an exported model; give the one it was made from, all forms are measured")
    given = stated(where=data, src=src, tgt=tgt)
    sections = layout.read_settings(model) if model else settings.recipe(recipe or RECIPE)
    sections["data"] = ({} if data else sections.get("data", {})) | given
    chosen = settings.resolve(settings.override(sections, assignments))
    found: dict[str, list[dict[str, Any]]] = {}
    for section, row in benchmark.measure(chosen, corpus.load(chosen.data), model, updates, sentences):
        if section not in found and not as_json:
            put(f"\n{section}\n" + "  ".join(f"{name:>{width(name)}}" for name in row))
        found.setdefault(section, []).append(row)
        if not as_json:
            put("  ".join(f"{value!s:>{width(name)}}" for name, value in row.items()))
    if as_json:
        put_json({"versions": versions(), **found})
    else:
        put(f"\n{versions()}")


def width(name: str) -> int:
    """Of the column with this head."""
    return max(len(name), 6)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
