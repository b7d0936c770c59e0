"""Serve translations: a page in the browser, and an interface for programs.

python scripts/serve.py
"""

from seq2seq.commands.serve import main

if __name__ == "__main__":
    raise SystemExit(main())
