"""Frozen dataclasses of settings, read from and written to TOML, and overridden by `--set section.name=value`.

Each room declares its settings with `setting`, beside the code that obeys them; this module reads, checks and writes
them. It knows no setting by name.
"""

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from seq2seq.errors import InputError, shown

T = TypeVar("T")


def setting(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Iterable[str] | None = None,
) -> Any:
    """A dataclass field with its documentation and its allowed values; `low` and `high` are allowed themselves."""
    allowed = None if choices is None else tuple(choices)
    return dataclasses.field(default=default, metadata={"doc": doc, "low": low, "high": high, "choices": allowed})


def nearest(name: object, known: Iterable[str]) -> str:
    """The end of a message: `; did you mean 'x'?` if a known name is close to `name`, else the list of known names.

    A Python program may give something else than a string as a name.
    """
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(known)}"


def build(cls: type[T], values: Mapping[str, Any], section: str) -> T:
    """`cls(**values)`, with names, types and ranges checked; `section` is named in messages.

    Raises:
        InputError: a name that is no field of the class (the nearest is suggested), a value of a wrong type or range.
    """
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    checked = {}
    for name, value in values.items():
        if name not in fields:
            raise InputError(f"unknown setting '{section}.{name}'{nearest(name, fields)}")
        checked[name] = _check(f"{section}.{name}", value, hints[name], fields[name].metadata)
    return cls(**checked)


def _check(name: str, value: Any, hint: Any, limits: Mapping[str, Any]) -> Any:
    if isinstance(hint, types.UnionType):  # one value, or a list of them
        hint = next(kind for kind in typing.get_args(hint) if (kind is str) == isinstance(value, str))
    item: Any = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None
    if item is not None:
        if not isinstance(value, (list, tuple)):
            sample = '"DIR"' if item is str else limits["low"] or 1
            raise InputError(f"{name} = {value!r}: expected a list, for example [{sample}]")
        return tuple(_check(name, v, item, limits) for v in value)
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise InputError(f"{name} = {value!r}: expected {_KINDS[hint]}")
    low, high, choices = limits["low"], limits["high"], limits["choices"]
    if choices is not None and value not in choices:
        raise InputError(f"{name} = {value!r} is not known{nearest(value, choices)}")
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        span = f"at least {low}" if high is None else f"at most {high}" if low is None else f"from {low} to {high}"
        raise InputError(f"{name} = {value!r} is out of range: give a value {span}")
    return value


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a string in quotes"}


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The sections of a TOML file, as dicts.

    Raises:
        InputError: the file cannot be read, is not UTF-8, is not TOML, or has a setting outside a section.
    """
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror}; check the path") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as e:
        raise InputError(f"{path} is not valid TOML: {e}") from None
    for name, values in sections.items():
        if not isinstance(values, dict):
            raise InputError(f"{path}: '{name}' is outside a section; put it below the [section] that it is of")
    return sections


def parse_override(text: str) -> tuple[str, str, Any]:
    """Parse `model.hidden=512` to ("model", "hidden", 512). The value is TOML; any other text is taken as a string.

    Raises:
        InputError: the text has no `=`, or the name has no section.
    """
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and section and dot and key):
        raise InputError(f"--set {text}: expected SECTION.NAME=VALUE, for example model.hidden=512")
    try:
        return section, key, tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        return section, key, value.strip()


def to_toml(sections: Mapping[str, Any]) -> str:
    """Sections by name, dataclasses or dicts, as TOML text for `read`; bytes that TOML cannot hold are escaped."""
    return tomli_w.dumps(
        {name: _shown(dataclasses.asdict(s) if dataclasses.is_dataclass(s) else s) for name, s in sections.items()}  # type: ignore[arg-type]
    )


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return shown(value) if isinstance(value, str) else value
