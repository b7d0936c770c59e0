"""A job that torchrun starts again goes on with its own run.

torchrun repeats the command as it was, whose --out then holds a run. A file in the folder tells whether that is this
job's own: it names the job and the command that began the run there. The run of another job, or of another command, is
never taken for it.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from seq2seq.api.planning import RUNS, TrainOptions
from seq2seq.folder import files, layout
from seq2seq.training.distributed import job_name

MAY_DIFFER = {"device", "threads", "quiet", "overwrite"}  # options that do not make another command
FINISHED = "finished"


def job_of(options: TrainOptions) -> str | None:
    """What names this job of torchrun and its command, the same in each restart; None without torchrun.

    None also for a command that names the run to go on with, which it does at each restart.
    """
    job = job_name()
    if job is None or options.get("resume"):
        return None
    command = {key: value for key, value in options.items() if key not in MAY_DIFFER}
    return hashlib.sha256(json.dumps([job, command], sort_keys=True, default=str).encode()).hexdigest()


def continued(options: TrainOptions, job: str | None, restarted: bool, notify: Callable[[str], None]) -> TrainOptions:
    """The options of the command as they are, or those that go on with the run that the same job has begun.

    A job goes on with its run until the run is finished, and after that only if torchrun has started a rank again.

    Args:
        options: of the command.
        job: its `job_of`.
        restarted: whether torchrun has started any rank again.
        notify: is called with a message.
    """
    own = [[job], [job, FINISHED]] if restarted else [[job]]
    out = options.get("out")
    folders = [Path(out)] if out else sorted(path.parent for path in RUNS.glob(f"*/{layout.JOB}"))
    folder = next((folder for folder in folders if _read(folder) in own), None)
    if job is None or folder is None:
        return options
    states = layout.training_states(folder)
    if not states:
        notify(f"{folder}: the job was started again; there was no checkpoint yet, so it begins anew")
        return {**options, "out": folder, "overwrite": True}
    notify(f"{folder}: the job was started again; it goes on after update {layout.updates_of(states[-1]):,}")
    kept: TrainOptions = {"resume": folder}
    for name in ("device", "threads", "quiet"):
        if name in options:
            kept[name] = options[name]
    return kept


def record(folder: Path, job: str | None, *marks: str) -> None:
    """Write down which job trains in the folder; FINISHED as a mark: that it has done so. Nothing without a job.

    Raises:
        WorkError: the disk is full or the folder cannot be written.
    """
    if job:
        files.write(folder / layout.JOB, "".join(f"{word}\n" for word in (job, *marks)).encode())


def _read(folder: Path) -> list[str]:
    try:
        return (folder / layout.JOB).read_text("utf-8").split()
    except (OSError, UnicodeDecodeError):
        return []
