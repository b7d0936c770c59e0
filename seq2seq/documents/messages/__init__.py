"""Messages of programs and translators' files: `gettext_po`, `xliff`, `android` (strings.xml) and `json_strings`.

`gettext_entries` and `gettext_header` read PO files as lines, `xml_bytes` reads XML as tokens; both keep their bytes.
"""
