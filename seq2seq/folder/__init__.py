"""A model is a folder: settings, tokenizers, weights and a manifest. Nothing in it is ever unpickled.

Other rooms use `files` (atomic writes, the manifest), `layout` (the names of the files, settings and tokenizers;
needs no torch) and `checkpoint` (weights in and out, `load_model`).
"""
