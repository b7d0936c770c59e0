"""Write one HTML page about a trained model: scores, learning curves, where it fails and where it looks.

    seq2seq report --model DIR                       # DIR/report.html, on the text it was trained with
    seq2seq report --model DIR --data DIR2 --out FILE

The page is one file that needs nothing else. Every test part is translated, or dev where there is none.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from seq2seq.commands.shared import (
    beam_option,
    device_options,
    example,
    open_model,
    output,
    path_option,
    put,
    quiet_option,
    run,
    stated,
)
from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.text import corpus
from seq2seq.text.scoring import score
from seq2seq.training import settings
from seq2seq.translation.translator import LineTranslator
from seq2seq.versions import versions


@click.command("report", **example(__doc__))
@path_option("--model", metavar="DIR", required=True, help="model folder, trained or exported")
@click.option("--data", metavar="WHERE", help="text, as for train (default: what the model was trained with)")
@path_option("--out", metavar="FILE", help="the page to write (default: report.html in the model folder)")
@beam_option
@device_options
@quiet_option
def command(  # noqa: D103 (its help is the module's docstring)
    model: Path, data: str | None, out: Path | None, beam: int | None, device: str, threads: int | None, quiet: bool
) -> None:
    try:
        from seq2seq.reporting import report
    except ImportError:
        raise InputError("report needs the package matplotlib; install it: pip install 'seq2seq[report]'") from None
    bundle, workers = open_model([model], device, threads)
    sections = layout.read_settings(model)
    chosen = settings.resolve(sections)
    text = corpus.load(replace(chosen.data, **stated(where=data)))
    config = replace(bundle.search, **stated(beam=beam))
    translator = LineTranslator(bundle, config, workers=workers)
    parts = []
    for name, pairs in (text.tests or {"dev": text.dev}).items():
        said = translator.translate([pair.src for pair in pairs])
        parts.append(report.Part(name, pairs, said, score(said, [[pair.tgt for pair in pairs]])))
    noted = model / layout.METRICS
    metrics = [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []
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
    html = report.page(title, facts, sections, metrics, parts, train, report.looks(bundle, parts[0]))
    out = out or model / layout.REPORT
    with output(out) as file:
        file.write(html.encode())
    if not quiet:
        put(str(out))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
