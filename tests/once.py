"""What takes long to make is made once in a run of the tests, also when several processes share the run."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

T = TypeVar("T")


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """What `make` returns for a new folder of this name.

    The first process that needs it calls `make`; the others wait for it and get a copy. The folder is the same one for
    all, so tests must not change it.
    """
    own = tmp_path_factory.getbasetemp()
    of_the_run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = of_the_run / f"{name}.pickle"
    with FileLock(f"{made}.lock"):
        if not made.exists():
            result = make(tmp_path_factory.mktemp(name))
            made.write_bytes(pickle.dumps(result))
        return pickle.loads(made.read_bytes())  # type: ignore[no-any-return]
