"""Train a translation model, or resume its training.

python scripts/train.py                                            on the corpus that ships
python scripts/train.py --data DIR --src en --tgt de --out artifacts/runs/mine
python scripts/train.py --resume DIR
"""

from seq2seq.commands.train import main

if __name__ == "__main__":
    raise SystemExit(main())
