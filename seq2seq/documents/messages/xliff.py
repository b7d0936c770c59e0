"""XLIFF 1.0 to 1.2, and 2.0 to 2.2: each source is translated into its target; all other bytes stay as they are.

What is translated: units (1.x) and segments (2.x) without a target, with an empty one, or with one in the state `new`,
`needs-translation` (1.x) or `initial` (2.x); with `options.everything`, those with a finished target, too. Nothing in
`translate="no"` is. A target that is missing is inserted after its source, indented as that is. In 1.x, a source that
is segmented (`<seg-source>`) is translated segment by segment.

Of attributes, only these change: the three states named above become `translated`, and where the target's language is
missing (`target-language` of a file in 1.x, `trgLang` in 2.x, which demands it), it is `options.tgt`, if that is set.

White space counts where `xml:space="preserve"`; elsewhere a run of it is one space. A target gets the bytes of its
source where the translation is equal to the source, and keeps its own where they already say what the translation says.
A `<sub>` inside the native code of an inline element is not translated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from re import search
from typing import BinaryIO

from seq2seq.documents.document import DocumentOptions, Event, Slot
from seq2seq.documents.messages import xml_bytes as xml
from seq2seq.documents.messages.xml_bytes import END, START, TEXT, Role, Token
from seq2seq.errors import InputError
from seq2seq.segments.segment import ALONE, VALUE, Segment

_UNFINISHED = ("new", "needs-translation", "initial")
_BREAKS = ("lb", "pb", "xlf:lb", "xlf:pb")  # line break, page break: values of ctype (1.2) and subType (2.0)
_ROLES = {
    "g": Role(xml.PAIR),
    "pc": Role(xml.PAIR),
    "mrk": Role(xml.PAIR),
    "x": Role(VALUE),
    "ph": Role(VALUE),
    "it": Role(ALONE),
    "cp": Role(ALONE),
}
_ENDS = {  # of pairs: the attributes that say which belong together, of which the first that there is counts; the sort
    "bx": (xml.BEGIN, ("rid", "id"), "x"),
    "ex": (xml.FINISH, ("rid", "id"), "x"),
    "bpt": (xml.BEGIN, ("rid", "id"), "pt"),
    "ept": (xml.FINISH, ("rid", "id"), "pt"),
    "sc": (xml.BEGIN, ("id",), "c"),
    "ec": (xml.FINISH, ("startRef",), "c"),
    "sm": (xml.BEGIN, ("id",), "m"),
    "em": (xml.FINISH, ("startRef",), "m"),
}
_ANGULAR = {"START": xml.BEGIN, "CLOSE": xml.FINISH}


@dataclass(frozen=True)
class _Scope:
    """What an element passes on to the elements inside it."""

    translate: bool = True
    preserve: bool = False  # white space

    def inside(self, token: Token) -> "_Scope":
        translate, space = token.attributes.get("translate"), token.attributes.get(xml.XML_SPACE)
        if not translate and not space:
            return self
        return _Scope(
            translate != "no" if translate else self.translate, space == "preserve" if space else self.preserve
        )


@dataclass(frozen=True)
class _Dialect:
    """What is the same in the whole document."""

    root: Token
    encoding: str
    everything: bool

    @property
    def two(self) -> bool:
        return self.root.attributes.get("version", "").startswith("2")

    def name(self, local: str) -> str:
        return f"{self.root.namespace} {local}".lstrip()

    def role(self, token: Token) -> Role:
        """What an element in a source is."""
        local, attributes = token.local, token.attributes
        if token.namespace != self.root.namespace:
            return Role(VALUE)
        if local == "mrk" and (attributes.get("mtype") == "protected" or attributes.get("translate") == "no"):
            return Role(VALUE)
        if attributes.get("ctype") in _BREAKS or attributes.get("subType") in _BREAKS:
            return Role(ALONE)
        if local == "x":  # Angular writes tags as `<x id="START_LINK_1"/>` and `<x id="CLOSE_LINK"/>`
            side, _, name = attributes.get("id", "").partition("_")
            if side in _ANGULAR:
                return Role(_ANGULAR[side], name.rstrip("_0123456789"))
        if local in _ENDS:
            kind, names, pair = _ENDS[local]
            return Role(kind, f"{pair} {next((attributes[name] for name in names if name in attributes), None)}")
        return _ROLES.get(local, Role(VALUE))


def events(source: BinaryIO, options: DocumentOptions) -> Iterator[Event]:
    """The document as events; one unit is in memory at a time.

    Raises:
        InputError: the document is not well-formed, or no XLIFF.
    """
    reader = xml.Reader(source)
    tokens = iter(reader)
    for token in tokens:
        if token.kind == START:
            break
        yield token.raw
    if token.local != "xliff":
        raise InputError(f"line {token.line}: the root element is <{token.local}>; an XLIFF document has <xliff>")
    dialect = _Dialect(token, reader.encoding, options.everything)
    _check_languages(options, token, "srcLang", "trgLang")
    yield _with_language(token, "trgLang", dialect, options.tgt) if dialect.two else token.raw
    unit = dialect.name("unit" if dialect.two else "trans-unit")
    file = "" if dialect.two else dialect.name("file")  # in 2.x the root names the languages
    scopes = [_Scope().inside(token)]
    for token in tokens:
        if token.kind == START:
            scope = scopes[-1].inside(token)
            if token.name == unit:
                inside = xml.element(tokens)
                if scope.translate:
                    yield from _unit([token, *inside], scope, dialect)
                else:
                    yield token.raw + xml.raw(inside)
                continue
            scopes.append(scope)
            _check_languages(options, token, "source-language", "target-language")
        elif token.kind == END:
            scopes.pop()
        is_file = token.kind == START and token.name == file
        yield _with_language(token, "target-language", dialect, options.tgt) if is_file else token.raw


def _check_languages(options: DocumentOptions, token: Token, source: str, target: str) -> None:
    options.check_languages(token.attributes.get(source, ""), token.attributes.get(target, ""), token.line)


def _with_language(token: Token, attribute: str, dialect: _Dialect, language: str) -> bytes:
    """The start tag with the language of the targets, if it does not name one."""
    if not language or token.attributes.get(attribute, "").strip():
        return token.raw
    tag = token.raw.decode(dialect.encoding)
    return xml.with_attribute(tag, attribute, language).encode(dialect.encoding)


def _unit(tokens: list[Token], scope: _Scope, dialect: _Dialect) -> Iterator[Event]:
    """A trans-unit, or a unit and its segments one by one."""
    if not dialect.two:
        yield from _pair(tokens, scope, dialect)
        return
    start = 0
    for name, first, last in _children(tokens):
        if name == dialect.name("segment"):
            yield xml.raw(tokens[start:first])
            yield from _pair(tokens[first:last], scope.inside(tokens[first]), dialect)
            start = last
    yield xml.raw(tokens[start:])


def _children(tokens: Sequence[Token]) -> list[tuple[str, int, int]]:
    """Names and ranges of the elements directly inside the element that the tokens are."""
    found, depth, first = list[tuple[str, int, int]](), 0, 0
    for place, token in enumerate(tokens):
        if token.kind == START:
            depth += 1
            if depth == 2:
                first = place
        elif token.kind == END:
            if depth == 2:
                found.append((tokens[first].name, first, place + 1))
            depth -= 1
    return found


def _pair(tokens: list[Token], scope: _Scope, dialect: _Dialect) -> Iterator[Event]:
    """What holds a source and its target: a trans-unit, or a segment of a unit."""
    ranges = {name: (first, last) for name, first, last in reversed(_children(tokens))}  # the first of each name
    if dialect.name("source") not in ranges:
        yield xml.raw(tokens)
        return
    first, last = ranges[dialect.name("source")]
    source = tokens[first:last]
    segmented = ranges.get(dialect.name("seg-source"))
    scope = scope.inside(source[0])
    target_first, target_last = ranges.get(dialect.name("target")) or (segmented or (0, last))[1:] * 2
    target = tokens[target_first:target_last]
    state = (tokens if dialect.two else target or tokens)[0].attributes.get("state")
    redo = dialect.everything or (state in _UNFINISHED and (dialect.two or bool(target)))
    if segmented and _segments_of(tokens[slice(*segmented)]):
        content = list(_segmented(tokens[slice(*segmented)], target, redo, scope, dialect))
    elif redo or not _has_content(target):
        content = list(_content(source[1:-1], target[1:-1], scope, dialect))
    else:
        content = []
    if not any(isinstance(event, Slot) for event in content):
        yield xml.raw(tokens)
        return
    opening, closing = _target_tags(tokens[:first], source[0], target, dialect)
    before = tokens[:target_first]
    yield (_translated_state(before[0], dialect) if dialect.two else before[0].raw) + xml.raw(before[1:]) + opening
    yield from content
    yield closing + xml.raw(tokens[target_last:])


def _has_content(element: Sequence[Token]) -> bool:
    """Whether the element holds more than white space."""
    return any(token.kind != TEXT or token.text.strip() for token in element[1:-1])


def _translated_state(token: Token, dialect: _Dialect) -> bytes:
    if token.attributes.get("state") not in _UNFINISHED:
        return token.raw
    return xml.with_attribute(token.raw.decode(dialect.encoding), "state", "translated").encode(dialect.encoding)


def _target_tags(before: list[Token], source: Token, target: list[Token], dialect: _Dialect) -> tuple[bytes, bytes]:
    """What is written before and after the content of a target."""
    if target:
        start = target[0] if dialect.two else target[0]._replace(raw=_translated_state(target[0], dialect))
        return xml.end_tag(start, dialect.encoding)
    indentation = before[-1].raw if before[-1].kind == TEXT and not before[-1].text.strip() else b""
    prefix = xml.tag_name(source.raw.decode(dialect.encoding))[: -len("source")]
    return (
        indentation + f"<{prefix}target>".encode(dialect.encoding),
        f"</{prefix}target>".encode(dialect.encoding),
    )


def _segments_of(element: Sequence[Token]) -> dict[str, tuple[int, int]]:
    """Of each `<mrk mtype="seg">` in the element: its `mid`, and the range of its tokens."""
    found = dict[str, tuple[int, int]]()
    for place, token in enumerate(element):
        if token.kind == START and token.local == "mrk" and token.attributes.get("mtype") == "seg":
            inside = xml.element(iter(element[place + 1 :]))
            found.setdefault(token.attributes.get("mid", ""), (place, place + 1 + len(inside)))
    return found


def _segmented(
    source: list[Token], target: list[Token], redo: bool, scope: _Scope, dialect: _Dialect
) -> Iterator[Event]:
    """The content of a target, one slot for each segment of the source that has no translation."""
    sources, targets = _segments_of(source), _segments_of(target)
    if _has_content(target) and not redo and not targets:
        return
    template = target if targets.keys() == sources.keys() else source
    start = 1
    for mid, (first, last) in _segments_of(template).items():
        if first < start:  # a segment in a segment
            continue
        opening, closing = xml.end_tag(template[first], dialect.encoding)
        old = target[slice(*targets[mid])] if mid in targets else []
        yield xml.raw(template[start:first]) + opening
        if _has_content(old) and not redo:
            yield xml.raw(old[1:-1])
        else:
            new = source[slice(*sources[mid])]
            yield from _content(new[1:-1], old[1:-1], scope, dialect)
        yield closing
        start = last
    yield xml.raw(template[start:-1])


def _content(source: list[Token], target: list[Token], scope: _Scope, dialect: _Dialect) -> Iterator[Event]:
    """The slot for the translation of the tokens, or their bytes if there is nothing to translate."""
    before, words, after = xml.edges(xml.parts(source, dialect.role))
    if not scope.preserve:
        words = [_single_spaced(part) if isinstance(part, str) else part for part in words]
    segment = Segment.of_parts(words)
    if not search(r"\w", segment.text):
        yield xml.raw(source)
        return

    unchanged, encoding = xml.raw(source), dialect.encoding
    present = "".join(token.text for token in target) if all(token.kind == TEXT for token in target) else None
    kept = xml.raw(target)
    is_cdata = xml.is_cdata(source, encoding)
    newline = "\r\n" if "\r\n" in unchanged.decode(encoding) else "\n"

    def put(translation: Segment) -> bytes:
        if not translation.marks and present == before + translation.text + after:
            return kept
        if translation == segment:
            return unchanged
        if is_cdata:
            return xml.cdata(before + translation.text + after, encoding)
        return xml.written([before, *translation.parts(), after], lambda text: xml.escaped(text, encoding, newline))

    yield Slot(segment, put)


def _single_spaced(text: str) -> str:
    """The text with one space in the place of each run of white space."""
    words = text.translate(dict.fromkeys(map(ord, xml.SPACE), " ")).split(" ")
    return " ".join(word for place, word in enumerate(words) if word or place in (0, len(words) - 1))
