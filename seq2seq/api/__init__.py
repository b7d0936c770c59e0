"""The functions that Python programs call; `import seq2seq` exports them.

`translator` defines `load` and `Translator`, `training` defines `train`, `evaluation` defines `evaluate`. The commands
use the same functions, and those of `models` (opens model folders, chooses a direction), `computing` (device and
threads) and `terms` (reads glossaries). `exported` keeps exported models in the user's cache. `training` itself uses
`planning` (where a run is written, what its options specify), `finetuning` (what it takes over from a trained model),
`fitting` (settings that fit the text and the time there is) and `distillation` (synthetic training pairs by teacher
models).
"""
