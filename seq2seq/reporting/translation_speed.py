"""The speed of translating: of a loaded model, and of the whole command.

This module imports no torch, so that an exported model is measured without it, as it is used.
"""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from seq2seq.folder import layout
from seq2seq.processes import CAN_FORK
from seq2seq.reporting.isolation import peak_memory

SINGLE = 100  # sentences that are translated one at a time


def measure_translating(folder: Path, text: Path, beam: int, threads: int) -> dict[str, Any]:
    """Translate the lines of a file, first all at once and then one at a time, and return the speed as a row.

    All at once is as the command does it, with one process per thread. `p50_ms` and `p99_ms` are percentiles of the
    latency of one line. Loading is reported apart, as `loading_s`.
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
    single, parallel = (LineTranslator(bundle, config, workers=count) for count in (1, threads if CAN_FORK else 1))
    single.translate(lines[:2])  # the first call is slower
    started = time.perf_counter()
    parallel.translate(lines)
    seconds = time.perf_counter() - started
    latencies = []  # ms
    for line in lines[:SINGLE]:
        started = time.perf_counter()
        single.translate([line])
        latencies.append(1000 * (time.perf_counter() - started))
    latencies.sort()
    return {
        "beam": beam,
        "threads": threads,
        "words_per_s": round(sum(len(line.split()) for line in lines) / seconds),
        "sentences_per_s": round(len(lines) / seconds, 1),
        "seconds": round(seconds, 2),
        "p50_ms": round(latencies[len(latencies) // 2], 1),
        "p99_ms": round(latencies[int(0.99 * len(latencies))], 1),
        "loading_s": round(loading, 2),
        "memory_mb": peak_memory(),
    }


def time_command(folder: Path, text: Path, beam: int, threads: int) -> float:
    """Seconds that `seq2seq translate` takes for the lines of a file, from its start to its end."""
    arguments = ["translate", "--model", folder, "--input", text, "--output", os.devnull, "--quiet"]
    numbers = ["--beam", beam, "--threads", threads]
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "seq2seq", *map(str, [*arguments, *numbers])], check=True)
    return time.perf_counter() - started
