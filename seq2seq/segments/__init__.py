"""What stands in text around its language: sentences, what is kept untranslated, inline markup. Knows no model.

Other rooms use `segment` (text with marks where something stands that is not language), `reading` (a segment as the
sentences that a model reads), `placing` (marks put into a translation), `pairs` (the two texts of a pair as a model is
trained on them), `keeping` (what is kept, found and put back), `normalisation` (composed characters, plain spaces),
`glossary` (terms found in a text, and phrases to avoid), `words` (where words begin and end), `elision` (the word
before a phrase), `case` (capitals and titles) and `pieces` (characters that stand for values). Inside, `patterns` has
the patterns of what is kept, `names` tells names, `numbers`, `large_numbers`, `number_lists`, `dates`, `times` and
`ranges` write them anew for the target language, and `sentences` finds where sentences end.
"""
