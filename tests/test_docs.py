"""The pages: every link has a target, and a link to code points to the line where its symbol is defined."""

from pathlib import Path

import pytest

from scripts import build_links
from scripts.build_links import Link, anchors, links, main, pages, problems, repaired, symbols

ROOT = build_links.ROOT
PICTURE_LIMIT = 200_000  # bytes


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_of_a_page_are_correct(page: Path) -> None:
    assert problems(page) == []


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    named = {(index.parent / link.path).resolve() for link in links(index.read_text("utf-8")) if link.path}
    assert set((ROOT / "docs").glob("*.md")) - named == {index}
    assert set((ROOT / "docs" / "lab").glob("*.md")) - {index.parent / "lab" / "README.md"} <= {
        (ROOT / "docs" / "lab" / link.path).resolve()
        for link in links((ROOT / "docs" / "lab" / "README.md").read_text("utf-8"))
    }


def test_pictures_are_small_and_each_is_shown() -> None:
    pictures = set((ROOT / "docs" / "pictures").iterdir())
    shown = {(page.parent / link.path).resolve() for page in pages() for link in links(page.read_text("utf-8"))}
    assert pictures
    assert pictures <= shown
    assert all(picture.stat().st_size < PICTURE_LIMIT for picture in pictures)


# ---- the script ------------------------------------------------------------------------------------------------------

CODE = """\
CELLS = {}
LIMIT: int = 3


class GRU:
    size = 1

    @property
    def state(self):
        def inner(): ...


def search(): ...
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A small repository: one module, one page."""
    (tmp_path / "seq2seq").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "seq2seq" / "cells.py").write_text(CODE)
    (tmp_path / "README.md").write_text("# Home\n\n## A `second` heading, with words\n")
    return tmp_path


def page_with(home: Path, text: str) -> Path:
    page = home / "docs" / "page.md"
    page.write_text(text)
    return page


def test_symbols_have_the_line_of_their_definition(home: Path) -> None:
    lines = {"CELLS": 1, "LIMIT": 2, "GRU": 5, "GRU.size": 6, "GRU.state": 9, "search": 13}
    assert symbols(home / "seq2seq" / "cells.py") == lines
    assert symbols(home / "README.md") == {}


def test_anchors_are_those_of_github(home: Path) -> None:
    assert anchors(home / "README.md") == {"home", "a-second-heading-with-words"}


def test_links_inside_code_are_ignored() -> None:
    text = '[a](b.md) `[c](d.md)` [`e`](f.py#L1 "g")\n```\n[h](i.md)\n```\n<img src="j.svg">\n'
    assert list(links(text)) == [Link("b.md", ""), Link("f.py", "L1", "g"), Link("j.svg", "")]


@pytest.mark.parametrize(
    "text",
    [
        '[x](../seq2seq/cells.py#L5 "GRU")',
        "[x](../seq2seq/cells.py)",
        "[x](../README.md#a-second-heading-with-words)",
        "[x](https://example.org/nothing#L3)",
        "# Here\n\n[x](#here)",
        '<img src="../README.md">',
    ],
)
def test_a_correct_link_has_no_problem(home: Path, text: str) -> None:
    assert problems(page_with(home, text)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[x](../nowhere.md)", "../nowhere.md does not exist"),
        ('<img src="nowhere.svg">', "nowhere.svg does not exist"),
        ("[x](../README.md#third)", "../README.md#third is no heading"),
        ("[x](#third)", "#third is no heading"),
        ('[x](../seq2seq/cells.py#L6 "GRU")', "../seq2seq/cells.py#L6: GRU is defined on line 5; run"),
        ('[x](../seq2seq/cells.py "GRU")', "../seq2seq/cells.py#: GRU is defined on line 5; run"),
        ('[x](../seq2seq/cells.py#L5 "LSTM")', "../seq2seq/cells.py does not define LSTM"),
        ("[x](../seq2seq/cells.py#L5)", "../seq2seq/cells.py#L5 names no symbol"),
    ],
)
def test_a_wrong_link_is_reported(home: Path, text: str, problem: str) -> None:
    [found] = problems(page_with(home, text))
    assert found.startswith(f"page.md: {problem}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[a](../seq2seq/cells.py#L1 "GRU.state")', '[a](../seq2seq/cells.py#L9 "GRU.state")'),
        ('[a](../seq2seq/cells.py "search")', '[a](../seq2seq/cells.py#L13 "search")'),
        ('[to another file](../seq2seq/old.py#L1 "search")', '[to another file](../seq2seq/cells.py#L13 "search")'),
        (
            '[to another class](../seq2seq/cells.py#L1 "Cell.state")',
            '[to another class](../seq2seq/cells.py#L9 "GRU.state")',
        ),
    ],
)
def test_lines_and_moved_symbols_are_repaired(home: Path, before: str, after: str) -> None:
    page = page_with(home, before)
    assert repaired(page) == after
    page.write_text(after)
    assert repaired(page) == after
    assert problems(page) == []


@pytest.mark.parametrize(
    "text",
    [
        '`[code](../seq2seq/cells.py#L1 "GRU")`',
        '[two of them](../seq2seq/old.py#L1 "GRU")',
        '[x](../README.md "A title")',
    ],
)
def test_links_that_cannot_be_resolved_stay_unchanged(home: Path, text: str) -> None:
    (home / "seq2seq" / "twin.py").write_text("class GRU: ...")
    assert repaired(page_with(home, text)) == text


def test_the_command_repairs_links_and_prints_those_it_cannot(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = page_with(home, '[a](../seq2seq/cells.py#L1 "GRU")\n')
    monkeypatch.setattr(build_links, "pages", lambda: [page])
    assert main() == 0
    assert page.read_text() == '[a](../seq2seq/cells.py#L5 "GRU")\n'
    assert capsys.readouterr().out == f"{page}\n"
    page.write_text('[a](../seq2seq/cells.py#L1 "Nothing")\n')
    assert main() == 1
    assert capsys.readouterr().out == "page.md: ../seq2seq/cells.py does not define Nothing\n"
