"""Translate standard input, a file, or lines typed at a prompt.

echo "A man is riding a bike." | python scripts/translate.py
"""

from seq2seq.commands.translate import main

if __name__ == "__main__":
    raise SystemExit(main())
