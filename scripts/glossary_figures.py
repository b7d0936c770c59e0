"""Measure a glossary: whether its terms come, what they do to BLEU, and what they cost in time.

    python scripts/glossary_figures.py --model DIR --out DIR2 [--pairs 7]

The glossary has 60 words of the corpus that ships, each with another translation than the usual one. Of its test part
500 lines are translated; in the references stand the translations of the glossary in the place of the usual ones. The
glossary, the lines, the references and both translations are written to the folder, and the figures are printed.
"""

import re
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from seq2seq.api.models import open_model
from seq2seq.segments.glossary import Term, Terms
from seq2seq.text.corpus import DataConfig, load_split
from seq2seq.text.scoring import score
from seq2seq.translation.phrase_text import count_in
from seq2seq.translation.translator import LineTranslator

LINES = 500
# Words, their usual translations and those that the glossary asks for; by word alignment most are the second ones.
TERMS = """
people Menschen Leute, want will möchte, think denke glaube, little bisschen wenig, run laufen rennen
words Worte Wörter, gave gab schenkte, things Dinge Sachen, kind freundlich nett, door Tür Türe
heavy starken heftigen, dollars Dollar Taler, ran rannte lief, why warum wieso, umbrella Schirm Regenschirm
study lernen studieren, moment Moment Augenblick, usually gewöhnlich normalerweise, caught gefangen erwischt
envelope Umschlag Briefumschlag, party Party Feier, almost fast beinahe, picture Bild Foto
stay bleiben hierbleiben, smell Geruch Duft, try versuchen probieren, news Nachricht Neuigkeit
ticket Fahrkarte Eintrittskarte, nervous nervös verkrampft, decided beschlossen entschieden
least mindestens wenigstens, twice zweimal doppelt, tired müde erschöpft, coin Münze Goldmünze
asked fragte bat, lawyer Anwalt Rechtsanwalt, writer Schriftsteller Autor, wall Wand Mauer
symbol Symbol Wahrzeichen, owe schulde verdanke, completely völlig vollständig, box Kiste Schachtel
vase Vase Blumenvase, advice Rat Ratschlag, sleepy müde schläfrig, university Universität Uni
easy leicht einfach, job Arbeit Aufgabe, fat dick fett, bent bückte beugte, fishing angeln fischen
brothers Brüder Geschwister, seat Platz Sitz, regretted bereute bedauerte, accident Unfall Verkehrsunfall
result Ergebnis Resultat, happy glücklich froh, nurse Krankenschwester Pflegerin, ceiling Decke Zimmerdecke
live leben wohnen
"""


class Task(NamedTuple):
    """What is translated, and with what."""

    terms: Terms
    src: list[str]
    ref: list[str]  # with the translations of the glossary
    usual: list[str]  # the references as they are

    def rows(self, with_term: bool) -> list[int]:
        """The lines that hold a term, or those that hold none."""
        return [row for row, line in enumerate(self.src) if bool(self.terms.places(line)) == with_term]


def task_of(pairs: Sequence[tuple[str, str]]) -> Task:
    """The glossary, and lines whose references can be edited to hold its translations."""
    table = [term.split() for term in re.split("[,\n]", TERMS.strip())]
    terms = Terms(tuple(Term(word, target) for word, _, target in table))
    usual = {target: before for _, before, target in table}
    lines, others = list[tuple[int, str, str, str]](), list[tuple[int, str, str, str]]()
    for row, (line, reference) in enumerate(pairs):
        asked = Counter(place.target for place in terms.places(line))
        edited = reference
        for target in asked:
            edited = re.sub(rf"\b{usual[target]}\b", target, edited)
        if all(count_in(edited, target) == count for target, count in asked.items()):
            (lines if asked else others).append((row, line, edited, reference))
    chosen = sorted([*lines, *others][:LINES])
    _, src, ref, usual = map(list, zip(*chosen, strict=True))
    return Task(terms, src, ref, usual)


def timed(translator: LineTranslator, lines: Sequence[str]) -> tuple[list[str], float]:
    """The translations of the lines, and the seconds that they took."""
    start = time.perf_counter()
    return translator.translate(lines), time.perf_counter() - start


@click.command(help=__doc__)
@click.option("--model", required=True, type=click.Path(path_type=Path), help="model folder, trained or exported")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="folder to write to")
@click.option("--pairs", default=1, help="how often both ways are timed, in turn")
def main(model: Path, out: Path, pairs: int) -> None:
    """Measure, and print the figures."""
    data = DataConfig(src="en", tgt="de")
    task = task_of(load_split(data, "test"))
    bundle, _ = open_model((model,), threads=1)
    plain = LineTranslator(bundle, bundle.search)
    bound = LineTranslator(bundle._replace(terms=task.terms), bundle.search)
    without, with_terms = plain.translate(task.src), bound.translate(task.src)
    out.mkdir(parents=True, exist_ok=True)
    table = "".join(f"{source}\t{target}\n" for source, target in task.terms.glossary)
    for name, lines in (("src", task.src), ("ref", task.ref), ("plain", without), ("bound", with_terms)):
        (out / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (out / "terms.tsv").write_text(table, encoding="utf-8")
    report(task, without, with_terms)
    ratios = [timed(plain, task.src)[1] / timed(bound, task.src)[1] for _ in range(pairs)]
    print(f"speed with the glossary / without: {statistics.median(ratios):.2f} of {pairs} pairs")


def report(task: Task, without: Sequence[str], with_terms: Sequence[str]) -> None:
    """Print what came, and the scores."""
    asked = came = before = 0
    for line, plain, bound in zip(task.src, without, with_terms, strict=True):
        for target, count in Counter(place.target for place in task.terms.places(line)).items():
            asked += count
            came += min(count, count_in(bound, target) + count_in(bound, target[0].upper() + target[1:]))
            before += min(count, count_in(plain, target))
    print(f"{len(task.terms.glossary)} terms, asked for {asked} times: {came} came, {before} without the glossary")
    for with_term in (False, True):
        rows = task.rows(with_term)
        usual, plain, bound = (
            score([hyp[i] for i in rows], [[ref[i] for i in rows]], ["bleu"])[0].value
            for hyp, ref in ((without, task.usual), (without, task.ref), (with_terms, task.ref))
        )
        print(f"{len(rows)} lines with{'' if with_term else 'out'} a term: BLEU {bound:.2f}")
        print(f"    without the glossary {plain:.2f}; against the references as they are {usual:.2f}")


if __name__ == "__main__":
    main()
