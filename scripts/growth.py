"""Measure how the cost of training and of translating grows with size, and draw it: docs/results.md, "Growth".

    python scripts/growth.py --out FOLDER                  # a quarter of an hour on two idle cores
    python scripts/growth.py --out FOLDER --only training  # or length, beam, vocabulary, pairs
    python scripts/growth.py --out FOLDER --pairs 10000000 # text up to this size

Each point is measured in a process of its own. Models are untrained and sentences are random ids, since the time does
not depend on them; every translation has as many tokens as its source. FOLDER receives growth.json, to which later runs
add, growth.md and growth.svg. An exponent is the slope of the last two points on logarithmic axes: 1 is linear.
"""

import argparse
import gzip
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator

from seq2seq.network.model import Model, ModelConfig
from seq2seq.reporting.isolation import peak_memory, run_isolated
from seq2seq.text.corpus import shipped
from seq2seq.text.ragged import Ragged
from seq2seq.text.tokenizer import BOS, EOS
from seq2seq.training.collation import collate
from seq2seq.training.objective import Objective
from seq2seq.training.optimization import TrainingConfig
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import Request, SearchConfig, search
from seq2seq.translation.unit_search import COUNTED

TOKENS = 12  # of a sentence, where the length is not what varies
SPECIAL = 4  # ids that are no words
MIN_SECONDS = 2.0  # that a point is measured for, after one repetition that does not count


class Growth(NamedTuple):
    """A cost against a size."""

    sizes: str
    cost: str
    measure: Callable[..., dict[str, float]]
    points: dict[str, list[tuple[Any, ...]]]  # name of the line -> the arguments of each point, its size first


