"""How fast this machine trains and translates, beside what its processor could do.

Every figure is measured here and now, the best of a few tries where it takes a moment. Translating is measured in
processes of their own, so that neither memory nor threads of one reach the other. Nothing here changes a model.
"""

import itertools
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq.folder import layout
from seq2seq.processes import CAN_FORK, available_threads

if TYPE_CHECKING:  # what translates without torch is measured without it
    from seq2seq.network.model import Model
    from seq2seq.text.corpus import Corpus
    from seq2seq.training.settings import Settings

Row = dict[str, Any]

ALONE = 100  # sentences that are translated one at a time


def measure(
    settings: "Settings", corpus: "Corpus", model: Path | None, updates: int, sentences: int
) -> Iterator[tuple[str, Row]]:
    """Every figure as it is known, a row of a named table: products, training, size, translating, the whole command.

    Args:
        settings: what to train; of the model, where there is one.
        corpus: the text.
        model: a trained model; without one a model is trained for so many updates, twice.
        updates: see there.
        sentences: how many of the test part, or of dev, are translated.
    """
    threads = sorted({1, min(2, available_threads())})
    batch, shape = settings.training.batch_tokens, settings.model
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[shape.cell] * shape.hidden
    vocabulary = settings.tokenizer.vocab_size
    rates: dict[int, float] = {}
    for count in threads:
        shapes = (batch, shape.hidden, gates), (batch, shape.embedding, vocabulary), (5, shape.hidden, gates)
        for row in apart(products, shapes, count):
            rates[count] = max(rates.get(count, 0), *(row[kind] for kind in ("fp32", "bf16")))
            yield "products: GFLOP/s of (M, K) x (K, N)", row
    with tempfile.TemporaryDirectory() as place:
        trained = model
        for count in threads if model is None else ():
            trained = Path(place) / f"trained-{count}"
            yield "training", apart(training, settings, corpus, updates, count, rates[count], trained)
        assert trained
        part = next((corpus.tests[name] for name in sorted(corpus.tests)), corpus.dev)[:sentences]
        text = Path(place) / "text"
        text.write_text("".join(f"{pair.src}\n" for pair in part), encoding="utf-8")
        forms = {"torch": trained}
        if find_spec("onnx") and find_spec("onnxruntime"):
            forms |= {"onnx": Path(place) / "onnx", "int8": Path(place) / "int8"}
        for form, folder in forms.items():
            if form != "torch":
                apart(export, trained, folder, form)
            yield "size", {"form": form, "mb": round(size(folder) / 1e6, 1)}
        for form, folder in forms.items():
            for beam, count in itertools.product((1, 5), threads):
                yield (
                    "translating, start-up apart",
                    {"form": form} | apart(translating, folder, text, beam, count),
                )
        for form, folder in forms.items():
            for lines in (1, len(part)):
                (Path(place) / "some").write_text("".join(f"{pair.src}\n" for pair in part[:lines]), encoding="utf-8")
                row = {"form": form, "beam": 5, "threads": threads[-1], "sentences": lines}
                taken = command(folder, Path(place) / "some", 5, threads[-1])
                yield "the whole command, from its start to its end", row | {"seconds": round(taken, 2)}


def export(folder: Path, out: Path, form: str) -> None:
    """See `seq2seq.onnx.export`."""
    from seq2seq.onnx.export import export

    export(folder, out, form)


def size(folder: Path) -> int:
    """Bytes of all that translating needs."""
    names = (layout.WEIGHTS, layout.ENCODER, layout.DECODER, layout.CONFIG, *layout.tokenizer_files(folder))
    return sum((folder / name).stat().st_size for name in names if (folder / name).exists())


# ---- what the processor could do -------------------------------------------------------------------------------------


def products(shapes: Sequence[tuple[int, int, int]], threads: int) -> list[Row]:
    """GFLOP/s (int8: operations) of x (M, K) times a weight (K, N), for each M, K, N and each kind of number."""
    import torch

    torch.set_num_threads(threads)
    rows = []
    for m, k, n in shapes:
        row: Row = {"M": m, "K": k, "N": n, "threads": threads}
        for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            x, weight = torch.randn(m, k, dtype=kind), torch.randn(n, k, dtype=kind)
            row[name] = round(2e-9 * m * k * n / seconds(partial(torch.nn.functional.linear, x, weight)))
        x, weight = (torch.randint(-127, 128, size, dtype=torch.int8) for size in ((m, k), (k, n)))
        row["int8"] = round(2e-9 * m * k * n / seconds(partial(torch._int_mm, x, weight)))
        rows.append(row)
    return rows


def seconds(function: Callable[[], object], tries: int = 5, least: float = 0.05) -> float:
    """How long a call takes at its best, each try being as many calls as take `least` seconds."""
    function()
    started = time.perf_counter()
    function()
    calls = max(1, math.ceil(least / max(time.perf_counter() - started, 1e-9)))

    def attempt() -> float:
        started = time.perf_counter()
        for _ in range(calls):
            function()
        return (time.perf_counter() - started) / calls

    return min(attempt() for _ in range(tries))


