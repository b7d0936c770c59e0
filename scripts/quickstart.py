"""Make the environment, install the project, and train an English-German translator on the sentences that ship with it.

    python3 scripts/quickstart.py

Arguments are handed to train.py.
"""

import subprocess
import sys
from collections.abc import Sequence

from environment import ROOT, environment


def main(argv: Sequence[str] | None = None) -> int:
    """Train, with any arguments of train.py; returns its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        return subprocess.run([environment(), "scripts/train.py", *arguments], cwd=ROOT).returncode
    except KeyboardInterrupt:  # the training was interrupted too, and said so
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
