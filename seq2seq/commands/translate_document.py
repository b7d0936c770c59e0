"""Translates a document into a document of the same format; an interrupted job can go on."""

from collections.abc import Callable, Iterable, Iterator

from seq2seq.commands.resuming import Job, resumable
from seq2seq.commands.streams import STANDARD, name_of, opened, output
from seq2seq.commands.translate_options import TextOptions
from seq2seq.documents.document import DocumentOptions, Slot, translated
from seq2seq.documents.formats import load_format
from seq2seq.errors import InputError
from seq2seq.languages.codes import AUTO
from seq2seq.languages.identification import MAX_CHARS
from seq2seq.segments.segment import Segment
from seq2seq.translation.translator import LineTranslator


def translate_document(
    translator: LineTranslator,
    text: TextOptions,
    kind: str,
    job: Job | None,
    work: object,
    notify: Callable[[str], None],
) -> None:
    """Read the document of `--input`, translate its segments, and write `--output`.

    Args:
        translator: translates the segments.
        text: the document.
        kind: its format.
        job: a file and a file, so that progress is recorded; None: other inputs or outputs.
        work: what else the output depends on.
        notify: is called with messages.

    Raises:
        InputError: the document is broken, cannot be read or has no segment.
        Interrupted, WorkError: as `resumable`.
    """
    form, bundle = load_format(kind), translator.bundle
    name, count = name_of(text.source), 0
    options = DocumentOptions(
        bundle.src,
        bundle.tgt,
        tuple(text.columns),
        text.everything,
        lambda message: notify(f"note: {name}: {message}"),
    )

    def translate(segments: Iterable[Segment], done: int) -> Iterator[Segment]:
        nonlocal count
        count = done
        for segment in translator.segments(segments, notify, done + 1):
            count += 1
            yield segment

    with (
        opened(text.source) as stream,
        output(text.target) as file,
        resumable(translate, job, (kind, options, work), "segment") as recording,
    ):
        try:
            for part in translated(form.events(stream, options), recording):
                file.write(part)
        except InputError as e:
            raise InputError(f"{name}: {e}") from None
    if not count:
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
