"""The text of a Markdown block as a segment, and a translation as Markdown that is read as what it was meant to be.

What is written is parsed again. If the text and marks that are read are not those of the translation, it is escaped
more; if nothing helps, as where `**` cannot stand beside the letters it came to, the block keeps its source.
"""

import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token
from markdown_it.utils import EnvType

from seq2seq.documents.web.markdown_parser import BREAKS, Code, Part, Reader, Value, scratch
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark, Segment

PARAGRAPH, HEADING, CELL = "paragraph", "heading", "cell"
TASKS = ("[ ] ", "[x] ", "[X] ")  # at the start of an item

_SPACES = re.compile(r"[ \t\n]+")
_WORD = re.compile(r"\w")
_ESCAPED = {ord(character): "\\" + character for character in "\\`*_[]<>&~|!#"}
_FIRST = re.compile(r"(\d*)([-+=:.)])")  # what may be markup at the start of a line


class Content:
    """What is translated in the inline content of a block."""

    def __init__(self, markdown: MarkdownIt, env: EnvType, inline: Token, kind: str) -> None:
        self._markdown = markdown
        self._env = env
        self.kind = kind
        self.values = list[Value]()
        parts = tidy(Reader(markdown, inline.content, self.values).parts(inline.children or []))
        self._lead, core, self._tail = _trimmed(parts)
        self.segment = Segment.of_parts(core)
        self.has_words = bool(_WORD.search(self.segment.text))
        self._written_values = [value.source for value in self.values]

    def keep_value(self, number: int) -> Callable[[Segment], bytes]:
        """The `put` of a value, which is written with its content."""

        def keep(translation: Segment) -> bytes:
            self._written_values[number] = self._value(self.values[number], translation.text)
            return b""

        return keep

    def written(self, translation: Segment) -> str | None:
        """The content with the translation and the translated values; None if its source is to stay."""
        unchanged = self._written_values == [value.source for value in self.values]
        if translation == self.segment and unchanged:
            return None
        parts = [*self._lead, *_without_outer_breaks(translation.parts()), *self._tail]
        meant = tidy(
            [part if isinstance(part, str) else part._replace(code=self._of_code(part.code)) for part in parts]
        )
        for written in (_write(meant, False), _write(meant, True)):
            if self._is_read_as(written, meant):
                return written
        stars = [part if isinstance(part, str) else part._replace(code=_stars(part.code)) for part in meant]
        written = _write(stars, True)
        return written if self._is_read_as(written, stars) else None

    def _is_read_as(self, written: str, meant: list[Part]) -> bool:
        children = self._parsed(written)
        if children is None or written.startswith(TASKS) or (written.startswith("[!") and written[2:3] != "["):
            return False
        read = tidy(Reader(self._markdown, written).parts(children))
        return Segment.of_parts(read) == Segment.of_parts(meant)

    def _parsed(self, written: str) -> list[Token] | None:
        """The inline tokens of what is written; None if it would be another kind of block."""
        if self.kind == CELL:
            return self._markdown.parseInline(written, scratch(self._env))[0].children or []
        tokens = self._markdown.parse(f"# {written}" if self.kind == HEADING else written, scratch(self._env))
        kinds = [token.type for token in tokens]
        if kinds != [f"{self.kind}_open", "inline", f"{self.kind}_close"] or tokens[1].content != written:
            return None
        return tokens[1].children or []

    def _of_code(self, code: Code) -> str:
        if isinstance(code, str):
            return code
        return "".join(part if isinstance(part, str) else self._written_values[part] for part in code)

    def _value(self, value: Value, text: str) -> str:
        """The translated value as it stands in the source; its source if that cannot be written."""
        text = " ".join(text.split())
        if text == value.text:
            return value.source
        for written in (text, text.translate(_ESCAPED | {ord(value.quote): f"\\{value.quote}"})):
            if value.quote != "]":
                ends = written.replace("\\\\", "").replace(f"\\{value.quote}", "")
                if unescapeAll(written) == text and value.quote not in ends and not ends.endswith("\\"):
                    return written
            else:
                images = self._markdown.parseInline(f"![{written}](x)", scratch(self._env))[0].children or []
                inside = images[0].children or [] if len(images) == 1 and images[0].type == "image" else []
                if all(child.type == "text" for child in inside) and "".join(c.content for c in inside) == text:
                    return written
        return value.source


