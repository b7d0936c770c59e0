"""Measuring the processor's peak; the figures themselves depend on the machine."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from seq2seq.reporting import peak
from seq2seq.reporting.peak import best_seconds, measure_products


def test_products_are_counted_as_two_operations_per_weight_and_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "best_seconds", lambda product: [product(), 1e-6][1])
    [row] = measure_products([(20, 64, 48)], threads=1)
    expected = round(2 * 20 * 64 * 48 / 1e-6 / 1e9)
    assert row == {"M": 20, "K": 64, "N": 48, "threads": 1, "fp32": expected, "bf16": expected, "int8": expected}


def test_the_best_of_several_tries_counts() -> None:
    naps = iter([0.0, 0.02, *[0.03, 0.01] * 100])
    function: Callable[[], Any] = lambda: time.sleep(next(naps))  # noqa: E731
    assert 0.01 <= best_seconds(function, tries=4, shortest=0.01) < 0.02
