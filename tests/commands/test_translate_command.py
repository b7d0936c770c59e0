"""`translate`: one line out per line in, in order, and its options for search, files, ensembles and memories."""

import gzip
import math
import os
import select
import shutil
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from shell import PAIRS, PARTS, ROOT, call, python, refused, start, worked

from seq2seq.text import batches
from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig
from seq2seq.translation.translator import LineTranslator

TRANSLATE = ROOT / "scripts" / "translate.py"
TRAIN = PARTS["train"]
AWKWARD = [
    "",
    "   ",
    "A cat\u2028sleeps\u2029here\x85.",
    "\tA cat\tsleeps here.\t",
    "🙂 👩‍👩‍👧 🇩🇪",
    "A cat \x00 sleeps\x0b\x0chere.",
    "Eine Zeile\rmit CR",
    "\ufeffA cat sleeps here.",
    "▁ \ue000 <s> </s> <unk> <0x0A>",
    "Привет, 世界! ñ ﷽",
    "A cat sleeps here. " * 60,
    "x" * 700,
    "A cat sleeps here.",
]


def translate(model: Path, lines: Iterable[str], *options: object) -> list[str]:
    return worked(call("translate", "--model", model, *options, stdin="".join(f"{line}\n" for line in lines))).lines


def test_the_tiny_model_translates_its_training_text(model: Path) -> None:
    """It has learnt its tiny language almost completely."""
    result = worked(call("translate", "--model", model, stdin="".join(f"{en}\n" for en, _ in TRAIN)))
    correct = [line == de for line, (_, de) in zip(result.lines, TRAIN, strict=True)]
    assert sum(correct) > 0.75 * len(TRAIN)
    assert result.err == ""


@pytest.mark.parametrize("budget", [1, 10, 64, 2048, 1_000_000])
def test_an_empty_line_between_others_at_every_batch_size(model: Path, budget: int) -> None:
    lines = ["A cat sleeps.", "", "Two dogs run."]
    first, second, third = translations = translate(model, lines, "--batch-tokens", budget)
    assert first and second == "" and third
    assert translations == translate(model, lines)


