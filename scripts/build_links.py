"""Update the line numbers in links to code, in README.md and docs/.

    python scripts/build_links.py

A link to a line of code names its symbol in the title: `[GRU](../seq2seq/network/cells.py#L46 "GRU.forward")`. This
script looks up the line where the symbol is defined. If the symbol has moved to another file of the same folder, or to
another class, the path and the title change too. Prints each link that it cannot repair and then exits with status 1; a
test checks that there is nothing to repair.
"""

import ast
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
INLINE = re.compile(r'\]\((?P<path>[^)\s#]*)(?:#(?P<anchor>[^)\s]*))?(?:\s+"(?P<symbol>[^"]*)")?\)')
HTML = re.compile(r'(?:src|srcset|href)="(?P<path>[^"\s#]*)(?:#(?P<anchor>[^"\s]*))?"')
CODE_SPAN = re.compile(r"(`+[^`]*`+)")
FENCE = "```"


class Link(NamedTuple):
    """A link of a page: its target, what follows `#`, and the symbol that its title names; "" where there is none."""

    path: str
    anchor: str
    symbol: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it points to a file of the repository or to a heading of the same page."""
        return bool(self.path or self.anchor) and not re.match(r"[a-z]+:", self.path)


def pages() -> list[Path]:
    """The pages that are checked."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def links(text: str) -> Iterator[Link]:
    """The links of a page, without those in code."""
    found: list[Link] = []

    def keep(match: re.Match[str]) -> str:
        found.append(Link(**{name: part or "" for name, part in match.groupdict().items()}))
        return match[0]

    _replace(text, INLINE, keep)
    _replace(text, HTML, keep)
    yield from found


def problems(page: Path) -> list[str]:
    """What is wrong with the links of a page, one line for each."""
    return [f"{page.name}: {problem}" for link in links(page.read_text("utf-8")) if (problem := _problem(page, link))]


def repaired(page: Path) -> str:
    """The text of a page whose links to symbols have the current lines, where the symbols can be found."""

    def repair(match: re.Match[str]) -> str:
        target = (page.parent / match["path"]).resolve()
        if not match["symbol"] or target.suffix != ".py":
            return match[0]
        path, symbol = locate(target, match["symbol"])
        line = symbols(path).get(symbol)
        return f']({Path(os.path.relpath(path, page.parent)).as_posix()}#L{line} "{symbol}")' if line else match[0]

    return _replace(page.read_text("utf-8"), INLINE, repair)


def locate(path: Path, symbol: str) -> tuple[Path, str]:
    """Where a symbol is defined: in its file, or in the only file beside it that does, be it in another class."""
    if symbol in symbols(path):
        return path, symbol
    nearby = [(other, name) for other in sorted(path.parent.glob("*.py")) for name in symbols(other)]
    moved = [place for place in nearby if place[1] == symbol]
    moved = moved or [place for place in nearby if place[1].rpartition(".")[2] == symbol.rpartition(".")[2]]
    return moved[0] if len(moved) == 1 else (path, symbol)


@cache
def symbols(path: Path) -> dict[str, int]:
    """The line of each class, function, method and module-level variable of a Python file, by its qualified name."""
    if path.suffix != ".py" or not path.is_file():
        return {}
    return dict(_definitions(ast.parse(path.read_text("utf-8")).body, ""))


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors of the headings of a page, as GitHub makes them."""
    prose = "".join(text for text, is_code in _lines(path.read_text("utf-8")) if not is_code)
    headings = re.findall(r"^#+ +(.*?) *$", prose, re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def _problem(page: Path, link: Link) -> str:
    """What is wrong with a link, or ""."""
    if not link.is_local:
        return ""
    target = (page.parent / link.path).resolve() if link.path else page
    if not target.exists():
        return f"{link.path} does not exist"
    if target.suffix == ".md":
        return f"{link.path}#{link.anchor} is no heading" if link.anchor and link.anchor not in anchors(target) else ""
    if link.anchor and not link.symbol:
        return f'{link.path}#{link.anchor} names no symbol: write [..]({link.path}#{link.anchor} "NAME")'
    if not link.symbol or target.suffix != ".py":
        return ""
    if (line := symbols(target).get(link.symbol)) is None:
        return f"{link.path} does not define {link.symbol}"
    if link.anchor != f"L{line}":
        return f"{link.path}#{link.anchor}: {link.symbol} is defined on line {line}; run scripts/build_links.py"
    return ""


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, int]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + node.name, node.lineno
        elif isinstance(node, ast.ClassDef):
            yield prefix + node.name, node.lineno
            yield from _definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((prefix + ast.unparse(target), node.lineno) for target in targets)


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """The lines of a page, and whether each is part of a block of code."""
    inside = False
    for line in text.splitlines(keepends=True):
        fence = line.lstrip().startswith(FENCE)
        yield line, inside or fence
        inside ^= fence


def _replace(text: str, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]) -> str:
    """The text with every match outside code changed."""
    return "".join(
        line
        if is_code
        else "".join(part if part.startswith("`") else pattern.sub(change, part) for part in CODE_SPAN.split(line))
        for line, is_code in _lines(text)
    )


def main() -> int:
    """Repair all pages; returns 1 where a link stays wrong."""
    unrepaired = []
    for page in pages():
        if (text := repaired(page)) != page.read_text("utf-8"):
            page.write_text(text, "utf-8")
            print(page)
        unrepaired += problems(page)
    print(*unrepaired, sep="\n", end="\n" if unrepaired else "")
    return int(bool(unrepaired))


if __name__ == "__main__":
    raise SystemExit(main())
