"""Parallel text: lines to sentence pairs, ids, batches and scores. This room does not know models.

Other rooms use `sources` (files, tables and hub data sets to pairs of lines), `corpus` (the parts of a corpus),
`multilingual` (the corpora of many languages), `directions` (pairs of languages, and how often each is read),
`detection` (the language of a text), `quality` (checks that find suspicious pairs), `preparation` (pairs as a model
reads them), `tokenizer` (SentencePiece), `ragged` (many lists of ids in one array), `batches` (padded arrays under a
token budget), `vectors` (pre-trained word vectors) and `scoring` (BLEU, chrF, TER).
"""
