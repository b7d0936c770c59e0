"""The corpora of a model of many languages, one for each direction; those of a model of one direction are a single one.

Each pair of languages is read once, and is the text of both of its directions. This module does not know how a source
is read, nor tokens.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from seq2seq.corpora.source import NoTextError
from seq2seq.errors import InputError
from seq2seq.text import corpus, sources
from seq2seq.text.cleaning import Part
from seq2seq.text.corpus import Corpus, DataConfig, Report
from seq2seq.text.directions import Direction, listed, name_of
from seq2seq.text.mapped import swapped
from seq2seq.text.sources import Pair

Corpora = Mapping[Direction, Corpus]
Load = Callable[[DataConfig, Callable[[int], float] | None], Corpus]


def load_all(config: DataConfig, dev_share: Callable[[int], float] | None = None, load: Load = corpus.load) -> Corpora:
    """The corpus of each direction to train that the text holds.

    Opposite directions have the same pairs in each part, so that no dev sentence of one is trained on in the other.

    Args:
        config: the settings.
        dev_share: as for `corpus.load`.
        load: reads the text of a direction.

    Raises:
        InputError: as `corpus.load`, or a direction of `config.directions` is not in the text.
    """
    wanted = config.all_directions()
    if not config.languages:
        return {wanted[0]: load(config, dev_share)}
    found, notices = dict[Direction, Corpus](), list[str]()
    for direction in _pairs(config, "train"):
        try:
            text = load(config.of(direction), dev_share)
        except NoTextError as e:
            notices.append(f"{name_of(direction)} is left out: {e}")
        else:
            found |= {direction: text, direction[::-1]: _reversed(text)}
    missing = [direction for direction in wanted if direction not in found]
    if not found or (config.directions and missing):
        there = list(_language_pairs(config, "train"))
        there = [direction for pair in there for direction in (pair, pair[::-1])]
        has = f"there is {listed(there)}" if there else "it has no training text of two of these languages"
        advice = "check --data and --langs"
        if not config.columns and corpus.has_table(config):
            advice += f", or name the columns of a table without a header, --columns {','.join(config.languages)}"
        if not there:
            advice += "; a header of columns, a PO or XLIFF file must name its languages"
        raise InputError(f"{_name(config)} has no text of {listed(missing)}; {has}; {advice}")
    if lacking := [language for language in config.languages if all(language not in way for way in found)]:
        notices.append(f"there is no text of {', '.join(lacking)}, so it is left out; check --langs and --data")
    notices += corpus.unread_notes(_unread(list(found.values())), config)
    corpora = {direction: found[direction] for direction in wanted if direction in found}
    first, text = next(iter(corpora.items()))
    report = text.report._replace(notices=[*text.report.notices, *notices])
    return {**corpora, first: text._replace(report=report)}


def _unread(corpora: Sequence[Corpus]) -> dict[str, list[str]]:
    """By source, the files that none of the corpora was read from."""
    first, *others = [text.unread for text in corpora]
    return {
        where: [file for file in files if all(file in unread.get(where, ()) for unread in others)]
        for where, files in first.items()
    }


def load_splits(config: DataConfig, split: str) -> dict[Direction, list[Pair]]:
    """One part of each direction of `config` that has text in it, as in the result of `load_all`.

    Raises:
        InputError: as `corpus.load_split`, or the part has text of no direction.
    """
    wanted, found = config.all_directions(), dict[Direction, list[Pair]]()
    parts = [split, "train"] if split == "dev" else [split]  # without a dev part, train has what is held out
    for direction in dict.fromkeys(pair for part in parts for pair in _pairs(config, part)):
        try:
            pairs = corpus.load_split(config.of(direction), split)
        except NoTextError:
            continue
        found |= {direction: pairs, direction[::-1]: list(swapped(pairs))}
    splits = {direction: found[direction] for direction in wanted if direction in found}
    if not splits:
        raise InputError(f"{_name(config)} has no split {split!r} of {listed(wanted)}; check --data and --split")
    return splits


def directions_in(config: DataConfig) -> list[Direction]:
    """The directions of `config` that the train part has text of; of a config without `languages` its only one.

    Raises:
        InputError: a source does not exist or cannot be read.
    """
    if not config.languages:
        return config.all_directions()
    found = set(_pairs(config, "train"))
    return [(src, tgt) for src, tgt in config.all_directions() if not found.isdisjoint({(src, tgt), (tgt, src)})]


def report_of(corpora: Corpora) -> Report:
    """One report for all directions; opposite ones have the same."""
    if len(corpora) == 1:
        [single] = corpora.values()
        return single.report
    rows, notices, seen = list[Part](), list[str](), set[Direction]()
    for direction, text in corpora.items():
        if direction[::-1] not in seen:
            seen.add(direction)
            rows += [part._replace(name=f"{name_of(direction)} {part.name}") for part in text.report.parts]
            notices += [f"{name_of(direction)}: {notice}" for notice in text.report.notices]
    return Report(rows, notices)


def synthetic_text(corpora: Corpora) -> str:
    """Synthetic pairs as JSON lines, as a model folder keeps them for resuming a run.

    {"src": ..., "tgt": ...}, and of several directions "direction": "en-de" before that.
    """
    lines = list[str]()
    for direction, text in corpora.items():
        first = {"direction": name_of(direction)} if len(corpora) > 1 else {}
        lines += [json.dumps(first | pair._asdict(), ensure_ascii=False) + "\n" for pair in text.synthetic]
    return "".join(lines)


def stored_synthetic(corpora: Corpora, path: Path) -> Corpora:
    """The corpora with the synthetic pairs of a file that has the text of `synthetic_text`.

    Raises:
        InputError: the file cannot be read or is damaged.
    """
    pairs: dict[str, list[Pair]] = {name_of(direction): [] for direction in corpora}
    default = next(iter(pairs))
    for number, row in sources.rows_of(path):
        if (name := row.get("direction", default)) not in pairs:
            raise InputError(f"{path}, line {number}: the direction {name!r} is not trained; restore the file")
        pairs[name].append(Pair(str(row.get("src")), str(row.get("tgt"))))
    return {direction: corpus.with_synthetic(text, pairs[name_of(direction)]) for direction, text in corpora.items()}


def has_one_pair(config: DataConfig) -> bool:
    """Whether the train part has text of one pair of the languages alone, in both directions or in one."""
    return len(list(_pairs(config, "train"))) == 1


def _pairs(config: DataConfig, part: str) -> Iterator[Direction]:
    """The pairs of languages of a part that have a direction of `config`, as the direction to read each in.

    It is the same whatever else is read, because what is held out depends on it.
    """
    wanted = config.all_directions()
    for pair in _language_pairs(config, part):
        src, tgt = sorted(pair)
        if not {(src, tgt), (tgt, src)}.isdisjoint(wanted):
            yield src, tgt


def _language_pairs(config: DataConfig, part: str) -> list[Direction]:
    """The pairs of the languages of `config` of which a part has text."""
    return sources.language_pairs(corpus.wheres(config), corpus.request_of(config, config.languages), part)


def _reversed(text: Corpus) -> Corpus:
    """The corpus of the opposite direction."""
    tests = {name: list(swapped(pairs)) for name, pairs in text.tests.items()}
    return text._replace(train=swapped(text.train), dev=list(swapped(text.dev)), tests=tests)


def _name(config: DataConfig) -> str:
    return ", ".join(corpus.wheres(config))
