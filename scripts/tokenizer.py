"""Learn a SentencePiece model; encode and decode lines.

python scripts/tokenizer.py learn --input train.en --input train.de --out spm.model
echo "A cat sleeps." | python scripts/tokenizer.py encode --model spm.model
"""

from seq2seq.commands.tokenizer import main

if __name__ == "__main__":
    raise SystemExit(main())
