"""Files of parallel text, as people have them, to rows of text by language. It does not know cleaning or models.

Other rooms use `source` (a folder, file or data set of the hub to the pairs of its parts), `request` (what to read),
`packed` (files, packed or not) and `text_lines` (their lines). Inside, `findings` collects what a person must be told,
`naming` says what a file's name means, `listing` assigns files to parts, and one module reads each format: `columns`
(what the columns of a table hold; `column_names`: what their names say; `labels`: what they say of each row), `tables`
(CSV, TSV and the like), `json_rows`, `parquet`, `gettext` (PO, MO), `units` (TMX, XLIFF; `unit_pieces` cuts damaged
ones) and `hub` (data sets of the Hugging Face hub).
"""
