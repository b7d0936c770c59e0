"""BLEU, chrF and TER of translations, with sacreBLEU's signatures (Post 2018), and significance tests between systems.

BLEU counts words, so its tokenizer has to find them: `tokenizer_for` chooses sacreBLEU's by the target language, or by
the script of the references. A line of Chinese or Japanese would otherwise be one word, right or wrong as a whole.

`compare` is the paired bootstrap of Koehn (2004): the test set is resampled with replacement many times, to estimate
the probability that a difference between two systems is due to chance.

This module does not know models or files: lines in, numbers out.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

from seq2seq.config import nearest
from seq2seq.errors import InputError
from seq2seq.languages.codes import canonical

METRICS = {"bleu": BLEU, "chrf": CHRF, "ter": TER}
SIGNIFICANT = 0.05
SEED, SAMPLES = 12345, 1000  # of the bootstrap; sacreBLEU's defaults, so that its command gives the same numbers

AUTO, DEFAULT, CHARACTERS = "auto", "13a", "char"
TOKENIZERS = (DEFAULT, "intl", "zh", "ja-mecab", "ko-mecab", CHARACTERS)
CHARACTERWISE = ("zh", CHARACTERS)  # these tokenizers take each character of such a script for a word
_ASIAN = ("zh", "ja-mecab", CHARACTERS)  # with these, TER splits such text, too

# Languages that are written without spaces, and Korean, whose words have endings.
_BY_LANGUAGE = {
    **dict.fromkeys(("zh", "yue", "wuu", "nan", "hak", "gan", "hsn", "lzh"), "zh"),
    "ja": "ja-mecab",
    "ko": "ko-mecab",
    **dict.fromkeys(("th", "lo", "km", "my", "bo", "dz"), CHARACTERS),
}
_KANA, _HANGUL = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f", "\uac00-\ud7af\u1100-\u11ff\u3130-\u318f"
_HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Thai, Lao, Tibetan and Burmese; Khmer; Tai Lue; Tai Tham and Balinese; Javanese.
_OTHERS = "\u0e00-\u109f\u1780-\u17ff\u1980-\u19df\u1a20-\u1b7f\ua980-\ua9df"
_SHARE = 0.25  # of the letters; text with so many of a script that has no spaces is not divided by its spaces
_KANA_SHARE = 0.05  # of Han characters and kana together; Japanese has more, Chinese less
_LINES = 2000  # from which the script is seen


class Score(NamedTuple):
    """The score of one system by one metric."""

    name: str  # BLEU, chrF2, TER
    value: float
    signature: str  # sacreBLEU's, to report with the value
    mean: float | None = None  # over bootstrap samples, if there are any
    interval: float | None = None  # half the width of the 95 % confidence interval around `mean`

    def as_dict(self) -> dict[str, Any]:
        """The score as plain values, for JSON, without what it does not have."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def __str__(self) -> str:
        spread = "" if self.mean is None else f" (95% interval {self.mean:.2f} ± {self.interval:.2f})"
        return f"{self.name} = {self.value:.2f}{spread}  ({self.signature})"


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


def tokenizer_for(language: str, refs: Iterable[str]) -> str:
    """The tokenizer, one of TOKENIZERS, to count the words of a language with.

    zh, ja-mecab, ko-mecab and char for languages that are written without spaces (and for Korean), 13a for the others;
    char also for Japanese and Korean if MeCab, or its dictionary, is not installed.

    Args:
        language: a code, such as "ja" or "zh-Hant". If it is not one of these languages, or not known, the script
            decides.
        refs: text in the language.
    """
    code, *subtags = canonical(language).split("-")
    if "latn" in subtags or "latin" in subtags:
        return DEFAULT
    tokenizer = _BY_LANGUAGE.get(code) or _tokenizer_for_script("".join(islice(refs, _LINES)))
    return tokenizer if tokenizer not in ("ja-mecab", "ko-mecab") or _is_installed(tokenizer) else CHARACTERS


def _tokenizer_for_script(text: str) -> str:
    han, kana, hangul, others = (len(re.findall(f"[{script}]", text)) for script in (_HAN, _KANA, _HANGUL, _OTHERS))
    japanese = kana > _KANA_SHARE * (han + kana)
    counts = {"ja-mecab" if japanese else "zh": han + kana, "ko-mecab": hangul, CHARACTERS: others}
    letters = sum(map(str.isalpha, text))
    tokenizer = max(counts, key=lambda name: counts[name])
    return tokenizer if counts[tokenizer] > _SHARE * letters else DEFAULT


def _is_installed(tokenizer: str) -> bool:
    try:
        BLEU(tokenize=tokenizer)
    except (RuntimeError, AssertionError, AttributeError):  # no MeCab, another dictionary, half of an installation
        return False
    return True


def check_tokenizer(tokenize: str) -> None:
    """Check that `tokenize` is "auto" or one of TOKENIZERS, and can be used.

    Raises:
        InputError: it is unknown, or needs a package that is not installed.
    """
    if tokenize not in (AUTO, *TOKENIZERS):
        raise InputError(f"unknown tokenizer {tokenize!r}{nearest(tokenize, (AUTO, *TOKENIZERS))}")
    if tokenize != AUTO and not _is_installed(tokenize):
        raise InputError(f"the tokenizer {tokenize} needs MeCab and a dictionary: pip install 'seq2seq[mecab]'")


