"""Documents of many formats: read into segments, and written back with their translations. Knows no model.

Other rooms use `document` (a document as a sequence of events), `formats` (their names, endings and modules) and
`progress` (goes on with an interrupted translation); and of the formats, which are modules with a function `events`,
`hypertext`, whose `text_events` reads a page or fragment that is text already.

The formats, and what is only for them:
    plain text      `lines`, `paragraphs`, `tables` (CSV, TSV); with `text_files` and `line_breaks`
    subtitles       `subrip`, `webvtt`, `ass`; with `cues` and `cue_text`
    web pages       `hypertext` (HTML); with `hypertext_tokens`, `hypertext_charset`, `hypertext_elements`,
                    `hypertext_runs`
    Markdown        `markdown`; with `markdown_parser`, `markdown_text`, `front_matter`
    translators     `gettext_po`, `xliff`, `android` (strings.xml), `json_strings`; with `xml_bytes`
    office, books   `word_document` (DOCX), `presentation` (PPTX), `open_document` (ODT, ODS, ODP), `epub`; with
                    `archive`, `xml_member`, `markup_tree`, `office_runs`, `office_writer`, `office_package`
"""
