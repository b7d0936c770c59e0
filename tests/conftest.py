"""What all tests share: one thread, Ctrl-C, and one trained model a session."""

import os
import signal

os.environ.setdefault("GOMP_SPINCOUNT", "0")  # before torch: two threads beside another program would spin for minutes

import pytest
import torch
from reversal_task import Learnt, learn

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, and its children, would ignore it
torch.set_num_threads(1)  # everything here is too small to be shared between threads


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """The model that reverses digits; copy its folder to change it."""
    return learn(tmp_path_factory.mktemp("reverser"))
