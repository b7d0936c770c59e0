"""The words that a model has read, by which names that it cannot know are told. `name_learning` makes them.

This module does not know sentence pairs, so that a model is opened without their readers.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from seq2seq.segments.names import Names
from seq2seq.text.directions import Direction


@dataclass(frozen=True)
class KnownWords:
    """What a model's training text tells about names.

    Args:
        words: that are not unknown, in small letters, sorted and with a space between, by source language.
        kept: in which directions unknown words with a capital are kept: inside of a sentence, and where it begins.
    """

    words: Mapping[str, str]
    kept: Mapping[Direction, tuple[bool, bool]]
    _names: dict[Direction, Names] = field(default_factory=dict, init=False, repr=False, compare=False)

    def names(self, direction: Direction) -> Names | None:
        """What tells names in the source of a direction; None if none are kept."""
        if direction in self.kept and direction not in self._names:
            (inside, first), words = self.kept[direction], self.words[direction[0]]
            key = hashlib.sha256(f"{inside} {first} {words}".encode()).hexdigest()
            self._names[direction] = Names(frozenset(words.split()), inside, first, key)
        return self._names.get(direction)

    def to_json(self) -> bytes:
        """The words and directions as JSON, of which `from_json` makes them again."""
        kept = [[*direction, *places] for direction, places in self.kept.items()]
        return json.dumps({"kept": kept, "words": self.words}, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "KnownWords":
        """What `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        data = json.loads(content)
        try:
            words = dict[str, str](data["words"])
            kept = {(str(src), str(tgt)): (bool(inside), bool(first)) for src, tgt, inside, first in data["kept"]}
        except (KeyError, TypeError) as e:
            raise ValueError(str(e)) from None
        if not all(isinstance(line, str) for line in words.values()):
            raise ValueError("words are no text")
        if lacking := {src for src, _ in kept} - words.keys():
            raise ValueError(f"no words of {min(lacking)}")
        return cls(words, kept)