def test_batch_tokens_is_the_budget_of_the_batches(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets: list[int] = []
    plan = batches.plan

    def planned(lengths: Any, budget: int, **options: Any) -> Any:
        budgets.append(budget)
        return plan(lengths, budget, **options)

    monkeypatch.setattr(batches, "plan", planned)
    translate(model, ["A cat sleeps."], "--batch-tokens", 17)
    assert budgets == [17]


@pytest.mark.parametrize(
    ("stdin", "lines"),
    [
        ("", 0),
        ("\n", 1),
        ("\n\n", 2),
        ("A cat sleeps here.", 1),
        ("A cat sleeps here.\n\nThe man runs today.", 3),
        ("A cat sleeps here.\r\n\r\nThe man runs today.\r\n", 3),
        ("\ufeffA cat sleeps here.\n", 1),
    ],
)
def test_ends_of_lines(model: Path, stdin: str, lines: int) -> None:
    sources = ["A cat sleeps here.", "", "The man runs today."] if "A" in stdin else ["", "", ""]
    expected = translate(model, sources)[:lines]
    assert worked(call("translate", "--model", model, stdin=stdin)).lines == expected


def test_awkward_lines(model: Path) -> None:
    """Each gives one line, the same as alone; lines that are too long are named in a warning."""
    result = worked(call("translate", "--model", model, stdin="".join(f"{line}\n" for line in AWKWARD)))
    assert len(result.lines) == len(AWKWARD)
    alone = [translate(model, ["x", line], "--quiet")[1] for line in AWKWARD]
    assert result.lines == alone
    assert alone[:2] == AWKWARD[:2]  # white space stays as it is
    warnings = result.err.splitlines()
    assert [line.split()[1].strip(":") for line in warnings] == ["10", "11", "12"]
    assert "tokens long" in warnings[1] and "pieces" in warnings[1]
    assert all("is not in the model's language and is kept" in line for line in (warnings[0], warnings[2]))
    assert (result.lines[9], result.lines[11]) == (AWKWARD[9], AWKWARD[11])
    assert call("translate", "--model", model, "--quiet", stdin="x" * 700).err == ""


def test_a_fraction_sign_is_part_of_its_number(model: Path) -> None:
    result = worked(call("translate", "--model", model, stdin="The man has 3½ cats.\n"))
    assert "3½" in result.lines[0] and result.err == ""


def test_the_order_of_many_lines_is_kept(model: Path) -> None:
    """There are more lines than one window holds, of mixed lengths."""
    english = [PAIRS[i * 7 % 60][0] if i % 11 else "" for i in range(300)]
    sources = [en for en, _ in PAIRS]
    translation_of = {"": "", **dict(zip(sources, translate(model, sources), strict=True))}
    assert translate(model, english) == [translation_of[line] for line in english]


def test_nbest_writes_number_rank_score_and_translation(model: Path) -> None:
    """An empty line gives one row; a list longer than the beam widens the beam."""
    lines = [TRAIN[0][0], "", TRAIN[5][0]]
    rows = [line.split("\t") for line in translate(model, lines, "--nbest", 4)]
    places = [(number, rank) for number in (1, 2, 3) for rank in (1, 2, 3, 4) if number != 2 or rank == 1]
    assert [(int(row[0]), int(row[1])) for row in rows] == places
    assert [row[3] for row in rows if row[1] == "1"] == translate(model, lines)
    for sentence in (rows[:4], rows[5:]):
        assert len({row[3] for row in sentence}) == 4
        scores = [float(row[2]) for row in sentence]
        assert scores == sorted(scores, reverse=True)
        assert all(score < 0 for score in scores)
    assert len(translate(model, lines, "--nbest", 9)) == 19


def test_scores_are_written_before_the_translations(model: Path) -> None:
    lines = [TRAIN[0][0], "", TRAIN[5][0]]
    nbest = [line.split("\t") for line in translate(model, lines, "--nbest", 5)]
    rows = [line.split("\t") for line in translate(model, lines, "--scores")]
    assert rows == [[score, text] for _, rank, score, text in nbest if rank == "1"]


@pytest.mark.parametrize(("penalty", "reward"), [(0.0, 0.0), (0.6, 0.0), (1.0, 0.0), (0.0, 0.5)])
def test_scoring_a_translation_gives_the_score_of_the_search(model: Path, penalty: float, reward: float) -> None:
    """Score = (log p + reward * length) / length ** penalty, with the EOS counted; --score writes log p."""
    lines = [en for en, _ in TRAIN[::6]]
    rows = [
        line.split("\t")
        for line in translate(model, lines, "--scores", "--length-penalty", penalty, "--word-reward", reward)
    ]
    Path("hyp").write_text("".join(f"{text}\n" for _, text in rows), encoding="utf-8")
    log_probs = translate(model, lines, "--score", "hyp")
    lengths = [len(ids) + 1 for ids in Tokenizer.load(model / "tokenizer.model").encode([text for _, text in rows])]
    for (score, _), log_p, length in zip(rows, log_probs, lengths, strict=True):
        assert float(score) == pytest.approx((float(log_p) + reward * length) / length**penalty, abs=2e-4)
    assert min(map(float, log_probs)) < -0.01, "every translation is certain, so nothing was tested"


def test_a_wrong_translation_scores_worse(model: Path) -> None:
    english, german = zip(*TRAIN[:10], strict=True)
    Path("source").write_text("".join(f"{line}\n" for line in english), encoding="utf-8")
    Path("right").write_text("".join(f"{line}\n" for line in german), encoding="utf-8")
    Path("wrong").write_text("".join(f"{line}\n" for line in reversed(german)), encoding="utf-8")
    right, wrong = (translate(model, [], "--input", "source", "--score", name) for name in ("right", "wrong"))
    assert all(float(a) > float(b) for a, b in zip(right, wrong, strict=True))


def test_scores_without_a_penalty_are_log_probabilities(model: Path) -> None:
    """The translations differ, so their probabilities sum to at most 1."""
    rows = translate(model, TRAIN[0][:1], "--nbest", 8, "--length-penalty", 0)
    assert 0.5 < sum(math.exp(float(row.split("\t")[2])) for row in rows) <= 1.0


def test_input_and_output_files(model: Path, corpus: Path) -> None:
    stdin = (corpus / "test.en").read_text(encoding="utf-8")
    expected = worked(call("translate", "--model", model, stdin=stdin)).out
    Path("test.en.gz").write_bytes(gzip.compress(stdin.encode()))
    for source in (corpus / "test.en", "test.en.gz"):
        result = worked(call("translate", "--model", model, "--input", source, "--output", "out.de", stdin="not read"))
        assert result.out == ""
        assert Path("out.de").read_text(encoding="utf-8") == expected
    assert sorted(path.name for path in Path().iterdir()) == ["out.de", "test.en.gz"]


def test_a_failure_keeps_the_existing_output_file(model: Path) -> None:
    Path("out.de").write_text("existing\n")
    stdin = b"A cat sleeps here.\n" * 100 + b"caf\xe9\n"  # the first window is translated before the error occurs
    refused(call("translate", "--model", model, "--output", "out.de", stdin=stdin), "line 101")
    assert [path.name for path in Path().iterdir()] == ["out.de"]
    assert Path("out.de").read_text() == "existing\n"


def test_output_to_a_link_or_a_pipe_keeps_the_link_or_the_pipe(model: Path) -> None:
    """`--output /dev/stdout` must never replace the device by a file."""
    Path("link").symlink_to("target")
    worked(call("translate", "--model", model, "--output", "link", stdin=TRAIN[0][0]))
    assert Path("link").is_symlink() and Path("target").read_text(encoding="utf-8")
    os.mkfifo("pipe")
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(Path("pipe").read_text(encoding="utf-8")), daemon=True)
    reader.start()
    worked(call("translate", "--model", model, "--output", "pipe", stdin=TRAIN[0][0]))
    reader.join(10)
    assert received == [Path("target").read_text(encoding="utf-8")]
    assert Path("pipe").is_fifo()


