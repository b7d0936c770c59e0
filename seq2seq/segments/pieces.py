"""Numbered pieces: characters of private use that stand for values in the text that a model reads and writes.

A tokenizer that knows them has a token for each. In text that a person gives, such a character is itself a value.
"""

import re

PIECES = 32  # that there may be
FIRST = 0xE010  # the character of piece 0
PIECE = re.compile(f"[{chr(FIRST)}-{chr(FIRST + PIECES - 1)}]")


def piece(number: int) -> str:
    """The character of a numbered piece."""
    return chr(FIRST + number)


def is_piece(character: str) -> bool:
    """Whether the character is a numbered piece."""
    return len(character) == 1 and 0 <= ord(character) - FIRST < PIECES


def number_of(character: str) -> int:
    """The number of a piece."""
    return ord(character) - FIRST
