"""Documents of many formats: read into segments, and written back with their translations. Knows no model.

Other rooms use `document` (a document as a sequence of events), and the formats, each with its function `events`:
`hypertext` (HTML; `text_events` for a page or fragment that is text already) and `markdown`. Inside this room are used
`hypertext_tokens`, `hypertext_charset`, `hypertext_elements` and `hypertext_runs`; `markdown_parser`,
`markdown_text` and `front_matter`.
"""
