"""Decoding: lines in, translations out, for any engine that computes a model.

Other rooms use `translator` (lines to translations), `texts` (texts of several lines), `search` (beam search over an
engine's steps), `inference` (the engine that computes in PyTorch), `padding` (what keeps results independent of the
batch), `translation_memory` (retrieval of similar pairs) and `nearest_neighbour` (interpolation with their tokens).
"""
