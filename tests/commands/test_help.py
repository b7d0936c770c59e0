"""The help of each command and its examples, the version, and the scripts."""

import importlib
import re
import runpy
import shlex

import click
import pytest
from shell import ROOT, call, python, worked

from seq2seq import __version__
from seq2seq.commands import COMMANDS, seq2seq

NAMES = [[], *([name] for name in COMMANDS), *(["tokenizer", name] for name in ("learn", "encode", "decode"))]


def find_command(words: list[str]) -> click.Command:
    """The command of that name."""
    command: click.Command = seq2seq
    for word in words:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    return command


@pytest.mark.parametrize("words", NAMES, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_shows_usage_and_examples_within_the_width(words: list[str], flag: str) -> None:
    text = worked(call(*words, flag)).out
    assert text.startswith(" ".join(["Usage: seq2seq", *words, "[OPTIONS]"]))
    examples = re.findall(r"^ {6}(\S.*)$", text.partition("Options:")[0], re.MULTILINE)
    assert any(f"seq2seq {' '.join(words)}".strip() in line for line in examples)
    assert max(map(len, text.splitlines())) <= 106
    assert "\b" not in text
    assert "..." not in text.replace("[ARGS]...", ""), "something is cut off"


@pytest.mark.parametrize("words", NAMES, ids=" ".join)
def test_commands_and_options_of_the_examples_exist(words: list[str]) -> None:
    """Every command and option in an example exists, and the value of an option has its type."""
    for line in re.findall(r"^ {4,}(\S.*)$", find_command(words).help or "", re.MULTILINE):
        for arguments in re.findall(r"\bseq2seq ([^|<>]*)", line):
            name, *rest = shlex.split(arguments, comments=True)
            command = find_command([name])
            if isinstance(command, click.Group):
                command = find_command([name, rest.pop(0)])
            parameters = {flag: p for p in command.params for flag in p.opts}
            while rest:
                option = parameters[rest.pop(0)]
                if not (isinstance(option, click.Option) and option.is_flag):
                    option.type.convert(rest.pop(0), option, None)


@pytest.mark.parametrize("words", NAMES, ids=" ".join)
def test_every_option_has_a_help_text(words: list[str]) -> None:
    for option in find_command(words).params:
        assert isinstance(option, click.Option) and option.help, option


def test_version_names_the_packages() -> None:
    [line] = worked(call("--version")).lines
    assert line.startswith(f"seq2seq {__version__}, CPython 3.")
    for name in ("torch", "sentencepiece", "sacrebleu", "datasets", "safetensors", "numpy"):
        assert f", {name} {importlib.import_module(name).__version__}" in line


def test_the_commands_are_listed_in_the_order_of_use() -> None:
    listed = worked(call("--help")).out.partition("Commands:")[2]
    assert re.findall(r"^  (\w+)", listed, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_a_script(name: str) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))
    assert script["main"].__module__ == f"seq2seq.commands.{name}"


def test_the_help_of_a_script_shows_how_it_was_started() -> None:
    text = worked(python(ROOT / "scripts" / "tokenizer.py", "learn", "--help")).out
    assert text.startswith("Usage: python scripts/tokenizer.py learn [OPTIONS]")
    assert "      python scripts/tokenizer.py learn --input train.en" in text
    assert "seq2seq" not in text
