"""A clean corpus from any text: cleaned, divided into train, dev and test, with a reason for each pair that is dropped.

It reads through `corpus` and writes the folder that `corpus` reads. It does not know models.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.errors import InputError, WorkError, shown
from seq2seq.text import corpus
from seq2seq.text.alignment import slips
from seq2seq.text.cleaning import Part, faults
from seq2seq.text.corpus import DataConfig, Report
from seq2seq.text.partition import SHARES, partition
from seq2seq.text.quality import CHECK_LINES, correlation_notices, slip_notices
from seq2seq.text.sources import Pair, Text, are_many, named_place, place_of
from seq2seq.text.suspects import Check, language_notices, suspects

_SHARED = "in dev or test"
_MOST_HELD_OUT = 1000  # pairs of dev and of test, where no number is given
_HELD_OUT_SHARE = 0.02
_SUSPICIOUS = "suspicious"
_MANY = 50_000  # pairs, of which the checks take more than some seconds
_PARTIAL = ".partial"  # the folder inside of which files are written first
_COMPARED = 100_000  # lines that are searched for slips


class Dropped(NamedTuple):
    """A train pair that was dropped, or one that is suspicious: where it is, see `sources.place_of`, and the reason."""

    source: str
    number: int
    reason: str
    pair: Pair


class CleanCorpus(NamedTuple):
    """The pairs of each part, the counts and notices, and the pairs of train that were dropped."""

    parts: dict[str, list[Pair]]
    report: Report
    dropped: list[Dropped]
    suspects: list[Dropped]
    several: bool  # whether the train pairs are from several files

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
    found = _suspects(text, reasons, config, notices, check)
    if drop_suspects:
        for i in found:
            reasons[i] = _SUSPICIOUS
    kept = [i for i, reason in enumerate(reasons) if not reason]
    corpus.check_any_left(config, kept, Part("train", len(train), 0, dict(Counter(filter(None, reasons)))))
    wanted = _sizes(sizes, others, len(kept))
    held = [pair for name in others for pair in text.parts[name]]
    chosen = partition([train[i] for i in kept], wanted, held, [i not in found for i in kept])
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
    dropped = {i: reason for i, reason in enumerate(reasons) if reason and not reason.startswith("taken as")}

    def listed(rows: dict[int, str]) -> list[Dropped]:
        return [Dropped(*place_of(i, text.places), reason, train[i]) for i, reason in rows.items()]

    return CleanCorpus(parts, report, listed(dropped), listed(found), are_many(text.places))


def _suspects(
    text: Text, reasons: Sequence[str], config: DataConfig, notices: list[str], check: Check | None
) -> dict[int, str]:
    """The reasons of the suspicious pairs among those that cleaning keeps; what is found is added to the notices."""
    train = text.parts["train"]
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
    notices += slip_notices(found, languages, lambda row: named_place(rows[row], text.places))
    notices += [f"{notice}; {CHECK_LINES}" for notice in correlation_notices(src, tgt)]
    notices += language_notices(src, tgt, languages)
    result = {i: reason for i, reason in zip(rows, verdicts, strict=True) if reason}
    if result:
        counts = ", ".join(f"{n:,} {reason}" for reason, n in Counter(result.values()).most_common())
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
            source = ["source"] if result.several else []
            rows = [[*source, "number", "reason", config.src, config.tgt]]
            for file, number, reason, pair in listed:
                fields = [*(file for _ in source), str(number), reason, *pair]
                rows.append([field.replace("\t", " ") for field in fields])
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
    wheres = shown(", ".join(corpus.wheres(config)))
    notes = "".join(f"- {notice}\n" for notice in result.report.notices)
    return (
        f"# {config.src} and {config.tgt}\n\nFrom {wheres}, by `seq2seq corpus`. No sentence of train is in dev or "
        f"test, on either side. `dropped.tsv` has the train pairs that were dropped, `suspects.tsv` those that may be "
        "wrong, with the reasons.\n\n"
        f"```\n{result.report}\n```\n" + (f"\n{notes}" if notes else "")
    )
