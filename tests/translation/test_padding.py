"""Padding to shapes that keep results the same in every batch, and MKL's mode."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from reversal_task import to_the_bit

from seq2seq.network.model import ModelConfig
from seq2seq.translation.padding import pad_positions, pad_rows, smallest_columns, use_strict_products

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(("rows", "multiple", "padded"), [(1, 4, 4), (4, 4, 4), (5, 4, 8), (3, 1, 3), (3, 2, 4)])
def test_rows_are_repeated_up_to_a_multiple(rows: int, multiple: int, padded: int) -> None:
    x = torch.arange(2 * rows).reshape(rows, 2)
    found = pad_rows(x, multiple)
    assert torch.equal(found[:rows], x)
    assert torch.equal(found[rows:], x[-1:].expand(padded - rows, 2))


@pytest.mark.parametrize(
    ("length", "columns", "padded"),
    [(1, 256, 16), (16, 256, 16), (17, 256, 32), (1, 24, 32), (1, 3, 144), (200, 3, 208)],
)
def test_positions_are_a_multiple_and_make_no_small_product(length: int, columns: int, padded: int) -> None:
    found = pad_positions(torch.ones(2, length, dtype=torch.int64), columns)
    assert found.shape == (2, padded)
    assert found.sum() == 2 * length and found[:, :length].all()
    assert padded * columns >= 400


def test_the_narrowest_product_with_positions() -> None:
    sizes = {"embedding": 40, "encoder_hidden": (48, 16), "hidden": 56, "attention": 24, "heads": 8}
    assert smallest_columns(ModelConfig(context="additive", **sizes)) == 40  # type: ignore[arg-type]
    assert smallest_columns(ModelConfig(context="multihead", **sizes)) == 3  # type: ignore[arg-type]


def test_the_environment_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MKL_CBWR", raising=False)
    use_strict_products()
    assert "MKL_CBWR" not in os.environ
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    use_strict_products()
    assert os.environ["MKL_CBWR"] == "COMPATIBLE"


@to_the_bit
def test_the_number_of_rows_changes_no_bit_of_a_product_in_a_new_process() -> None:
    """Of the sizes of real models, which tiny ones do not stand for: kernels are chosen by size."""
    program = """if True:
        import torch
        from seq2seq.translation.padding import use_strict_products
        use_strict_products()
        torch.manual_seed(0)
        for columns, outputs in ((256, 1024), (512, 2048), (1024, 512), (1152, 256), (256, 4000), (384, 8000)):
            weight, rows = torch.randn(outputs, columns), torch.randn(640, columns)
            results = []
            for threads in (1, 2):
                torch.set_num_threads(threads)
                for count in (*range(4, 100, 4), 320, 640):
                    results.append(torch.nn.functional.linear(rows[:count], weight)[:4])
            print(columns, outputs, all(torch.equal(result, results[0]) for result in results))
    """
    environment = {name: value for name, value in os.environ.items() if name != "MKL_CBWR"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(ROOT)},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["True"] * 6, done.stdout
