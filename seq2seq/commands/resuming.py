"""A translation from a file to a file, which is recorded beside the output, so that `--resume` can go on with it."""

import hashlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from seq2seq.commands.streams import STANDARD
from seq2seq.commands.translate_options import TextOptions
from seq2seq.documents.document import Translate
from seq2seq.documents.progress import path_beside, recorded
from seq2seq.errors import InputError, Interrupted, WorkError
from seq2seq.segments.segment import Segment

AGAIN = "repeat the command with --resume to go on"
TranslateRest = Callable[[Iterable[Segment], int], Iterator[Segment]]  # segments, and the number of those before them


class Job(NamedTuple):
    """A translation from a file to a file."""

    source: Path
    target: Path
    resume: bool

    @property
    def progress(self) -> Path:
        """Where it is recorded."""
        return path_beside(Path(os.path.realpath(self.target)))


def job_of(text: TextOptions, further: Sequence[Path], notify: Callable[[str], None]) -> Job | None:
    """The job of `--input` and `--output`; None if one of them, or a further input, is no file.

    Raises:
        InputError: it is to be resumed, and is none.
    """
    paths = [text.source, text.target, *further]
    if any(path in (None, STANDARD) or (path.exists() and not path.is_file()) for path in paths):
        if text.resume:
            raise InputError("--resume goes on with a job from a file to a file; give --input FILE and --output FILE")
        return None
    assert text.source and text.target
    job = Job(text.source, text.target, text.resume)
    if job.resume and not job.progress.exists():
        notify(f"note: there is no progress beside {job.target}; it is translated from its beginning")
    return job


@contextmanager
def resumable(translate: TranslateRest, job: Job | None, work: object, unit: str) -> Iterator[Translate]:
    """`translate`, with what it returns recorded; a resumed job begins with the records.

    Args:
        translate: translates the segments that are left.
        job: None: nothing is recorded.
        work: how it is translated; its `repr` is compared with that of the job that is resumed.
        unit: what a segment is called.

    Raises:
        InputError: the progress is of another input, or of other options.
        Interrupted: by Ctrl-C or SIGTERM.
        WorkError: a worker ended.
    """
    if job is None:
        yield lambda segments: translate(segments, 0)
        return
    count = 0

    def rest(segments: Iterable[Segment]) -> Iterator[Segment]:
        yield from translate(segments, count)  # begins when all records have been counted

    try:
        with recorded(rest, job.progress, _fingerprint(job.source, work), job.resume) as recording:

            def counted(segments: Iterable[Segment]) -> Iterator[Segment]:
                nonlocal count
                for segment in recording(segments):
                    count += 1
                    yield segment

            yield counted
    except KeyboardInterrupt as e:
        number = getattr(e, "signum", signal.SIGINT)
        raise Interrupted(number, f"stopped after {count:,} {unit}s; {AGAIN}") from None
    except WorkError as e:
        raise WorkError(f"{e}; {AGAIN}") from None


def _fingerprint(source: Path, work: object) -> str:
    """Names the input and the way it is translated."""
    digest = hashlib.sha256(repr(work).encode())
    with source.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
