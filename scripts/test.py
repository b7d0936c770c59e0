"""Create the environment and run the tests.

    python3 scripts/test.py

Arguments are passed on to pytest. The tests run in one process more than there are cores, four at most: each test has
one thread, and some wait for other programs.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

from environment import ROOT, environment


def main(argv: Sequence[str] | None = None) -> int:
    """Run pytest with these arguments; returns its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    processes = ["-n", str(min(4, (os.cpu_count() or 1) + 1)), "--dist", "worksteal"]
    return subprocess.run([environment(), "-m", "pytest", *processes, *arguments], cwd=ROOT).returncode


if __name__ == "__main__":
    raise SystemExit(main())
