"""The Python programs in README and docs run as written, but for the folders they name and the time they take."""

import re
from pathlib import Path
from typing import Any

import pytest

from seq2seq.api.models import shipped_models

ROOT = Path(__file__).resolve().parent.parent.parent
MODEL = shipped_models(trained=True)["en", "de"]
PAIRS = [(f"A {noun} {verb}.", f"Ein {noun} {verb}.") for noun in ("cat", "dog", "man") for verb in ("sleeps", "eats")]
TINY = """
[tokenizer]
vocab_size = 300
[model]
embedding = 8
encoder_hidden = [8, 8]
hidden = 8
[training]
precision = "fp32"
"""


def programs(page: str) -> str:
    """The Python blocks of a page, in their order."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.S | re.M))


@pytest.mark.parametrize("page", ["README.md", "docs/python.md", "docs/guide.md"])
def test_the_programs_of_a_page_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("train", "dev", "test"):
        for side, language in enumerate(("en", "de")):
            (tmp_path / f"{part}.{language}").write_text("".join(f"{pair[side]}\n" for pair in PAIRS))
    (tmp_path / "tiny.toml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    program = programs(page)
    for written, here in (
        ('"DIR"', f'"{tmp_path}"'),
        ('"multi30k"', '"tiny.toml"'),
        ('"training.updates": 1000', '"training.updates": 2'),
        ('"artifacts/runs/', f'"{MODEL}" or "'),
        ('"FAST"', f'"{MODEL}"'),
    ):
        program = program.replace(written, here)
    names: dict[str, Any] = {}
    exec(compile(program, page, "exec"), names)
    assert names["model"].translate("Where is the station?", to="de") == "Wo ist der Bahnhof?"
