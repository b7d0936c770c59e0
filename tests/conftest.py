"""Shared by all tests: one thread, a handler of SIGINT, and models that are trained once."""

import os
import signal

# Before torch is loaded: with other programs running, two threads would spin for minutes.
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import hypothesis
import languages_task
import pytest
import torch
from once import once
from reversal_task import Learnt, learn

from seq2seq.translation.padding import use_strict_products

signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in the background jobs of a shell
use_strict_products()  # before any product
torch.set_num_threads(1)  # everything here is too small for more
hypothesis.settings.register_profile("tests", deadline=None)  # the time of an example depends on other programs
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """The model that has learnt to reverse digits; copy its folder to change it."""
    return once(tmp_path_factory, "reverser", learn)


@pytest.fixture(scope="session")
def polyglot(tmp_path_factory: pytest.TempPathFactory) -> languages_task.Learnt:
    """The model of many languages that has learnt the task of `languages_task`, and its text."""
    return once(tmp_path_factory, "polyglot", languages_task.learn)
