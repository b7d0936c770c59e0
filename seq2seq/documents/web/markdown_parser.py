"""markdown-it-py with positions: inline Markdown as text and marks, each mark with its source.

markdown-it-py has no positions of inline markup, so the rules whose source is needed are wrapped and record theirs in
the tokens' `meta`. This module does not write.
"""

import re
from collections import ChainMap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, autolink, backtick, escape, html_inline, image, link, newline
from markdown_it.token import Token
from markdown_it.utils import EnvType
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref
from mdit_py_plugins.front_matter import front_matter_plugin

from seq2seq.documents.web.hypertext_elements import CODE, OBJECTS, VOID
from seq2seq.documents.web.hypertext_tokens import END, START, tokens
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark

Rule = Callable[[StateInline, bool], bool]
Part = str | Mark
Code = str | tuple[str | int, ...]  # what a mark is written as; numbers stand for values that are translated
BREAKS = ("  \n", "\\\n")  # the codes of hard line breaks

_RECORDED: dict[str, Rule] = {
    "autolink": autolink,
    "backticks": backtick,
    "escape": escape,
    "footnote_ref": footnote_ref,
    "html_inline": html_inline,
    "image": image,
    "link": link,
    "newline": newline,
}
_WORD = re.compile(r"\w")
_FARTHEST_END = 100  # tokens from the start tag of a `<kbd>` on
_SPACE = " \t\r\n"


class Value(NamedTuple):
    """What is translated inside a mark: an image's `alt`, or the title of a link or of an image."""

    text: str
    source: str
    quote: str  # the character that ends it: that of a title, "]" for an `alt`


class _Read(NamedTuple):
    part: Part
    element: str = ""  # of a mark that is an HTML tag


def parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough, footnotes and front matter."""
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    markdown.use(front_matter_plugin).use(footnote_plugin).disable(["footnote_inline", "footnote_tail"])
    for name, rule in _RECORDED.items():
        markdown.inline.ruler.at(name, _recorded(name, rule))
    return markdown


def scratch(env: EnvType) -> EnvType:
    """The definitions of a document; what is parsed with them adds none to the document's."""
    footnotes = {name: ChainMap({}, env.get("footnotes", {}).get(name, {})) for name in ("refs", "list")}
    return {"references": ChainMap({}, env.get("references", {})), "footnotes": footnotes}


