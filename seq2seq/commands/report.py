"""Write one HTML page about a trained model: scores, learning curves, error analysis and attention maps.

    seq2seq report --model DIR                       # DIR/report.html, on the text it was trained with
    seq2seq report --model DIR --data DIR2 --out FILE

The page is one self-contained file. Every test part is translated and scored, or dev if there is none.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from seq2seq.api.computing import torch_threads
from seq2seq.api.models import open_model
from seq2seq.commands.options import (
    BeamOption,
    ComputeOptions,
    QuietOption,
    data_option,
    grouped,
    path_option,
    specified,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import output, put
from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.text.corpus import DataConfig
from seq2seq.text.directions import listed, name_of
from seq2seq.text.multilingual import Corpora, load_all
from seq2seq.text.scoring import score, tokenizer_for
from seq2seq.text.sources import check_unweighted
from seq2seq.training import settings
from seq2seq.translation.translator import LineTranslator
from seq2seq.versions import versions


@dataclass(frozen=True)
class PageOptions:
    """The model, the text to translate and the file to write."""

    model: Path = path_option("--model", metavar="DIR", required=True, help="model folder, trained or exported")
    data: Sequence[str] = data_option("the one the model was trained on")
    out: Path | None = path_option("--out", help="page to write (default: report.html in the model folder)")


@click.command("report", **help_of(__doc__))
@grouped(options=PageOptions, search=BeamOption, compute=ComputeOptions, report=QuietOption)
def command(  # noqa: D103 (its help is the module's docstring)
    options: PageOptions, search: BeamOption, compute: ComputeOptions, report: QuietOption
) -> None:
    check_unweighted(options.data)
    layout.read_settings(options.model)  # without a model there is no folder for the page
    out = options.out or options.model / layout.REPORT
    with output(out) as file:
        file.write(_page(options, search, compute).encode())
    if not report.quiet:
        put(str(out))


def _page(options: PageOptions, search: BeamOption, compute: ComputeOptions) -> str:
    """The page, as HTML."""
    try:
        from seq2seq.reporting.report import Page, Part, attention_maps, render_page
    except ImportError:
        raise InputError("report needs the package matplotlib; install it: pip install 'seq2seq[report]'") from None
    model = options.model
    metrics = _metrics(model / layout.METRICS)
    bundle, workers = open_model([model], compute.device, compute.threads)
    sections = layout.read_settings(model)
    resolved = settings.resolve(sections)
    corpora = corpora_of(resolved.data, options.data)
    config = replace(bundle.search, **specified(search))
    parts = []
    with torch_threads(compute.threads):
        for direction, text in corpora.items():
            translator = LineTranslator(bundle.toward(direction), config, workers=workers)
            label = [name_of(direction)] if bundle.directions else []
            for name, pairs in (text.tests or {"dev": text.dev}).items():
                translations = translator.translate([pair.src for pair in pairs])
                references = [pair.tgt for pair in pairs]
                scores = score(translations, [references], tokenize=tokenizer_for(direction[1], references))
                parts.append(Part(" ".join([name, *label]), pairs, translations, scores))
        first, text = next(iter(corpora.items()))
        maps = attention_maps(bundle.toward(first), parts[0])
    form = ", exported" if layout.is_exported(model) else ""
    facts = {
        "model": f"{resolved.model.cell}, context {resolved.model.context}{form}",
        "recipe": layout.read_recipe_name(model) or "-",
        "training": f"{metrics[-1]['step']:,} updates in {metrics[-1]['minutes']:.1f} minutes" if metrics else "-",
        "text": f"{sum(len(each.train) for each in corpora.values()):,} pairs for training",
        "search": f"beam {config.beam}, length penalty {config.length_penalty}, word reward {config.word_reward}",
        "computed with": versions(),
    }
    languages = f"Between {', '.join(resolved.data.languages)}" if bundle.directions else " to ".join(first)
    page = Page(f"{languages}: {model.resolve().name}", facts, sections, metrics, first)
    return render_page(page, parts, (pair.tgt for pair in text.train), maps)


def corpora_of(data: DataConfig, wheres: Sequence[str]) -> Corpora:
    """The text of the run, or another one: of that, the directions of the model that it holds.

    Raises:
        InputError: the text is not there, or holds none of them.
    """
    if not wheres:
        return load_all(data)
    known = data.all_directions()
    found = load_all(replace(data, where=tuple(wheres), directions=()))
    corpora = {direction: text for direction, text in found.items() if direction in known}
    if not corpora:
        raise InputError(f"{', '.join(wheres)} has text of {listed(found)}, but the model translates {listed(known)}")
    return corpora


def _metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl; none if it is not there.

    Raises:
        InputError: it is damaged.
    """
    try:
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        return [{"step": line["step"], "minutes": line["minutes"], **line} for line in lines]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is damaged; restore it, or remove it for a report without learning curves") from None


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
