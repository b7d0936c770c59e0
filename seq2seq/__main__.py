"""`python -m seq2seq NAME ...` is `seq2seq NAME ...`."""

from seq2seq.commands import main

if __name__ == "__main__":
    raise SystemExit(main())
