"""Documents of many formats: read into segments, and written back with their translations. Knows no model.

Other rooms use `document` (a document as a sequence of events), `formats` (their names, endings and modules) and
`progress` (goes on with an interrupted translation).
"""
