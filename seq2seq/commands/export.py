"""Write a trained model in another form, as a model folder that every command takes.

    seq2seq export --model DIR --out DIR2                  # ONNX: fast, and needs no torch
    seq2seq export --model DIR --out DIR2 --int8           # products of eight bits: faster, not exact
    seq2seq export --model DIR --out DIR2 --format half    # half the size on disk; quarter: a quarter
    seq2seq export --model DIR --out DIR2 --average 5      # the mean of the run's last five checkpoints

An ONNX folder translates on the processor, through ONNX OnnxEngine.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from seq2seq.commands.shared import example, json_option, path_option, put, put_json, quiet_option, run
from seq2seq.errors import InputError
from seq2seq.folder import files, layout
from seq2seq.reporting.model_card import exported_card


@click.command("export", **example(__doc__))
@path_option("--model", metavar="DIR", required=True, help="model folder, as train writes it")
@path_option("--out", metavar="DIR", required=True, help="folder to write")
@click.option(
    "--format",
    "form",
    type=click.Choice(["onnx", "quarter", "half", "single"]),
    default="onnx",
    help="the other form: ONNX, or a trained model's, with weights of 8, 16 or 32 bits",
    show_default=True,
)
@click.option("--int8", is_flag=True, help="with --format onnx: products of eight bits")
@click.option(
    "--average",
    type=click.IntRange(1),
    metavar="N",
    help="not the best weights, but the mean of those of the N newest checkpoints (training.keep says how many stay)",
)
@click.option("--overwrite", is_flag=True, help="--out may hold a model, which is lost")
@quiet_option
@json_option
def command(  # noqa: D103 (its help is the module's docstring)
    model: Path, out: Path, form: str, int8: bool, average: int | None, overwrite: bool, quiet: bool, as_json: bool
) -> None:
    if int8 and form != "onnx":
        raise InputError(f"--int8 goes with --format onnx, not {form}; leave one out")
    if out.resolve() == model.resolve():
        raise InputError(f"--out {out} is the model itself; give another folder")
    if (layout.holds_model(out) or (out / layout.CARD).exists()) and not overwrite:
        raise InputError(f"{out} holds a model or a {layout.CARD}; give another --out, or --overwrite")
    try:
        import onnx  # noqa: F401
    except ImportError:
        if form == "onnx":
            raise InputError("--format onnx needs the package onnx; install it: pip install 'seq2seq[onnx]'") from None
    from seq2seq.onnx.export import export

    weights = None
    if average:
        from seq2seq.training.resume import average_weights

        weights = average_weights(model, average)
    form = "int8" if int8 else form
    export(model, out, form, weights)
    if (card := model / layout.CARD).is_file() and weights is None:  # its scores are of the folder's own weights
        files.write(out / layout.CARD, exported_card(card.read_text(encoding="utf-8"), form).encode())
    size = sum(path.stat().st_size for path in out.iterdir() if path.name != layout.CARD)
    if as_json:
        put_json(
            {"folder": str(out), "format": "onnx" if int8 else form, "int8": int8, "average": average, "bytes": size}
        )
    elif not quiet:
        put(f"{out}: {size / 1e6:.1f} MB")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
