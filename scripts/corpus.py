"""Read parallel text of any kind, check, clean and divide it, and write it as a folder to train on.

python scripts/corpus.py --data memory.tmx --src en --tgt de --out DIR
python scripts/corpus.py --data DIR --src en --tgt de --check
"""

from seq2seq.commands.corpus import main

if __name__ == "__main__":
    raise SystemExit(main())
