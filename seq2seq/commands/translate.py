"""Translate standard input, a file, or lines typed at a prompt.

    echo "A man is riding a bike." | seq2seq translate         # the model that ships, to German
    echo "Eine Katze schläft." | seq2seq translate --to en
    seq2seq translate --model DIR --input FILE --output FILE --beam 5
    seq2seq translate --from auto --to fr                     # the language is detected; to French
    seq2seq translate --model DIR --model DIR2                # an ensemble, of one tokenizer
    seq2seq translate --model DIR                             # at a terminal: a prompt
    seq2seq translate --model DIR --input FILE --score FILE2  # log p of the translations in FILE2
    seq2seq translate --model DIR --memory DIR2               # with similar sentences of DIR2
    seq2seq translate --model DIR --rescore DIR2=0.5          # another model ranks the n best as well
    seq2seq translate --glossary terms.tsv --avoid words.txt  # with these terms, without these words
    seq2seq translate --input page.html --output page.de.html # a document

Each line gives one line, in the same order; an empty line gives an empty line. A line of several sentences is
translated sentence by sentence. What is not language stays as it is: placeholders, tags, addresses, numbers. --nbest N
writes line number, rank, score and translation, separated by tabs.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seq2seq.api.computing import notifier, torch_threads
from seq2seq.api.models import open_model, shipped_models, with_translation_memory
from seq2seq.commands.options import (
    ComputeOptions,
    MemoryOptions,
    QuietOption,
    RankingOptions,
    TermOptions,
    grouped,
)
from seq2seq.commands.running import help_of, run
from seq2seq.commands.streams import STANDARD, lines_of, name_of, output, put
from seq2seq.commands.translate_options import FormatOptions, SearchOptions, TextOptions
from seq2seq.documents.formats import LINES, format_name
from seq2seq.errors import InputError
from seq2seq.folder.files import MANIFEST
from seq2seq.languages.codes import AUTO, is_auto
from seq2seq.languages.identification import MAX_CHARS
from seq2seq.text.detection import detect
from seq2seq.text.directions import Direction, choose_direction
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.translator import LineTranslator

if TYPE_CHECKING:
    from seq2seq.commands.resuming import Job


@click.command("translate", **help_of(__doc__))
@grouped(
    text=TextOptions,
    ranking=RankingOptions,
    memory=MemoryOptions,
    reading=TermOptions,
    limits=SearchOptions,
    form=FormatOptions,
    compute=ComputeOptions,
    report=QuietOption,
)
def command(  # noqa: D103 (its help is the module's docstring)
    text: TextOptions,
    ranking: RankingOptions,
    memory: MemoryOptions,
    reading: TermOptions,
    limits: SearchOptions,
    form: FormatOptions,
    compute: ComputeOptions,
    report: QuietOption,
) -> None:
    _check_options(text, ranking, reading, limits, form)
    kind = format_name(text.kind, text.source, text.target)
    is_document = kind != LINES
    if is_document:
        _check_document_options(limits, form, kind)
    _check_format_options(text, kind)
    job = _job(text, limits, form, notifier(report.quiet))
    interactive = not (text.source or text.target or form.to_score or limits.prefix) and _at_a_terminal()
    if interactive and is_auto(text.from_):
        raise InputError(f"--from {AUTO} looks at a whole text; at a prompt, name the language")
    lines, sample = lines_of(text.source, form.errors), ""
    if is_auto(text.from_):
        lines, sample = (lines, _sample(text, kind)) if is_document else _peeked(lines)
    folders = text.models
    if not folders:
        models = shipped_models()
        folders = [models[_direction(text, list(models), sample)]]
    bundle, workers = open_model(folders, compute.device, compute.threads, 1 if interactive else form.workers)
    bundle = bundle.toward(_direction(text, bundle.known, sample))
    bundle = with_translation_memory(bundle, memory.memory, memory.memory_share)
    bundle = reading.applied(bundle)
    if form.alignments and not bundle.engine.aligns:
        names = ", ".join(map(str, folders))
        raise InputError(f"{names}: a model without attention gives no alignment; leave out --alignments")
    choice = limits.opened(folders[0], compute, workers)
    config = limits.config(bundle.search, ranking, choice is not None and choice.changes)
    choose = choice and choice.rescoring(bundle, config, form.batch_tokens)
    translator = LineTranslator(bundle, config, form.batch_tokens, workers, form.alignments, choose)
    if is_document or job:
        with torch_threads(compute.threads):
            _translate_file(translator, (text, limits, form, memory), kind, job, report.quiet)
        return
    prefixes = lines_of(limits.prefix, form.errors) if limits.prefix else repeat("")

    def translated(lines: Iterable[str]) -> Iterator[str]:
        prefixed = chain(prefixes, _too_few(limits.prefix))
        stream = translator.stream(lines, notifier(report.quiet), prefixed, most=None if limits.nbest else 1)
        return chain.from_iterable(form.rows(each, number, limits.nbest) for number, each in enumerate(stream, 1))

    with torch_threads(compute.threads), output(text.target) as file:
        if form.to_score:
            results = scored(translator, list(lines), list(lines_of(form.to_score, form.errors)))
        elif not interactive:
            results = translated(lines)
        else:
            results = chain.from_iterable(translated([line]) for line in prompted(bundle))
        for result in results:
            put(result, file)
        if limits.prefix and next(prefixes, None) is not None:
            raise InputError(f"{name_of(limits.prefix)} has more lines than the input; give one prefix per line")


def _job(text: TextOptions, limits: SearchOptions, form: FormatOptions, notify: Callable[[str], None]) -> "Job | None":
    """The job of a file that is translated into a file; None if it is something else.

    Raises:
        InputError: it is to be resumed, and there is none.
    """
    if not (text.source and text.target) and not text.resume:
        return None  # without importing what records a job
    from seq2seq.commands.resuming import job_of

    if form.to_score:
        if text.resume:
            raise InputError("--score translates nothing that --resume could go on with; leave one of them out")
        return None
    return job_of(text, [limits.prefix] if limits.prefix else [], notify)


def _translate_file(
    translator: LineTranslator,
    options: tuple[TextOptions, SearchOptions, FormatOptions, MemoryOptions],
    kind: str,
    job: "Job | None",
    quiet: bool,
) -> None:
    """Translate a document, or a file of lines into another."""
    text, limits, form, memory = options
    bundle = translator.bundle
    manifests = [path.read_bytes() if (path := folder / MANIFEST).exists() else b"" for folder in text.models]
    work: object = (text.models, manifests, translator.config, bundle.reading, bundle.terms)
    for more in translator.choose, memory.memory and (memory.memory, memory.memory_share):
        work = (work, more) if more else work
    if kind == LINES and job:
        from seq2seq.commands.translate_lines import translate_lines

        translate_lines(translator, job, form, limits, work, quiet)
    else:
        from seq2seq.commands.translate_document import translate_document

        translate_document(translator, text, kind, job, work, notifier(quiet))


def _check_options(
    text: TextOptions, ranking: RankingOptions, reading: TermOptions, limits: SearchOptions, form: FormatOptions
) -> None:
    """Refuse options that exclude each other.

    Raises:
        InputError: there are some, or the output is the input, or standard input is to be read twice.
    """
    if limits.seed is not None and not limits.sample:
        raise InputError(f"--seed {limits.seed} goes with --sample; leave it out, or sample")
    if limits.sample and ranking.beam and not limits.chooses:
        raise InputError(f"--beam {ranking.beam} searches and --sample {limits.sample} samples; leave one out")
    if form.to_score and not text.resume:  # which is refused by itself
        _check_score_options(ranking, limits, form, reading)
    if form.to_score and limits.chooses:
        raise InputError("--score chooses no translation; leave out --rescore, --weights and --mbr")
    if form.to_score and (reading.glossaries or reading.avoided):
        raise InputError("--glossary and --avoid are for translating, not for --score; leave them out")
    if text.source in (None, STANDARD) and STANDARD in (limits.prefix, form.to_score):
        raise InputError("standard input can be read only once; give --input FILE, or a file in place of the other -")
    if text.source and text.target and text.source.is_file() and text.target.is_file():
        _check_different(text.source, text.target)


def _check_score_options(
    ranking: RankingOptions, limits: SearchOptions, form: FormatOptions, reading: TermOptions
) -> None:
    """Refuse the options that --score does not use.

    Raises:
        InputError: there is one.
    """
    given = {
        **_line_options(limits, form),
        "--beam": ranking.beam is not None,
        "--length-penalty": ranking.length_penalty is not None,
        "--word-reward": ranking.word_reward is not None,
        "--sample": limits.sample,
        "--min-length": limits.min_length,
        "--max-length": limits.max_length,
        "--no-repeat-ngram": limits.no_repeat_ngram,
        "--keep": reading.keep,
        "--keep-nothing": reading.keep_nothing,
        "--no-split": reading.no_split,
    }
    for name in filter(given.get, given):
        raise InputError(f"--score translates nothing that {name} could change; leave one of them out")


def _check_document_options(limits: SearchOptions, form: FormatOptions, kind: str) -> None:
    """Refuse the options that a document cannot have.

    Raises:
        InputError: there is one.
    """
    given = {
        **_line_options(limits, form),
        "--score": form.to_score,
        "--errors replace": form.errors != "strict",
    }
    for name in filter(given.get, given):
        raise InputError(f"{name} is for lines, not for a document of the format {kind}; leave it out")


def _line_options(limits: SearchOptions, form: FormatOptions) -> dict[str, object]:
    """The options of translations written line by line, with their values."""
    return {
        "--nbest": limits.nbest,
        "--prefix": limits.prefix,
        "--scores": form.scores,
        "--alignments": form.alignments,
    }


def _check_format_options(text: TextOptions, kind: str) -> None:
    """Refuse the options that the format does not have.

    Raises:
        InputError: there is one.
    """
    if text.columns and kind not in ("csv", "tsv"):
        raise InputError(f"--column is for CSV and TSV files, not for the format {kind}; leave it out")
    if text.everything and kind not in ("po", "xliff"):
        raise InputError(f"--all is for PO and XLIFF files, not for the format {kind}; leave it out")


def _check_different(source: Path, target: Path) -> None:
    """Refuse to write over the input.

    Raises:
        InputError: both are one file.
    """
    if source.samefile(target):
        raise InputError(f"--output {target} is the input, which would be lost; name another file")


def _direction(text: TextOptions, known: Sequence[Direction], sample: str) -> Direction:
    """The direction, one of `known`, that the options name; with `--from auto` that of the sample.

    Raises:
        InputError: it is not known, or the sample is in the language that `--to` names.
    """
    if not is_auto(text.from_):
        return choose_direction(known, text.from_, text.to)
    src, tgt = detect(sample, known, text.to)
    if src == tgt:
        raise InputError(f"{name_of(text.source)} is in {tgt} already; name another --to, or the language with --from")
    return src, tgt


def _sample(text: TextOptions, kind: str) -> str:
    """The beginning of the text of a document."""
    from seq2seq.commands.translate_document import document_sample

    return document_sample(text, kind)


def _peeked(lines: Iterator[str]) -> tuple[Iterator[str], str]:
    """All of the lines, and the first of them as one text: as many as a detector looks at."""
    first, size = list[str](), 0
    while size < MAX_CHARS and (line := next(lines, None)) is not None:
        first.append(line)
        size += 1 + len(line)
    return chain(first, lines), "\n".join(first)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _too_few(prefix: Path | None) -> Iterator[str]:
    """Continues the prefixes after the last one.

    Raises:
        InputError: at the first line that has no prefix.
    """
    raise InputError(f"{name_of(prefix)} has fewer lines than the input; give one prefix per line")
    yield


def scored(translator: LineTranslator, src: list[str], tgt: list[str]) -> Iterator[str]:
    """The log-probability of each translation, in nats.

    Raises:
        InputError: the numbers of lines and of translations differ.
    """
    if len(src) != len(tgt):
        raise InputError(f"{len(src)} source lines, but {len(tgt)} translations to score; give one per line")
    for log_prob in translator.log_probs(src, tgt):
        yield f"{log_prob:.4f}"


def prompted(bundle: Bundle) -> Iterator[str]:
    """The lines that the user types at a prompt."""
    print("Type a sentence and press Enter; Ctrl-D ends.", file=sys.stderr)
    with suppress(EOFError):
        while True:
            yield input(f"{bundle.src} > ")
    print(file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    return run(command, argv)
