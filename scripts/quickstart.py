"""Create the environment, install the project, and train an English-German translator on the corpus that ships.

    python3 scripts/quickstart.py

Arguments are passed on to train.py.
"""

import subprocess
import sys
from collections.abc import Sequence

from environment import ROOT, environment


def main(argv: Sequence[str] | None = None) -> int:
    """Run train.py with these arguments; returns its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        return subprocess.run([environment(), "scripts/train.py", *arguments], cwd=ROOT).returncode
    except KeyboardInterrupt:  # train.py was interrupted too, and has printed its message
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
