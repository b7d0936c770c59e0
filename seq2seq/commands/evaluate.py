"""Measure translations: BLEU, chrF and TER, each with its sacreBLEU signature.

    seq2seq evaluate --model DIR --data DIR --split test    # a model
    seq2seq evaluate --hyp FILE --ref FILE --ref FILE2      # translations; one reference or more
    seq2seq evaluate --ref FILE --hyp A.txt --hyp B.txt     # is B better than A? (paired bootstrap)

With --model, --data left out is the corpus that ships.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from seq2seq.commands.shared import (
    beam_option,
    device_options,
    example,
    json_option,
    memory_options,
    open_model,
    path_option,
    penalty_option,
    put,
    put_json,
    quiet_option,
    remembering,
    reward_option,
    run,
    stated,
)
from seq2seq.errors import InputError
from seq2seq.text.corpus import DataConfig, load_split
from seq2seq.text.scoring import METRICS, compare, score
from seq2seq.text.sources import read_lines


@click.command("evaluate", **example(__doc__))
@path_option(
    "--model",
    "models",
    multiple=True,
    metavar="DIR",
    help="translate with this model, and measure; several: an ensemble",
)
@click.option("--data", metavar="WHERE", help="text, as for train (default: the corpus that ships)")
@click.option("--src", metavar="LANG", help="language to translate from (default: the model's)")
@click.option("--tgt", metavar="LANG", help="language to translate to (default: the model's)")
@click.option("--split", metavar="NAME", help="the part to measure on (default: test)")
@path_option("--hyp", "hyps", multiple=True, help="translations, one a line, plain or .gz")
@path_option("--ref", "refs", multiple=True, help="references, one a line, plain or .gz")
@beam_option
@penalty_option
@reward_option
@memory_options
@click.option("--metric", "metrics", type=click.Choice(list(METRICS)), multiple=True, help="measure only this")
@click.option(
    "--seed", type=click.IntRange(min=1), default=12345, metavar="N", help="of the bootstrap", show_default=True
)
@device_options
@quiet_option
@json_option
def command(  # noqa: D103 (its help is the module's docstring)
    models: Sequence[Path],
    data: str | None,
    src: str | None,
    tgt: str | None,
    split: str | None,
    hyps: Sequence[Path],
    refs: Sequence[Path],
    beam: int | None,
    length_penalty: float | None,
    word_reward: float | None,
    memory: str | None,
    memory_share: float | None,
    metrics: Sequence[str],
    seed: int,
    device: str,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    metrics = metrics or tuple(METRICS)
    if models and (hyps or refs):
        raise InputError("--model translates by itself; give either --model, or --hyp and --ref")
    search = stated(beam=beam, length_penalty=length_penalty, word_reward=word_reward)
    others = stated(data=data, src=src, tgt=tgt, split=split, memory=memory, memory_share=memory_share)
    if not models and (search or others):
        raise InputError(
            "--data, --src, --tgt, --split, --beam, --length-penalty, --word-reward, --memory and --memory-share go "
            "with --model; give one"
        )
    if len(hyps) > 1:
        found = compare({str(p): read_lines(p) for p in hyps}, [read_lines(p) for p in refs], metrics, seed)
        if as_json:
            put_json({"comparison": [c._asdict() for c in found]})
            return
        for c in found:
            put(f"{c.system}  {c.name} = {c.value:.2f} (95% interval {c.mean:.2f} ± {c.interval:.2f})  {c.signature}")
            if c.verdict:
                put(f"  {c.verdict}")
        return
    if models:
        from seq2seq.translation.translator import LineTranslator

        bundle, _ = open_model(models, device, threads)
        bundle = bundle._replace(src=src or bundle.src, tgt=tgt or bundle.tgt)
        pairs = load_split(DataConfig(where=data or "", src=bundle.src, tgt=bundle.tgt), split or "test")
        translator = LineTranslator(remembering(bundle, memory, memory_share), replace(bundle.search, **search))
        hypotheses = translator.translate([pair.src for pair in pairs])
        references = [[pair.tgt for pair in pairs]]
    elif hyps and refs:
        hypotheses, references = read_lines(hyps[0]), [read_lines(p) for p in refs]
    else:
        raise InputError("nothing to measure: give --model DIR, or --hyp FILE and --ref FILE")
    scores = score(hypotheses, references, metrics)
    if as_json:
        put_json({"sentences": len(hypotheses), "scores": [s._asdict() for s in scores]})
    else:
        for s in scores:
            put(f"{s.name} = {s.value:.2f}  ({s.signature})")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
