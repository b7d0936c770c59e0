"""Decoding: lines in, translations out, for any engine that computes a model.

Other rooms use `bundle` (a model ready to translate), `translator` (lines and segments to translations), `texts` (texts
of several lines), `search` (beam search over an engine's steps), `phrase_text` (phrases that a translation must hold
or avoid), `inference` (the engine that computes in PyTorch), `padding` (what keeps results independent of the batch),
`translation_memory` (retrieval of similar pairs), `datastore` (the keys of their tokens), `nearest_neighbour`
(interpolation with these tokens), `rescoring` (other models choose among the n best), `consensus` (the n best
themselves do) and `tuning` (the weights of rescoring).
Inside, `assembly` takes a segment's sentences through a model as `units`, which `unit_search` searches for;
`beginnings` has what their translations begin with, `joining` makes the parts of a long sentence one again, `links`
has the alignment of words, and `replacing` puts terms in the place of what was found for them. `beam` has the
hypotheses of a search, and `constraints` decides how they may go on: by the tokens of `required`, and by `phrases`,
which follows phrases token by token. `loops` tells when they repeat themselves.
"""
