"""TMX and XLIFF: XML that is read unit by unit, in constant memory. No entity of its own and nothing outside is read.

The text of a segment is that of its inline elements too, without the native code that they quote (TMX 1.4 <bpt>, <ph>
and the like; XLIFF 1.2 and 2.x); a code that is a line break is a space, and what a tracked change deletes is no text.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from itertools import islice, product
from typing import Any, BinaryIO

from seq2seq.corpora.findings import Findings
from seq2seq.corpora.gettext import language_of_name
from seq2seq.corpora.packed import File, opened
from seq2seq.corpora.request import Request, Row
from seq2seq.corpora.unit_pieces import pieces
from seq2seq.errors import InputError
from seq2seq.languages.codes import fits, tag_of

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_CODE = {"bpt", "ept", "ph", "it", "ut", "sub"}  # elements that quote code; XLIFF 2.x has them without content
_BREAK = re.compile(r"\s*(<br\b[^<>]*>|\\n|\\r\\n|\r?\n)\s*", re.IGNORECASE)  # the code of one
_BREAK_TYPES = ("lb", "x-br", "xlf:lb")  # of TMX and XLIFF 1.2, and of XLIFF 2.x
_LINES = 65535
_SPACES = " \t\r\n"  # white space of XML; U+00A0 and the like are text
_UNITS = ("tu", "trans-unit", "unit")
_DELETED = re.compile(r"(.*[-_:])?(del|deleted?|deletion)", re.IGNORECASE)  # the name or the type of a mark of changes

# What says that a translation is not finished: the state of XLIFF, and without one its qualifier. A text that is still
# to be reviewed is none either: programs write `needs-review-translation` for fuzzy and for machine translations.
_UNFINISHED = re.compile(r"new|initial|needs-.*|fuzzy-match|leveraged-mt|.*-suggestion")
_REJECTED = "rejected-"  # begins a qualifier
_SDL_FINISHED = ("Translated", "ApprovedTranslation", "ApprovedSignOff")  # conf of a segment
_SDL_LEVEL = re.compile(rb"<(?:[\w.-]+:)?seg\s[^<>]*\bconf\s*=")
_UNIT_FINISHED = {  # attributes of a unit
    "{mqxliff}status": re.compile(r"\w*Confirmed|Proofread"),  # of memoQ
    "{http://www.memsource.com/mxlf/2.0}confirmed": re.compile(r"[1-9]\d*|true"),  # of Phrase: a step of the work
}


def rows(file: File, request: Request, findings: Findings) -> Iterator[Row]:
    """The pairs of a TMX or XLIFF file.

    Raises:
        InputError: the file is not well-formed and `findings` does not skip its faults, or lxml is not installed.
    """
    try:
        from lxml import etree
    except ImportError:
        raise InputError(
            f"{file} needs the package lxml; install it: pip install 'seq2seq[corpora]', or give another format"
        ) from None
    tmx = file.plain_name.lower().endswith(".tmx")
    some = False
    tags = ["{*}tu"] if tmx else ["{*}file", "{*}xliff", "{*}trans-unit", "{*}unit", "{*}segment"]
    safe: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": True}

    def parsed(stream: BinaryIO) -> Any:
        return etree.iterparse(stream, events=("end",) if tmx else ("start", "end"), tag=tags, **safe)

    events = _events(file, parsed, etree.XMLSyntaxError, findings)
    for row in (
        _translation_units(events, file, request, findings) if tmx else _segments(events, file, request, findings)
    ):
        some = True
        yield row
    if not some and tmx:
        findings.unread.append(str(file))


def _events(
    file: File, parsed: Callable[[BinaryIO], Any], error: type[SyntaxError], findings: Findings
) -> Iterator[tuple[str, Any, int]]:
    """The events of the file, each with the line of its element; those after a fault, if `findings` skips it, are of
    each unit that is well-formed.

    Args:
        file: the file.
        parsed: the events of a stream, as `iterparse` gives them; it raises an `error`.
        findings: receives the faults.
    """
    count = unclosed = 0  # of the units that were read, and of those around the last one
    with opened(file) as stream:
        try:
            for event, element in (events := parsed(stream)):
                if event == "end" and _name(element) in _UNITS:
                    count += 1
                    unclosed = sum(_name(around) in _UNITS for around in element.iterancestors())
                yield event, element, _line(element)
            if not count and (root := _name(events.root)) not in ("tmx", "xliff"):
                kind = "TMX" if file.plain_name.lower().endswith(".tmx") else "XLIFF"
                findings.fault(str(file), "line 1", f"a document <{root}>, not {kind}", f"give a file of {kind}")
            return
        except error as e:
            first = f"line {e.lineno or 1}", f"not well-formed XML ({e.msg})"
    dropped, following = findings.dropped, False
    with opened(file) as stream:
        for piece in islice(pieces(stream), count + unclosed, None) if findings.skip else ():
            following = True
            try:
                events = list(parsed(BytesIO(piece.document)))
                yield from ((event, element, piece.lines_before + _line(element)) for event, element in events)
            except error as e:
                place = f"line {(e.lineno or 1) + piece.lines_before}"
                problem = str(e.msg).partition(", line ")[0]  # without its place in the piece
                findings.fault(str(file), place, f"not well-formed XML ({problem})", "correct it")
    if unclosed or dropped == findings.dropped:
        place, problem = first
        lost = "; what follows is not read" if findings.skip and not following else ""
        findings.fault(str(file), place, problem + lost, "correct it")


def _line(element: Any) -> int:
    """The line where the start tag of an element ends.

    libxml2 keeps no line above 65,534 of an element, and gives that of the end of the first text in it.
    """
    line: int = element.sourceline
    if line < _LINES:
        return line
    while not element.text and len(element):
        element = element[0]
    return line - (element.text or "").count("\n")


def _release(element: Any) -> None:
    """Free a unit that was read, and what is before it: units, and groups and files of such."""
    element.clear()
    while (parent := element.getparent()) is not None:
        while element.getprevious() is not None:
            del parent[0]
        element = parent


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def text_of(element: Any) -> str:
    """The text in an element, with each run of XML's white space as one space."""
    parts: list[str] = []
    _collect(element, parts)
    return re.sub(f"[{_SPACES}]+", " ", "".join(parts)).strip(_SPACES)


