"""Wanted and avoided phrases in texts that are written token by token, for many hypotheses at once.

Phrases are found in the text of the tokens, so by whichever tokens they are written (`phrase_text`). What there is to
know of a hypothesis is the number of a state. States, and what follows on each token, are computed when they are met
first, and then looked up in tables. This module knows no hypotheses and no probabilities.

Axes: P wanted phrases, V vocabulary. Arguments of the look-ups are arrays of one shape, or are broadcast to one.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.segments.words import joins
from seq2seq.translation.phrase_text import (
    Avoided,
    Completed,
    Form,
    PhraseText,
    Place,
    Wanted,
    last_of,
    needs_space,
)

Ids = NDArray[np.int64]

_MOST_BYTES = 1 << 26  # of the tables


class Spelling(NamedTuple):
    """How tokens spell text."""

    pieces: Sequence[bytes]  # the text of each token; of special ones it is empty
    encode: Callable[[str], list[int]]  # the usual tokens of a phrase, with or without a space before it
    eos: int


class Phrases:
    """The states of texts, for some wanted and avoided phrases; all of either are different."""

    def __init__(self, spelling: Spelling, wanted: Sequence[Wanted], avoided: Sequence[Avoided]) -> None:
        self.spelling = spelling
        self._ids = {piece: token for token, piece in enumerate(spelling.pieces) if piece}
        self._longest = max(map(len, self._ids), default=1)
        self._usual, self._spelt = dict[str, dict[int, int]](), dict[tuple[str, int], list[int]]()
        self.numbers = {phrase: number for number, phrase in enumerate(wanted)}
        self.lists = {each: number for number, each in enumerate(avoided)}
        self._text = PhraseText(wanted, avoided)
        # (P,) most tokens of each phrase
        self.full = np.zeros(max(1, len(wanted)), np.int64)
        for form in self._text.forms:
            most = max(len(self._tokens(form.text, at)) for at in (-1, 0))
            self.full[form.phrase] = max(self.full[form.phrase], most)
        self._places, self._numbers = list[Place](), dict[Place, int]()  # of the states
        self._table = np.full((16, len(spelling.pieces)), -1, np.int32)  # (states, V) outcomes; -1: not yet computed
        self._outcomes, self._events = dict[tuple[int, int], int](), dict[Completed, int]()
        self._rows: dict[str, list[Any]] = {
            name: [] for name in ("next", "event", "credit", "pending", "token", "completed", "violates")
        }
        self._arrays = dict[str, NDArray[np.int64]]()
        self.start = self._number(Place())
        self.nothing = self._event(Completed())  # the event that completes nothing

    @property
    def is_large(self) -> bool:
        """Whether the tables take much memory."""
        return self._table.nbytes + 48 * len(self._places) * len(self.full) > _MOST_BYTES

    # ---- look-ups ----------------------------------------------------------------------------------------------------

    def step(self, states: Ids, tokens: Ids) -> tuple[Ids, Ids]:
        """The state after a token, and the event: what it completes. That of `eos` is what the end completes."""
        states, tokens = np.broadcast_arrays(states, tokens)
        found = self._table[states, tokens]
        if (new := found < 0).any():
            for state, token in sorted(set(zip(states[new].tolist(), tokens[new].tolist(), strict=True))):
                outcome = self._outcome(state, token)  # it may replace the table by a longer one
                self._table[state, token] = outcome
            found = self._table[states, tokens]
        return self._array("next")[found], self._array("event")[found]

    def completed(self, events: Ids, phrases: Ids) -> Ids:
        """How often an event completes a wanted phrase."""
        return self._array("completed")[events, phrases]

    def violates(self, events: Ids, lists: Ids) -> NDArray[np.bool_]:
        """Whether an event completes an avoided phrase of a list."""
        return self._array("violates")[events, lists] > 0

    def pending(self, states: Ids, phrases: Ids) -> Ids:
        """1 where a wanted phrase is complete if its last word ends here, else 0."""
        return self._array("pending")[states, phrases]

    def credit(self, states: Ids, phrases: Ids) -> Ids:
        """How many tokens less than `full` a wanted phrase needs here, since it has begun, or no space is needed."""
        return self._array("credit")[states, phrases]

    def token(self, states: Ids, phrases: Ids) -> Ids:
        """The token that goes on with a wanted phrase, or begins it."""
        return self._array("token")[states, phrases]

    def _array(self, name: str) -> NDArray[np.int64]:
        rows, array = self._rows[name], self._arrays.get(name)
        if array is None or len(array) < len(rows):
            array = self._arrays[name] = np.array(rows, np.int64)
        return array

    # ---- tables ------------------------------------------------------------------------------------------------------

    def _number(self, place: Place) -> int:
        """The number of a state; a new one gets its rows."""
        if place in self._numbers:
            return self._numbers[place]
        number = self._numbers[place] = len(self._places)
        self._places.append(place)
        if number == len(self._table):
            self._table = np.concatenate([self._table, np.full_like(self._table, -1)])
        credit, pending, token = [0] * len(self.full), [0] * len(self.full), [0] * len(self.full)
        for form in self._text.forms:  # the form with a capital, where it may be written, is the later one
            if (at := self._beginning(place, form)) is not None:
                tokens = self._tokens(form.text, at)
                credit[form.phrase], token[form.phrase] = int(self.full[form.phrase]) - len(tokens), tokens[0]
        for form, done in self._text.begun(place):
            tokens = self._tokens(form.text, done)
            if not tokens:
                pending[form.phrase] = int(joins(form.text[-1]))  # otherwise it is complete already
            elif (gain := int(self.full[form.phrase]) - len(tokens)) >= credit[form.phrase]:
                credit[form.phrase], token[form.phrase] = gain, tokens[0]
        for name, row in (("credit", credit), ("pending", pending), ("token", token)):
            self._rows[name].append(row)
        return number

    def _outcome(self, state: int, token: int) -> int:
        """The number of a pair of a next state and an event."""
        place = self._places[state]
        if token == self.spelling.eos:
            after, found = Place(), self._text.end(place)
        else:
            after, found = self._text.after(place, self.spelling.pieces[token])
        outcome = self._number(after), self._event(found)
        if outcome not in self._outcomes:
            self._outcomes[outcome] = len(self._outcomes)
            self._rows["next"].append(outcome[0])
            self._rows["event"].append(outcome[1])
        return self._outcomes[outcome]

    def _event(self, found: Completed) -> int:
        """The number of an event."""
        if found not in self._events:
            self._events[found] = len(self._events)
            self._rows["completed"].append([found.wanted.count(phrase) for phrase in range(len(self.full))])
            self._rows["violates"].append([number in found.lists for number in range(max(1, len(self.lists)))])
        return self._events[found]

    # ---- how phrases are written -------------------------------------------------------------------------------------

    def _beginning(self, place: Place, form: Form) -> int | None:
        """Where a form begins: -1 with a space before it, else 0; None where it may not stand."""
        last, fresh = last_of(place)
        if form.fresh and not fresh:
            return None
        if not last:  # the space before the first word is no part of the text, and a piece of its own adds nothing
            first = self._usual_tokens(form.text).get(-1)
            return 0 if first is None or self.spelling.pieces[first] == b" " else -1
        return -1 if needs_space(last, form.text) else 0

    def _spell(self, tokens: Sequence[int]) -> bytes:
        return b"".join(self.spelling.pieces[token] for token in tokens)

    def _tokens(self, text: str, at: int) -> list[int]:
        """The tokens that write a text from byte `at` on; from -1 on, with a space before it.

        They are the usual ones from where one of these begins; before it, the longest that fit.
        """
        if (text, at) in self._spelt:
            return self._spelt[text, at]
        data, usual, result, start = text.encode(), self._usual_tokens(text), list[int](), at
        if at < 0 and at not in usual and not any(piece.startswith(b" ") for piece in self._ids):
            at = 0
        while at < len(data):
            token = usual.get(at)
            if token is None:
                rest = (b" " + data)[at + 1 : at + 1 + self._longest]
                token = next(self._ids[rest[:end]] for end in range(len(rest), 0, -1) if rest[:end] in self._ids)
            result.append(token)
            at += len(self.spelling.pieces[token])
        self._spelt[text, start] = result
        return result

    def _usual_tokens(self, text: str) -> dict[int, int]:
        """The usual tokens of a text, by the byte that each begins with; -1 is a space before the text."""
        if text not in self._usual:
            tokens = self.spelling.encode(text)
            at = -1 if self._spell(tokens).startswith(b" ") else 0
            places = dict[int, int]()
            for token in tokens:
                places[at] = token
                at += len(self.spelling.pieces[token])
            self._usual[text] = places
        return self._usual[text]
