"""Messages of programs and translators' files: `gettext_po`, `xliff`, `android` (strings.xml) and `json_strings`.

`xml_bytes` reads XML as tokens that keep their bytes.
"""
