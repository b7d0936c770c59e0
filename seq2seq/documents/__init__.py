"""Documents of many formats: read into segments, and written back with their translations. Knows no model.

Other rooms use `document` (a document as a sequence of events).

Formats of office programs and books: `word_document` (DOCX), `presentation` (PPTX), `open_document` (ODT, ODS, ODP),
`epub` (EPUB). They are built on `archive` (a zip archive), `xml_member` (an XML member of one), `markup_tree` (blocks
and elements around words), `office_runs` and `office_writer` (paragraphs of formatted runs), `office_package`.
"""
