"""Documents of many formats: read into segments, and written back with their translations. Knows no model.

Other rooms use `document` (a document as a sequence of events), `formats` (their names, endings and modules) and
`progress` (goes on with an interrupted translation); and `web.hypertext`, whose `text_events` reads a page or fragment
that is text already. All formats may use `text_files` and `line_breaks`. A format is a module with a function `events`,
in the room of its kind: `plain`, `web`, `subtitles`, `messages`, `office`.
"""
