"""Documents of many formats: read into segments, and written back with their translations. Knows no model.

Other rooms use `document` (a document as a sequence of events) and the formats: `lines` and `paragraphs` (plain text),
`subrip`, `webvtt` and `ass` (subtitles), `tables` (CSV and TSV). `text_files`, `line_breaks`, `cue_text` and `cues` are
what formats share.
"""