def test_a_prompt_at_a_terminal(model: Path) -> None:
    typed = "A cat sleeps here.\n\nThe man runs today.\n"
    result = worked(call("translate", "--model", model, stdin=typed, terminal=True))
    assert result.out == "".join(f"en > {line}\n" for line in translate(model, typed.splitlines())) + "en > "
    assert "Ctrl-D" in result.err
    scored = worked(call("translate", "--model", model, "--scores", stdin=typed, terminal=True))
    assert "en > -0." in scored.out


def test_lines_are_written_before_the_input_ends(exported: Path) -> None:
    """The first lines are written while the input is open; closing the output pipe ends the command quietly."""
    with start(TRANSLATE, "--model", exported, "--threads", 1) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(f"{TRAIN[0][0]}\n".encode() * 64)
        process.stdin.flush()
        assert select.select([process.stdout], [], [], 60)[0], "no output"
        assert process.stdout.readline().decode().strip()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.write(f"{TRAIN[0][0]}\n".encode() * 5000)
        with suppress(BrokenPipeError):
            process.stdin.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == b""


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LineTranslator, "stream", interrupted)
    assert call("translate", "--model", model, stdin="A cat sleeps.\n") == (130, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_an_error_of_one_line(exported: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        refused(python(TRANSLATE, "--model", exported, stdin="A cat sleeps.\n", stdout=full), "No space left", status=1)


# ---- options of the search -------------------------------------------------------------------------------------------


def test_a_prefix_for_each_line(model: Path, tmp_path: Path) -> None:
    lines = [en for en, _ in TRAIN[:6]]
    (tmp_path / "prefixes").write_text("Zwei\n\nEin\n\n\nDer\n")
    prefixed, plain = translate(model, lines, "--prefix", tmp_path / "prefixes"), translate(model, lines)
    assert [prefixed[i].startswith(text) for i, text in ((0, "Zwei"), (2, "Ein"), (5, "Der"))] == [True] * 3
    assert [prefixed[i] for i in (1, 3, 4)] == [plain[i] for i in (1, 3, 4)]
    for count, word in ((5, "more"), (7, "fewer")):
        result = call("translate", "--model", model, "--prefix", tmp_path / "prefixes", stdin="a\n" * count)
        assert result.status == 2
        assert f"prefixes has {word} lines" in result.err
    refused(call("translate", "--model", model, "--prefix", "nosuch", stdin="a\n"), "nosuch")


def test_limits_of_length_and_repetition(model: Path) -> None:
    lines, tokenizer = [en for en, _ in PARTS["test2"]], Tokenizer.load(model / "tokenizer.model")

    def lengths(*options: object) -> list[int]:
        return [len(ids) for ids in tokenizer.encode(translate(model, lines, *options))]

    assert max(lengths("--max-length", 3)) <= 3
    assert min(lengths("--min-length", 9)) >= 8  # encoding the text again may give a token less
    [line] = translate(model, ["A cat sleeps here. " * 4], "--no-repeat-ngram", 1)
    assert len(set(line.split())) == len(line.split())


def test_sampling_instead_of_searching(model: Path) -> None:
    lines = [en for en, _ in TRAIN[:6]]
    sampled = translate(model, lines, "--sample", 2)
    one_by_one = translate(model, lines, "--sample", 2, "--batch-tokens", 1)
    assert sampled == one_by_one != translate(model, lines, "--beam", 1)
    assert sampled != translate(model, lines, "--sample", 2, "--seed", 7)
    rows = [line.split("\t") for line in translate(model, lines, "--sample", 2, "--nbest", 3)]
    assert [row[:2] for row in rows] == [[str(n), str(rank)] for n in range(1, 7) for rank in (1, 2, 3)]
    assert all(text in [row[3] for row in rows if row[0] == str(n)] for n, text in enumerate(sampled, 1))
    assert translate(model, lines, "--sample", 0.01) == translate(model, lines, "--beam", 1)


def test_alignments_are_appended_to_the_translations(model: Path, recipe: Path, corpus: Path, tmp_path: Path) -> None:
    lines = [TRAIN[0][0], "", TRAIN[7][0]]
    plain, aligned = translate(model, lines), translate(model, lines, "--alignments")
    assert [line.split("\t")[0] for line in aligned] == plain
    links = [[tuple(map(int, link.split("-"))) for link in line.split("\t")[1].split()] for line in aligned]
    assert links[1] == []
    for i in (0, 2):
        assert {t for _, t in links[i]} <= set(range(len(plain[i].split())))
        assert {s for s, _ in links[i]} <= set(range(len(lines[i].split())))
        assert links[i]
    [first, *_] = translate(model, lines, "--alignments", "--nbest", 2)
    assert len(first.split("\t")) == 5
    arguments = ["--data", corpus, "--src", "en", "--tgt", "de", "--set", "model.context=mean", "--quiet"]
    worked(call("train", "--recipe", recipe, *arguments, "--set", "training.updates=2", "--out", tmp_path / "mean"))
    refused(call("translate", "--model", tmp_path / "mean", "--alignments", stdin="a\n"), "mean", "--alignments")


# ---- several models --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sibling(recipe: Path, corpus: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with the same tokenizer, trained from another seed."""
    folder = tmp_path_factory.mktemp("sibling") / "model"
    arguments = ["--data", corpus, "--src", "en", "--tgt", "de", "--seed", 5, "--set", "training.updates=60", "--quiet"]
    worked(call("train", "--recipe", recipe, *arguments, "--out", folder))
    assert (folder / "tokenizer.model").read_bytes() == (model / "tokenizer.model").read_bytes()
    return folder


def test_several_models_are_an_ensemble(model: Path, sibling: Path) -> None:
    lines = [en for en, _ in PARTS["test2"]]
    ensemble, reversed_ensemble = (
        translate(first, lines, "--model", second, "--scores") for first, second in ((model, sibling), (sibling, model))
    )
    assert [line.split("\t")[1] for line in ensemble] == [line.split("\t")[1] for line in reversed_ensemble]
    single = [translate(folder, lines, "--scores") for folder in (model, sibling)]
    assert ensemble not in single


def test_an_ensemble_of_exported_models_or_of_two_tokenizers_is_refused(
    model: Path, sibling: Path, tmp_path: Path
) -> None:
    worked(call("export", "--model", model, "--out", tmp_path / "fast", "--quiet"))
    refused(call("translate", "--model", sibling, "--model", tmp_path / "fast", stdin="a\n"), "fast", "exported")
    refused(call("evaluate", "--model", sibling, "--model", tmp_path / "fast"), "fast", "exported")
    shutil.copytree(sibling, tmp_path / "strange")
    Tokenizer.learn(["other letters entirely: xyz"], TokenizerConfig("bpe", 380, placeholders=0), print).save(
        tmp_path / "strange" / "tokenizer.model"
    )
    (tmp_path / "strange" / "manifest.json").unlink()
    refused(call("translate", "--model", model, "--model", tmp_path / "strange", stdin="a\n"), "tokenizer")


# ---- the models that ship --------------------------------------------------------------------------------------------


def test_without_model_the_shipped_ones_translate() -> None:
    to_german = worked(call("translate", stdin="The dog sleeps.\n")).lines
    assert to_german == worked(call("translate", "--to", "de", stdin="The dog sleeps.\n")).lines
    assert "Hund" in to_german[0]
    assert "dog" in worked(call("translate", "--to", "en", stdin="Der Hund schläft.\n")).lines[0]


def test_a_direction_that_does_not_ship_is_refused(model: Path) -> None:
    there = "there is all between en, de, es, fr, ja, nl"
    refused(call("translate", "--to", "it", stdin="a\n"), "from en to it", there, "another model")
    refused(call("translate", "--from", "de", "--to", "de", stdin="a\n"), "from de to de", there)


def test_a_direction_must_fit_the_model(model: Path) -> None:
    plain = worked(call("translate", "--model", model, stdin="A cat eats here.\n")).out
    fitting = call("translate", "--model", model, "--from", "en", "--to", "de", stdin="A cat eats here.\n")
    assert worked(fitting).out == plain
    for direction in (["--to", "fr"], ["--from", "de"], ["--from", "de", "--to", "en"]):
        refused(call("translate", "--model", model, *direction, stdin="a\n"), "there is en to de")


# ---- a translation memory --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exported", [False, True])
def test_a_memory_changes_translations_and_scores(model: Path, tmp_path: Path, exported: bool) -> None:
    """With a share of nearly 1 the memory decides the translation, with a share of nearly 0 the model does."""
    if exported:
        worked(call("export", "--model", model, "--out", "fast"))
        model = Path("fast").absolute()
    lines = [en for en, _ in TRAIN[:6]]
    (tmp_path / "train.en").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (tmp_path / "train.de").write_text("Hund.\n" * len(lines), encoding="utf-8")
    for share, decides in (("0.99", True), ("0.01", False)):
        translations = translate(model, lines, "--memory", tmp_path, "--memory-share", share, "--beam", 1)
        assert (translations == ["Hund."] * len(lines)) == decides
    assert translate(model, lines, "--memory", tmp_path) == translate(
        model, lines, "--memory", tmp_path, "--memory-share", "0.3"
    )
    Path("hyp").write_text("Hund.\n" * len(lines), encoding="utf-8")
    without, with_memory = (
        [float(line) for line in translate(model, lines, "--score", "hyp", *options)]
        for options in ((), ("--memory", tmp_path))
    )
    assert all(b > a + 1 for a, b in zip(without, with_memory, strict=True))


def test_a_memory_may_consist_of_one_pair(model: Path, tmp_path: Path) -> None:
    """Unlike in training, no pair is held out."""
    (tmp_path / "train.tsv").write_text(f"en\tde\n{TRAIN[0][0]}\tHund.\n", encoding="utf-8")
    assert translate(model, [TRAIN[0][0], ""], "--memory", tmp_path, "--memory-share", 0.99) == ["Hund.", ""]


def test_unusable_memories_are_refused(model: Path, corpus: Path) -> None:
    folder = Path("text").absolute()
    folder.mkdir()
    refused(call("translate", "--model", model, "--memory-share", "0.5", stdin="A\n"), "--memory")
    refused(call("translate", "--model", model, "--memory", folder, stdin="A\n"), "no train part", "check --memory")
    refused(call("translate", "--model", model, "--memory", "none", stdin="A\n"), "none is not there; check --memory")
    (folder / "train.en").write_text("A\n", encoding="utf-8")
    refused(call("translate", "--model", model, "--memory", folder, stdin="A\n"), "no .de file", "it; check --memory")


def test_a_glossary_and_phrases_to_avoid(model: Path, tmp_path: Path) -> None:
    lines, terms, avoid = [en for en, _ in TRAIN[:6]], tmp_path / "terms.tsv", tmp_path / "avoid.txt"
    word = lines[0].split()[1]
    terms.write_text(f"# a term\n{word}\tÄxtchen\n", encoding="utf-8")
    plain = translate(model, lines)
    avoid.write_text(plain[1].split()[1] + "\n", encoding="utf-8")
    results = translate(model, lines, "--glossary", terms, "--avoid", avoid)
    for line, text in zip(lines, results, strict=True):
        assert text.count("Äxtchen") >= line.split().count(word)
        assert plain[1].split()[1] not in text.split()
    text = tmp_path / "in.html"
    text.write_text(f"<p>{lines[0]}</p>", encoding="utf-8")
    out = tmp_path / "out.html"
    worked(call("translate", "--model", model, "--glossary", terms, "--input", text, "--output", out))
    assert "Äxtchen" in out.read_text(encoding="utf-8")
    terms.write_text(f"{word}\tx\n{word} x\n", encoding="utf-8")
    refused(call("translate", "--model", model, "--glossary", terms), "terms.tsv, line 2: it has no tab")
    refused(call("translate", "--model", model, "--avoid", avoid, "--score", avoid), "leave them out")
    for option in (["--keep", "x"], ["--keep-nothing"], ["--no-split"]):
        refused(call("translate", "--model", model, *option, "--score", avoid), f"that {option[0]} could change")
