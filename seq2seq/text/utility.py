"""How similar each of some sentences is to each other one, by sacreBLEU's sentence scores.

The n-grams of each sentence are counted once, by sacreBLEU's own functions, and all pairs are compared at once. This
module does not know models.
"""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics import CHRF
from sacrebleu.metrics.helpers import extract_all_char_ngrams, extract_all_word_ngrams

from seq2seq.text.scoring import sentence_bleu

UTILITIES = ("bleu", "chrf")
_COLUMNS = 4096  # of the table of n-grams that are in memory at once

Floats = NDArray[np.float64]


def utilities(texts: Sequence[str], metric: str, tokenize: str) -> Floats:
    """The score (N, N), 0 to 100, of each of N texts (rows) with each as its reference (columns).

    Args:
        texts: single sentences.
        metric: "bleu", that of `seq2seq.text.scoring.sentence_bleu`, or "chrf", chrF2 of a sentence.
        tokenize: how BLEU finds words, one of `seq2seq.text.scoring.TOKENIZERS`.
    """
    return _bleu(texts, tokenize) if metric == "bleu" else _chrf(texts)


def _bleu(texts: Sequence[str], tokenize: str) -> Floats:
    metric = sentence_bleu(tokenize)
    counted = [extract_all_word_ngrams(metric.tokenizer(text.rstrip()), 1, metric.max_ngram_order) for text in texts]
    lengths = np.array([length for _, length in counted], np.float64)
    log_precision = np.zeros((len(texts), len(texts)))
    for order in range(1, metric.max_ngram_order + 1):
        ngrams = [{ngram: k for ngram, k in counts.items() if len(ngram) == order} for counts, _ in counted]
        matched, totals = matches(ngrams), np.maximum(lengths - order + 1, 0)
        smooth = order > 1  # Lin & Och (2004)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_precision += np.log((matched + smooth) / (totals + smooth)[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        brevity = np.minimum(0.0, 1 - lengths / lengths[:, None])
    scores: Floats = 100 * np.exp(brevity + log_precision / metric.max_ngram_order)
    return np.where(np.isnan(scores), 0.0, scores)


def _chrf(texts: Sequence[str]) -> Floats:
    metric = CHRF()
    counted = [extract_all_char_ngrams(text, metric.char_order) for text in texts]
    shape = len(texts), len(texts)
    precision, recall, orders = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for order in range(metric.char_order):
        ngrams = [counts[order] for counts in counted]
        totals = np.array([sum(counts.values()) for counts in ngrams], np.float64)
        matched, least = matches(ngrams), np.maximum(totals, 1)
        both = (totals[:, None] > 0) & (totals > 0)
        precision += np.where(both, matched / least[:, None], 0)
        recall += np.where(both, matched / least, 0)
        orders += both
    factor = metric.beta**2
    below = (factor * precision + recall) * np.maximum(orders, 1)
    score: Floats = 100 * (1 + factor) * precision * recall / np.where(below > 0, below, 1)
    return score


def matches(counted: Sequence[Mapping[Hashable, int]]) -> Floats:
    """How many n-grams each two of N sentences share, (N, N): the sum of the smaller counts.

    The k-th occurrence of an n-gram is a column of its own, with ones for the sentences that have it; then the sum is
    the product of the table with itself.
    """
    columns, rows, places = dict[tuple[Hashable, int], int](), list[int](), list[int]()
    for row, counts in enumerate(counted):
        for ngram, count in counts.items():
            for k in range(count):
                rows.append(row)
                places.append(columns.setdefault((ngram, k), len(columns)))
    at = np.array(rows, np.int64), np.array(places, np.int64)
    result = np.zeros((len(counted), len(counted)))
    for start in range(0, len(columns), _COLUMNS):
        inside = (start <= at[1]) & (at[1] < start + _COLUMNS)
        table = np.zeros((len(counted), _COLUMNS), np.float32)
        table[at[0][inside], at[1][inside] - start] = 1
        result += table @ table.T
    return result
