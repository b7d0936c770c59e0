"""The commands that README.md, the pages and the help texts show have the options, settings and recipes named there."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from seq2seq.commands import COMMANDS, seq2seq
from seq2seq.training import settings

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "seq2seq" / "commands").glob("*.py")),
]
SHOWN = re.compile(rf"(?:\bseq2seq |scripts/)({'|'.join(COMMANDS)})(?:\.py)?(?: (learn|encode|decode))?((?: [^\n`]*)?)")
SETTINGS = {f"{section}.{name}" for section, kind in settings.Settings.__annotations__.items() for name in vars(kind())}
RECIPES = {path.stem for path in settings.RECIPES.glob("*.toml")}


def shown(page: str) -> Iterator[tuple[click.Command, str]]:
    """The commands that a page shows, each with the rest of its line, without comments and other commands."""
    for name, sub, rest in SHOWN.findall(re.sub(r"\\\n\s*", "", page)):
        command = seq2seq.get_command(click.Context(seq2seq), name)
        if sub and isinstance(command, click.Group):
            command = command.commands[sub]
        yield command, re.split(r"\s#|[|<>&;]", rest)[0]


def wrong(command: click.Command, rest: str) -> list[str]:
    """The options, settings and recipes of a command that do not exist."""
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    options = re.findall(r"(?<!\S)--[a-z][\w-]*", rest)
    assigned = re.findall(r"--set (\w+\.\w+)=", rest)
    recipes = re.findall(r"--recipe ([a-z][\w-]*)(?!\S)", rest)
    return [*({*options} - known), *({*assigned} - SETTINGS), *({*recipes} - RECIPES)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_exist(page: Path) -> None:
    found = list(shown(page.read_text(encoding="utf-8")))
    assert [(command.name, problem) for command, rest in found for problem in wrong(command, rest)] == []


def test_many_commands_are_shown() -> None:
    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    assert len([rest for page in pages for _, rest in shown(page) if "--" in rest]) > 100


@pytest.mark.parametrize(
    "text",
    [
        "seq2seq evaluate --model DIR --from en",
        "python scripts/train.py --data DIR \\\n    --colour",
        "seq2seq train --set model.colour=1",
        "seq2seq train --recipe shipped",
        "seq2seq tokenizer encode --model M --vocab-size 5",
    ],
)
def test_what_does_not_exist_is_found(text: str) -> None:
    assert [problem for command, rest in shown(text) for problem in wrong(command, rest)]
