"""API keys and their limits, from a TOML file: a table for each key, under a name of the operator's choice.

[alice]
key = "3f6c1e0a-..."
requests_per_minute = 60   # left out: the server's --req-limit
characters = 20000         # of a request; left out: the server's --char-limit
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from seq2seq.config import build, read, setting
from seq2seq.errors import InputError
from seq2seq.serving.limits import Limits, RefusedError


@dataclass(frozen=True)
class Key:
    """A key, and what may be asked with it."""

    key: str = setting("", "the key")
    requests_per_minute: int = setting(0, "requests a minute; 0: what the server's limits say", low=0)
    characters: int = setting(0, "characters of a request; 0: what the server's limits say", low=0)


class Keys:
    """The keys by name. Without any, everybody may ask.

    Args:
        keys: the keys by name.
        limits: what the server's limits are.
    """

    def __init__(self, keys: Mapping[str, Key], limits: Limits) -> None:
        self._keys, self._limits = dict(keys), limits

    def __bool__(self) -> bool:
        return bool(self._keys)

    def check(self, key: str, address: str) -> tuple[str, Limits]:
        """The name of the client that asks, and its limits: those of its key, or where there are none of its address.

        Raises:
            RefusedError: there is no key though one is needed (400), or it is not known (403).
        """
        if not self._keys:
            return address, self._limits
        found = None
        for name, known in self._keys.items():  # all of them, so that the time tells nothing
            if hmac.compare_digest(known.key.encode(), key.encode(errors="replace")):
                found = name
        if found is None:
            if not key:
                raise RefusedError(400, '"api_key" is missing; ask the operator of this server for a key')
            raise RefusedError(403, "this key is not known; ask the operator of this server for one")
        chosen = self._keys[found]
        given = {"requests_per_minute": chosen.requests_per_minute, "characters": chosen.characters}
        return f"key {found}", replace(self._limits, **{name: n for name, n in given.items() if n})


def read_keys(path: Path) -> dict[str, Key]:
    """The keys of a file.

    Raises:
        InputError: the file cannot be read or holds no keys, or a key is missing or there twice.
    """
    keys, seen = dict[str, Key](), dict[str, str]()
    for name, section in read(path).items():
        key = build(Key, section, name)
        if not key.key:
            raise InputError(f'{path}: [{name}] has no key; write key = "..."')
        if other := seen.get(key.key):
            raise InputError(f"{path}: [{name}] has the key of [{other}]; give each its own")
        seen[key.key] = name
        keys[name] = key
    if not keys:
        raise InputError(f'{path} holds no keys; write [NAME] and below it key = "..."')
    return keys
