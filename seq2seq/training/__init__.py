"""Training: from settings and a corpus to a model folder. A resumed run gives the same bytes as an uninterrupted one.

Other rooms use `settings` (`recipes` and overrides), `automatic` (the recipe that follows from the text), `pacing` (the
speed of a run), `trainer` (`Trainer`, the loop of one run), `texts` (the tokenizers and the training data of all
directions), `mapped_corpus` and `mapped_rows` (text that is larger than memory), `distributed` (the ranks of torchrun),
`workers` (processes that share a batch on a CPU) and `resume` (files of training states). Inside, `trainer` is the
loop, `state` what resuming needs, `step` one update of the weights; they are built from `epochs`, `text_cache` (arrays
in files), `pair_store` (pairs in them), `collation`, `initialisation`, `objective`, `optimization`, `validation` and
`signals`.
"""
