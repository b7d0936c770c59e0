"""The processor's peak: the speed of matrix products, which bounds training and translating. Knows no model."""

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch


def measure_products(shapes: Sequence[tuple[int, int, int]], threads: int) -> list[dict[str, Any]]:
    """GFLOP/s of x (M, K) times a weight (K, N), for each shape M, K, N, in fp32, bf16 and int8 (10^9 operations/s)."""
    torch.set_num_threads(threads)
    rows = []
    for m, k, n in shapes:
        row: dict[str, Any] = {"M": m, "K": k, "N": n, "threads": threads}
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            x, weight = torch.randn(m, k, dtype=dtype), torch.randn(n, k, dtype=dtype)
            row[name] = round(2e-9 * m * k * n / best_seconds(partial(torch.nn.functional.linear, x, weight)))
        x, weight = (torch.randint(-127, 128, size, dtype=torch.int8) for size in ((m, k), (k, n)))
        row["int8"] = round(2e-9 * m * k * n / best_seconds(partial(torch._int_mm, x, weight)))
        rows.append(row)
    return rows


def best_seconds(function: Callable[[], object], tries: int = 5, shortest: float = 0.05) -> float:
    """Seconds per call in the fastest of several tries; a try repeats the call until it takes `shortest` seconds."""
    function()
    started = time.perf_counter()
    function()
    calls = max(1, math.ceil(shortest / max(time.perf_counter() - started, 1e-9)))

    def attempt() -> float:
        started = time.perf_counter()
        for _ in range(calls):
            function()
        return (time.perf_counter() - started) / calls

    return min(attempt() for _ in range(tries))
