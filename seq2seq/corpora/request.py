"""What a person wants to have read. This module does not know files."""

import re
from typing import NamedTuple

Row = dict[str, str]  # the text of a unit by language, as the request names it; a language without text is left out
SAID = ("language of the source", "language of the target")  # keys of what a table says of each row; then the first
PART = "part of the row"  # two languages of the request stand for the source and the target, until `labels` has read it


class Request(NamedTuple):
    """The languages to read, and how.

    `sparse` is for more than two languages: a source may lack some of them, and so may each of its rows. `languages`
    are then all of them, or two of which the text is read, in an order without meaning: what does not name its
    languages is in none. `alone` says that one file is read, which is otherwise taken to be in these languages if it
    does not say its own.
    """

    languages: tuple[str, ...]
    columns: tuple[str, ...] = ()  # names of the columns of tables without a header
    skip: bool = False  # drop and count units that cannot be read
    sparse: bool = False
    alone: bool = False


def one_line(text: str | None) -> str:
    """The text of a field, in which a line break becomes a space; of an empty one (None) the empty text."""
    return re.sub(r"\r?\n", " ", text) if text and "\n" in text else text or ""
