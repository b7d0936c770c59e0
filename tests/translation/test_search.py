"""Law 3: greedy and beam search, on hand-written tables of probabilities, and on every cell with every context."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from tiny_models import TINY, every_pair, logits, sentences, shaken, together
from torch import Tensor

from seq2seq.network.model import Model, ModelConfig
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import Hypothesis, Ids, Proposal, SearchConfig, score, search

A, B, C, EOS, BOS = range(5)
NAMES = "abc."

Table = dict[str, str]  # what was said so far -> probabilities in per cent of a, b, c and the end, in this order
UNTOLD = "25 25 25 25"  # where the table says nothing


class Said(NamedTuple):
    """A state without a network: the table that each sentence follows, and what its hypotheses have said so far."""

    tables: list[Table]
    prefixes: list[list[str]]

    def select(self, rows: Ids) -> "Said":
        width = len(self.prefixes[0])
        every = [prefix for prefixes in self.prefixes for prefix in prefixes]
        assert (rows // width == rows[:, :1] // width).all()  # all of one sentence
        return Said([self.tables[block[0] // width] for block in rows], [[every[i] for i in block] for block in rows])


def number(prefix: str) -> int:
    """Another one for each prefix: the source position that a hypothesis is said to look at."""
    return int("1" + "".join(str(NAMES.index(name)) for name in prefix), 5)


class Network:
    """`propose` over tables; it notes how many hypotheses each step has."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def __call__(self, tokens: Ids, asked: Ids, state: Said, count: int) -> tuple[Proposal, Said]:
        self.rows.append(tokens.size)
        prefixes = [
            [prefix + ("" if token == BOS else NAMES[token]) for prefix, token in zip(*both, strict=True)]
            for both in zip(state.prefixes, tokens.tolist(), strict=True)
        ]
        # What is impossible may still fill up a beam; it is offered all there is, and must not come back to life.
        shares = [
            [[float(p) / 100 for p in table.get(prefix, UNTOLD).split()] + [0.0] for prefix in row]
            for table, row in zip(state.tables, prefixes, strict=True)
        ]  # bos never comes again
        with np.errstate(divide="ignore"):
            log_p = np.log(np.array(shares))  # (B, W, V)
        best = np.argsort(-log_p, axis=2, kind="stable")[:, :, :count]
        of_asked = np.take_along_axis(log_p, asked[:, :, None], 2)[:, :, 0]
        looked_at = np.array([[number(prefix) for prefix in row] for row in prefixes])
        return Proposal(best, np.take_along_axis(log_p, best, 2), of_asked, looked_at), Said(state.tables, prefixes)


def look(
    tables: list[Table], limits: list[int], network: Network | None = None, begun: Sequence[str] = (), **settings: Any
) -> list[list[Hypothesis]]:
    state, prefixes = Said(tables, [[""] for _ in tables]), [[NAMES.index(name) for name in text] for text in begun]
    return search(network or Network(), state, BOS, limits, SearchConfig(**settings), EOS, prefixes)


def spoken(found: list[Hypothesis]) -> list[str]:
    return ["".join(NAMES[token] for token in h.tokens) for h in found]


def probabilities(found: list[Hypothesis]) -> list[float]:
    return [math.exp(h.log_prob) for h in found]


# Greedy takes a (.5), a again (.45) and ends (.6): .135. The likeliest sentence is b: .4 * .9 = .36. Width 2, limit 3:
#   step 1  a .5, b .4 | . .1                     what ends counts only among the two best; a and b live on
#   step 2  b. .36, aa .225 | a. .15, ab .1, ..   b is finished; aa and ab live on
#   step 3  aa. .135, ab. .08                     the limit. Three are finished, and the two best are the answer
FIRST = {
    "": "50 40 0 10",
    "a": "45 20 5 30",
    "b": "4 5 1 90",
    "aa": "20 15 5 60",
    "ab": "10 10 0 80",
    "bb": "25 25 0 50",
    "ba": "25 25 0 50",
}

# One fork. Width 2: nothing is finished at once (.8), and b one step later (.2).
SECOND = {"": "0 20 0 80", "b": "0 0 0 100"}

# The end is unlikely before the limit, where it must come.
THIRD = {"": "89 10 0 1", "a": "80 15 0 5", "b": "0 50 0 50", "aa": "98 1 0 1", "ab": "0 0 0 100"}


def test_greedy_takes_the_likeliest_token_at_each_step() -> None:
    [found] = look([FIRST], [3], beam=1)
    assert spoken(found) == ["aa"]
    assert probabilities(found) == pytest.approx([0.5 * 0.45 * 0.6])


