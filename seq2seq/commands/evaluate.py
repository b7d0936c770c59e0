"""Measure translations: BLEU, chrF and TER, each with its sacreBLEU signature.

    seq2seq evaluate --model DIR --data DIR --split test    # a model
    seq2seq evaluate --hyp FILE --ref FILE --ref FILE2      # translations; one reference or more
    seq2seq evaluate --ref FILE --hyp A.txt --hyp B.txt     # is B better than A? (paired bootstrap)

With --model, --data left out is the corpus that ships.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from seq2seq.api.computing import torch_threads
from seq2seq.api.evaluation import Evaluation, evaluate_part
from seq2seq.api.models import open_model, with_translation_memory
from seq2seq.commands.options import (
    ComputeOptions,
    MemoryOptions,
    RankingOptions,
    ReportOptions,
    given,
    grouped,
    option,
    path_option,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import lines_of, put, put_json
from seq2seq.errors import InputError
from seq2seq.text.scoring import METRICS, Comparison, compare, score


@dataclass(frozen=True)
class ModelOptions:
    """A model, and the text to measure it on."""

    models: Sequence[Path] = path_option(
        "--model", multiple=True, metavar="DIR", help="translate with this model, and measure; several: an ensemble"
    )
    data: str | None = option("--data", metavar="WHERE", help="text, as for train (default: the corpus that ships)")
    src: str | None = option("--src", metavar="LANG", help="language to translate from (default: the model's)")
    tgt: str | None = option("--tgt", metavar="LANG", help="language to translate to (default: the model's)")
    split: str | None = option("--split", metavar="NAME", help="the part to measure on (default: test)")


@dataclass(frozen=True)
class FileOptions:
    """Files of translations and references."""

    hyps: Sequence[Path] = path_option("--hyp", multiple=True, help="translations, one a line, plain or .gz")
    refs: Sequence[Path] = path_option("--ref", multiple=True, help="references, one a line, plain or .gz")


@dataclass(frozen=True)
class MetricOptions:
    """What to measure."""

    metrics: Sequence[str] = option(
        "--metric", type=click.Choice(list(METRICS)), multiple=True, help="measure only this"
    )
    seed: int = option(
        "--seed", type=click.IntRange(min=1), default=12345, metavar="N", help="of the bootstrap", show_default=True
    )


@click.command("evaluate", **help_of(__doc__))
@grouped(
    model=ModelOptions,
    texts=FileOptions,
    ranking=RankingOptions,
    memory=MemoryOptions,
    metric=MetricOptions,
    compute=ComputeOptions,
    report=ReportOptions,
)
def command(  # noqa: D103 (its help is the module's docstring)
    model: ModelOptions,
    texts: FileOptions,
    ranking: RankingOptions,
    memory: MemoryOptions,
    metric: MetricOptions,
    compute: ComputeOptions,
    report: ReportOptions,
) -> None:
    metrics = metric.metrics or tuple(METRICS)
    if model.models and (texts.hyps or texts.refs):
        raise InputError("--model translates by itself; give either --model, or --hyp and --ref")
    if not model.models and (given(model) or given(ranking) or given(memory)):
        raise InputError(
            "--data, --src, --tgt, --split, --beam, --length-penalty, --word-reward, --memory and --memory-share go "
            "with --model; give one"
        )
    if len(texts.hyps) > 1:
        systems = {str(path): list(lines_of(path)) for path in texts.hyps}
        references = [list(lines_of(path)) for path in texts.refs]
        _put_comparison(compare(systems, references, metrics, metric.seed), report.as_json)
        return
    if model.models:
        result = _evaluated(model, ranking, memory, metrics, compute)
    elif texts.hyps and texts.refs:
        hypotheses, references = list(lines_of(texts.hyps[0])), [list(lines_of(path)) for path in texts.refs]
        result = Evaluation(len(hypotheses), score(hypotheses, references, metrics))
    else:
        raise InputError("nothing to measure: give --model DIR, or --hyp FILE and --ref FILE")
    if report.as_json:
        put_json({"sentences": result.sentences, "scores": [s._asdict() for s in result.scores]})
    else:
        for s in result.scores:
            put(f"{s.name} = {s.value:.2f}  ({s.signature})")


def _evaluated(
    model: ModelOptions,
    ranking: RankingOptions,
    memory: MemoryOptions,
    metrics: Sequence[str],
    compute: ComputeOptions,
) -> Evaluation:
    """The scores of the model on its part."""
    bundle, _ = open_model(model.models, compute.device, compute.threads)
    bundle = bundle._replace(src=model.src or bundle.src, tgt=model.tgt or bundle.tgt)
    bundle = with_translation_memory(bundle, memory.memory, memory.memory_share)
    config = replace(bundle.search, **given(ranking))
    with torch_threads(compute.threads):
        return evaluate_part(bundle, config, model.data or "", model.split or "test", metrics)


def _put_comparison(rows: Sequence[Comparison], as_json: bool) -> None:
    """Print every system's scores, each after the first compared with the first."""
    if as_json:
        put_json({"comparison": [row._asdict() for row in rows]})
        return
    for row in rows:
        interval = f"95% interval {row.mean:.2f} ± {row.interval:.2f}"
        put(f"{row.system}  {row.name} = {row.value:.2f} ({interval})  {row.signature}")
        if row.verdict:
            put(f"  {row.verdict}")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