def tidy(parts: list[Part]) -> list[Part]:
    """The parts with single spaces, outside of pairs where they touch their ends, and one after each line break."""
    result, opens = list[Part](), list[Part]()
    space, start = False, True  # whether a space is due; whether nothing but the start of a line was written
    for part in parts:
        if isinstance(part, Mark) and part.kind == OPEN:
            opens.append(part)
            continue
        if isinstance(part, Mark) and part.kind == CLOSE:
            result += [*opens, part]
            opens = []
            start = start and not result
            continue
        words = _SPACES.sub(" ", part) if isinstance(part, str) else ""
        space = space or words.startswith(" ")
        if isinstance(part, str) and words in ("", " "):
            continue
        is_break = isinstance(part, Mark) and part.code in BREAKS
        if space and not start and not is_break:
            result.append(" ")
        result += opens
        opens, start, space = [], False, words.endswith(" ") or is_break
        result.append(words.strip(" ") if isinstance(part, str) else part)
        space = space or (isinstance(part, Mark) and part.kind == ALONE and _breaks(part.code) and not is_break)
    return Segment.of_parts([*result, *opens]).parts()


def _without_outer_breaks(parts: list[Part]) -> list[Part]:
    """The parts without line breaks and white space at their ends, where Markdown has none."""
    inside = [not (part.code in BREAKS if isinstance(part, Mark) else part.isspace()) for part in parts]
    if not any(inside):
        return []
    return parts[inside.index(True) : len(parts) - inside[::-1].index(True)]


def _breaks(code: Code) -> bool:
    """Whether the code is a `<br>`."""
    return isinstance(code, str) and code[:3].lower() == "<br"


def _trimmed(parts: list[Part]) -> tuple[list[Part], list[Part], list[Part]]:
    """The parts without pairs around all of them, images and other markup at their ends; these before and after."""
    first, last = 0, len(parts)
    while first < last:
        start, end = parts[first], parts[last - 1]
        if _is_outside(start):
            first += 1
        elif _is_outside(end):
            last -= 1
        elif isinstance(start, Mark) and start.kind == OPEN and _end(parts, first) == last - 1:
            first, last = first + 1, last - 1
        else:
            break
    return parts[:first], parts[first:last], parts[last:]


def _is_outside(part: Part) -> bool:
    if isinstance(part, str):
        return not part.strip(" ")
    code = part.code if isinstance(part.code, str) else part.code[0]
    return part.kind == ALONE or (part.kind == VALUE and code.startswith("!["))


def _end(parts: list[Part], start: int) -> int:
    """The index of the CLOSE of an OPEN."""
    depth = 0
    for index in range(start, len(parts)):
        part = parts[index]
        if isinstance(part, Mark):
            depth += (part.kind == OPEN) - (part.kind == CLOSE)
            if not depth:
                return index
    return -1


def _stars(code: str) -> str:
    """The code of emphasis as `*`, which may stand inside of words."""
    return code.replace("_", "*") if code in ("_", "__") else code


def _write(parts: list[Part], escape: bool) -> str:
    written, line_starts = "", True
    for part in parts:
        if isinstance(part, Mark):
            written += part.code
            line_starts = part.code in BREAKS or (line_starts and not part.code)
            continue
        text = part.lstrip(" ") if line_starts else part
        if escape:
            text = text.translate(_ESCAPED)
            if line_starts:
                start = _FIRST.match(text)
                text = f"{start[1]}\\{text[start.start(2) :]}" if start else text
        written += text
        line_starts = False
    return written