def test_a_beam_of_two_finds_what_greedy_misses() -> None:
    [found] = look([FIRST], [3], beam=2, length_penalty=0.0)
    assert spoken(found) == ["b", "aa"]
    assert probabilities(found) == pytest.approx([0.36, 0.135])
    assert [h.score for h in found] == [h.log_prob for h in found]


def test_an_ending_counts_only_among_the_best_of_its_step() -> None:
    """With a beam of three the end of the first step is the third best, so nothing at all is a translation too."""
    [found] = look([FIRST], [3], beam=3, length_penalty=0.0)
    # step 1  a .5, b .4, . .1            finished: "" .1; a and b live on
    # step 2  b. .36, aa .225, a. .15     finished: b, a; now there are three
    assert spoken(found) == ["b", "a", ""]
    assert probabilities(found) == pytest.approx([0.36, 0.15, 0.1])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("width", [1, 2, 3, 20])
def test_each_sentence_of_a_batch_is_as_if_alone(order: tuple[int, ...], width: int) -> None:
    tables, limits = [FIRST, SECOND, THIRD], [3, 3, 3]
    alone = [look([table], [limit], beam=width)[0] for table, limit in zip(tables, limits, strict=True)]
    found = look([tables[i] for i in order], [limits[i] for i in order], beam=width)
    assert list(map(spoken, found)) == [spoken(alone[i]) for i in order]
    assert list(map(probabilities, found)) == [pytest.approx(probabilities(alone[i])) for i in order]


def test_a_sentence_has_its_own_limit() -> None:
    by_limit = [look([FIRST], [limit], beam=2)[0] for limit in (1, 2, 3)]
    assert look([FIRST] * 3, [1, 2, 3], beam=2) == by_limit
    assert [max(map(len, spoken(found))) for found in by_limit] == [0, 1, 2]


@pytest.mark.parametrize("width", [1, 2])
def test_at_its_limit_a_sentence_ends_and_the_end_has_its_price(width: int) -> None:
    [one], [two], [three] = (look([THIRD], [limit], beam=width, length_penalty=0.0) for limit in (1, 2, 3))
    # step 1  a .89, b .1, . .01             limit 1: nothing but the end
    assert [spoken(one), probabilities(one)] == [[""], pytest.approx([0.01])]
    # step 2  aa .712, ab .1335, b. .05, bb .05, a. .0445    limit 2: b. and a., and b is not for greedy to have
    # step 3  ab. .1335 * 1, aa. .712 * .01
    if width == 1:
        assert [spoken(two), probabilities(two)] == [["a"], pytest.approx([0.0445])]
        assert [spoken(three), probabilities(three)] == [["aa"], pytest.approx([0.00712])]
    else:
        assert [spoken(two), probabilities(two)] == [["b", "a"], pytest.approx([0.05, 0.0445])]
        assert [spoken(three), probabilities(three)] == [["ab", "aa"], pytest.approx([0.1335, 0.00712])]


def test_finished_sentences_leave_the_batch() -> None:
    network = Network()
    look([FIRST, SECOND, THIRD], [3, 3, 3], network, beam=1)
    assert network.rows == [3, 2, 2]  # SECOND ends at once
    network = Network()
    look([FIRST, SECOND, THIRD], [3, 3, 2], network, beam=2)
    assert network.rows == [3, 6, 2]  # at its second step SECOND has two endings, and THIRD meets its limit
    network = Network()
    look([SECOND, SECOND], [9, 9], network, beam=2)
    assert network.rows == [2, 4]  # nobody is left: not a step more
    network = Network()
    look([SECOND], [9], network, beam=5)
    assert network.rows == [1, 5]  # two endings are all there is, of five that were asked for


@pytest.mark.parametrize(
    ("length", "penalty", "reward", "expected"),
    [(3, 0, 0, -6), (3, 1, 0, -2), (4, 2, 0, -0.375), (4, 0.5, 0, -3), (4, 0, 1, -2), (4, 0.5, 1, -1), (4, 1, 1, -0.5)],
)
def test_the_score_is_the_log_probability_with_a_reward_over_a_power_of_the_length(
    length: int, penalty: float, reward: float, expected: float
) -> None:
    assert score(-6, length, penalty, reward) == pytest.approx(expected)


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 3.0])
def test_the_length_counts_the_end(width: int, penalty: float) -> None:
    for found in look([FIRST, THIRD], [3, 3], beam=width, length_penalty=penalty):
        for h in found:
            assert h.score == pytest.approx(h.log_prob / (len(h.tokens) + 1) ** penalty)