def _collect(element: Any, parts: list[str]) -> None:
    parts.append(element.text or "")
    for child in element:
        name = _name(child)
        if name and _is_break(child):
            parts.append(" ")
        elif name and name not in _CODE and not _is_deleted(child, name):
            _collect(child, parts)
        elif type(child).__name__ == "_Entity":  # which only the file's own definitions explain
            parts.append(child.text)
        parts.append(child.tail or "")


def _is_deleted(element: Any, name: str) -> bool:
    """Whether an inline element marks what a change deletes. A `g` for `<del>` of HTML does not: that is a format."""
    kind = element.get("mtype") or element.get("type") or "" if name in ("mrk", "hi") else name
    return bool(_DELETED.fullmatch(kind))


def _is_break(element: Any) -> bool:
    """Whether an inline element stands for a line break, by its type or by the code that it quotes."""
    kinds = (element.get(name) for name in ("type", "ctype", "subType"))
    codes = [element.get(name) for name in ("equiv-text", "equiv", "disp")]
    if _name(element) in _CODE:
        codes.append(element.text)
    if reference := element.get("dataRef"):
        for unit in element.iterancestors("{*}unit"):
            codes += [data.text for data in unit.iter("{*}data") if data.get("id") == reference]
    return any(kind in _BREAK_TYPES for kind in kinds) or any(code and _BREAK.fullmatch(code) for code in codes)


# ---- TMX -------------------------------------------------------------------------------------------------------------


def _translation_units(
    events: Iterator[tuple[str, Any, int]], file: File, request: Request, findings: Findings
) -> Iterator[Row]:
    known: dict[str, list[str]] = {}  # the languages that a tag fits
    read, lacking = dict[str, dict[str, None]](), 0  # the tags that are read as a language; units that lack one
    for _, unit, line in events:
        texts: dict[str, list[str]] = {}
        for variant in unit:
            tag = (variant.get(_LANG) or variant.get("lang") or "") if _name(variant) == "tuv" else ""
            if tag and tag not in known:
                known[tag] = [language for language in request.languages if fits(tag, language)]
                findings.languages[tag] = None
            for language in known.get(tag, ()):
                segment = next((child for child in variant if _name(child) == "seg"), None)
                if segment is not None:
                    texts.setdefault(language, []).append(text_of(segment))
                    read.setdefault(language, {})[tag] = None
        _release(unit)
        lacking += len(texts) < len(request.languages)
        if request.sparse or len(texts) == len(request.languages):
            findings.line = line
            yield from (dict(zip(texts, choice, strict=True)) for choice in product(*texts.values()))
    for language, tags in read.items():
        variants = {tag_of(tag): tag for tag in reversed(tags)}
        if len(variants) > 1:
            shown = ", ".join(reversed(variants.values()))
            findings.note(f"{file}: {shown} are all read as {language}; name one in full to read it alone")
    if lacking and len(read) == len(request.languages) and not request.sparse:
        without = f"units without {' or '.join(request.languages)}"
        findings.left_out[f"{without} (there are: {', '.join(known)})"] += lacking


