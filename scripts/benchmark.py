"""Measure how fast this machine trains and translates, beside the peak of its processor.

python scripts/benchmark.py --data DIR --src en --tgt de
"""

from seq2seq.commands.benchmark import main

if __name__ == "__main__":
    raise SystemExit(main())
