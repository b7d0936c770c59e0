"""Write one HTML page about a trained model: scores, learning curves, errors and attention maps.

python scripts/report.py --model DIR
"""

from seq2seq.commands.report import main

if __name__ == "__main__":
    raise SystemExit(main())