# ---- training --------------------------------------------------------------------------------------------------------


def work(model: "Model", src_tokens: float, tgt_tokens: float) -> float:
    """Multiplications and additions that one sentence of so many tokens needs, forward: the products with weights, and
    the attention's. Padding, dropout and all that goes element by element count as nothing.
    """
    config, d = model.config, model.decoder

    def size(module: Any) -> int:
        return sum(w.numel() for w in module.parameters() if w.ndim == 2)

    parts = {name: size(part) for name, part in d.context.named_children()}
    remembering = parts.get("key", 0) + parts.get("value", 0)
    querying = parts.get("query", 0) + parts.get("output", 0)
    once, source = size(d.bridge), size(model.encoder.layers) + remembering
    target = size(d.layers) + querying + size(d.readout) + model.output.out_features * config.embedding
    words = 0
    if d.lexical is not None:
        target, words = target + size(d.lexical), config.embedding
    scoring = config.hidden if config.context in ("dot", "general") else config.attention
    attending = 0 if d.context.fixed else scoring + d.context.size + words  # for a pair of positions
    return 2.0 * (once + src_tokens * source + tgt_tokens * (target + src_tokens * attending))


def training(settings: "Settings", corpus: "Corpus", updates: int, threads: int, rate: float, folder: Path) -> Row:
    """Target tokens a second, and the share of `rate` (GFLOP/s) that the useful arithmetic makes.

    As many updates go before, so that the clock sees none of the first ones. The folder then holds the model.
    """
    import torch

    from seq2seq.folder import checkpoint
    from seq2seq.training.trainer import Trainer, prepare
    from seq2seq.training.workers import default_workers

    torch.set_num_threads(threads)
    training, hidden = settings.training, settings.model.hidden
    workers = min(threads, training.workers) or default_workers(threads, training.batch_tokens, hidden)
    training = replace(training, updates=2 * updates, validate_every=updates, workers=workers)
    settings = settings._replace(training=training)
    few = corpus._replace(dev=corpus.dev[:2])
    tokenizers = prepare(settings, few, silent)
    layout.save_settings(folder, settings._asdict(), *tokenizers)
    trainer = Trainer(settings, few, tokenizers, folder, "cpu", silent)
    trainer.run(quiet=True)
    speed = trainer.progress.metrics[-1]["tgt_tokens_per_s"]
    src, tgt = (sum(len(ids) + 1 for ids in side) / len(side) for side in (trainer.data.src, trainer.data.tgt))
    useful = 3 * work(trainer.model, src, tgt) / tgt * speed / 1e9
    return {
        "parameters": sum(w.numel() for w in checkpoint.weights_of(trainer.model).values()),
        "threads": threads,
        "workers": workers,
        "tgt_tokens_per_s": speed,
        "gflops": round(useful),
        "share": round(useful / rate, 3),
        "memory_mb": memory(),
    }


def silent(message: str) -> None:
    """For those who would be told something."""


# ---- translating -----------------------------------------------------------------------------------------------------


def translating(folder: Path, text: Path, beam: int, threads: int) -> Row:
    """A model that translates the lines of a file, all together and then one at a time; start-up stands apart.

    All together they are shared by a process a thread, as the command does it.
    """
    started = time.perf_counter()
    if layout.is_exported(folder):
        from seq2seq.onnx.runtime import load

        bundle = load(folder, 1)
    else:
        import torch

        from seq2seq.folder.checkpoint import load_model

        torch.set_num_threads(threads)
        bundle = load_model(folder)
    from seq2seq.translation.translator import LineTranslator

    loading, lines = time.perf_counter() - started, text.read_text(encoding="utf-8").splitlines()
    config = replace(bundle.search, beam=beam)
    alone, together = (LineTranslator(bundle, config, workers=count) for count in (1, threads if CAN_FORK else 1))
    alone.translate(lines[:2])
    started = time.perf_counter()
    together.translate(lines)
    taken = time.perf_counter() - started
    each = []
    for line in lines[:ALONE]:
        started = time.perf_counter()
        alone.translate([line])
        each.append(1000 * (time.perf_counter() - started))
    each.sort()
    return {
        "beam": beam,
        "threads": threads,
        "words_per_s": round(sum(len(line.split()) for line in lines) / taken),
        "sentences_per_s": round(len(lines) / taken, 1),
        "seconds": round(taken, 2),
        "p50_ms": round(each[len(each) // 2], 1),
        "p99_ms": round(each[int(0.99 * len(each))], 1),
        "loading_s": round(loading, 2),
        "memory_mb": memory(),
    }


def command(folder: Path, text: Path, beam: int, threads: int) -> float:
    """Seconds that the whole command takes, from its start to its end."""
    arguments = ["translate", "--model", folder, "--input", text, "--output", os.devnull, "--quiet"]
    numbers = ["--beam", beam, "--threads", threads]
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "seq2seq", *map(str, [*arguments, *numbers])], check=True)
    return time.perf_counter() - started


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def memory() -> int:
    """The most memory that this process has had resident so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # rusage would count that of the process which started this one
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**20
