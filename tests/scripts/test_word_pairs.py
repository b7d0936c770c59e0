"""Words that translate each other are found in sentences that do."""

import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scripts.word_pairs import aligned, main, texts_of

WORDS = {
    "house": "Haus",
    "dog": "Hund",
    "cat": "Katze",
    "water": "Wasser",
    "bread": "Brot",
    "I": "ich",
    "see": "sehe",
    "drink": "trinke",
    "Tom": "Tom",
    "small": "klein",
    "often": "oft",
    "today": "heute",
}


def sentence(words: list[str]) -> str:
    text = " ".join(words)
    return text[0].upper() + text[1:] + "."


def table(folder: Path) -> Path:
    """300 sentences of four words, whose translations have the words in another order."""
    draw, lines = random.Random(1), ["de\ten\tja"]
    for _ in range(300):
        english = draw.sample(sorted(WORDS), 4)
        german = draw.sample([WORDS[word] for word in english], 4)
        lines.append(f"{sentence(german)}\t{sentence(english)}\t")
    (folder / "train.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "train.tsv"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_words_of_made_sentences_are_found_as_they_are_inside_of_sentences(tmp_path: Path) -> None:
    result = run(table(tmp_path), "--languages", "de", "--out", tmp_path / "words")
    assert result.exit_code == 0, result.output
    rows = (tmp_path / "words" / "train.tsv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "en\tde"
    found = [tuple(row.split("\t")) for row in rows[1:]]
    assert set(WORDS.items()) <= set(found)
    assert ("Cat", "Katze") in found
    assert ("Cat.", "Katze.") in found
    assert ("Tom.", "Tom.") in found
    assert (
        len(found)
        == len(set(found))
        == 2 * sum(a[0].isupper() and b[0].isupper() for a, b in WORDS.items())
        + 3 * (sum(not (a[0].isupper() and b[0].isupper()) for a, b in WORDS.items()))
    )


def test_words_that_are_held_out_are_in_no_form_among_the_others(tmp_path: Path) -> None:
    lines = [
        f"Wort{chr(97 + i // 26)}{chr(97 + i % 26)}\tword{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(300)
    ]
    (tmp_path / "train.tsv").write_text("de\ten\n" + "\n".join(lines * 8) + "\n", encoding="utf-8")
    result = run(tmp_path / "train.tsv", "--languages", "de", "--out", tmp_path / "words", "--test", tmp_path / "held")
    assert result.exit_code == 0, result.output
    train, test = (
        [row.split("\t")[0].lower().strip(".") for row in file.read_text(encoding="utf-8").splitlines()[1:]]
        for file in (tmp_path / "words" / "train.tsv", tmp_path / "held" / "test.tsv")
    )
    assert not set(train) & set(test)
    assert len(set(train) | set(test)) == 300
    assert 5 <= len(test) <= 30


def test_each_word_is_aligned_once_at_most() -> None:
    """IBM model 1: the probabilities of what a target word is aligned to have the sum 1."""
    one, other = texts_of([["a", "b"], ["a"]] * 5), texts_of([["x", "y"], ["x"]] * 5)
    counts = aligned(one, other)
    for word in range(2):
        assert sum(count for (_, b), count in counts.items() if b == word) <= other.counts[word] + 1e-9
        assert max(counts, key=lambda pair: counts[pair] if pair[1] == word else 0.0)[0] in (word, 2)  # 2: none
    assert counts[0, 0] > counts.get((1, 0), 0.0)
    assert counts[1, 1] > counts.get((0, 1), 0.0)


def test_any_source_of_training_text_gives_the_same_words(tmp_path: Path) -> None:
    lines = [line.split("\t")[:2] for line in table(tmp_path).read_text(encoding="utf-8").splitlines()[1:]]
    (tmp_path / "folder").mkdir()
    for language, column in (("de", 0), ("en", 1)):
        text = "".join(f"{cells[column]}\n" for cells in lines)
        (tmp_path / "folder" / f"train.{language}").write_text(text, encoding="utf-8")
    for source in (tmp_path / "train.tsv", tmp_path / "folder"):
        result = run(source, "--languages", "de", "--out", tmp_path / f"words of {source.name}")
        assert result.exit_code == 0, result.output
    one, other = ((tmp_path / f"words of {name}" / "train.tsv").read_bytes() for name in ("train.tsv", "folder"))
    assert one == other


@pytest.mark.parametrize(
    ("content", "language", "message"),
    [
        ("en\tja\ncat\t猫\n".encode(), "ja", "give --tokenizer"),
        (b"en\tde\ncat\tKatze\n", "fr", "no pair of en and fr; check --languages"),
        (b"en\tde\ncat\t\n", "de", "no pair of en and de; check --languages"),
        (b"en\tde\ncat\n", "de", "train.tsv, line 2: 1 columns where the header has 2"),
        (b"en\tde\ncat\t\xff\n", "de", "train.tsv, line 2: not valid UTF-8"),
        (b"", "de", "no pair of en and de; check --languages"),
    ],
)
def test_what_cannot_be_read_or_has_no_such_pairs_is_refused(
    content: bytes, language: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "train.tsv").write_bytes(content)
    result = run(tmp_path / "train.tsv", "--languages", language, "--out", tmp_path / "words")
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "words").exists()
