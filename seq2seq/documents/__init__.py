"""Documents of many formats: read into segments, and written back with their translations. Knows no model.

Other rooms use `document` (a document as a sequence of events).

Formats of translators and applications: `gettext_po` (PO), `xliff` (XLIFF 1 and 2), `android` (strings.xml),
`json_strings` (JSON of texts); `xml_bytes` (XML as tokens with their bytes) is what two of them are built on.
"""
