"""Zip archives of XML: `word_document` (DOCX), `presentation` (PPTX), `open_document` (ODT, ODS, ODP) and `epub`.

`archive` and `xml_member` read and write them. `package`, `runs` and `writer` are for DOCX and PPTX, `markup_tree` is
for the others.
"""
