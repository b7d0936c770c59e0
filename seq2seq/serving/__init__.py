"""Translations over HTTP. Other rooms use `server` (the ASGI application and its settings), `running` (runs it), and
for the settings `limits`, `keys` (API keys from a file) and `gate` (from where the server may be used).

The way of a request: `gate` checks where it comes from, `server` routes it by the table of `specification`, `bodies`
reads its fields, `interface` checks them as LibreTranslate does. `translations` finds its languages (`detection`) and
its glossary (`terms`), and divides its texts into segments (`texts`); `worker` translates them, a portion at a time
(`tasks`), in turns with those of others (`turns`). `files` keeps translated documents, `metrics` counts, `assets` sends
the page for people, whose files are in page/.
"""
