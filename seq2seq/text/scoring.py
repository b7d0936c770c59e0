"""BLEU, chrF and TER of translations, with sacreBLEU's signatures (Post 2018), and significance tests between systems.

`compare` is the paired bootstrap of Koehn (2004): the test set is resampled with replacement many times, to estimate
the probability that a difference between two systems is due to chance.

This module does not know models or files: lines in, numbers out.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

from seq2seq.config import nearest
from seq2seq.errors import InputError

METRICS = {"bleu": BLEU, "chrf": CHRF, "ter": TER}
SENTENCE = BLEU(smooth_method="add-k", smooth_value=1, effective_order=True)
SIGNIFICANT = 0.05


class Score(NamedTuple):
    """The score of one system by one metric."""

    name: str  # BLEU, chrF2, TER
    value: float
    signature: str  # sacreBLEU's, to report with the value


class Comparison(NamedTuple):
    """The score of one system by one metric, compared with the baseline, whose own `p` is None and `verdict` empty."""

    system: str
    name: str
    value: float
    mean: float  # over the bootstrap samples
    interval: float  # half the width of the 95 % confidence interval around `mean`
    p: float | None  # probability of a difference this large from the baseline by chance
    verdict: str  # for example: B is better than A (p = 0.012)
    signature: str


def score(hyps: Sequence[str], refs: Sequence[Sequence[str]], metrics: Sequence[str] = tuple(METRICS)) -> list[Score]:
    """Corpus scores of the translations `hyps` against one or more lists of references, one score per metric.

    Raises:
        InputError: there is nothing to score, line counts differ, or a metric is unknown.
    """
    _check({"the translations": hyps}, refs)
    scores = []
    for metric in _metrics(metrics).values():
        result = metric.corpus_score(hyps, refs)
        scores.append(Score(result.name, result.score, str(metric.get_signature())))
    return scores


def sentence_scores(hyps: Sequence[str], refs: Sequence[str]) -> list[float]:
    """ChrF of each translation against its reference."""
    metric = CHRF()
    return [metric.sentence_score(hyp, [ref]).score for hyp, ref in zip(hyps, refs, strict=True)]


def closest(hyps: Sequence[str], ref: str) -> str:
    """The translation with the highest sentence BLEU, 1 added to counts of n-grams with n >= 2 (Lin & Och 2004)."""
    return max(dict.fromkeys(hyps), key=lambda hyp: SENTENCE.sentence_score(hyp, [ref]).score)


def compare(
    systems: Mapping[str, Sequence[str]],
    refs: Sequence[Sequence[str]],
    metrics: Sequence[str] = tuple(METRICS),
    seed: int = 12345,  # sacreBLEU's default, so that its command gives the same numbers
) -> list[Comparison]:
    """The scores of all systems by all metrics, metric by metric. The first system is the baseline of the others.

    Raises:
        InputError: as for `score`; fewer than two systems; a seed below 1.
    """
    _check(systems, refs)
    if len(systems) < 2:
        raise InputError("one system alone cannot be compared; give the translations of two or more")
    if seed < 1:  # to sacreBLEU, 0 means no seed
        raise InputError(f"seed {seed}: the bootstrap needs a seed of at least 1")
    with _bootstrap_seed(seed):
        signatures, table = PairedTest(list(systems.items()), _metrics(metrics), refs, test_type="bs")()
    names = list(systems)
    comparisons = []
    for metric, signature in signatures.items():
        baseline = table[metric][0].score
        for name, r in zip(names, table[metric], strict=True):
            # For two equal scores sacreBLEU returns the smallest possible p.
            p = 1.0 if r.p_value is not None and r.score == baseline else r.p_value
            verdict = "" if p is None else _verdict(names[0], name, metric, r.score - baseline, p)
            comparisons.append(
                Comparison(name, metric, r.score, float(r.mean), float(r.ci), p, verdict, str(signature))
            )
    return comparisons


def _verdict(baseline: str, name: str, metric: str, gain: float, p: float) -> str:
    if p > SIGNIFICANT:
        return f"no significant difference between {name} and {baseline} (p = {p:.3f})"
    better = gain < 0 if metric == "TER" else gain > 0  # TER counts errors
    return f"{name} is {'better' if better else 'worse'} than {baseline} (p = {p:.3f})"


def _metrics(names: Sequence[str]) -> dict[str, Any]:
    for name in names:
        if name not in METRICS:
            raise InputError(f"unknown metric {name!r}{nearest(name, METRICS)}")
    # Without `force`, BLEU warns at every validation if the text looks tokenized; it changes no number.
    return {name: BLEU(force=True) if name == "bleu" else METRICS[name]() for name in names}


def _check(systems: Mapping[str, Sequence[str]], refs: Sequence[Sequence[str]]) -> None:
    if not refs or not refs[0]:
        raise InputError("there are no references to score against; give a file with at least one line")
    for name, hyps in systems.items():
        for number, ref in enumerate(refs, 1):
            if len(hyps) != len(ref):
                raise InputError(
                    f"{name}: {len(hyps)} lines, but reference {number} has {len(ref)}; both need one line per sentence"
                )


@contextmanager
def _bootstrap_seed(seed: int) -> Iterator[None]:
    """Set the seed in the environment, the only place where sacreBLEU reads it; restore the environment at the end."""
    before = os.environ.get("SACREBLEU_SEED")
    os.environ["SACREBLEU_SEED"] = str(seed)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SACREBLEU_SEED"]
        else:
            os.environ["SACREBLEU_SEED"] = before