def segmenter(tokenize: str) -> Callable[[str], list[str]]:
    """A function from a line to its words, as the tokenizer `tokenize` finds them; 13a: what spaces separate."""
    if tokenize in (DEFAULT, "intl"):
        return str.split
    tokenizer = BLEU(tokenize=tokenize).tokenizer
    return lambda line: str(tokenizer(line)).split()


def score(
    hyps: Sequence[str],
    refs: Sequence[Sequence[str]],
    metrics: Sequence[str] = tuple(METRICS),
    tokenize: str = AUTO,
    seed: int | None = None,
) -> list[Score]:
    """Corpus scores of the translations `hyps` against one or more lists of references, one score per metric.

    Args:
        hyps: translations, one a line.
        refs: lists of references, as long as `hyps`.
        metrics: names of metrics.
        tokenize: one of TOKENIZERS; "auto": by the references' script. See `tokenizer_for` where a language is known.
        seed: of a bootstrap (Koehn 2004) that gives each score its `mean` and `interval`; None: none.

    Raises:
        InputError: there is nothing to score, line counts differ, a metric or tokenizer is unknown, or a seed below 1.
    """
    _check({"the translations": hyps}, refs)
    scores = []
    with nullcontext() if seed is None else _bootstrap_seed(seed):
        for metric in _metrics(metrics, _resolved(tokenize, refs)).values():
            result = metric.corpus_score(hyps, refs, n_bootstrap=1 if seed is None else SAMPLES)
            spread = () if seed is None else (float(result._mean), float(result._ci))
            scores.append(Score(result.name, result.score, str(metric.get_signature()), *spread))
    return scores


class Objective:
    """A metric as a function of sums over the sentences of a corpus; higher is better, so TER is negated.

    Args:
        metric: its name.
        tokenize: one of TOKENIZERS.
    """

    def __init__(self, metric: str, tokenize: str) -> None:
        [self._metric] = _metrics([metric], tokenize).values()
        self.sign = -1 if metric == "ter" else 1

    def statistics(self, hyp: str, ref: str) -> NDArray[np.float64]:
        """What a translation adds to the sums."""
        return np.array(self._metric._extract_corpus_statistics([hyp], [[ref]])[0], np.float64)

    def value(self, sums: NDArray[np.float64]) -> float:
        """The score of a corpus with these sums."""
        return self.sign * float(self._metric._aggregate_and_compute([sums.tolist()]).score)


def sentence_scores(hyps: Sequence[str], refs: Sequence[str]) -> list[float]:
    """ChrF of each translation against its reference."""
    metric = CHRF()
    return [metric.sentence_score(hyp, [ref]).score for hyp, ref in zip(hyps, refs, strict=True)]


def closest(hyps: Sequence[str], ref: str, metric: BLEU) -> str:
    """The translation with the highest sentence BLEU by `metric`, from `sentence_bleu`; the first of equal ones."""
    return max(dict.fromkeys(hyps), key=lambda hyp: float(metric.sentence_score(hyp, [ref]).score))


def sentence_bleu(tokenize: str) -> BLEU:
    """BLEU of single sentences: 1 is added to the counts of n-grams with n >= 2 (Lin & Och 2004)."""
    return BLEU(smooth_method="add-k", smooth_value=1, effective_order=True, tokenize=tokenize)


def compare(
    systems: Mapping[str, Sequence[str]],
    refs: Sequence[Sequence[str]],
    metrics: Sequence[str] = tuple(METRICS),
    seed: int = SEED,
    tokenize: str = AUTO,
) -> list[Comparison]:
    """The scores of all systems by all metrics, metric by metric. The first system is the baseline of the others.

    Raises:
        InputError: as for `score`; fewer than two systems.
    """
    _check(systems, refs)
    if len(systems) < 2:
        raise InputError("one system alone cannot be compared; give the translations of two or more")
    measures = _metrics(metrics, _resolved(tokenize, refs))
    with _bootstrap_seed(seed):
        signatures, table = PairedTest(list(systems.items()), measures, refs, test_type="bs")()
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


def _resolved(tokenize: str, refs: Sequence[Sequence[str]]) -> str:
    check_tokenizer(tokenize)
    return tokenizer_for("", refs[0]) if tokenize == AUTO else tokenize


def _metrics(names: Sequence[str], tokenize: str) -> dict[str, Any]:
    for name in names:
        if name not in METRICS:
            raise InputError(f"unknown metric {name!r}{nearest(name, METRICS)}")
    # Without `force`, BLEU warns at every validation if the text looks tokenized; it changes no number.
    settings = {"bleu": {"force": True, "tokenize": tokenize}, "chrf": {}, "ter": {}}
    if tokenize in _ASIAN:
        settings["ter"] = {"normalized": True, "asian_support": True}
    return {name: METRICS[name](**settings.get(name, {})) for name in names}


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
    if seed < 1:  # to sacreBLEU, 0 means no seed
        raise InputError(f"seed {seed}: the bootstrap needs a seed of at least 1")
    before = os.environ.get("SACREBLEU_SEED")
    os.environ["SACREBLEU_SEED"] = str(seed)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SACREBLEU_SEED"]
        else:
            os.environ["SACREBLEU_SEED"] = before
