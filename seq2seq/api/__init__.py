"""The package as a Python program uses it; `seq2seq` itself is the door to it.

`translator` holds `load` and `Translator` (text in, translations out), `training` holds `train`, `evaluation` holds
`evaluate`. The commands are built on the same functions, and use three more modules: `models` (opens model folders,
chooses a direction), `distillation` (text that teacher models translate) and `computing` (device and threads).
"""
