"""What the columns of a table say of each row: its languages, of which a table may hold many pairs, and its part."""

from collections import Counter
from collections.abc import Iterable, Iterator

from seq2seq.corpora.findings import Findings
from seq2seq.corpora.naming import part_of
from seq2seq.corpora.request import PART, SAID, Request, Row
from seq2seq.languages.codes import distance, fits

_SHOWN = 6  # pairs of languages, or parts, in a note


def read(rows: Iterable[Row], request: Request, findings: Findings, file: str) -> Iterator[Row]:
    """The rows without what is said of them: those of the languages of the request, each with its texts by language.

    A row of another direction is turned. The others are counted; that a column says different parts is noted.
    """
    known = dict[tuple[str, str], tuple[str, str] | None]()  # the languages of the request for those that are said
    others, parts = Counter[tuple[str, str]](), dict[str, None]()
    before, silent = findings.dropped, False
    for number, row in enumerate(rows, 1):
        silent = silent or (number == 1 and not findings.line)  # a reader that does not say the line
        if silent:
            findings.line = number + findings.dropped - before
        part = row.pop(PART, "").strip()
        if part and len(parts) < _SHOWN:  # more may be any text
            parts[part] = None
        if SAID[0] in row and SAID[1] in row:
            said = row.pop(SAID[0]).strip(), row.pop(SAID[1]).strip()
            if said not in known:
                known[said] = _languages(said, request)
            if not (languages := known[said]):
                others[said] += 1
                continue
            row = dict(zip(languages, (row[language] for language in request.languages[:2]), strict=True))
        yield row
    most = [said for said, _ in others.most_common(_SHOWN)]
    findings.languages |= dict.fromkeys(code for said in most for code in said if code)
    if others and not request.sparse:
        shown = ", ".join("-".join(code or "?" for code in said) for said in most)
        more = f" and {len(others) - _SHOWN} more pairs" if len(others) > _SHOWN else ""
        findings.left_out[f"rows of other languages ({shown}{more})"] += others.total()
    if len(parts) > 1 and all(map(part_of, parts)):
        says = (
            f"{file}: its column {findings.part_column} says {', '.join(parts)}, but all its rows are read as one part"
        )
        findings.note(f"{says}; write the rows of each part to a file of its own, named so")


def _languages(said: tuple[str, str], request: Request) -> tuple[str, str] | None:
    """The languages of the request that a row is said to be in; None if it is in others, or twice in one."""
    found = []
    for name in said:
        fitting = [language for language in request.languages if fits(name, language)]
        found.append(min(fitting, key=lambda language: distance(name, language), default=""))
    return (found[0], found[1]) if all(found) and found[0] != found[1] else None
