import itertools
import os
import re

import pytest

from seq2seq.errors import InputError
from seq2seq.text import scoring
from seq2seq.text.scoring import closest, compare, score, segmenter, sentence_bleu, tokenizer_for

REF = [
    f"The {a} {b} near the old {c}." for a in ("big", "red", "slow") for b in ("dog", "cat") for c in ("house", "tree")
]
GOOD = [line.replace("near", "by") for line in REF]
BAD = [line.replace("near the", "at a").replace("big", "large").replace("cat", "hat") for line in REF]


def values(hyps: list[str], refs: list[list[str]]) -> dict[str, float]:
    return {s.name: s.value for s in score(hyps, refs)}


def test_a_copy_of_the_reference_is_perfect() -> None:
    assert values(REF, [REF]) == pytest.approx({"BLEU": 100, "chrF2": 100, "TER": 0})


def test_scores_by_hand() -> None:
    """BLEU: 5/6, 3/5, 2/4, 1/3 of the n-grams. TER: one of six words is wrong."""
    scores = values(["a b c d x f"], [["a b c d e f"]])
    assert scores["BLEU"] == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)
    assert scores["TER"] == pytest.approx(100 / 6)


def test_a_second_reference_can_only_raise_bleu() -> None:
    one, two = values(GOOD, [REF]), values(GOOD, [REF, GOOD])
    assert one["BLEU"] < two["BLEU"] == pytest.approx(100)
    assert "nrefs:2" in score(GOOD, [REF, GOOD])[0].signature


def test_signatures_are_those_of_sacrebleu() -> None:
    bleu, chrf, ter = (s.signature for s in score(GOOD, [REF]))
    assert re.fullmatch(r"nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:[\d.]+", bleu)
    assert re.fullmatch(r"nrefs:1\|case:mixed\|eff:yes\|nc:6\|nw:0\|space:no\|version:[\d.]+", chrf)
    assert re.fullmatch(r"nrefs:1\|case:lc\|tok:tercom\|norm:no\|punct:yes\|asian:no\|version:[\d.]+", ter)


def test_only_the_requested_metrics_are_computed() -> None:
    assert [s.name for s in score(GOOD, [REF], ("chrf", "bleu"))] == ["chrF2", "BLEU"]


def test_the_closest_translation_shares_the_longest_n_grams_with_the_reference() -> None:
    """The first and the last have one wrong word of six, the second three. With equal scores the first is taken."""
    ref, bleu = "a b c d e f", sentence_bleu("13a")
    assert closest(["a b x d e f", "a b x y z f", "a b c d e x"], ref, bleu) == "a b c d e x"
    assert closest(["", "f"], ref, bleu) == "f"
    assert closest([""], ref, bleu) == ""
    assert closest(["犬が寝る。", "猫がいる。"], "猫が寝る。", bleu) == "犬が寝る。"  # one word, wrong in both
    assert closest(["犬がいる。", "猫がいる。"], "猫が寝る。", sentence_bleu("char")) == "猫がいる。"


def test_empty_lines_are_scored() -> None:
    assert values(["", ""], [["a b", "c d"]]) == pytest.approx({"BLEU": 0, "chrF2": 0, "TER": 100})


def test_text_that_looks_tokenized_is_scored_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    lines = ["a b c d ."] * 100
    score(lines, [lines], ("bleu",))
    assert not caplog.records


