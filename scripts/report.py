"""Write one HTML page about a trained model.

python scripts/report.py --model DIR
"""

from seq2seq.commands.report import main

if __name__ == "__main__":
    raise SystemExit(main())
