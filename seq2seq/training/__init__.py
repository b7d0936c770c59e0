"""Training: from settings and a corpus to a model folder, resumable to the bit.

Other rooms use `settings` (recipes and what overrides them), `trainer` (one run in one folder), `distributed` (the
processes of torchrun), `workers` (processes that share a batch on a CPU) and `resume` (training states). Inside,
`trainer` is built from `epochs`, `collation`, `objective`, `optimization`, `validation` and `signals`.
"""
