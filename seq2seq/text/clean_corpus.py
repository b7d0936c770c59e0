"""A clean corpus from any text: cleaned, divided into train, dev and test, with a reason for each pair that is dropped.

It reads through `corpus` and writes the folder that `corpus` reads. It does not know models.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.errors import InputError, WorkError
from seq2seq.text import corpus
from seq2seq.text.alignment import slips
from seq2seq.text.cleaning import Part, faults
from seq2seq.text.corpus import DataConfig, Report
from seq2seq.text.partition import SHARES, partition
from seq2seq.text.quality import CHECK_LINES, correlation_notices, slip_notices
from seq2seq.text.sources import Pair
from seq2seq.text.suspects import Check, language_notices, suspects

_SHARED = "in dev or test"
_MOST_HELD_OUT = 1000  # pairs of dev and of test, where no number is given
_HELD_OUT_SHARE = 0.02
_SUSPICIOUS = "suspicious"
_MANY = 50_000  # pairs, of which the checks take more than some seconds
_PARTIAL = ".partial"  # the folder inside of which files are written first
_COMPARED = 100_000  # lines that are searched for slips


class Dropped(NamedTuple):
    """A train pair that was dropped, or one that is suspicious: its number in what was read, from 1, and the reason."""

    number: int
    reason: str
    pair: Pair


class CleanCorpus(NamedTuple):
    """The pairs of each part, the counts and notices, and the pairs of train that were dropped."""

    parts: dict[str, list[Pair]]
    report: Report
    dropped: list[Dropped]
    suspects: list[Dropped]

    def as_dict(self) -> dict[str, Any]:
        """The counts and notices as plain values, for JSON."""
        suspects = dict(Counter(suspect.reason for suspect in self.suspects))
        parts = [part._asdict() for part in self.report.parts]
        return {"parts": parts, "suspects": suspects, "notices": self.report.notices}


def clean(
    config: DataConfig,
    sizes: dict[str, int | None],
    drop_suspects: bool,
    say: Callable[[str], None],
    check: Check | None = None,
) -> CleanCorpus:
    """Read, clean, check and divide a text.

    Args:
        config: where it is, and what is dropped.
        sizes: the number of pairs of `dev` and `test` to take from train; None: a fixed share, unless there is such a
            part.
        drop_suspects: drop suspicious pairs of train; otherwise they are only listed.
        say: is told before the checks of a large text, which take a while.
        check: a further one, of the pairs that all others find good.

    Raises:
        InputError: the text cannot be read, has such a part already, or has too few pairs.
    """
    text = corpus.read_text(config)
    train, *others = text.parts["train"], *(name for name in text.parts if name != "train")
    reasons = faults(train, config)
    notices = [*text.notes, *corpus.unread_notes(text.unread, config)]
    if (count := reasons.count("")) > _MANY:
        _sizes(sizes, others, count)  # refused now, not after the checks
        say(f"checking {count:,} pairs")
    found = _suspects(train, reasons, config, notices, check)
    if drop_suspects:
        for suspect in found:
            reasons[suspect.number - 1] = _SUSPICIOUS
    kept = [i for i, reason in enumerate(reasons) if not reason]
    corpus.check_any_left(config, kept, Part("train", len(train), 0, dict(Counter(filter(None, reasons)))))
    wanted = _sizes(sizes, others, len(kept))
    held = [pair for name in others for pair in text.parts[name]]
    doubtful = {suspect.number - 1 for suspect in found}
    chosen = partition([train[i] for i in kept], wanted, held, [i not in doubtful for i in kept])
    parts: dict[str, list[Pair]] = {"train": [], **{name: [] for name in wanted}, **{n: text.parts[n] for n in others}}
    for i, part in zip(kept, chosen, strict=True):
        if part == SHARES:
            reasons[i] = _SHARED
        else:
            parts[part].append(train[i])
            reasons[i] = "" if part == "train" else f"taken as {part}"
    if not parts["train"]:
        raise InputError(f"of {len(train):,} train pairs none is left; give more text, or smaller --dev and --test")
    shares = " or share a sentence with them" if SHARES in chosen else ""
    notices += [
        f"{name} has {len(parts[name]):,} pairs, not {count:,}: the others are suspicious{shares}"
        for name, count in wanted.items()
        if len(parts[name]) < count
    ]
    counts = Part("train", len(train), len(parts["train"]), dict(Counter(filter(None, reasons))))
    table = [counts, *(Part(name, len(parts[name]), len(parts[name]), {}) for name in parts if name != "train")]
    report = Report([corpus.with_damaged(row, text.damaged) for row in table], notices)
    dropped = [Dropped(i + 1, r, train[i]) for i, r in enumerate(reasons) if r and not r.startswith("taken as")]
    return CleanCorpus(parts, report, dropped, found)


def _suspects(
    train: Sequence[Pair], reasons: Sequence[str], config: DataConfig, notices: list[str], check: Check | None
) -> list[Dropped]:
    """The suspicious pairs among those that cleaning keeps; what is found is added to the notices."""
    rows = [i for i, reason in enumerate(reasons) if not reason]
    languages = config.src, config.tgt
    src, tgt = [train[i].src for i in rows], [train[i].tgt for i in rows]
    verdicts = suspects(src, tgt, languages)
    found = slips(src, tgt, _COMPARED)
    for start, stop, shift in found:
        verdicts[start:stop] = [f"slipped by {shift:+d}"] * (stop - start)
    if check:
        good = [i for i, verdict in enumerate(verdicts) if not verdict]
        for i, reason in zip(good, check([src[i] for i in good], [tgt[i] for i in good], languages), strict=True):
            verdicts[i] = reason
    notices += slip_notices(found, languages, [i + 1 for i in rows])
    notices += [f"{notice}; {CHECK_LINES}" for notice in correlation_notices(src, tgt)]
    notices += language_notices(src, tgt, languages)
    result = [Dropped(i + 1, reason, train[i]) for i, reason in zip(rows, verdicts, strict=True) if reason]
    if result:
        counts = ", ".join(f"{n:,} {reason}" for reason, n in Counter(item.reason for item in result).most_common())
        notices.append(f"{len(result):,} of {len(rows):,} pairs are suspicious: {counts}")
    return result


def _sizes(sizes: dict[str, int | None], there: Sequence[str], count: int) -> dict[str, int]:
    """The number of pairs of each part to take from train.

    Raises:
        InputError: there is such a part, or more is asked for than there is.
    """
    wanted: dict[str, int] = {}
    for part, size in sizes.items():
        exists = [name for name in there if (name == "dev") == (part == "dev")]  # all others are test parts
        if size and exists:
            named = "" if exists == [part] else f", {exists[0]}"
            raise InputError(f"--{part} {size}: the text has a {part} part{named}; leave the option out")
        default = 0 if exists or count <= len(sizes) else min(_MOST_HELD_OUT, max(1, round(_HELD_OUT_SHARE * count)))
        wanted[part] = default if size is None else size
    if (total := sum(wanted.values())) >= count:
        raise InputError(f"{total:,} pairs for dev and test are too many of {count:,}; give smaller --dev and --test")
    return {part: size for part, size in wanted.items() if size}


# ---- the folder ------------------------------------------------------------------------------------------------------


def check_folder(folder: Path) -> None:
    """Check that a folder can be written.

    Raises:
        InputError: it exists and is not empty, or is the current folder.
    """
    if folder.exists() and not (folder.is_dir() and all(path.name == _PARTIAL for path in folder.iterdir())):
        raise InputError(f"--out {folder} exists and is not an empty folder; give another")
    if folder.resolve() == Path.cwd():
        raise InputError(f"--out {folder} is the current folder; name another, such as {folder / 'corpus'}")


def write(folder: Path, result: CleanCorpus, config: DataConfig) -> None:
    """Write the parts as files of lines, a README.md with the report, `dropped.tsv` and `suspects.tsv`.

    Raises:
        InputError: the folder exists and is not empty, or cannot be written.
        WorkError: the disk is full; nothing is left of the folder.
    """
    check_folder(folder)
    is_new, partial = not folder.exists(), folder / _PARTIAL
    _remove(partial)  # what a killed command has left
    try:
        partial.mkdir(parents=True, exist_ok=True)
        for part, pairs in result.parts.items():
            for side, language in enumerate((config.src, config.tgt)):
                _write_lines(partial / f"{part}.{language}", [pair[side] for pair in pairs])
        (partial / "README.md").write_text(_readme(result, config), encoding="utf-8")
        for name, listed in (("dropped.tsv", result.dropped), ("suspects.tsv", result.suspects)):
            rows = [["number", "reason", config.src, config.tgt]]
            for number, reason, pair in listed:
                rows.append([str(number), reason, *(side.replace("\t", " ") for side in pair)])
            _write_lines(partial / name, ["\t".join(row) for row in rows])
        for path in list(partial.iterdir()):
            path.replace(folder / path.name)
    except OSError as e:
        failure = WorkError if e.filename is None else InputError  # it failed while writing, or while opening
        raise failure(f"cannot write {folder}: {e.strerror}; give another --out, or free some space") from None
    finally:
        _remove(partial)
        if is_new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _remove(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write lines so that reading gives them again: a mark before a first line that begins with one."""
    mark = "\ufeff" if lines and lines[0].startswith("\ufeff") else ""
    text = "".join(f"{line.rstrip(chr(13))}\n" for line in lines)
    path.write_text(mark + text, encoding="utf-8", errors="replace", newline="")


def _readme(result: CleanCorpus, config: DataConfig) -> str:
    wheres = ", ".join(corpus.wheres(config))
    notes = "".join(f"- {notice}\n" for notice in result.report.notices)
    return (
        f"# {config.src} and {config.tgt}\n\nFrom {wheres}, by `seq2seq corpus`. No sentence of train is in dev or "
        f"test, on either side. `dropped.tsv` has the train pairs that were dropped, `suspects.tsv` those that may be "
        "wrong, with the reasons.\n\n"
        f"```\n{result.report}\n```\n" + (f"\n{notes}" if notes else "")
    )