def _recorded(name: str, rule: Rule) -> Rule:
    """The rule; what it returns has its `span` of the content, and the end of its label, in `meta`."""

    def recorded(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            meta: dict[str, Any] = {"span": (start, state.pos)}
            if name in ("link", "image"):
                meta["label_end"] = state.md.helpers.parseLinkLabel(state, start + (name == "image"), False)
            for token in state.tokens[count:]:
                token.meta = meta | token.meta
        return True

    return recorded


class Reader:
    """Reads the inline tokens of one content."""

    def __init__(self, markdown: MarkdownIt, content: str, values: list[Value] | None = None) -> None:
        """With `values`, the values found are appended to it, and the codes have numbers in their places."""
        self._markdown = markdown
        self._content = content
        self._values = values

    def parts(self, children: list[Token]) -> list[Part]:
        """The text and marks of the content, as they stand."""
        return _balanced(list(self._read(children)))

    def _read(self, children: list[Token]) -> Iterator[_Read]:
        skipped = 0  # tokens up to here belong to a mark
        for index, token in enumerate(children):
            if index < skipped:
                continue
            start, end = token.meta.get("span", (0, 0))
            source = self._content[start:end]
            if token.type == "text":
                yield _Read(token.content)
            elif token.type == "softbreak":
                yield _Read(" ")
            elif token.type == "hardbreak":
                yield _Read(Mark(0, ALONE, BREAKS[source.startswith("\\")]))
            elif token.type == "html_inline":
                skipped = _end_of_code(children, index)
                if skipped:
                    yield _Read(Mark(0, VALUE, self._content[start : children[skipped - 1].meta["span"][1]]))
                else:
                    yield _tag(token.content)
            elif token.type == "image":
                alt = self._alt(token, start + 2)
                title = self._title(token, token.meta["label_end"])
                yield _Read(Mark(0, VALUE, self._code(start, [*alt, *title], end)))
            elif token.type == "link_open" and token.markup == "autolink":
                skipped = index + 3
                yield _Read(Mark(0, VALUE, source))
            elif token.type == "link_open":
                yield _Read(Mark(0, OPEN, "["))
            elif token.type == "link_close":
                yield _Read(Mark(0, CLOSE, self._end_of_link(token)))
            elif token.nesting:  # emphasis
                yield _Read(Mark(0, OPEN if token.nesting > 0 else CLOSE, token.markup))
            else:  # code, a reference to a footnote
                yield _Read(Mark(0, VALUE, source))

    def _code(self, start: int, values: list[tuple[int, int, Value]], end: int) -> Code:
        if not values or self._values is None:
            return self._content[start:end]
        code = list[str | int]()
        for begin, after, value in values:
            code += [self._content[start:begin], len(self._values)]
            self._values.append(value)
            start = after
        return (*code, self._content[start:end])

    def _end_of_link(self, token: Token) -> Code:
        """The source from the end of the label on; a reference is written in full, because its label is translated."""
        (start, end), label_end = token.meta["span"], token.meta["label_end"]
        if self._content[label_end:end] in ("]", "][]"):
            return f"][{self._content[start + 1 : label_end]}]"
        return self._code(label_end, self._title(token, label_end), end)

    def _alt(self, token: Token, start: int) -> list[tuple[int, int, Value]]:
        if any(child.type not in ("text", "softbreak") for child in token.children or []):
            return []
        text = "".join(child.content or " " for child in token.children or [])
        end = token.meta["label_end"]
        if self._content[end : token.meta["span"][1]] in ("]", "][]") or not _WORD.search(text):
            return []  # the label names a reference, or says nothing
        return [(start, end, Value(text, self._content[start:end], "]"))]

    def _title(self, token: Token, label_end: int) -> list[tuple[int, int, Value]]:
        content, end = self._content, token.meta["span"][1]
        if content[label_end + 1 : label_end + 2] != "(":
            return []
        begin = self._after_space(label_end + 2)
        destination = self._markdown.helpers.parseLinkDestination(content, begin, end)
        begin = self._after_space(destination.pos if destination.ok else begin)
        title = self._markdown.helpers.parseLinkTitle(content, begin, end)
        if not title.ok or not _WORD.search(title.str):
            return []
        value = Value(" ".join(title.str.split()), content[begin + 1 : title.pos - 1], content[title.pos - 1])
        return [(begin + 1, title.pos - 1, value)]

    def _after_space(self, position: int) -> int:
        while position < len(self._content) and self._content[position] in _SPACE:
            position += 1
        return position


def _end_of_code(children: list[Token], index: int) -> int:
    """The index after the end tag of a `<kbd>` or another such element; 0 if there is none at the index."""
    opened = next(tokens(children[index].content))
    if opened.kind == START and opened.name in CODE and not opened.closed:
        for end in range(index + 1, min(len(children), index + _FARTHEST_END)):
            if children[end].type == "html_inline":
                closed = next(tokens(children[end].content))
                if closed.kind == END and closed.name == opened.name:
                    return end + 1
    return 0


def _tag(source: str) -> _Read:
    tag = next(tokens(source))
    if tag.name in OBJECTS:
        return _Read(Mark(0, VALUE, source))
    if tag.kind not in (START, END) or tag.closed or tag.name in VOID:
        return _Read(Mark(0, ALONE, source))
    return _Read(Mark(0, OPEN if tag.kind == START else CLOSE, source), tag.name)


def _balanced(read: list[_Read]) -> list[Part]:
    """The parts; tags without their other end are ALONE."""
    parts, waiting = [part for part, _ in read], list[int]()
    alone = list[int]()
    for index, (part, element) in enumerate(read):
        if isinstance(part, str):
            continue
        if part.kind == OPEN:
            waiting.append(index)
        elif part.kind == CLOSE and element:
            if waiting and read[waiting[-1]].element == element:
                waiting.pop()
            else:
                alone.append(index)
        elif part.kind == CLOSE:
            while read[waiting[-1]].element:
                alone.append(waiting.pop())
            waiting.pop()
    for index in [*alone, *waiting]:
        part = parts[index]
        assert isinstance(part, Mark)
        parts[index] = part._replace(kind=ALONE)
    return parts
