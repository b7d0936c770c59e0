"""The functions that Python programs call; `import seq2seq` exports them.

`translator` defines `load` and `Translator`, `training` defines `train`, `evaluation` defines `evaluate`. The commands
use the same functions, and those of `models` (opens model folders, chooses a direction) and `computing` (device and
threads). `exported` keeps exported models in the user's cache. `distillation` makes synthetic training pairs with
teacher models.
"""
