"""Score translations: BLEU, chrF and TER, each with its sacreBLEU signature.

    seq2seq evaluate --model DIR --data DIR --split test    # a model; of many languages, each direction
    seq2seq evaluate --hyp FILE --ref FILE --ref FILE2      # translations; one reference or more
    seq2seq evaluate --ref FILE --hyp A.txt --hyp B.txt     # is B better than A? (paired bootstrap)
    seq2seq evaluate --model DIR --data DIR --confidence    # with confidence intervals
    seq2seq evaluate --model DIR --rescore DIR2 --tune FILE # weights for translate --weights FILE

With --model and without --data, the corpus that ships is translated and scored. --tune chooses on the part dev, by the
first --metric, and prints the scores there. BLEU counts words, which are found by sacreBLEU's tokenizer for the target
language; for --hyp and --ref, for the script of the references.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from seq2seq.api.choosing import read_weights
from seq2seq.api.computing import torch_threads
from seq2seq.api.evaluation import Evaluation, Measures, Task, evaluate_directions
from seq2seq.api.models import open_model
from seq2seq.api.tuning import tune
from seq2seq.commands.options import (
    ChoiceOptions,
    ComputeOptions,
    MemoryOptions,
    RankingOptions,
    ReportOptions,
    data_option,
    grouped,
    option,
    path_option,
    specified,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import STANDARD, lines_of, output, put, put_json
from seq2seq.errors import InputError
from seq2seq.text.directions import choose_direction, name_of
from seq2seq.text.scoring import AUTO, METRICS, SEED, TOKENIZERS, Comparison, check_tokenizer, compare, score
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.search import SearchConfig


@dataclass(frozen=True)
class ModelOptions:
    """A model, and the text to score it on."""

    models: Sequence[Path] = path_option(
        "--model", multiple=True, metavar="DIR", help="translate with this model and score that; several: an ensemble"
    )
    data: Sequence[str] = data_option("the corpus that ships")
    src: str | None = option("--src", metavar="LANG", help="language to translate from (default: the model's)")
    tgt: str | None = option("--tgt", metavar="LANG", help="language to translate to (default: the model's)")
    split: str | None = option("--split", metavar="NAME", help="part of the text to score (default: test)")


@dataclass(frozen=True)
class FileOptions:
    """Files of translations and references."""

    hyps: Sequence[Path] = path_option("--hyp", multiple=True, help="translations, one per line, plain or .gz")
    refs: Sequence[Path] = path_option("--ref", multiple=True, help="references, one per line, plain or .gz")

    def check(self) -> None:
        """Check that no file is a system twice, and that standard input is read once.

        Raises:
            InputError: it is not so.
        """
        if (*self.hyps, *self.refs).count(STANDARD) > 1:
            raise InputError("standard input can be read only once; give a file in place of the other -")
        if twice := next((path for path in self.hyps if self.hyps.count(path) > 1), None):
            raise InputError(f"--hyp {twice} is given twice; give each system once")


@dataclass(frozen=True)
class MetricOptions:
    """Which metrics to compute, and how."""

    metrics: Sequence[str] = option(
        "--metric", type=click.Choice(list(METRICS)), multiple=True, help="compute only this metric; may be repeated"
    )
    tokenize: str = option(
        "--tokenize",
        type=click.Choice([AUTO, *TOKENIZERS]),
        default=AUTO,
        help="how BLEU finds words; auto: by the target language, or the script of the references",
    )
    confidence: bool = option(
        "--confidence", is_flag=True, help="a 95% confidence interval of each score, by bootstrap"
    )
    seed: int | None = option(
        "--seed", type=click.IntRange(min=1), metavar="N", help=f"seed of the bootstrap (default: {SEED})"
    )


@dataclass(frozen=True)
class TuneOptions(ChoiceOptions):
    """How the translation is chosen among the n best, and with which weights."""

    tune: Path | None = path_option(
        "--tune", help="choose the weights of --rescore, and one of the length, on the part dev, and write them"
    )


@click.command("evaluate", **help_of(__doc__))
@grouped(
    model=ModelOptions,
    texts=FileOptions,
    ranking=RankingOptions,
    memory=MemoryOptions,
    choosing=TuneOptions,
    metric=MetricOptions,
    compute=ComputeOptions,
    report=ReportOptions,
)
def command(  # noqa: D103 (its help is the module's docstring)
    model: ModelOptions,
    texts: FileOptions,
    ranking: RankingOptions,
    memory: MemoryOptions,
    choosing: TuneOptions,
    metric: MetricOptions,
    compute: ComputeOptions,
    report: ReportOptions,
) -> None:
    check_tokenizer(metric.tokenize)
    seed = metric.seed or SEED
    measures = Measures(metric.metrics or tuple(METRICS), metric.tokenize, seed if metric.confidence else None)
    if model.models and (texts.hyps or texts.refs):
        raise InputError("--model and --hyp, --ref exclude each other; give either --model, or --hyp and --ref")
    if not model.models and any(map(specified, (model, ranking, memory, choosing))):
        raise InputError(
            "--data, --src, --tgt, --split, --beam, --length-penalty, --word-reward, --memory, --memory-share, "
            "--rescore, --weights, --mbr and --tune go with --model; give one"
        )
    if not model.models and (compute.threads or compute.device != AUTO):
        raise InputError("--device and --threads go with --model, and files are scored without one; leave them out")
    if metric.tokenize != AUTO and set(measures.metrics) == {"chrf"}:
        raise InputError(f"--tokenize {metric.tokenize} finds words, and chrF counts characters; leave one out")
    if metric.seed and not metric.confidence and len(texts.hyps) < 2:
        raise InputError("--seed goes with --confidence, or with several --hyp; leave it out")
    texts.check()
    if len(texts.hyps) > 1:
        systems = {str(path): list(lines_of(path)) for path in texts.hyps}
        references = [list(lines_of(path)) for path in texts.refs]
        comparison = compare(systems, references, measures.metrics, seed, metric.tokenize)
        _put_comparison(comparison, report.as_json)
        return
    if model.models:
        results = _evaluated(model, ranking, memory, choosing, measures, compute)
    elif texts.hyps and texts.refs:
        hypotheses, references = list(lines_of(texts.hyps[0])), [list(lines_of(path)) for path in texts.refs]
        results = {"": Evaluation(len(hypotheses), score(hypotheses, references, *measures))}
    else:
        raise InputError("nothing to measure; give --model DIR, or --hyp FILE and --ref FILE")
    values = {
        name: {"sentences": each.sentences, "scores": [s.as_dict() for s in each.scores]}
        for name, each in results.items()
    }
    if report.as_json:
        put_json(values.get("", {"directions": values}))
        return
    for name, each in results.items():
        for s in each.scores:
            put(f"{name}  {s}" if name else str(s))


def _evaluated(
    model: ModelOptions,
    ranking: RankingOptions,
    memory: MemoryOptions,
    choosing: TuneOptions,
    measures: Measures,
    compute: ComputeOptions,
) -> dict[str, Evaluation]:
    """The scores of a model, or an ensemble, on a part of a corpus, by the name of the direction.

    That of a model of one direction has no name.
    """
    bundle, _ = open_model(model.models, compute.device, compute.threads)
    config = replace(bundle.search, **specified(ranking))
    choice = choosing.opened(model.models[0], compute, 1)
    split = model.split or ("dev" if choosing.tune else "test")
    task = Task(model.data, split, measures, memory.memory, memory.memory_share, choice)
    with torch_threads(compute.threads):
        if choosing.tune:
            return {"": _tuned(bundle, config, task, model, choosing.tune)}
        results = evaluate_directions(bundle, config, task, model.src, model.tgt)
    return {name_of(direction) if bundle.directions else "": each for direction, each in results.items()}


def _tuned(bundle: Bundle, config: SearchConfig, task: Task, model: ModelOptions, path: Path) -> Evaluation:
    """Write the weights that score best, and return the scores with them."""
    languages = model.src, model.tgt
    if bundle.directions:
        bundle, languages = bundle.toward(choose_direction(bundle.directions, *languages)), (None, None)
    if path != STANDARD and path.exists():
        _check_weights(path)
    with output(path) as file:
        result = tune(bundle, config, task, languages, Path() if path == STANDARD else path.parent)
        put(result.toml().rstrip("\n"), file)
    return result.evaluation


def _check_weights(path: Path) -> None:
    """Check that a file which is to be written anew holds weights.

    Raises:
        InputError: it does not.
    """
    try:
        read_weights(path)
    except InputError:
        raise InputError(f"--tune {path} exists and holds no weights; give another name") from None


def _put_comparison(rows: Sequence[Comparison], as_json: bool) -> None:
    """Print the scores of every system, and how each of the others compares with the first."""
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
