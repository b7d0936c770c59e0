"""What a request asks for, done: languages found or detected, texts and documents translated, answers put together.

Knows no HTTP.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET

from seq2seq.documents.document import DocumentOptions, Event
from seq2seq.documents.formats import format_name, load_format
from seq2seq.languages.codes import AUTO, find_code, is_auto
from seq2seq.languages.identification import CERTAIN
from seq2seq.segments.glossary import Terms
from seq2seq.serving.detection import Detection, Detector
from seq2seq.serving.interface import Detected, FileFields, Texts, TranslateAnswer, TranslateRequest
from seq2seq.serving.limits import Limits, RefusedError
from seq2seq.serving.tasks import Kind
from seq2seq.serving.terms import terms_of
from seq2seq.serving.texts import (
    HTML,
    Translated,
    divided,
    joined,
    pieces_of,
    slots_of,
    source_of,
    translations_of,
    with_spaces,
    words_of,
    written,
)
from seq2seq.serving.worker import WIDE, Direction, Worker

MOST_ALTERNATIVES = WIDE - 1
TABLES = ("csv", "tsv")  # formats that need columns
DETECTED_FROM = 50  # segments of a document that its language is detected by
MOST_LISTED = 10  # directions that a message names
SMALL = 4000  # characters of a request that are read and written without a thread of their own

T = TypeVar("T")


class Client(NamedTuple):
    """Who asks: the name of its key, or its address."""

    name: str
    limits: Limits


class Found(NamedTuple):
    """The direction of a text, and the language that was detected if it was to be."""

    direction: Direction
    detection: Detection | None


class Translations:
    """Translates for requests.

    Args:
        worker: the models.
        directions: those that there are.
        detector: of the languages that there are.
    """

    def __init__(self, worker: Worker, directions: Sequence[Direction], detector: Detector) -> None:
        self.worker, self.directions, self.detector = worker, list(directions), detector
        self._texts, self._documents = asyncio.Lock(), asyncio.Lock()  # one large one is read or written at once

    async def _aside(self, size: int, work: Callable[[], T]) -> T:
        """What the work returns, done beside the event loop, one at once, if it is on a large text."""
        if size <= SMALL:
            return work()
        async with self._texts:
            return await asyncio.to_thread(work)

    # ---- directions --------------------------------------------------------------------------------------------------

    def direction(self, source: str, target: str) -> Direction:
        """The direction of codes as a request has them; both may be the same language. "auto" stays.

        Raises:
            RefusedError: no model translates so (400).
        """
        tgt = find_code(target, {code for direction in self.directions for code in direction})
        sources = [src for src, to in self.directions if to == tgt]
        src = AUTO if is_auto(source) else find_code(source, [*sources, *([tgt] if tgt else [])])
        if tgt is None or src is None or not (sources or src == tgt):
            fitting = [(src, tgt) for src, to in self.directions if to == tgt] or self.directions
            known = "choose from " + ", ".join(f"{src} to {tgt}" for src, tgt in fitting)
            known = known if len(fitting) <= MOST_LISTED else "/languages lists the directions"
            raise RefusedError(400, f"no model here translates from {source!r} to {target!r}; {known}")
        return src, tgt

    def found(self, asked: Direction, texts: Sequence[str]) -> Found:
        """The direction of texts that are in one language, which is detected if it is "auto".

        It is the most probable language that can be translated to the target, or the target itself if it is certain.
        """
        source, target = asked
        if source != AUTO:
            return Found(asked, None)
        fitting = {target, *(src for src, tgt in self.directions if tgt == target)}
        ranked = [each for each in self.detector.detect(texts) if each.language in fitting]
        if ranked and ranked[0].confidence < 100 * CERTAIN:
            ranked = [each for each in ranked if each.language != target] or ranked
        best = ranked[0] if ranked else Detection(next(src for src, tgt in self.directions if tgt == target), 0.0)
        return Found((best.language, target), best)

    # ---- texts -------------------------------------------------------------------------------------------------------

    async def translate(self, client: Client, asked: TranslateRequest, texts: Texts) -> TranslateAnswer:
        """The answer to a request."""
        direction = self.direction(asked.source, asked.target)
        if asked.sentences:
            return await self._by_sentence(client, asked, texts, direction)
        if direction[0] == AUTO:
            found = await asyncio.to_thread(
                lambda: [self.found(direction, words_of(text, asked.format)) for text in texts.texts]
            )
        else:
            found = [Found(direction, None)] * len(texts.texts)
        results = await self._translated(client, asked, texts.texts, [each.direction for each in found])
        answer = TranslateAnswer([each.texts[0] for each in results])
        if direction[0] == AUTO:
            detected = [each.detection for each in found if each.detection]
            answer.detectedLanguage = [Detected(each.confidence, each.language) for each in detected]
        if asked.alternatives:
            most = min(asked.alternatives, MOST_ALTERNATIVES)
            answer.alternatives = [[text for text in each.texts[1:] if text.strip()][:most] for each in results]
        if asked.alignments:
            answer.alignments = [each.alignments for each in results]
        return answer if texts.is_list else _single(answer)

    async def _by_sentence(
        self, client: Client, asked: TranslateRequest, texts: Texts, direction: Direction
    ) -> TranslateAnswer:
        """The answer to a request whose text is answered sentence by sentence.

        Raises:
            RefusedError: it has a list of texts, or HTML (400).
        """
        if texts.is_list or asked.format == HTML:
            raise RefusedError(400, '"sentences" is for one plain text; send "q" as a text, and "format" as "text"')
        text = texts.texts[0]
        found = await asyncio.to_thread(self.found, direction, texts.texts)
        translator = self.worker.translators.get((*found.direction, False))
        reading = translator.bundle.reading if translator else None
        pieces = await self._aside(len(text), lambda: pieces_of(text, reading))
        source, target = found.direction
        whole = msgspec.structs.replace(asked, source=source, target=target, sentences=False)
        answer = await self.translate(client, whole, Texts(pieces, is_list=True))
        answer.sentences, answer.translatedText = pieces, with_spaces(pieces, answer.translatedText)
        if found.detection:
            answer.detectedLanguage = Detected(found.detection.confidence, found.detection.language)
        return answer

    async def _translated(
        self, client: Client, asked: TranslateRequest, texts: Sequence[str], directions: Sequence[Direction]
    ) -> list[Translated]:
        """The translations of each text in its direction.

        The best one is that of the model's own beam; a wider one, where the alternatives need it, adds to it.
        """
        results = await self._by_direction(client, asked, texts, directions, wide=False)
        beams = [self.worker.translators[(*direction, False)].config.beam for direction in self.directions]
        if asked.alternatives >= min(beams):
            wider = await self._by_direction(client, asked, texts, directions, wide=True)
            results = [
                near._replace(texts=list(dict.fromkeys([near.texts[0], *far.texts, *near.texts[1:]])))
                for near, far in zip(results, wider, strict=True)
            ]
        return results

    async def _by_direction(
        self, client: Client, asked: TranslateRequest, texts: Sequence[str], directions: Sequence[Direction], wide: bool
    ) -> list[Translated]:
        results = [Translated([text], []) for text in texts]  # what is in the target language stays
        for direction in dict.fromkeys(directions):
            if direction[0] == direction[1]:
                continue
            rows = [row for row, each in enumerate(directions) if each == direction]
            chosen = [texts[row] for row in rows]
            found = await self._in_direction(client, asked, chosen, (*direction, wide))
            for row, each in zip(rows, found, strict=True):
                results[row] = each
        return results

    def _terms(self, asked: TranslateRequest | FileFields, direction: Direction) -> Terms:
        """The terms of a request for a direction of it."""
        languages = {language for known in self.directions for language in known}
        return terms_of(asked.glossary, asked.avoid, direction, languages, is_auto(asked.source))

    async def _in_direction(
        self, client: Client, asked: TranslateRequest, texts: Sequence[str], kind: Kind
    ) -> list[Translated]:
        """The translations of each text, all in one direction."""
        form, most = asked.format, min(asked.alternatives, MOST_ALTERNATIVES) + 1
        size = sum(map(len, texts))
        sources = await self._aside(size, lambda: [source_of(text, form, kind[0]) for text in texts])
        portions = [portion for source in sources for segment in source.segments for portion in segment]
        terms = self._terms(asked, kind[:2])
        found = iter(await self.worker.translate(client.name, kind, portions, most, asked.alignments, terms))
        candidates = [[next(found) for segment in source.segments for _ in segment] for source in sources]

        def write() -> list[Translated]:
            return [translations_of(source, each, most) for source, each in zip(sources, candidates, strict=True)]

        return await self._aside(size, write)

    # ---- documents ---------------------------------------------------------------------------------------------------

    async def translate_file(self, client: Client, asked: FileFields, file: BinaryIO, name: str) -> tuple[bytes, str]:
        """The translated document, and the language that it was translated to.

        Raises:
            InputError: the document is broken, or a package is missing that its format needs.
            RefusedError: it is too long (413).
        """
        direction = self.direction(asked.source, asked.target)
        kind = format_name(None, Path(PurePath(name).name), None)
        form, columns = load_format(kind), (asked.columns,) if isinstance(asked.columns, str) else tuple(asked.columns)
        if kind in TABLES and not columns:
            raise RefusedError(400, '"columns" is missing; name the columns to translate, or give their numbers')

        async def read(src: str) -> list[Event]:
            options = DocumentOptions(src, direction[1], columns)
            file.seek(0)
            async with self._documents:
                return await asyncio.to_thread(lambda: list(form.events(file, options)))

        if direction[0] == AUTO:
            sample = [segment.text for segment in slots_of(await read(""))[:DETECTED_FROM]]
            direction = (await asyncio.to_thread(self.found, direction, sample)).direction
        src, tgt = direction
        if src == tgt:
            file.seek(0)
            return file.read(), tgt
        events = await read(src)
        segments = slots_of(events)
        if sum(len(segment.text) for segment in segments) > self.worker.limits.waiting_characters // 2:
            raise RefusedError(413, "the document is too long; send it in parts")
        terms = self._terms(asked, direction)
        async with self._documents:
            divisions = await asyncio.to_thread(lambda: [divided(segment, src) for segment in segments])
        portions = [portion for division in divisions for portion in division]
        candidates = await self.worker.translate(client.name, (src, tgt, False), portions, 1, terms=terms)
        async with self._documents:
            return await asyncio.to_thread(lambda: b"".join(written(events, joined(divisions, candidates)))), tgt


def _single(answer: TranslateAnswer) -> TranslateAnswer:
    """The answer for one text that was not in a list."""
    for name in answer.__struct_fields__:
        if (value := getattr(answer, name)) is not UNSET:
            setattr(answer, name, value[0])
    return answer
