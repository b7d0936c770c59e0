"""Parallel text: lines to sentence pairs, ids, batches and scores. This room does not know models.

Other rooms use `artifacts` (where text and models that ship are), `sources` (files, tables and hub data sets to pairs
of lines), `identity` (what names a text), `mapped` (pairs in mapped files), `cleaning` (which pairs are fit for
training), `corpus` (the parts of a corpus), `partition` and `clean_corpus` (dev and test that share no sentence with
train, written as a folder), `multilingual` (the corpora of many languages), `directions` (pairs of languages, and how
often each is read), `detection` (the direction that fits a text), `quality` (notices on a text), `alignment` (lines
that have slipped), `suspects` (what may be wrong with a pair), `adequacy` (pairs that models find unlikely),
`preparation` (pairs as a model reads them), `known_words` and `name_learning` (by which names are told that a model
cannot know), `tokenizer` (SentencePiece), `sampling` (random segmentations), `ragged`
(many lists of ids in one array), `batches` (padded arrays under a token budget), `vectors` (pre-trained word vectors),
`scoring` (BLEU, chrF, TER) and `utility` (the similarity of translations to one another).
"""
