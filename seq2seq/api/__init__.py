"""The functions that Python programs call; `import seq2seq` exports them.

`translator` defines `load` and `Translator`, `training` defines `train`, `evaluation` defines `evaluate`. The commands
use the same functions, and those of `models` (opens model folders, chooses a direction), `terms` (reads glossaries),
`choosing` (what chooses among the n best), `tuning` (with which weights) and `computing` (device and threads).
`exported` keeps exported models in the user's cache. `training` itself uses `planning` (where a run is written, what
its options specify), `results` (its scores and card), `finetuning` (what it takes over from a trained model), `fitting`
(settings that fit the text and the time there is), `distillation` (synthetic training pairs by teacher models) and
`restarting` (a job that torchrun started again).
`checking` asks models about the pairs of a text.
"""
