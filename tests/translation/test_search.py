"""Law 3: greedy search, beam search and sampling, on hand-written tables of probabilities and on networks."""

import functools
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from tiny_models import TINY, every_model, logits, sentences, setup, shaken, together
from torch import Tensor

from seq2seq.network.model import Model, ModelConfig
from seq2seq.translation.beam import Ids
from seq2seq.translation.constraints import Vocabulary
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.loops import looping
from seq2seq.translation.search import Hypothesis, Proposal, Request, SearchConfig, score, search

A, B, C, EOS, BOS = range(5)
NAMES = "abc."
WEIGHTS = np.array([6, 6, 3, 0, 0])  # of the tokens in a loop

Table = dict[str, str]  # prefix -> probabilities in per cent of a, b, c and EOS, in this order
UNIFORM = "25 25 25 25"  # of prefixes that a table does not have


class TableState(NamedTuple):
    """A state without a network: the table of each sentence and the prefixes of its hypotheses."""

    tables: list[Table]
    prefixes: list[list[str]]

    def select(self, rows: Ids) -> "TableState":
        width = len(self.prefixes[0])
        flat = [prefix for prefixes in self.prefixes for prefix in prefixes]
        assert (rows // width == rows[:, :1] // width).all()  # all of one sentence
        tables = [self.tables[block[0] // width] for block in rows]
        return TableState(tables, [[flat[i] for i in block] for block in rows])


@functools.cache
def source_position(prefix: str) -> int:
    """A source position that is different for each prefix."""
    return int("1" + "".join(str(NAMES.index(name)) for name in prefix), 5)


@functools.cache
def row_of_probabilities(percents: str) -> list[float]:
    """The probabilities of a row of a table, and of BOS: 0."""
    return [*(float(p) / 100 for p in percents.split()), 0.0]


class TableModel:
    """`propose` by tables; it records the number of hypotheses of each step."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def __call__(self, tokens: Ids, targets: Ids, state: TableState, count: int) -> tuple[Proposal, TableState]:
        self.rows.append(tokens.size)
        prefixes = [
            [prefix + ("" if token == BOS else NAMES[token]) for prefix, token in zip(*both, strict=True)]
            for both in zip(state.prefixes, tokens.tolist(), strict=True)
        ]
        # Impossible tokens are proposed too: they may fill a beam, and must not become possible later.
        probs = [
            [row_of_probabilities(table.get(prefix, UNIFORM)) for prefix in row]
            for table, row in zip(state.tables, prefixes, strict=True)
        ]
        with np.errstate(divide="ignore"):
            log_p = np.log(np.array(probs))  # (B, W, V)
        best = np.argsort(-log_p, axis=2, kind="stable")[:, :, :count]
        of_targets = np.take_along_axis(log_p, targets[:, :, None], 2)[:, :, 0]
        source = np.array([[source_position(prefix) for prefix in row] for row in prefixes])
        proposal = Proposal(best, np.take_along_axis(log_p, best, 2), of_targets, source)
        return proposal, TableState(state.tables, prefixes)


def search_tables(
    tables: list[Table],
    limits: list[int],
    model: TableModel | None = None,
    prefixes: Sequence[str] | None = None,
    loops: bool = True,
    **settings: Any,
) -> list[list[Hypothesis]]:
    state = TableState(tables, [[""] for _ in tables])
    requests = [
        Request(limit, [NAMES.index(name) for name in prefix])
        for limit, prefix in zip(limits, prefixes or [""] * len(limits), strict=True)
    ]
    vocabulary = Vocabulary(loops=None if loops else WEIGHTS)
    return search(model or TableModel(), state, requests, SearchConfig(**settings), BOS, EOS, vocabulary=vocabulary)


def texts(hypotheses: list[Hypothesis]) -> list[str]:
    return ["".join(NAMES[token] for token in h.tokens) for h in hypotheses]


def probabilities(hypotheses: list[Hypothesis]) -> list[float]:
    return [math.exp(h.log_prob) for h in hypotheses]


# Greedy search takes a (.5), a (.45) and EOS (.6): .135. The most probable sentence is b: .4 * .9 = .36. Below, "." is
# EOS and "|" follows the two best candidates. Width 2, limit 3:
#   step 1  a .5, b .4 | . .1                     "." is not among the two best; a and b are the next beam
#   step 2  b. .36, aa .225 | a. .15, ab .1, ..   b is finished; aa and ab are the next beam
#   step 3  aa. .135, ab. .08                     the limit: three are finished, the two best are returned
FIRST = {
    "": "50 40 0 10",
    "a": "45 20 5 30",
    "b": "4 5 1 90",
    "aa": "20 15 5 60",
    "ab": "10 10 0 80",
    "bb": "25 25 0 50",
    "ba": "25 25 0 50",
}

# Two sentences. Width 2: the empty one is finished in step 1 (.8), and b in step 2 (.2).
SECOND = {"": "0 20 0 80", "b": "0 0 0 100"}

# EOS is improbable before the limit, where it is forced.
THIRD = {"": "89 10 0 1", "a": "80 15 0 5", "b": "0 50 0 50", "aa": "98 1 0 1", "ab": "0 0 0 100"}


def test_greedy_search_takes_the_most_probable_token_at_each_step() -> None:
    [hypotheses] = search_tables([FIRST], [3], beam=1)
    assert texts(hypotheses) == ["aa"]
    assert probabilities(hypotheses) == pytest.approx([0.5 * 0.45 * 0.6])


def test_a_beam_of_two_finds_the_sentence_that_greedy_search_misses() -> None:
    [hypotheses] = search_tables([FIRST], [3], beam=2, length_penalty=0.0)
    assert texts(hypotheses) == ["b", "aa"]
    assert probabilities(hypotheses) == pytest.approx([0.36, 0.135])
    assert [h.score for h in hypotheses] == [h.log_prob for h in hypotheses]


def test_a_hypothesis_is_finished_only_among_the_best_of_its_step() -> None:
    """With a beam of three, EOS is the third best candidate of the first step, so the empty sentence is finished."""
    [hypotheses] = search_tables([FIRST], [3], beam=3, length_penalty=0.0)
    # step 1  a .5, b .4, . .1            finished: "" .1; a and b are the next beam
    # step 2  b. .36, aa .225, a. .15     finished: b, a; now there are three
    assert texts(hypotheses) == ["b", "a", ""]
    assert probabilities(hypotheses) == pytest.approx([0.36, 0.15, 0.1])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("width", [1, 2, 3, 20])
def test_a_sentence_in_a_batch_is_translated_as_it_is_alone(order: tuple[int, ...], width: int) -> None:
    tables, limits = [FIRST, SECOND, THIRD], [3, 3, 3]
    alone = [search_tables([table], [limit], beam=width)[0] for table, limit in zip(tables, limits, strict=True)]
    batch = search_tables([tables[i] for i in order], [limits[i] for i in order], beam=width)
    assert list(map(texts, batch)) == [texts(alone[i]) for i in order]
    assert list(map(probabilities, batch)) == [pytest.approx(probabilities(alone[i])) for i in order]


def test_each_sentence_has_its_own_limit() -> None:
    by_limit = [search_tables([FIRST], [limit], beam=2)[0] for limit in (1, 2, 3)]
    assert search_tables([FIRST] * 3, [1, 2, 3], beam=2) == by_limit
    assert [max(map(len, texts(hypotheses))) for hypotheses in by_limit] == [0, 1, 2]


@pytest.mark.parametrize("width", [1, 2])
def test_eos_is_forced_at_the_limit_and_its_probability_counts(width: int) -> None:
    [one], [two], [three] = (search_tables([THIRD], [limit], beam=width, length_penalty=0.0) for limit in (1, 2, 3))
    # step 1  a .89, b .1, . .01             limit 1: EOS alone
    assert [texts(one), probabilities(one)] == [[""], pytest.approx([0.01])]
    # step 2  aa .712, ab .1335, b. .05, bb .05, a. .0445    limit 2: b. and a.; greedy search has no b
    # step 3  ab. .1335 * 1, aa. .712 * .01
    if width == 1:
        assert [texts(two), probabilities(two)] == [["a"], pytest.approx([0.0445])]
        assert [texts(three), probabilities(three)] == [["aa"], pytest.approx([0.00712])]
    else:
        assert [texts(two), probabilities(two)] == [["b", "a"], pytest.approx([0.05, 0.0445])]
        assert [texts(three), probabilities(three)] == [["ab", "aa"], pytest.approx([0.1335, 0.00712])]


def test_finished_sentences_leave_the_batch() -> None:
    model = TableModel()
    search_tables([FIRST, SECOND, THIRD], [3, 3, 3], model, beam=1)
    assert model.rows == [3, 2, 2]  # SECOND is finished in step 1
    model = TableModel()
    search_tables([FIRST, SECOND, THIRD], [3, 3, 2], model, beam=2)
    assert model.rows == [3, 6, 2]  # in step 2 SECOND has two finished hypotheses, and THIRD reaches its limit
    model = TableModel()
    search_tables([SECOND, SECOND], [9, 9], model, beam=2)
    assert model.rows == [2, 4]  # no sentence is left, so no step follows
    model = TableModel()
    search_tables([SECOND], [9], model, beam=5)
    assert model.rows == [1, 5]  # there are two sentences, fewer than the beam of five


@pytest.mark.parametrize(
    ("length", "penalty", "reward", "expected"),
    [(3, 0, 0, -6), (3, 1, 0, -2), (4, 2, 0, -0.375), (4, 0.5, 0, -3), (4, 0, 1, -2), (4, 0.5, 1, -1), (4, 1, 1, -0.5)],
)
def test_the_score_is_log_p_plus_rewards_over_a_power_of_the_length(
    length: int, penalty: float, reward: float, expected: float
) -> None:
    assert score(-6, length, penalty, reward) == pytest.approx(expected)


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 3.0])
def test_the_length_in_the_score_counts_eos(width: int, penalty: float) -> None:
    for hypotheses in search_tables([FIRST, THIRD], [3, 3], beam=width, length_penalty=penalty):
        for h in hypotheses:
            assert h.score == pytest.approx(h.log_prob / (len(h.tokens) + 1) ** penalty)


def test_a_length_penalty_changes_the_order() -> None:
    """SECOND: log .8 = -.22 for one token, log .2 = -1.61 for two; over length ** 3: -.22 and -.201."""
    [plain], [long] = (search_tables([SECOND], [3], beam=2, length_penalty=penalty) for penalty in (0.0, 3.0))
    assert texts(plain) == ["", "b"]
    assert texts(long) == ["b", ""]
    assert [h.score for h in long] == pytest.approx([math.log(0.2) / 8, math.log(0.8)])


def test_a_word_reward_changes_the_order() -> None:
    """SECOND, as above: -.22 and -1.61 nats for one and two tokens, so a reward of 1.39 or more prefers two."""
    [less], [more] = (
        search_tables([SECOND], [3], beam=2, length_penalty=0.0, word_reward=reward) for reward in (1.38, 1.39)
    )
    assert texts(less) == ["", "b"]
    assert texts(more) == ["b", ""]
    assert [h.score for h in more] == pytest.approx([math.log(0.2) + 2 * 1.39, math.log(0.8) + 1.39])


def test_no_impossible_sentence_is_returned() -> None:
    """SECOND has two sentences and FIRST no c in its first step, however wide the beam."""
    wide = search_tables([SECOND, FIRST], [3, 2], beam=50)
    assert sorted(texts(wide[0])) == ["", "b"]
    assert sorted(texts(wide[1])) == ["", "a", "b"]
    assert all(math.isfinite(value) for hypotheses in wide for h in hypotheses for value in h[1:3])


@pytest.mark.parametrize("width", [1, 3])
def test_no_sentences_have_no_translations(width: int) -> None:
    model = TableModel()
    assert search_tables([], [], model, beam=width) == []
    assert model.rows == []


@pytest.mark.parametrize(
    ("settings", "source", "limit"),
    [
        ({}, 1, 12),
        ({}, 10, 30),
        ({"max_ratio": 1.5, "max_extra": 1}, 3, 5),
        ({"max_ratio": 0.0, "max_extra": 7}, 99, 7),
        ({"max_length": 4}, 10, 5),
        ({"max_length": 40}, 10, 30),
        ({"min_length": 40}, 10, 41),
        ({"min_length": 40, "max_length": 40}, 10, 41),
        ({"max_ratio": 0.0, "max_extra": 1, "min_length": 1}, 99, 2),
    ],
)
def test_the_limit_is_in_proportion_to_the_source(settings: dict[str, float], source: int, limit: int) -> None:
    assert SearchConfig(**settings).limit(source) == limit


# ---- against a slow search without arrays ----------------------------------------------------------------------------


class Conditions(NamedTuple):
    """What every translation of a sentence must satisfy."""

    prefix: str = ""
    min_length: int = 0
    ngram: int = 0
    loops: bool = True


def allowed(table: Table, text: str, limit: int, conditions: Conditions) -> dict[str, float]:
    """The probability of each token that may follow the text."""
    prefix, min_length, ngram, loops = conditions

    def is_allowed(name: str) -> bool:
        if len(text) < len(prefix):
            return name == prefix[len(text)]
        if len(text) + 1 == limit:
            return name == "."
        if name == ".":
            return len(text) >= min_length
        end = (text + name)[-ngram:]
        if not loops and looping([[NAMES.index(each) for each in text + name]], WEIGHTS)[0]:
            return False
        return not (ngram and len(end) == ngram and end in text)

    probs = zip(NAMES, table.get(text, UNIFORM).split(), strict=True)
    return {name: float(p) / 100 for name, p in probs if float(p) and is_allowed(name)}


def slow_search(
    table: Table,
    limit: int,
    width: int,
    penalty: float,
    conditions: Conditions = Conditions(),  # noqa: B008 (immutable)
    reward: float = 0.0,
) -> dict[str, float]:
    """The beam search of one sentence, as the module describes it: each translation's probability."""
    beam, finished = {"": 1.0}, dict[str, float]()
    limit = max(limit, len(conditions.prefix) + 1)
    for _ in range(limit):
        candidates = {
            text + name: p * of_token
            for text, p in beam.items()
            for name, of_token in allowed(table, text, limit, conditions).items()
        }
        best = sorted(candidates, key=lambda s: -candidates[s])[: 2 * width]
        finished |= {s[:-1]: candidates[s] for s in best[:width] if s.endswith(".")}
        beam = {s: candidates[s] for s in [s for s in best if not s.endswith(".")][:width]}
        if len(finished) >= width:
            break
    ranked = sorted(finished, key=lambda s: -(math.log(finished[s]) + reward * (len(s) + 1)) / (len(s) + 1) ** penalty)
    return {s: finished[s] for s in ranked[:width]}


def random_table(seed: int, depth: int) -> Table:
    draw = torch.Generator().manual_seed(seed)
    table = {}
    for length in range(depth):
        for prefix in itertools.product("abc", repeat=length):
            probs = torch.randn(4, generator=draw).mul(1.5).exp() * (torch.rand(4, generator=draw) < 0.9)
            probs[3] += 0.01  # EOS is always possible
            table["".join(prefix)] = " ".join(str(100 * p) for p in (probs / probs.sum()).tolist())
    return table


@pytest.mark.parametrize(("penalty", "reward"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 30])
def test_search_agrees_with_the_slow_search(width: int, penalty: float, reward: float) -> None:
    limits = [1 + seed % 5 for seed in range(40)]
    tables = [random_table(seed, limit) for seed, limit in enumerate(limits)]
    batch = search_tables(tables, limits, beam=width, length_penalty=penalty, word_reward=reward)
    for table, limit, hypotheses in zip(tables, limits, batch, strict=True):
        expected = slow_search(table, limit, width, penalty, reward=reward)
        assert texts(hypotheses) == list(expected)
        assert probabilities(hypotheses) == pytest.approx(list(expected.values()), rel=1e-5)
        for h, text in zip(hypotheses, expected, strict=True):
            assert h.sources == [source_position(text[:i]) for i in range(len(text))]


@pytest.mark.parametrize("width", [1, 2, 5, 30])
@pytest.mark.parametrize(
    ("min_length", "ngram", "prefix", "loops"),
    [
        *((2, 0, "", True), (9, 0, "", True), (0, 1, "", True), (0, 2, "", True), (0, 0, "ab", True)),
        *((3, 2, "ba", True), (0, 1, "aa", True), (0, 0, "", False), (4, 0, "", False), (4, 0, "aba", False)),
    ],
)
def test_search_under_conditions_agrees_with_the_slow_search(
    width: int, min_length: int, ngram: int, prefix: str, loops: bool
) -> None:
    """A minimum length, a ban of n-grams, one of loops, and a prefix for every other sentence."""
    limits = [1 + seed % 6 for seed in range(40)]
    tables = [random_table(seed, max(limit, 3)) for seed, limit in enumerate(limits)]
    prefixes = [prefix * (seed % 2) for seed in range(40)]
    settings = {"beam": width, "min_length": min_length, "no_repeat_ngram": ngram, "loops": loops}
    batch = search_tables(tables, limits, prefixes=prefixes, **settings)
    for table, limit, first, hypotheses in zip(tables, limits, prefixes, batch, strict=True):
        expected = slow_search(table, limit, width, 1.0, Conditions(first, min_length, ngram, loops))
        assert texts(hypotheses) == list(expected)
        assert probabilities(hypotheses) == pytest.approx(list(expected.values()), rel=1e-5)


# ---- sampling --------------------------------------------------------------------------------------------------------


def sample_probabilities(
    table: Table, text: str, temperature: float, limit: int, conditions: Conditions
) -> dict[str, float]:
    """The probability that sampling continues the text to each sentence."""
    if text.endswith("."):
        return {text[:-1]: 1.0}
    weights = {name: p ** (1 / temperature) for name, p in allowed(table, text, limit, conditions).items()}
    return {
        sentence: weight / sum(weights.values()) * p
        for name, weight in weights.items()
        for sentence, p in sample_probabilities(table, text + name, temperature, limit, conditions).items()
    }


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize(("prefix", "min_length", "ngram"), [("", 0, 0), ("a", 0, 0), ("", 2, 0), ("", 0, 1)])
def test_samples_are_as_frequent_as_they_are_probable(
    temperature: float, prefix: str, min_length: int, ngram: int
) -> None:
    """For both sentences of a batch; and the log-probability of each sample is the sentence's."""
    count, tables, limits = 4000, [FIRST, random_table(2, 5)], [3, 5]
    config = SearchConfig(beam=1, sample=temperature, min_length=min_length, no_repeat_ngram=ngram, length_penalty=0)
    samples = search(
        TableModel(),
        TableState(tables * count, [[""] for _ in range(2 * count)]),
        [Request(limit, [NAMES.index(name) for name in prefix]) for limit in limits * count],
        config,
        BOS,
        EOS,
        list(np.random.default_rng(1).spawn(2 * count)),
    )
    conditions = Conditions(prefix, min_length, ngram)
    for table, limit, of_sentence in zip(tables, limits, (samples[0::2], samples[1::2]), strict=True):
        counts = Counter(text for hypotheses in of_sentence for text in texts(hypotheses))
        expected = sample_probabilities(table, "", temperature, limit, conditions)
        assert counts.total() == count
        for text, p in expected.items():
            assert abs(counts[text] - count * p) < 5 * math.sqrt(count * p * (1 - p)) + 1, text
        assert counts.keys() <= expected.keys()
        probs = slow_search(table, limit, 10**6, 0.0, conditions)
        found = np.exp([h.log_prob for [h] in of_sentence])
        assert found == pytest.approx(np.array([probs[texts(hypotheses)[0]] for hypotheses in of_sentence]), rel=1e-5)


# ---- on networks -----------------------------------------------------------------------------------------------------

VOCABULARY, END = 5, 2  # the number of tokens, and the EOS


def small(cell: str, context: str, vocabulary: int = VOCABULARY) -> Model:
    torch.manual_seed(0)
    return shaken(Model(ModelConfig(**TINY, **setup(cell, context)), 13, vocabulary), seed=3)


def translate(model: Model, sources: list[Tensor], limits: list[int], **settings: Any) -> list[Any]:
    b, engine = together([(src, src) for src in sources]), TorchEngine(model)
    state = engine.start(b.src.numpy(), b.src_mask.numpy())
    return search(engine.propose, state, list(map(Request, limits)), SearchConfig(**settings), 1, END)


def sources() -> list[Tensor]:
    return [src for src, _ in sentences()]


def greedy(model: Model, src: Tensor, limit: int) -> tuple[list[int], float]:
    """Greedy search by teacher forcing of the whole prefix at each step: the tokens and their log-probability."""
    prefix, total = [1], 0.0
    for t in range(1, limit + 1):
        [steps] = logits(model, [(src, torch.tensor([*prefix, 0]))])
        log_p = torch.log_softmax(steps[-1], dim=-1)
        token = int(log_p.argmax()) if t < limit else END
        total += log_p[token].item()
        if token == END:
            break
        prefix.append(token)
    return prefix[1:], total


@every_model
def test_a_beam_of_one_is_greedy(cell: str, context: str) -> None:
    model, limits = small(cell, context, vocabulary=13), [12, 3, 9, 1]
    for penalty in (0.0, 1.0):
        translations = translate(model, sources(), limits, beam=1, length_penalty=penalty)
        for [h], src, limit in zip(translations, sources(), limits, strict=True):
            tokens, log_prob = greedy(model, src, limit)
            assert h.tokens == tokens
            assert h.log_prob == pytest.approx(log_prob, rel=1e-5)
            assert h.score == pytest.approx(log_prob / (len(tokens) + 1) ** penalty, rel=1e-5)
    assert len({len(h.tokens) for [h] in translations}) > 1


@every_model
def test_a_wide_enough_beam_lists_every_sentence_at_its_teacher_forced_score(cell: str, context: str) -> None:
    model, limits = small(cell, context), [4, 3]
    both = sources()[:2]
    listed = translate(model, both, limits, beam=100, length_penalty=0.0)
    others = [token for token in range(VOCABULARY) if token != END]
    for src, limit, hypotheses in zip(both, limits, listed, strict=True):
        every = [list(y) for length in range(limit) for y in itertools.product(others, repeat=length)]
        forced = logits(model, [(src, torch.tensor([1, *y, END])) for y in every])
        by_model = {
            tuple(y): torch.log_softmax(g, dim=-1)[range(len(g)), [*y, END]].sum().item()
            for y, g in zip(every, forced, strict=True)
        }
        assert len(every) == (1 - 4**limit) // (1 - 4)
        ranked = sorted(by_model, key=lambda y: -by_model[y])
        assert [h.log_prob for h in hypotheses] == pytest.approx([by_model[y] for y in ranked], rel=1e-5)
        assert {tuple(h.tokens): h.log_prob for h in hypotheses} == pytest.approx(by_model, rel=1e-5)


@every_model
@pytest.mark.parametrize("width", [1, 3])
def test_translations_do_not_depend_on_the_batch(cell: str, context: str, width: int) -> None:
    model, limits = small(cell, context), [9, 4, 12, 7]
    batch = translate(model, sources(), limits, beam=width)
    for src, limit, hypotheses in zip(sources(), limits, batch, strict=True):
        [alone] = translate(model, [src], [limit], beam=width)
        assert [h.tokens for h in hypotheses] == [h.tokens for h in alone]
        assert [h.log_prob for h in hypotheses] == pytest.approx([h.log_prob for h in alone], rel=1e-5)
        assert [h.score for h in hypotheses] == sorted((h.score for h in hypotheses), reverse=True)
        assert 1 <= len(hypotheses) <= width
        assert len({tuple(h.tokens) for h in hypotheses}) == len(hypotheses)
        for h in hypotheses:
            assert len(h.tokens) < limit
            assert END not in h.tokens
            assert math.isfinite(h.log_prob)


def test_search_computes_no_gradient() -> None:
    """A gradient's graph over all steps would fill the memory."""
    enabled = []

    class Watched(Model):
        def features(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
            enabled.append(torch.is_grad_enabled())
            return super().features(tokens, state)

    model = small("gru", "general")
    model.__class__ = Watched
    for width in (1, 5):
        translate(model, sources(), [3] * 4, beam=width)
    assert enabled
    assert not any(enabled)
