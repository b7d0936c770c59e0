"""Write a trained model in another form, as a model folder that the other commands accept.

    seq2seq export --model DIR --out DIR2                  # ONNX: fast, and needs no torch
    seq2seq export --model DIR --out DIR2 --int8           # 8-bit matrix products: faster, not exact
    seq2seq export --model DIR --out DIR2 --format half    # half the size on disk; quarter: a quarter
    seq2seq export --model DIR --out DIR2 --average 5      # the mean of the run's last five checkpoints

The ONNX form runs on the CPU, with ONNX Runtime.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from seq2seq.commands.options import ReportOptions, grouped, option, path_option
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import put, put_json
from seq2seq.errors import InputError
from seq2seq.folder import files, layout
from seq2seq.reporting.model_card import exported_card


@dataclass(frozen=True)
class ExportOptions:
    """The model, its new form and the folder to write."""

    model: Path = path_option("--model", metavar="DIR", required=True, help="model folder, as train writes it")
    out: Path = path_option("--out", metavar="DIR", required=True, help="folder to write")
    form: str = option(
        "--format",
        type=click.Choice(["onnx", "quarter", "half", "single"]),
        default="onnx",
        help="form to write: ONNX, or a trained model with weights of 8, 16 or 32 bits",
        show_default=True,
    )
    int8: bool = option("--int8", is_flag=True, help="with --format onnx: 8-bit matrix products")
    average: int | None = option(
        "--average",
        type=click.IntRange(1),
        metavar="N",
        help="export the mean weights of the N newest checkpoints (training.keep sets how many are kept)",
    )
    overwrite: bool = option("--overwrite", is_flag=True, help="replace the model that --out holds")


@click.command("export", **help_of(__doc__))
@grouped(options=ExportOptions, report=ReportOptions)
def command(options: ExportOptions, report: ReportOptions) -> None:  # noqa: D103 (help: above)
    model, out, form = options.model, options.out, options.form
    if options.int8 and form != "onnx":
        raise InputError(f"--int8 needs --format onnx, not {form}; leave one out")
    if out.resolve() == model.resolve():
        raise InputError(f"--out {out} is the folder of --model; give another folder")
    files.check_writable(out)
    if (layout.holds_model(out) or (out / layout.CARD).exists()) and not options.overwrite:
        raise InputError(f"{out} holds a model or a {layout.CARD}; give another --out, or --overwrite")
    try:
        import onnx  # noqa: F401
    except ImportError:
        if form == "onnx":
            raise InputError("--format onnx needs the package onnx; install it: pip install 'seq2seq[onnx]'") from None
    from seq2seq.onnx.export import export

    weights = None
    if options.average:
        from seq2seq.training.resume import average_weights

        weights = average_weights(model, options.average)
    exported = "int8" if options.int8 else form
    export(model, out, exported, weights)
    if (card := model / layout.CARD).is_file() and weights is None:  # its scores are those of the best weights
        files.write(out / layout.CARD, exported_card(card.read_text(encoding="utf-8"), exported).encode())
    size = sum(path.stat().st_size for path in out.iterdir() if path.name != layout.CARD)
    if report.as_json:
        description = {"format": form, "int8": options.int8, "average": options.average}
        put_json({"folder": str(out), **description, "bytes": size})
    elif not report.quiet:
        put(f"{out}: {size / 1e6:.1f} MB")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
