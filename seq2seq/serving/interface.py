"""LibreTranslate's `translate` request: check its JSON, and build the JSON of the answer.

    {"q": TEXT or [TEXT, ..], "source": "en", "target": "de", "alternatives": N, "alignments": true}
    -> {"translatedText": .., "alternatives": [..], "alignments": [..]}, with a list of each where "q" is a list

`alignments` is this server's own addition. Knows neither HTTP nor models.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from seq2seq.errors import InputError
from seq2seq.translation.texts import ranked_texts, split_lines
from seq2seq.translation.translator import Translation

Direction = tuple[str, str]  # the languages that a model translates from and to


class TranslateRequest(NamedTuple):
    """A request that was checked: what to translate, in which direction, and what the answer holds."""

    texts: list[str]
    is_list: bool  # "q" is a list, and so is each part of the answer
    direction: Direction
    alternatives: int  # at most, for each text
    alignments: bool

    @property
    def lines(self) -> list[str]:
        """The lines of all texts in turn, which are translated one by one."""
        return [line for text in self.texts for line in split_lines(text)]


def parse_translate(content: Mapping[str, Any], directions: Sequence[Direction]) -> TranslateRequest:
    """Check the object of a request. A source of "auto", or none, is the first one that fits the target.

    Raises:
        InputError: a field is missing or of a wrong type, or no model translates in that direction.
    """
    q, source, target, count = (content.get(name) for name in ("q", "source", "target", "alternatives"))
    texts: list[Any] = q if isinstance(q, list) else [q]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise InputError('"q" is not a text to translate; send a text, or a list of texts')
    fitting = [(src, tgt) for src, tgt in directions if source in (src, "auto", None) and target == tgt]
    if not fitting:
        known = ", ".join(f"{src} to {tgt}" for src, tgt in directions)
        raise InputError(f"no model here translates from {source!r} to {target!r}; choose from {known}")
    if type(count or 0) is not int or (count or 0) < 0:
        raise InputError(f'"alternatives" = {count!r} is not a number of texts; send 0 or more')
    return TranslateRequest(texts, isinstance(q, list), fitting[0], count or 0, bool(content.get("alignments")))


def build_answer(request: TranslateRequest, candidates: Sequence[list[Translation]]) -> dict[str, Any]:
    """The object of the answer, from the candidates of each line of the request, best first; an empty line has none."""
    in_order = iter(candidates)
    lines = [[next(in_order) for _ in split_lines(text)] for text in request.texts]
    ranked = [[t.text for t in ranked_texts(text, each)] for text, each in zip(request.texts, lines, strict=True)]
    answer: dict[str, list[Any]] = {"translatedText": [texts[0] for texts in ranked]}
    if request.alternatives:
        answer["alternatives"] = [_alternatives(texts, request.alternatives) for texts in ranked]
    if request.alignments:
        answer["alignments"] = [[line[0].alignment if line else [] for line in each] for each in lines]
    return answer if request.is_list else {name: values[0] for name, values in answer.items()}


def _alternatives(texts: Sequence[str], count: int) -> list[str]:
    """The texts behind the best one, `count` at most, which differ from it and from one another."""
    return [text for text in dict.fromkeys(texts) if text != texts[0]][:count]