# ---- XLIFF -----------------------------------------------------------------------------------------------------------


def _segments(
    events: Iterator[tuple[str, Any, int]], file: File, request: Request, findings: Findings
) -> Iterator[Row]:
    sides: tuple[str, ...] = ()
    fitting, foreign = False, 0
    has_levels = cache(lambda: _has_levels(file))
    for event, element, line in events:
        name = _name(element)
        if event == "start":
            if name in ("file", "xliff") and (element.get("source-language") or element.get("srcLang")):
                sides = _languages(element, file, request, findings)
                fitting = fitting or bool(sides)
            continue
        if name == "unit":  # which holds its segments, read before
            _release(element)
        foreign += name in ("trans-unit", "segment") and not sides
        if name not in ("trans-unit", "segment") or not sides:
            continue
        translatable, translations = _is_translatable(element), _translations(element, has_levels)
        if name == "trans-unit":
            _release(element)
        for texts in translations if translatable else ():
            if all(texts):
                findings.line = line
                yield dict(zip(sides, texts, strict=True))
            else:
                findings.left_out["units without a finished translation"] += 1
        findings.left_out["units that are not to be translated"] += not translatable
    if fitting:
        findings.left_out["units of other languages"] += foreign
    else:
        findings.unread.append(str(file))


def _is_translatable(element: Any) -> bool:
    """What the unit, or else the nearest group or file around it, says."""
    said = (around.get("translate") for around in (element, *element.iterancestors()))
    return next(filter(None, said), "yes") != "no"


def _translations(element: Any, has_levels: Callable[[], bool]) -> list[tuple[str, str]]:
    """The source and the target of a <trans-unit> or <segment>, or of each of its segments; a target that is not
    finished is empty.

    Args:
        element: the unit.
        has_levels: whether the file gives any segment a level of sdlxliff.
    """
    found = {_name(child): child for child in reversed(element)}
    source, target = found.get("source"), found.get("target")
    if source is None or target is None or not _is_finished(element, target):
        return [("", "")]
    levels = {each.get("id"): each.get("conf") for each in element.iterfind("{*}seg-defs/{*}seg")}
    unfinished = {mid for mid, level in levels.items() if level not in _SDL_FINISHED and (level or has_levels())}
    sources, targets = _marked(found.get("seg-source", source)), _marked(target)
    if targets and targets.keys() <= sources.keys():
        return [(text, "" if mid in unfinished else targets.get(mid, "")) for mid, text in sources.items()]
    return [(text_of(source), "" if unfinished else text_of(target))]


def _marked(side: Any) -> dict[str, str]:
    """The text of each segment that is marked in a source or a target of XLIFF 1.2, by its mid."""
    marks = (mark for mark in side.iter("{*}mrk") if mark.get("mtype") == "seg")
    return {mark.get("mid"): text_of(mark) for mark in marks}


def _is_finished(element: Any, target: Any) -> bool:
    """Whether nothing says of a unit that its translation is not finished; `approved="no"` is the default of XLIFF."""
    holder = element if _name(element) == "segment" else target
    state, qualifier = holder.get("state"), holder.get("state-qualifier", "")
    if _UNFINISHED.fullmatch(state or qualifier) or qualifier.startswith(_REJECTED):
        return False
    said = ((_UNIT_FINISHED.get(name.lower()), value) for name, value in element.items())
    return all(pattern is None or pattern.fullmatch(value) for pattern, value in said)


def _has_levels(file: File) -> bool:
    """Whether any segment of a file has a level of sdlxliff; then one without is untouched."""
    with opened(file) as stream:
        rest = b""
        while block := stream.read(1 << 20):
            if _SDL_LEVEL.search(rest + block):
                return True
            rest = block[-1000:]
    return False


def _languages(element: Any, file: File, request: Request, findings: Findings) -> tuple[str, ...]:
    """The languages of the sources and the targets, as the request names them; none if it does not name them."""
    source = element.get("source-language") or element.get("srcLang")
    target = element.get("target-language") or element.get("trgLang")
    target = target or language_of_name(file)
    findings.languages |= dict.fromkeys(filter(None, (source, target)))
    wanted = request.languages
    first = [language for language in wanted if fits(source, language)]
    second = [language for language in wanted if target and fits(target, language) and language not in first[:1]]
    if not target and first and request.alone and not request.sparse:
        second = [language for language in wanted if language not in first]
        findings.note(f"{file} does not say its target language: it is taken as {second[0]}")
    if first and not target:
        findings.nameless.append(str(file))
    return (first[0], second[0]) if first and second else ()
