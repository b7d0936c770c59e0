"""Data sets of the Hugging Face hub, by the library `datasets`.

Only these are read by it: its readers of text and tables guess types ("2020-01-01" comes back as "2020-01-01
00:00:00"), break lines at characters that are text, and silently fill up rows that are too short.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from seq2seq.corpora.columns import NAMES, by_header
from seq2seq.corpora.findings import Findings
from seq2seq.corpora.request import Request, Row, one_line
from seq2seq.errors import InputError

PREFIX = "hf:"


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence `datasets` and `huggingface_hub`: no progress bars, no messages below ERROR, no telemetry.

    These are settings of the whole process, so all of them are restored at the end.
    """
    import datasets
    from huggingface_hub import constants

    with ExitStack() as restore:
        for logger in map(logging.getLogger, ("datasets", "huggingface_hub")):  # both report every retry
            restore.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        if not datasets.are_progress_bars_disabled():
            restore.callback(datasets.enable_progress_bars)
            datasets.disable_progress_bars()
        # The variable itself is read only when huggingface_hub is imported: set here, it would be late or would last.
        if "HF_HUB_DISABLE_TELEMETRY" not in os.environ:
            restore.callback(setattr, constants, "HF_HUB_DISABLE_TELEMETRY", constants.HF_HUB_DISABLE_TELEMETRY)
            constants.HF_HUB_DISABLE_TELEMETRY = True
        yield


def load(where: str) -> dict[str, Any]:
    """The splits of a data set of the hub, each as a `datasets.Dataset`.

    Raises:
        InputError: `where` names no data set, or it cannot be loaded.
    """
    import datasets

    name, _, subset = where.removeprefix(PREFIX).partition(":")
    if not name:
        raise InputError(f"{where} names no data set; write hf:OWNER/NAME or hf:OWNER/NAME:CONFIG")
    try:
        return dict(datasets.load_dataset(name, subset or None))
    except Exception as e:  # the hub and the network raise too many types to list
        reason = str(e).strip().split("\n")[0].rstrip(".")
        raise InputError(f"cannot load {where}: {reason}; check the name and the network") from None


def rows(dataset: Any, request: Request, findings: Findings, name: str) -> Iterator[Row]:
    """The rows of a `datasets.Dataset` with a column per language, or a column `translation` of all languages.

    Raises:
        InputError: a language has no column of text; `name` is that of the data set, for messages.
    """
    dataset = dataset.flatten()
    short = {column.removeprefix("translation."): column for column in reversed(dataset.column_names)}
    short |= {column: column for column in dataset.column_names}
    places = by_header(list(short), request, findings, name).places
    columns: dict[str, list[str]] = {}
    for language in dict.fromkeys((*request.languages, *places)):
        if language not in places:
            if request.sparse:
                continue
            names = ", ".join(dataset.column_names)
            raise InputError(f"{name}: no column {language!r}, only {names}; {NAMES}")
        column = short[list(short)[places[language]]]
        if (kind := dataset.features[column].dtype) not in ("string", "large_string"):
            if language not in request.languages:
                continue
            raise InputError(f"{name}: column {language!r} holds {kind}, not text; {NAMES}")
        columns[language] = list(map(one_line, dataset[column][:]))
    for texts in zip(*columns.values(), strict=True):
        yield dict(zip(columns, texts, strict=True))
