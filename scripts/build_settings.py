"""Write docs/settings.md anew: every setting with its default, from where the code declares it.

    python scripts/build_settings.py

A test says when the page is no longer what this would write.
"""

import dataclasses
import json
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from typing import Any

from seq2seq.reporting.model_card import row
from seq2seq.training.settings import RECIPES, Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

HEAD = """# Settings

A run's settings are one TOML file with the sections below: a recipe. `seq2seq train --recipe NAME` takes one that
ships, `--recipe FILE.toml` yours, and `--set SECTION.NAME=VALUE` overrides one value. What is left out has the default
shown here. A model folder keeps its settings in `config.toml`. This page is written by `scripts/build_settings.py`.
"""


def page() -> str:
    """The page's text."""
    parts = [HEAD, "## Recipes that ship\n\n" + table(("recipe", "what for"), recipes())]
    for section, kind in Settings.__annotations__.items():
        about = (kind.__doc__ or "").strip()
        rows = (described(section, field) for field in dataclasses.fields(kind))
        parts.append(f"## [{section}]\n\n{about}\n\n" + table(("setting", "default", "what it says", "values"), rows))
    return "\n".join(parts)


def recipes() -> Iterable[tuple[str, str]]:
    """Each recipe's name, and the comment that it begins with."""
    for path in sorted(RECIPES.glob("*.toml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        comment = takewhile(lambda line: line.startswith("#"), lines)
        yield f"`{path.stem}`", " ".join(line.removeprefix("#").strip() for line in comment)


def described(section: str, field: "dataclasses.Field[Any]") -> tuple[str, str, str, str]:
    """A setting's row."""
    low, high, choices = (field.metadata[key] for key in ("low", "high", "choices"))
    values = ", ".join(f"`{choice}`" for choice in choices or ())
    if low is not None and high is not None:
        values = f"{low} to {high}"
    elif low is not None:
        values = f"{low} or more"
    default = json.dumps(field.default)  # which is TOML as well
    return f"`{section}.{field.name}`", f"`{default}`", field.metadata["doc"], values


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    return "".join(f"{row(*cells)}\n" for cells in (head, ("---",) * len(head), *rows))


def main() -> int:
    """Write the page, and say so."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
