"""YAML front matter: the values of `title` and `description` that stand on one line; all else stays as it is.

YAML is not parsed: a value that needs more of it than quotes around it is not found. Knows no Markdown.
"""

from typing import NamedTuple

KEYS = ("title", "description")

_INDICATORS = frozenset("!&*-?[]{}|>@`%#,:\"'=~")  # what a value without quotes does not start with here
_NOT_TEXT = frozenset(["false", "n", "no", "null", "off", "on", "true", "y", "yes"])


class Scalar(NamedTuple):
    """A value, with its place in the document, quotes included."""

    start: int
    end: int
    text: str
    quote: str

    def written(self, text: str) -> str:
        """Another text in its place."""
        text = " ".join(text.split())
        if self.quote == "'":
            return "'" + text.replace("'", "''") + "'"
        if self.quote == '"' or not _is_plain(text):
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return text


def scalars(lines: list[str], start: int) -> list[Scalar]:
    """The values in the lines of front matter, of which the first is at `start`."""
    found = list[Scalar]()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        key, colon, value = line.partition(": ")
        text = value.strip()
        if colon and key in KEYS and not following.startswith((" ", "\t")):
            begin = start + line.index(value) + len(value) - len(value.lstrip())
            quote = text[:1]
            if quote in ("'", '"') and len(text) > 1 and text[-1] == quote and not {quote, "\\"} & set(text[1:-1]):
                found.append(Scalar(begin, begin + len(text), text[1:-1], quote))
            elif _is_plain(text):
                found.append(Scalar(begin, begin + len(text), text, ""))
        start += len(line)
    return found


def _is_plain(text: str) -> bool:
    """Whether YAML reads the text as a string without quotes, whatever its version."""
    if text[:1] in _INDICATORS or ": " in text or " #" in text or text.endswith(":"):
        return False
    word = text.isalpha() and text.lower() not in _NOT_TEXT
    return word or (text.isprintable() and " " in text and not text[0].isdigit())
