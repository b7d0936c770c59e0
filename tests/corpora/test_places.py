"""The number of a pair is that of its line in the file, by which a person finds it there."""

from pathlib import Path

import polib
import pytest

from seq2seq.text.sources import place_of
from tests.corpora.writers import po, read_all, write, xliff

TMX = ("<tmx><body>", "</body></tmx>", "<tu><tuv lang='en'><seg>&</seg></tuv></tu>")
ONE, TWO = (xliff([], version).replace("></", ">\n</", 1).partition("\n")[::2] for version in (1, 2))
HEADER, NO_STRING = po([]), 'msgid "wrong'
VARIANTS = "<tuv lang='en'><seg>\n{}</seg></tuv>\n<tuv lang='de'><seg>\nx</seg></tuv></tu>"
SEGMENT = "<segment>\n<source>{}</source><target>x</target></segment>"
DOCUMENTS = {  # the start, what is before each of two units, these units, the end, and a line with a fault
    "x.tmx": (TMX[0], "<tu><tuv lang='fr'/></tu>\n", f"<tu id='1'>\n{VARIANTS}", *TMX[1:]),
    "x.xlf": (
        ONE[0],
        "<trans-unit/>\n",
        f"<trans-unit>{SEGMENT[9:-10]}</trans-unit>",
        ONE[1],
        "<trans-unit>&</trans-unit>",
    ),
    "x2.xlf": (TWO[0], "<unit id='1'>\n", f"{SEGMENT}</unit>", TWO[1], "<unit>&</unit>"),
    "x.po": (HEADER, '\nmsgid "e"\nmsgstr ""\n\n# a note\n#. more\n', 'msgid "{}"\nmsgstr "x"\n', "", NO_STRING),
    "bare.po": ("", "\n", 'msgctxt ""\nmsgid "{}"\nmsgstr "x"\n', "", NO_STRING),
    "plural.po": (HEADER, "\n#, c-format\n", 'msgid "e"\nmsgid_plural "{}"\nmsgstr[0] "x"\n', "", NO_STRING),
}


def places(path: Path) -> dict[str, int]:
    """The number of each pair, by its source."""
    text = read_all(path, skip=True)
    return {pair[0]: place_of(row, text.places)[1] for row, pair in enumerate(text.parts["train"])}


@pytest.mark.parametrize("fault", [None, 0, 1])
@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_the_number_of_a_pair_is_the_line_of_its_unit(tmp_path: Path, name: str, fault: int | None) -> None:
    """Or of the msgid with its context; units of other languages, without a translation and damaged ones count."""
    start, before, unit, end, wrong = DOCUMENTS[name]
    text, lines = start, {}
    for i, letter in enumerate("ac"):
        text += f"\n{wrong if i == fault else ''}\n{before}"
        lines[letter] = text.count("\n") + 1
        text += unit.format(letter)
    assert places(write(tmp_path / name, text + end)) == lines


def test_the_line_is_known_in_a_long_memory_too(tmp_path: Path) -> None:
    """Of units that are alike and of others; those that are alike are one stretch."""
    units = [f"<tu>\n{'<note/>' * (i % 3)}<tuv xml:lang='en'>\n<seg>{i}</seg></tuv>" for i in range(40_000)]
    other = "\n<tuv xml:lang='de'><seg>x\ny</seg></tuv></tu>\n"
    path = write(tmp_path / "x.tmx", f"<tmx><body>\n{other.join(units)}{other}\n\n{units[0]}{other}</body></tmx>")
    text = read_all(path)
    assert len(text.places) == 2
    assert [place_of(row, text.places)[1] for row in (0, 1, 20_000, 39_999)] == [2, 7, 100_002, 199_997]
    assert place_of(40_000, text.places)[1] == 200_004


def test_an_entry_of_a_compiled_catalogue_has_its_number(tmp_path: Path) -> None:
    """Those without a text are counted, too."""
    catalogue = polib.pofile(po([("a b", "b"), ("b_key.text", "label"), ("c", "d")]))
    catalogue.save_as_mofile(str(tmp_path / "de.mo"))
    assert places(tmp_path / "de.mo") == {"a b": 1, "c": 3}