def test_a_length_penalty_changes_the_order() -> None:
    """SECOND: log .8 = -.22 for one token, log .2 = -1.61 for two; over length ** 3: -.22 and -.201."""
    [plain], [long] = (look([SECOND], [3], beam=2, length_penalty=penalty) for penalty in (0.0, 3.0))
    assert spoken(plain) == ["", "b"]
    assert spoken(long) == ["b", ""]
    assert [h.score for h in long] == pytest.approx([math.log(0.2) / 8, math.log(0.8)])


def test_so_does_a_word_reward() -> None:
    """SECOND, as above: .22 and 1.61 nats for one and two tokens, so a reward of more than 1.39 prefers two."""
    [less], [more] = (look([SECOND], [3], beam=2, length_penalty=0.0, word_reward=reward) for reward in (1.38, 1.39))
    assert spoken(less) == ["", "b"]
    assert spoken(more) == ["b", ""]
    assert [h.score for h in more] == pytest.approx([math.log(0.2) + 2 * 1.39, math.log(0.8) + 1.39])


def test_nothing_impossible_is_returned() -> None:
    """SECOND knows two sentences and FIRST no c in its first step, however wide the beam."""
    wide = look([SECOND, FIRST], [3, 2], beam=50)
    assert sorted(spoken(wide[0])) == ["", "b"]
    assert sorted(spoken(wide[1])) == ["", "a", "b"]
    assert all(math.isfinite(value) for found in wide for h in found for value in h[1:3])


@pytest.mark.parametrize("width", [1, 3])
def test_no_sentences_are_no_translations(width: int) -> None:
    network = Network()
    assert look([], [], network, beam=width) == []
    assert network.rows == []


@pytest.mark.parametrize(
    ("settings", "source", "limit"),
    [
        ({}, 1, 12),
        ({}, 10, 30),
        ({"max_ratio": 1.5, "max_extra": 1}, 3, 5),
        ({"max_ratio": 0.0, "max_extra": 7}, 99, 7),
        ({"max_length": 4}, 10, 5),
        ({"max_length": 40}, 10, 30),
    ],
)
def test_the_limit_is_in_proportion_to_the_source(settings: dict[str, float], source: int, limit: int) -> None:
    assert SearchConfig(**settings).limit(source) == limit


# ---- beside a slow search, written without a single array ------------------------------------------------------------


def possible(table: Table, prefix: str, limit: int, begun: str, shortest: int, ngram: int) -> dict[str, float]:
    """What may follow, with its probability."""

    def allowed(name: str) -> bool:
        if len(prefix) < len(begun):
            return name == begun[len(prefix)]
        if len(prefix) + 1 == limit:
            return name == "."
        if name == ".":
            return len(prefix) >= shortest
        end = (prefix + name)[-ngram:]
        return not (ngram and len(end) == ngram and end in prefix)

    shares = zip(NAMES, table.get(prefix, UNTOLD).split(), strict=True)
    return {name: float(share) / 100 for name, share in shares if float(share) and allowed(name)}


def slowly(
    table: Table,
    limit: int,
    width: int,
    penalty: float,
    begun: str = "",
    shortest: int = 0,
    ngram: int = 0,
    reward: float = 0.0,
) -> dict[str, float]:
    """The beam search of one sentence, as the module describes it."""
    alive, finished = {"": 1.0}, dict[str, float]()
    limit = max(limit, len(begun) + 1)
    for _ in range(limit):
        following = {
            prefix + name: p * share
            for prefix, p in alive.items()
            for name, share in possible(table, prefix, limit, begun, shortest, ngram).items()
        }
        best = sorted(following, key=lambda s: -following[s])[: 2 * width]
        finished |= {s[:-1]: following[s] for s in best[:width] if s.endswith(".")}
        alive = {s: following[s] for s in [s for s in best if not s.endswith(".")][:width]}
        if len(finished) >= width:
            break
    ranked = sorted(finished, key=lambda s: -(math.log(finished[s]) + reward * (len(s) + 1)) / (len(s) + 1) ** penalty)
    return {s: finished[s] for s in ranked[:width]}


