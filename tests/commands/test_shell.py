"""The tests' own way of starting programs: one that fails leaves nothing running, and waits for nothing."""

import time
from pathlib import Path

import pytest
from running import children, is_running
from shell import start

SLEEP = "import time; print('ready', flush=True); time.sleep(1000)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the processes of a process are found in /proc")
def test_a_failure_kills_what_was_started_and_what_that_has_started() -> None:
    with pytest.raises(ValueError), start("-c", PARENT) as process:
        assert process.stdout
        process.stdout.readline()
        [child] = children(process.pid)
        raise ValueError
    assert process.returncode == -9
    end = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < end
        time.sleep(0.01)
