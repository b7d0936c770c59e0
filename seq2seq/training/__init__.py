"""Training: from settings and a corpus to a model folder. A resumed run gives the same bytes as an uninterrupted one.

Other rooms use `settings` (`recipes` and overrides), `automatic` (the recipe that follows from the text), `pacing` (the
speed of a run), `trainer` (`Trainer`, the loop of one run), `texts` (the tokenizers and the training data of all
directions), `distributed` (the ranks of torchrun), `workers` (processes that share a batch on a CPU) and `resume`
(files of training states). Inside, `trainer` is the loop, `state` what resuming needs, `step` one update of the
weights; they are built from `epochs`, `collation`, `initialisation`, `objective`, `optimization`, `validation` and
`signals`.
"""
