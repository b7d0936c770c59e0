"""The benchmark: which speeds of training and translating are measured on this machine, and in which order.

Each measurement runs in a new process (`isolation`), and none changes the given model. This module does not know how a
figure is measured (`peak`, `training_speed` and `translation_speed` do), nor how a table is printed.
"""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from seq2seq.folder import layout
from seq2seq.processes import available_threads
from seq2seq.reporting.isolation import run_isolated
from seq2seq.reporting.peak import measure_products
from seq2seq.reporting.training_speed import measure_training
from seq2seq.reporting.translation_speed import measure_translating, time_command
from seq2seq.text.multilingual import Corpora
from seq2seq.text.sources import Pair
from seq2seq.training.settings import Settings

# The tables, in their order; also the field names of `benchmark --json`.
PRODUCTS = "products: GFLOP/s of (M, K) x (K, N)"
TRAINING = "training"
SIZE = "size"
TRANSLATING = "translating, start-up apart"
COMMAND = "the whole command, from its start to its end"

BEAMS = 1, 5

Row = dict[str, Any]


def measure(
    settings: Settings, corpora: Corpora, model: Path | None, updates: int, sentences: int
) -> Iterator[tuple[str, Row]]:
    """Measure everything; yields (table, row) as soon as a row is known.

    Args:
        settings: of the model and its training.
        corpora: the text, by direction; the first one is translated.
        model: a trained model to translate with; without one, a model is trained for each number of threads, and the
            last one translates.
        updates: how many training updates are timed.
        sentences: how many of the first test part (or of dev) are translated.
    """
    threads = sorted({1, min(2, available_threads())})
    peaks = dict.fromkeys(threads, 0.0)  # GFLOP/s
    for count in threads:
        for row in run_isolated(measure_products, product_shapes(settings), count):
            peaks[count] = max(peaks[count], row["fp32"], row["bf16"])
            yield PRODUCTS, row
    with tempfile.TemporaryDirectory() as temporary:
        scratch, trained = Path(temporary), model
        for count in threads if model is None else ():
            trained = scratch / f"trained-{count}"
            yield TRAINING, run_isolated(measure_training, settings, corpora, updates, count, peaks[count], trained)
        assert trained
        corpus = next(iter(corpora.values()))
        pairs = next((corpus.tests[name] for name in sorted(corpus.tests)), corpus.dev)[:sentences]
        yield from measure_forms(trained, pairs, threads, scratch)


def product_shapes(settings: Settings) -> list[tuple[int, int, int]]:
    """(M, K, N) of typical products: a cell's gates and the output layer in training, and the gates in beam search."""
    model, batch = settings.model, settings.training.batch_tokens
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[model.cell] * model.hidden
    output = model.embedding, settings.tokenizer.vocab_size
    return [(batch, model.hidden, gates), (batch, *output), (BEAMS[-1], model.hidden, gates)]


def measure_forms(
    trained: Path, pairs: Sequence[Pair], threads: Sequence[int], scratch: Path
) -> Iterator[tuple[str, Row]]:
    """Size and speed of a trained model and its exported forms, which are written to `scratch`."""
    first, text = scratch / "first-line", scratch / "text"
    first.write_text(f"{pairs[0].src}\n", encoding="utf-8")
    text.write_text("".join(f"{pair.src}\n" for pair in pairs), encoding="utf-8")
    forms = {}
    for form, folder in export_forms(trained, scratch):
        forms[form] = folder
        yield SIZE, {"form": form, "mb": round(size(folder) / 1e6, 1)}
    for form, folder in forms.items():
        for beam, count in itertools.product(BEAMS, threads):
            yield TRANSLATING, {"form": form} | run_isolated(measure_translating, folder, text, beam, count)
    for form, folder in forms.items():
        for sentences, file in ((1, first), (len(pairs), text)):
            seconds = time_command(folder, file, BEAMS[-1], threads[-1])
            row = {"form": form, "beam": BEAMS[-1], "threads": threads[-1], "sentences": sentences}
            yield COMMAND, row | {"seconds": round(seconds, 2)}


def export_forms(trained: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield each form and its folder: the trained model, and its exports where ONNX is installed."""
    yield "torch", trained
    if find_spec("onnx") and find_spec("onnxruntime"):
        from seq2seq.onnx.export import export

        for form in ("onnx", "int8"):
            run_isolated(export, trained, scratch / form, form)
            yield form, scratch / form


def size(folder: Path) -> int:
    """Bytes of the files in a model folder that translating needs."""
    names = (layout.WEIGHTS, layout.ENCODER, layout.DECODER, layout.CONFIG, *layout.tokenizer_files(folder))
    return sum((folder / name).stat().st_size for name in names if (folder / name).exists())
