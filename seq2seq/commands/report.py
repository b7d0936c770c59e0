"""Write one HTML page about a trained model: scores, learning curves, where it fails and where it looks.

    seq2seq report --model DIR                       # DIR/report.html, on the text it was trained with
    seq2seq report --model DIR --data DIR2 --out FILE

The page is one file that needs nothing else. Every test part is translated, or dev where there is none.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from seq2seq.api.computing import torch_threads
from seq2seq.api.models import open_model
from seq2seq.commands.options import (
    BeamOption,
    ComputeOptions,
    QuietOption,
    given,
    grouped,
    option,
    path_option,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import output, put
from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.text import corpus
from seq2seq.text.scoring import score
from seq2seq.training import settings
from seq2seq.translation.translator import LineTranslator
from seq2seq.versions import versions


@dataclass(frozen=True)
class PageOptions:
    """Which model, on which text, and where to write the page."""

    model: Path = path_option("--model", metavar="DIR", required=True, help="model folder, trained or exported")
    data: str | None = option(
        "--data", metavar="WHERE", help="text, as for train (default: what the model was trained with)"
    )
    out: Path | None = path_option("--out", help="the page to write (default: report.html in the model folder)")


@click.command("report", **help_of(__doc__))
@grouped(options=PageOptions, search=BeamOption, compute=ComputeOptions, quiet=QuietOption)
def command(  # noqa: D103 (its help is the module's docstring)
    options: PageOptions, search: BeamOption, compute: ComputeOptions, quiet: QuietOption
) -> None:
    model = options.model
    try:
        from seq2seq.reporting import report
    except ImportError:
        raise InputError("report needs the package matplotlib; install it: pip install 'seq2seq[report]'") from None
    bundle, workers = open_model([model], compute.device, compute.threads)
    sections = layout.read_settings(model)
    chosen = settings.resolve(sections)
    text = corpus.load(replace(chosen.data, where=options.data or chosen.data.where))
    config = replace(bundle.search, **given(search))
    translator = LineTranslator(bundle, config, workers=workers)
    parts = []
    with torch_threads(compute.threads):
        for name, pairs in (text.tests or {"dev": text.dev}).items():
            translations = translator.translate([pair.src for pair in pairs])
            scores = score(translations, [[pair.tgt for pair in pairs]])
            parts.append(report.Part(name, pairs, translations, scores))
    history = model / layout.METRICS
    metrics = [json.loads(line) for line in history.read_text().splitlines()] if history.exists() else []
    facts = {
        "model": f"{chosen.model.cell}, context {chosen.model.context}" + (", exported" * layout.is_exported(model)),
        "recipe": layout.read_recipe_name(model) or "-",
        "training": f"{metrics[-1]['step']:,} updates in {metrics[-1]['minutes']:.1f} minutes" if metrics else "-",
        "text": f"{len(text.train):,} pairs for training",
        "search": f"beam {config.beam}, length penalty {config.length_penalty}, word reward {config.word_reward}",
        "computed with": versions(),
    }
    title = f"{bundle.src} to {bundle.tgt}: {model.resolve().name}"
    train = (pair.tgt for pair in text.train)
    html = report.render_page(title, facts, sections, metrics, parts, train, report.attention_maps(bundle, parts[0]))
    out = options.out or model / layout.REPORT
    with output(out) as file:
        file.write(html.encode())
    if not quiet.quiet:
        put(str(out))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
