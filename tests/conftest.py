"""Shared by all tests: one thread, a handler of SIGINT, and one trained model per session."""

import os
import signal

os.environ.setdefault(
    "GOMP_SPINCOUNT", "0"
)  # before torch is loaded: with other programs running, two threads would spin for minutes

import pytest
import torch
from reversal_task import Learnt, learn

signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in the background jobs of a shell
torch.set_num_threads(1)  # everything here is too small for more


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """The model that has learnt to reverse digits; copy its folder to change it."""
    return learn(tmp_path_factory.mktemp("reverser"))
