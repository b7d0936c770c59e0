"""Serve translations over HTTP: a page for the browser, and LibreTranslate's API for programs.

python scripts/serve.py
"""

from seq2seq.commands.serve import main

if __name__ == "__main__":
    raise SystemExit(main())