def random_table(seed: int, depth: int) -> Table:
    draw = torch.Generator().manual_seed(seed)
    table = {}
    for length in range(depth):
        for prefix in itertools.product("abc", repeat=length):
            shares = torch.randn(4, generator=draw).mul(1.5).exp() * (torch.rand(4, generator=draw) < 0.9)
            shares[3] += 0.01  # an end is always possible
            table["".join(prefix)] = " ".join(str(100 * p) for p in (shares / shares.sum()).tolist())
    return table


@pytest.mark.parametrize(("penalty", "reward"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 30])
def test_batches_agree_with_the_slow_search(width: int, penalty: float, reward: float) -> None:
    limits = [1 + seed % 5 for seed in range(40)]
    tables = [random_table(seed, limit) for seed, limit in enumerate(limits)]
    found = look(tables, limits, beam=width, length_penalty=penalty, word_reward=reward)
    for table, limit, hypotheses in zip(tables, limits, found, strict=True):
        expected = slowly(table, limit, width, penalty, reward=reward)
        assert spoken(hypotheses) == list(expected)
        assert probabilities(hypotheses) == pytest.approx(list(expected.values()), rel=1e-5)
        for h, text in zip(hypotheses, expected, strict=True):
            assert h.sources == [number(text[:i]) for i in range(len(text))]


@pytest.mark.parametrize("width", [1, 2, 5, 30])
@pytest.mark.parametrize(
    ("shortest", "ngram", "begun"),
    [(2, 0, ""), (9, 0, ""), (0, 1, ""), (0, 2, ""), (0, 0, "ab"), (3, 2, "ba"), (0, 1, "aa")],
)
def test_so_they_do_whatever_a_translation_must_be(width: int, shortest: int, ngram: int, begun: str) -> None:
    """At least so long, without a repeat, begun with a prefix, every other sentence with none."""
    limits = [1 + seed % 5 for seed in range(40)]
    tables = [random_table(seed, max(limit, 3)) for seed, limit in enumerate(limits)]
    prefixes = [begun * (seed % 2) for seed in range(40)]
    settings = {"beam": width, "min_length": shortest, "no_repeat_ngram": ngram}
    found = look(tables, limits, begun=prefixes, **settings)
    for table, limit, prefix, hypotheses in zip(tables, limits, prefixes, found, strict=True):
        expected = slowly(table, limit, width, 1.0, prefix, shortest, ngram)
        assert spoken(hypotheses) == list(expected)
        assert probabilities(hypotheses) == pytest.approx(list(expected.values()), rel=1e-5)


# ---- drawing instead -------------------------------------------------------------------------------------------------


def chances(table: Table, prefix: str, temperature: float, *conditions: Any) -> dict[str, float]:
    """How likely each sentence is to be drawn behind this prefix."""
    if prefix.endswith("."):
        return {prefix[:-1]: 1.0}
    weights = {n: p ** (1 / temperature) for n, p in possible(table, prefix, *conditions).items()}
    return {
        sentence: weight / sum(weights.values()) * p
        for name, weight in weights.items()
        for sentence, p in chances(table, prefix + name, temperature, *conditions).items()
    }


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize(("begun", "shortest", "ngram"), [("", 0, 0), ("a", 0, 0), ("", 2, 0), ("", 0, 1)])
def test_what_is_drawn_is_as_frequent_as_it_is_likely(
    temperature: float, begun: str, shortest: int, ngram: int
) -> None:
    """Of both sentences of a batch, and each draw has its log-probability."""
    count, tables, limits = 4000, [FIRST, random_table(2, 5)], [3, 5]
    config = SearchConfig(beam=1, sample=temperature, min_length=shortest, no_repeat_ngram=ngram, length_penalty=0)
    prefix = [NAMES.index(name) for name in begun]
    found = search(
        Network(),
        Said(tables * count, [[""] for _ in range(2 * count)]),
        BOS,
        limits * count,
        config,
        EOS,
        [prefix] * (2 * count),
        list(np.random.default_rng(1).spawn(2 * count)),
    )
    for table, limit, of_one in zip(tables, limits, (found[0::2], found[1::2]), strict=True):
        drawn = Counter(text for hypotheses in of_one for text in spoken(hypotheses))
        expected = chances(table, "", temperature, limit, begun, shortest, ngram)
        assert drawn.total() == count
        for text, p in expected.items():
            assert abs(drawn[text] - count * p) < 5 * math.sqrt(count * p * (1 - p)) + 1, text
        assert drawn.keys() <= expected.keys()
        everything = slowly(table, limit, 10**6, 0.0, begun, shortest, ngram)
        for [h] in of_one:
            [text] = spoken([h])
            assert math.exp(h.log_prob) == pytest.approx(everything[text], rel=1e-5)