def main() -> None:
    """Measure what is asked for, and write the table and the picture of all that was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=["training", "length", "beam", "vocabulary", "pairs"])
    parser.add_argument("--pairs", type=int, default=1_000_000)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    path, growths = options.out / "growth.json", growth_of(options.pairs, options.out)
    rows: dict[str, list[dict[str, Any]]] = json.loads(path.read_text()) if path.exists() else {}
    for name in [options.only] if options.only else growths:
        rows[name] = []
        for line, points in growths[name].points.items():
            for point in points:
                row = {"line": line, "size": point[0], **run_isolated(growths[name].measure, *point)}
                rows[name].append(row)
                print(name, json.dumps(row), flush=True)
        path.write_text(json.dumps(rows, indent=1))
    measured = {name: growths[name] for name in rows}
    (options.out / "growth.md").write_text(table(measured, rows))
    draw(measured, rows).savefig(options.out / "growth.svg", metadata={"Date": None})


def growth_of(most_pairs: int, out: Path) -> dict[str, Growth]:
    """What is measured, with text of up to `most_pairs`, which lies in `out` meanwhile."""
    hidden = [256, 512, 768, 1024]
    counts = [count for count in (30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000) if count <= most_pairs]
    return {
        "training": Growth(
            "hidden size",
            "ms a target token",
            training,
            {f"{layers} layer{'s' * (layers > 1)}": [(size, layers, 8000) for size in hidden] for layers in (1, 2, 4)},
        ),
        "length": Growth(
            "tokens of a sentence",
            "ms a sentence",
            translating,
            {"beam 5": [(length, 5, 8000, length) for length in (10, 25, 50, 100, 200)]},
        ),
        "beam": Growth(
            "beam",
            "ms a sentence",
            translating,
            {f"{TOKENS} tokens": [(beam, beam, 8000, TOKENS) for beam in (1, 2, 5, 10, 20)]},
        ),
        "vocabulary": Growth(
            "vocabulary",
            "ms a sentence or target token",
            vocabulary,
            {kind: [(v, kind) for v in (4000, 8000, 16_000, 32_000, 64_000)] for kind in ("translating", "training")},
        ),
        "pairs": Growth(
            "pairs",
            "seconds to the second update",
            starting,
            {
                f"{'second' if again else 'first'} start": [(count, out / f"pairs-{count}", again) for count in counts]
                for again in (False, True)
            },
        ),
    }


# ---- measurements ----------------------------------------------------------------------------------------------------


def training(hidden: int, layers: int, vocabulary: int) -> dict[str, float]:
    """Milliseconds a target token of an update: forward, backward and AdamW, on batches of 3,000 tokens."""
    model = untrained(hidden, layers, vocabulary)
    objective = Objective(model, TrainingConfig(precision="fp32"), "cpu")
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    pairs = 3000 // TOKENS
    batch = collate(random_ids(pairs, TOKENS, vocabulary), random_ids(pairs, TOKENS - 1, vocabulary), range(pairs))

    def update() -> None:
        objective.backward(batch, pairs * TOKENS, 0.0)
        optimizer.step()
        optimizer.zero_grad()

    seconds = repeated(update)
    return {"cost": 1000 * seconds / pairs / TOKENS, "per_s": pairs * TOKENS / seconds, "memory_mb": peak_memory()}


def translating(_: int, beam: int, vocabulary: int, length: int) -> dict[str, float]:
    """Milliseconds a sentence, in batches of 1,024 source tokens as `translate` makes them."""
    torch.set_num_threads(1)  # as in each process of `translate`
    model = untrained(256, 1, vocabulary).eval()
    count = 1024 // min(length, COUNTED)
    engine, config = TorchEngine(model), SearchConfig(beam=beam, min_length=length)
    src = np.stack(list(random_ids(count, length, vocabulary)))
    requests = [Request(length + 1)] * count
    seconds = repeated(
        lambda: search(engine.propose, engine.start(src, np.ones_like(src, bool)), requests, config, BOS, EOS)
    )
    return {"cost": 1000 * seconds / count, "per_s": count / seconds, "memory_mb": peak_memory()}


def vocabulary(size: int, kind: str) -> dict[str, float]:
    """Either of them, by the size of the vocabulary."""
    return training(256, 1, size) if kind == "training" else translating(size, 5, size, TOKENS)


def starting(count: int, folder: Path, again: bool) -> dict[str, float]:
    """Seconds that `train` takes to two updates and the scores of ten pairs.

    The first time makes the text and leaves it in the folder with its cache; the second time (`again`) uses both.
    """
    if not again:
        shutil.rmtree(folder, ignore_errors=True)
        write_text(folder / "text", count)
    settings = ["training.updates=2", "training.validate_every=2", "tokenizer.sampling=0"]
    options = ["--recipe", "tatoeba-large", "--out", str(folder / "model"), "--overwrite", "--quiet"]
    options += [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "seq2seq", "train", "--data", str(folder / "text"), "--src", "en", "--tgt", "de"]
    started = time.perf_counter()
    cache = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, env=cache)
    seconds = time.perf_counter() - started
    if again:
        shutil.rmtree(folder)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"cost": seconds, "per_s": count / seconds, "memory_mb": round(memory)}


def untrained(hidden: int, layers: int, vocabulary: int) -> Model:
    """A GRU with as many encoder as decoder layers; `hidden` is the decoder's size, and that of both directions."""
    torch.manual_seed(1)
    sizes = ModelConfig(
        hidden=hidden, encoder_hidden=(hidden // 2, hidden // 2), encoder_layers=layers, decoder_layers=layers
    )
    return Model(sizes, vocabulary, vocabulary)


def random_ids(count: int, length: int, vocabulary: int) -> Ragged:
    """Sentences of one length."""
    return Ragged.of(np.random.default_rng(1).integers(SPECIAL, vocabulary, (count, length)).tolist())


def repeated(action: Callable[[], object]) -> float:
    """Seconds of one repetition, the median of some."""
    action()
    seconds: list[float] = []
    while sum(seconds) < MIN_SECONDS or len(seconds) < 3:
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def write_text(folder: Path, count: int) -> None:
    """The shipped corpus again and again, each pair with a number of its own, so that none is a duplicate."""
    folder.mkdir(parents=True)
    for lang in ("en", "de"):
        lines = gzip.decompress((shipped() / f"train.{lang}.gz").read_bytes()).decode().splitlines()
        with (folder / f"train.{lang}").open("w", encoding="utf-8") as file:
            file.writelines(f"{line} {i // len(lines)}\n" for i, line in enumerate(islice(cycle(lines), count)))
        (folder / f"dev.{lang}").write_text("".join(f"{line}\n" for line in lines[:10]), encoding="utf-8")


# ---- table and picture -----------------------------------------------------------------------------------------------


def exponent(rows: list[dict[str, Any]]) -> float:
    """The slope of the last two points of a line on logarithmic axes."""
    (size, cost), (larger, more) = [(row["size"], row["cost"]) for row in rows[-2:]]
    return math.log(more / cost) / math.log(larger / size)


def lines_of(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The points of each line."""
    return {name: [row for row in rows if row["line"] == name] for name in dict.fromkeys(row["line"] for row in rows)}


def table(growths: dict[str, Growth], rows: dict[str, list[dict[str, Any]]]) -> str:
    """All points in Markdown."""
    written = ""
    for name, growth in growths.items():
        written += f"\n| {growth.sizes} | | {growth.cost} | a second | MB | exponent |\n|---|---|---|---|---|---|\n"
        for line, points in lines_of(rows[name]).items():
            for number, row in enumerate(points):
                slope = f"{exponent(points[: number + 1]):.2f}" if number else ""
                cost, rate = f"{row['cost']:.3g}", f"{row['per_s']:,.0f}"
                written += f"| {row['size']:,} | {line} | {cost} | {rate} | {row['memory_mb']:,.0f} | {slope} |\n"
    return written.lstrip()


def draw(growths: dict[str, Growth], rows: dict[str, list[dict[str, Any]]]) -> Figure:
    """A plot of each cost on logarithmic axes, with the exponent of each line at its end."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "seq2seq"}):
        figure = Figure(figsize=(12, 7), layout="constrained")
        places = figure.subplots(2, 3).ravel()
    for place in places[len(growths) :]:
        place.remove()
    short = EngFormatter(sep="")
    for (name, growth), axes in zip(growths.items(), places, strict=False):
        for line, points in lines_of(rows[name]).items():
            sizes, costs = [row["size"] for row in points], [row["cost"] for row in points]
            axes.loglog(sizes, costs, marker=".", label=f"{line}, exponent {exponent(points):.2f}")
            axes.set_xticks(sizes, [f"{size:,}" if size < 10_000 else short(size) for size in sizes])
        axes.minorticks_off()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set(title=name.capitalize(), xlabel=growth.sizes, ylabel=growth.cost)
        axes.legend(frameon=False, fontsize=8)
    return figure


if __name__ == "__main__":
    main()
