"""Score translations: BLEU, chrF and TER, each with its sacreBLEU signature.

python scripts/evaluate.py --model DIR --data DIR --split test
python scripts/evaluate.py --ref FILE --hyp A.txt --hyp B.txt      is B better than A?
"""

from seq2seq.commands.evaluate import main

if __name__ == "__main__":
    raise SystemExit(main())