# ---- on networks -----------------------------------------------------------------------------------------------------

WORDS, END = 5, 2  # the vocabulary, and the word that ends a sentence


def small(cell: str, context: str, words: int = WORDS) -> Model:
    torch.manual_seed(0)
    return shaken(Model(ModelConfig(cell, context, **TINY), 13, words), seed=3)


def translate(model: Model, sources: list[Tensor], limits: list[int], **settings: Any) -> list[Any]:
    b, engine = together([(src, src) for src in sources]), TorchEngine(model)
    state = engine.start(b.src.numpy(), b.src_mask.numpy())
    return search(engine.propose, state, 1, limits, SearchConfig(**settings), END)


def sources() -> list[Tensor]:
    return [src for src, _ in sentences()]


def greedily(model: Model, src: Tensor, limit: int) -> tuple[list[int], float]:
    """The likeliest token at each step, the whole sentence read anew each time; and its log-probability."""
    said, total = [1], 0.0
    for t in range(1, limit + 1):
        [steps] = logits(model, [(src, torch.tensor([*said, 0]))])
        log_p = torch.log_softmax(steps[-1], dim=-1)
        token = int(log_p.argmax()) if t < limit else END
        total += log_p[token].item()
        if token == END:
            break
        said.append(token)
    return said[1:], total


@every_pair
def test_a_beam_of_one_is_greedy(cell: str, context: str) -> None:
    model, limits = small(cell, context, words=13), [12, 3, 9, 1]
    for penalty in (0.0, 1.0):
        found = translate(model, sources(), limits, beam=1, length_penalty=penalty)
        for [h], src, limit in zip(found, sources(), limits, strict=True):
            tokens, log_prob = greedily(model, src, limit)
            assert h.tokens == tokens
            assert h.log_prob == pytest.approx(log_prob, rel=1e-5)
            assert h.score == pytest.approx(log_prob / (len(tokens) + 1) ** penalty, rel=1e-5)
    assert len({len(h.tokens) for [h] in found}) > 1


@every_pair
def test_a_wide_enough_beam_lists_every_sentence_at_its_teacher_forced_score(cell: str, context: str) -> None:
    model, limits = small(cell, context), [4, 3]
    both = sources()[:2]
    listed = translate(model, both, limits, beam=100, length_penalty=0.0)
    others = [word for word in range(WORDS) if word != END]
    for src, limit, found in zip(both, limits, listed, strict=True):
        every = [list(y) for length in range(limit) for y in itertools.product(others, repeat=length)]
        forced = logits(model, [(src, torch.tensor([1, *y, END])) for y in every])
        by_model = {
            tuple(y): torch.log_softmax(g, dim=-1)[range(len(g)), [*y, END]].sum().item()
            for y, g in zip(every, forced, strict=True)
        }
        assert len(every) == (1 - 4**limit) // (1 - 4)
        ranked = sorted(by_model, key=lambda y: -by_model[y])
        assert [h.log_prob for h in found] == pytest.approx([by_model[y] for y in ranked], rel=1e-5)
        assert {tuple(h.tokens): h.log_prob for h in found} == pytest.approx(by_model, rel=1e-5)


@every_pair
@pytest.mark.parametrize("width", [1, 3])
def test_translations_do_not_depend_on_neighbours(cell: str, context: str, width: int) -> None:
    model, limits = small(cell, context), [9, 4, 12, 7]
    together_ = translate(model, sources(), limits, beam=width)
    for src, limit, found in zip(sources(), limits, together_, strict=True):
        [alone] = translate(model, [src], [limit], beam=width)
        assert [h.tokens for h in found] == [h.tokens for h in alone]
        assert [h.log_prob for h in found] == pytest.approx([h.log_prob for h in alone], rel=1e-5)
        assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)
        assert 1 <= len(found) <= width
        assert len({tuple(h.tokens) for h in found}) == len(found)
        for h in found:
            assert len(h.tokens) < limit
            assert END not in h.tokens
            assert math.isfinite(h.log_prob)


def test_search_computes_no_gradient() -> None:
    """A graph over every step would fill the memory."""
    seen = []

    class Watched(Model):
        def features(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
            seen.append(torch.is_grad_enabled())
            return super().features(tokens, state)

    model = small("gru", "general")
    model.__class__ = Watched
    for width in (1, 5):
        translate(model, sources(), [3] * 4, beam=width)
    assert seen
    assert not any(seen)
