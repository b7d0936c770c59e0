"""Messages of programs and translators' files: `gettext_po`, `xliff`, `android` (strings.xml) and `json_strings`.

`gettext_entries` and `gettext_header` read the lines of PO files, `xml_bytes` reads XML as tokens that keep their bytes.
"""
