"""A model is a folder of files: settings, tokenizers, weights and a manifest. Nothing in it is ever unpickled.

Other rooms use `files` (atomic writes, the manifest), `layout` (names of the files, settings and tokenizers; does not
import torch) and `checkpoint` (weights, `load_model`, `load_ensemble`); and
`user_cache`, the folder of what is made once and kept.
"""
