"""TMX and XLIFF: XML that is read unit by unit, in constant memory. No entity of its own and nothing outside is read.

The text of a segment is that of its inline elements too, without the native code that they quote (TMX 1.4 <bpt>, <ph>
and the like; XLIFF 1.2 and 2.x); a code that is a line break is a space.
"""

import re
from collections.abc import Callable, Iterator
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
_SPACES = " \t\r\n"  # white space of XML; U+00A0 and the like are text
_UNITS = ("tu", "trans-unit", "unit")
_UNFINISHED = ("new", "needs-translation", "initial")  # states of a target


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
) -> Iterator[tuple[str, Any]]:
    """The events of the file; those after a fault, if `findings` skips it, are of each unit that is well-formed.

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
                yield event, element
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
                yield from list(parsed(BytesIO(piece.document)))
            except error as e:
                place = f"line {(e.lineno or 1) + piece.lines_before}"
                problem = str(e.msg).partition(", line ")[0]  # without its place in the piece
                findings.fault(str(file), place, f"not well-formed XML ({problem})", "correct it")
    if unclosed or dropped == findings.dropped:
        place, problem = first
        lost = "; what follows is not read" if findings.skip and not following else ""
        findings.fault(str(file), place, problem + lost, "correct it")


def _release(element: Any) -> None:
    """Free a unit that was read, and those before it."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


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
        elif name and name not in _CODE:
            _collect(child, parts)
        elif type(child).__name__ == "_Entity":  # which only the file's own definitions explain
            parts.append(child.text)
        parts.append(child.tail or "")


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
    events: Iterator[tuple[str, Any]], file: File, request: Request, findings: Findings
) -> Iterator[Row]:
    known: dict[str, list[str]] = {}  # the languages that a tag fits
    read, lacking = dict[str, dict[str, None]](), 0  # the tags that are read as a language; units that lack one
    for _, unit in events:
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


def _segments(events: Iterator[tuple[str, Any]], file: File, request: Request, findings: Findings) -> Iterator[Row]:
    sides: tuple[str, ...] = ()
    fitting, foreign = False, 0
    for event, element in events:
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
        found = {_name(child): child for child in reversed(element) if _name(child) in ("source", "target")}
        target = found.get("target")
        state = element.get("state") if name == "segment" else target is not None and target.get("state")
        texts = [text_of(found[side]) if side in found else "" for side in ("source", "target")]
        if name == "trans-unit":
            _release(element)
        if all(texts) and state not in _UNFINISHED:
            yield dict(zip(sides, texts, strict=True))
        else:
            findings.left_out["units without a finished translation"] += 1
    if fitting:
        findings.left_out["units of other languages"] += foreign
    else:
        findings.unread.append(str(file))


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