@pytest.mark.parametrize(
    ("hyps", "refs", "message"),
    [
        (REF[:3], [REF], "the translations: 3 lines, but reference 1 has 12"),
        (REF, [REF, REF[:5]], "the translations: 12 lines, but reference 2 has 5"),
        ([], [REF], "the translations: 0 lines, but reference 1 has 12"),
        ([], [[]], "no references to score against"),
        (REF, [], "no references to score against"),
    ],
)
def test_lines_that_do_not_correspond_are_an_error(hyps: list[str], refs: list[list[str]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(hyps, refs)


# ---- languages that are written without spaces -----------------------------------------------------------------------

SENTENCES = {
    "ja-mecab": ["猫が眠っています。", "東京タワーは高い。"],
    "zh": ["他去学校了。", "今天天气很好。"],
    "ko-mecab": ["고양이가 잔다.", "날씨가 좋다."],
    "char": ["แมวกำลังนอนหลับ", "ວັນນີ້ອາກາດດີ"],
    "13a": ["Eine Katze schläft.", "Кошка спит."],
}
CODES = {
    "ja-mecab": ["ja", "JA", "jpn", "ja-JP", "ja_JP.UTF-8"],
    "zh": ["zh", "zho", "cmn", "yue", "zh-Hant-TW", "zh_CN"],
    "ko-mecab": ["ko", "kor", "ko-KR"],
    "char": ["th", "tha", "my", "km", "lo", "bo"],
    "13a": ["de", "en-US", "ja-Latn", "zh-latn-pinyin", "ru"],
}


@pytest.fixture(params=[True, False], ids=["mecab", "no-mecab"])
def has_mecab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(scoring, "_is_installed", lambda tokenizer: "mecab" not in tokenizer or request.param)
    return bool(request.param)


@pytest.mark.parametrize(("tokenizer", "code"), [(name, code) for name in CODES for code in CODES[name]])
def test_the_language_decides_how_words_are_counted(tokenizer: str, code: str, has_mecab: bool) -> None:
    expected = tokenizer if has_mecab or "mecab" not in tokenizer else "char"
    assert tokenizer_for(code, ["Tokyo Tower 2024"]) == expected


@pytest.mark.parametrize(("name", "language"), list(itertools.product(SENTENCES, ["", "tgt", "translation"])))
def test_where_no_language_is_known_the_script_decides(name: str, language: str, has_mecab: bool) -> None:
    """Also among names and signs of another script."""
    expected = name if has_mecab or "mecab" not in name else "char"
    for refs in (SENTENCES[name], [f"{line} (Tower 2)" for line in SENTENCES[name]], [*SENTENCES[name], "", "…"]):
        assert tokenizer_for(language, refs) == expected


@pytest.mark.parametrize("refs", [[], [""], ["123"], ["Ein Satz mit einem Namen, 東京, und noch mehr Text."]])
def test_little_or_nothing_of_a_script_without_spaces_is_counted_by_spaces(refs: list[str]) -> None:
    assert tokenizer_for("", refs) == "13a"


def test_a_line_without_spaces_is_not_one_word() -> None:
    """One of six characters is wrong: as words of one character, BLEU is that of `test_scores_by_hand`."""
    for refs, hyps in ((["他去学校了。"], ["他去学校过。"]), (["东西南北上下"], ["东西南北中下"])):
        bleu, _, ter = score(hyps, [refs])
        assert bleu.value == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)
        assert "tok:zh" in bleu.signature
        assert ter.value == pytest.approx(100 / 6)
        assert "asian:yes" in ter.signature
        assert score(hyps, [refs], ("bleu",), "13a")[0].value == 0


def test_the_better_of_two_systems_is_found_in_text_without_spaces() -> None:
    refs = [f"{a}{b}在{c}。" for a in ("大", "红", "慢") for b in ("狗", "猫") for c in ("家里", "树上")]
    good, bad = ([line.replace(*change) for line in refs] for change in (("在", "於"), ("在", "於於於")))
    for metric in ("bleu", "chrf", "ter"):
        [_, second] = compare({"bad": bad, "good": good}, [refs], [metric])
        assert second.verdict.startswith("good is better than bad (p = 0.0"), metric
    [_, second] = compare({"bad": bad, "good": good}, [refs], ["bleu"], tokenize="13a")
    assert second.verdict.startswith("no significant difference")


def test_words_are_those_of_the_tokenizer() -> None:
    assert segmenter("13a")("a b, c") == ["a", "b,", "c"]
    assert segmenter("char")("ab c") == ["a", "b", "c"]
    assert segmenter("zh")("他去 school") == ["他", "去", "school"]


def test_a_tokenizer_that_is_unknown_or_not_installed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="unknown tokenizer 'jp-mecab'; did you mean 'ja-mecab'"):
        score(REF, [REF], tokenize="jp-mecab")
    monkeypatch.setattr(scoring, "_is_installed", lambda tokenizer: False)
    with pytest.raises(InputError, match=r"ja-mecab needs MeCab .*: pip install 'seq2seq\[mecab\]'"):
        score(REF, [REF], tokenize="ja-mecab")


def test_mecab_finds_words_where_it_is_installed() -> None:
    pytest.importorskip("ipadic")
    [bleu] = score(SENTENCES["ja-mecab"], [SENTENCES["ja-mecab"]], ("bleu",))
    assert "tok:ja-mecab" in bleu.signature
    assert segmenter("ja-mecab")("猫が眠る。") == ["猫", "が", "眠る", "。"]


