"""Translates a file of lines into a file: with progress, in constant memory, and on from where it was interrupted."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice, repeat
from pathlib import Path

from seq2seq.api.computing import notifier
from seq2seq.commands.resuming import Job, resumable
from seq2seq.commands.streams import ended_lines_of, lines_of, output
from seq2seq.commands.translate_options import FormatOptions, SearchOptions
from seq2seq.display import Display
from seq2seq.documents.document import Slot, translated
from seq2seq.errors import InputError
from seq2seq.segments.segment import Segment
from seq2seq.translation.translator import LineTranslator


def translate_lines(
    translator: LineTranslator, job: Job, form: FormatOptions, limits: SearchOptions, work: object, quiet: bool
) -> None:
    """Translate the lines of the job's input into its output. Line breaks stay.

    Args:
        translator: translates the lines.
        job: the files.
        form: what is written of each translation.
        limits: how many rows are written for each line, and the prefixes of the translations.
        work: what else the output depends on.
        quiet: whether to show no progress and no notices.

    Raises:
        InputError: a line of the input is not UTF-8, which is found before anything is translated, or there is another
            number of prefixes.
        Interrupted, WorkError: as `resumable`.
    """
    prefix, nbest, notify = limits.prefix, limits.nbest, notifier(quiet)
    total = sum(1 for _ in lines_of(job.source, form.errors))
    if prefix:
        _check_prefixes(prefix, sum(1 for _ in lines_of(prefix, form.errors)), total)

    def translate(segments: Iterable[Segment], done: int) -> Iterator[Segment]:
        prefixes = islice(lines_of(prefix, form.errors), done, None) if prefix else repeat("")
        lines = (segment.text for segment in segments)
        results = translator.stream(lines, notify, prefixes, first=done + 1)
        with Display(total, done, "line", notify, quiet) as display:
            for number, translations in enumerate(results, done + 1):
                display.advance(str)
                yield Segment("\n".join(form.rows(translations, number, nbest)))

    bundle, prefixed = translator.bundle, prefix and prefix.read_bytes()
    how = bundle.src, bundle.tgt, form.alignments, form.scores, form.errors, nbest, prefixed
    with output(job.target) as file, resumable(translate, job, (how, work), "line") as recording:
        for part in translated(_slots(job.source, form.errors), recording):
            file.write(part)


def _check_prefixes(prefix: Path, count: int, lines: int) -> None:
    """Check that there is one prefix for each line.

    Raises:
        InputError: there is not.
    """
    if count != lines:
        amount = "fewer" if count < lines else "more"
        raise InputError(f"{prefix} has {amount} lines than the input; give one prefix per line")


def _slots(source: Path, errors: str) -> Iterator[Slot]:
    """The lines of a file as segments. The last one ends with a line break in any case."""
    for line in ended_lines_of(source, errors):
        end = "\r\n" if line.endswith("\r\n") else "\n"
        text = line.removesuffix("\n").removesuffix("\r")
        yield Slot(Segment(text), partial(_written, end=end))


def _written(translation: Segment, end: str) -> bytes:
    """The rows of a line."""
    return "".join(row + end for row in translation.text.split("\n")).encode("utf-8", errors="replace")
