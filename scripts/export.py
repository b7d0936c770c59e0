"""Export a trained model to ONNX or to smaller weights.

python scripts/export.py --model DIR --out DIR2 --int8
"""

from seq2seq.commands.export import main

if __name__ == "__main__":
    raise SystemExit(main())
