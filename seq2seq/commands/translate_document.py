"""Translates a document into a document of the same format; an interrupted job can go on."""

import hashlib
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path

from seq2seq.commands.streams import STANDARD, name_of, opened, output
from seq2seq.commands.translate_options import TextOptions
from seq2seq.documents.document import DocumentOptions, Slot, translated
from seq2seq.documents.formats import load_format
from seq2seq.documents.progress import path_beside, recorded
from seq2seq.errors import InputError, Interrupted
from seq2seq.languages.identification import MAX_CHARS
from seq2seq.segments.segment import Segment
from seq2seq.text.detection import AUTO
from seq2seq.translation.translator import LineTranslator


def translate_document(translator: LineTranslator, text: TextOptions, kind: str, notify: Callable[[str], None]) -> None:
    """Read the document of `--input`, translate its segments, and write `--output`.

    Where both are files, the progress is recorded beside the output until it is whole; `--resume` begins with it.

    Raises:
        InputError: the document is broken, cannot be read or has no segment, or there is nothing to resume.
    """
    source = None if text.source == STANDARD else text.source
    target = None if text.target == STANDARD else text.target
    recordable = source is not None and target is not None and (target.is_file() or not target.exists())
    if text.resume and not recordable:
        raise InputError("--resume goes on with a job from a file to a file; give --input FILE and --output FILE")
    if text.resume and target and not path_beside(target.resolve()).exists():
        notify(f"note: there is no progress beside {target}; it is translated from its beginning")
    form, bundle = load_format(kind), translator.bundle
    name, count = name_of(source), 0
    options = DocumentOptions(
        bundle.src,
        bundle.tgt,
        tuple(text.columns),
        text.everything,
        lambda message: notify(f"note: {name}: {message}"),
    )

    def translate(segments: Iterable[Segment]) -> Iterator[Segment]:
        nonlocal count
        for segment in translator.segments(segments, notify):
            count += 1
            yield segment

    with opened(source) as stream:
        terms = [bundle.terms] if bundle.terms else []
        work: object = (kind, options, text.models, translator.config, bundle.reading, *terms)
        if translator.choose:
            work = (work, translator.choose)
        key = _fingerprint(source, work) if recordable and source else ""
        with output(text.target) as file:
            progress = (
                recorded(translate, path_beside(target.resolve()), key, text.resume)
                if recordable and target
                else nullcontext(translate)
            )
            try:
                with progress as recording:
                    for part in translated(form.events(stream, options), recording):
                        file.write(part)
            except InputError as e:
                raise InputError(f"{name}: {e}") from None
            except KeyboardInterrupt as e:
                if not recordable:
                    raise
                message = f"stopped after {count} segments; repeat the command with --resume to go on"
                raise Interrupted(getattr(e, "signum", signal.SIGINT), message) from None
    if not count and not text.resume:
        notify(f"note: {name} holds nothing to translate")


def document_sample(text: TextOptions, kind: str) -> str:
    """The beginning of the text of the document of `--input`, as much as a detector of languages looks at.

    Raises:
        InputError: it is standard input, or broken.
    """
    if text.source in (None, STANDARD):
        raise InputError(f"--from {AUTO} reads a document twice; give --input FILE, or name the language")
    form, options = load_format(kind), DocumentOptions(AUTO, text.to or AUTO, tuple(text.columns), text.everything)
    found = ""
    with opened(text.source) as stream:
        try:
            for event in form.events(stream, options):
                found += f"{event.segment.text}\n" if isinstance(event, Slot) else ""
                if len(found) > MAX_CHARS:
                    break
        except InputError as e:
            raise InputError(f"{text.source}: {e}") from None
    return found


def _fingerprint(source: Path, work: object) -> str:
    """Names the document and the way it is translated."""
    digest = hashlib.sha256(repr(work).encode())
    with source.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
