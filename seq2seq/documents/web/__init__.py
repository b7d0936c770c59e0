"""Web pages and Markdown.

HTML is `hypertext`, with `hypertext_tokens`, `hypertext_charset`, `hypertext_elements` and `hypertext_runs`. Markdown
is `markdown`, with `markdown_parser`, `markdown_text` and `front_matter`.
"""