# ---- confidence ------------------------------------------------------------------------------------------------------


def test_a_bootstrap_gives_each_score_an_interval() -> None:
    plain, spread = score(BAD, [REF]), score(BAD, [REF], seed=1)
    assert all(s.mean is None and s.interval is None for s in plain)
    for before, s in zip(plain, spread, strict=True):
        assert s.value == before.value
        assert s.mean is not None and s.interval is not None
        assert abs(s.mean - s.value) < s.interval < 50
        assert "bs:1000|seed:1|" in s.signature
        assert str(s) == f"{s.name} = {s.value:.2f} (95% interval {s.mean:.2f} ± {s.interval:.2f})  ({s.signature})"
        assert before.as_dict().keys() == {"name", "value", "signature"}
    assert spread == score(BAD, [REF], seed=1) != score(BAD, [REF], seed=2)
    with pytest.raises(InputError, match="a seed of at least 1"):
        score(BAD, [REF], seed=0)


def test_an_unknown_metric_is_an_error() -> None:
    with pytest.raises(InputError, match="unknown metric 'blue'; did you mean 'bleu'"):
        score(REF, [REF], ("blue",))


def test_the_better_system_is_named_on_every_metric() -> None:
    comparisons = {(c.system, c.name): c for c in compare({"bad": BAD, "good": GOOD}, [REF])}
    assert [*comparisons] == [(s, m) for m in ("BLEU", "chrF2", "TER") for s in ("bad", "good")]
    for metric, value in values(GOOD, [REF]).items():
        baseline, system = comparisons["bad", metric], comparisons["good", metric]
        assert system.value == pytest.approx(value)
        assert system.p is not None and system.p < 0.05
        assert system.verdict == f"good is better than bad (p = {system.p:.3f})"
        assert baseline.p is None and baseline.verdict == ""
        assert abs(baseline.mean - baseline.value) < baseline.interval
        assert "bs:1000|seed:12345" in system.signature


def test_the_worse_system_is_named_on_every_metric() -> None:
    for c in compare({"good": GOOD, "bad": BAD}, [REF])[1::2]:
        assert c.verdict.startswith("bad is worse than good (p = 0.0")


def test_small_and_no_differences_are_not_significant() -> None:
    almost = [*GOOD[:-1], BAD[-1]]
    same, other = compare({"good": GOOD, "same": GOOD, "almost": almost}, [REF], ("bleu",))[1:]
    assert (same.p, same.verdict) == (1.0, "no significant difference between same and good (p = 1.000)")
    assert other.p is not None and 0.05 < other.p < 1
    assert other.verdict == f"no significant difference between almost and good (p = {other.p:.3f})"


def test_the_bootstrap_depends_on_its_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(seed: int) -> list[tuple[float, float, float | None]]:
        comparisons = compare({"bad": BAD, "good": GOOD}, [REF], ("chrf",), seed)
        assert f"seed:{seed}" in comparisons[0].signature
        return [(c.mean, c.interval, c.p) for c in comparisons]

    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    first = drawn(1)
    assert "SACREBLEU_SEED" not in os.environ
    monkeypatch.setenv("SACREBLEU_SEED", "99")
    assert drawn(1) == first != drawn(2)
    assert os.environ["SACREBLEU_SEED"] == "99"


@pytest.mark.parametrize(
    ("systems", "seed", "message"),
    [
        ({"A": REF}, 1, "one system alone"),
        ({"A": REF, "B": REF[:-1]}, 1, "B: 11 lines, but reference 1 has 12"),
        ({"A": REF, "B": REF}, 0, "a seed of at least 1"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_an_error(systems: dict[str, list[str]], seed: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(systems, [REF], seed=seed)


@pytest.mark.parametrize("metric", list(scoring.METRICS))
def test_an_objective_is_the_corpus_score_of_its_sums(metric: str) -> None:
    hyps = ["A cat sleeps here.", "Two dogs.", "", "The man sings a song to a cat today."]
    refs = ["A cat is sleeping here.", "Two dogs run.", "x", "A man sings a song to the cat."]
    objective = scoring.Objective(metric, "13a")
    sums = sum(objective.statistics(hyp, ref) for hyp, ref in zip(hyps, refs, strict=True))
    [expected] = scoring.score(hyps, [refs], [metric], "13a")
    assert objective.value(sums) == pytest.approx(-expected.value if metric == "ter" else expected.value)
