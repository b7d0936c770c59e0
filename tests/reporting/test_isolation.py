"""A measurement in a new process: its memory is its own."""

import torch

from seq2seq.reporting.isolation import peak_memory, run_isolated


def test_a_new_process_has_its_own_memory() -> None:
    ballast = torch.ones(50_000_000)  # 200 MB
    assert peak_memory() - run_isolated(peak_memory) > ballast.numel() * 4 / 2**20 * 0.9
