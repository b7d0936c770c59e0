"""Which translations of an XLIFF file are training text: finished ones, segment by segment, as they stand."""

from pathlib import Path
from typing import Any

import pytest

from seq2seq.corpora import units
from seq2seq.errors import InputError
from tests.corpora.writers import read_all, read_train, write, xliff

UNFINISHED = "units without a finished translation"
SDL, MEMOQ, PHRASE = "http://sdl.com/FileTypes/SdlXliff/1.0", "MQXliff", "http://www.memsource.com/mxlf/2.0"
SENTENCES = ["The house is old.", "The garden is big.", "Nobody lives there."]


def document(*units: str) -> str:
    """An XLIFF 1.2 document of these <trans-unit> elements, which may have the attributes of three programs."""
    names = f'<xliff xmlns:sdl="{SDL}" xmlns:mq="{MEMOQ}" xmlns:m="{PHRASE}" '
    return xliff([]).replace("<xliff ", names).replace("</body>", "".join(units) + "</body>")


def marked(texts: dict[str, str]) -> str:
    return " ".join(f'<mrk mtype="seg" mid="{mid}">{text}</mrk>' for mid, text in texts.items())


def segmented(sources: dict[str, str], targets: dict[str, str], more: str = "") -> str:
    """A unit with segments, by their mid."""
    whole = f"<source>{' '.join(sources.values())}</source><seg-source>{marked(sources)}</seg-source>"
    return f'<trans-unit id="1">{whole}<target>{marked(targets)}</target>{more}</trans-unit>'


def levels(**given: str | None) -> str:
    """The definitions of segments of sdlxliff; of None a segment has no level."""
    each = (f'<sdl:seg id="{name[1:]}"' + (f' conf="{level}"' if level else "") + "/>" for name, level in given.items())
    return f"<sdl:seg-defs>{''.join(each)}</sdl:seg-defs>"


def test_a_file_without_a_finished_translation_is_no_text_and_says_why(tmp_path: Path) -> None:
    path = write(tmp_path / "x.xlf", xliff([("One.", ""), ("Two.", "")]))
    with pytest.raises(InputError, match=rf"holds no pairs of en and de.* \(left out: 2 {UNFINISHED}\); fill it"):
        read_train(path)


@pytest.mark.parametrize("name", ["x.sdlxliff", "x.xlf"])
@pytest.mark.parametrize(
    ("targets", "pairs", "left_out"),
    [
        ({"1": "Das Haus ist alt.", "2": "", "3": ""}, [(SENTENCES[0], "Das Haus ist alt.")], 2),
        ({"1": "Das Haus ist alt."}, [(SENTENCES[0], "Das Haus ist alt.")], 2),
        ({"3": "c", "1": "<g id='1'>a</g>", "2": "b"}, list(zip(SENTENCES, "abc", strict=True)), 0),
        ({"1": "a", "other": "b"}, [(" ".join(SENTENCES), "a b")], 0),
    ],
)
def test_each_segment_of_a_unit_is_a_pair(
    tmp_path: Path, name: str, targets: dict[str, str], pairs: list[tuple[str, str]], left_out: int
) -> None:
    """A target of other segments is the translation of the whole unit."""
    sources = dict(zip("123", SENTENCES, strict=True))
    text = read_all(write(tmp_path / name, document(segmented(sources, targets))))
    assert text.parts["train"] == pairs
    assert text.notes == [f"left out: {left_out} {UNFINISHED}"] * bool(left_out)


def test_a_unit_without_segments_in_its_target_is_one_pair(tmp_path: Path) -> None:
    sources = dict(zip("123", SENTENCES, strict=True))
    unit = segmented(sources, {}).replace("<target></target>", "<target>Ein Satz.</target>")
    assert read_train(write(tmp_path / "x.xlf", document(unit))) == [(" ".join(SENTENCES), "Ein Satz.")]


def test_segments_in_a_damaged_file_are_pairs_too(tmp_path: Path) -> None:
    sources, targets = dict(zip("123", SENTENCES, strict=True)), {"1": "a", "2": "b"}
    given = levels(s1="Translated", s2="Draft", s3=None)
    path = write(tmp_path / "x.xlf", document("<trans-unit>&</trans-unit>", segmented(sources, targets, given)))
    assert read_train(path, skip=True) == [(SENTENCES[0], "a")]


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ('der <mrk mtype="x-sdl-deleted">grünen</mrk><mrk mtype="x-sdl-added">roten</mrk> Tür', "der roten Tür"),
        ('<mrk mtype="x-sdl-feedback-deleted">a</mrk><g id="1">b <mrk mtype="x-sdl-deleted">c</mrk></g>', "b"),
        ('der <mrk mtype="x-changes:delete">grünen </mrk><mrk mtype="x-changes:insert">roten</mrk>', "der roten"),
        ("der <mq:del>grünen </mq:del><mq:ins>roten</mq:ins>", "der roten"),
        ('der <g id="1" ctype="x-html-del">grünen</g> <mrk mtype="x-sdl-comment">roten</mrk>', "der grünen roten"),
    ],
)
def test_what_a_tracked_change_deletes_is_no_text(tmp_path: Path, marked: str, text: str) -> None:
    unit = f"<trans-unit id='1'><source>x</source><target>{marked}</target></trans-unit>"
    assert read_train(write(tmp_path / "x.sdlxliff", document(unit))) == [("x", text)]


LEVELS = {
    "Translated": True,
    "ApprovedTranslation": True,
    "ApprovedSignOff": True,
    "Draft": False,
    "RejectedTranslation": False,
    "RejectedSignOff": False,
    "Unspecified": False,
    None: False,
}


@pytest.mark.parametrize("level", list(LEVELS))
def test_a_segment_of_sdlxliff_has_a_level(tmp_path: Path, level: str | None) -> None:
    """One without is untouched; but where no segment of a file has one, the program that wrote it gives none."""
    sources, targets = {"a 1": "a", "2": "b"}, {"a 1": "A", "2": "B"}
    given = levels(s2=level)
    path = tmp_path / "x.sdlxliff"
    later = segmented({"1": "c"}, {"1": "C"}, levels(s1="Translated"))
    text = read_all(write(path, document(segmented(sources, targets, given), later)))
    assert text.parts["train"] == [("a", "A"), *([("b", "B")] if LEVELS[level] else []), ("c", "C")]
    assert text.notes == [f"left out: 1 {UNFINISHED}"] * (not LEVELS[level])
    if level is None:
        assert read_train(write(path, document(segmented(sources, targets, given)))) == [("a", "A"), ("b", "B")]
    whole = "<trans-unit id='1'><source>a</source><target>A</target>" + given + "</trans-unit>"
    assert read_train(write(path, document(whole, later))) == [("a", "A")] * LEVELS[level] + [("c", "C")]


STATES = {  # of a unit and its target
    'mq:status="ManuallyConfirmed"': True,
    'mq:status="Reviewer1Confirmed"': True,
    'mq:status="Proofread"': True,
    'mq:status="NotStarted"': False,
    'mq:status="Pretranslated"': False,
    'mq:status="PartiallyEdited"': False,
    'mq:status="MachineTranslated"': False,
    'mq:status="AssembledFromFragments"': False,
    'mq:status="Rejected"': False,
    'm:confirmed="1"': True,
    'm:confirmed="2"': True,
    'm:confirmed="true"': True,
    'm:confirmed="0"': False,
    'm:confirmed="false"': False,
    'approved="yes"': True,
    'approved="no"': True,
    '|state="translated"': True,
    '|state="translated" state-qualifier="leveraged-mt"': True,
    '|state="signed-off"': True,
    '|state="final"': True,
    '|state="x-done"': True,
    '|state-qualifier="exact-match"': True,
    '|state="new"': False,
    '|state="needs-translation"': False,
    '|state="needs-l10n"': False,
    '|state="needs-adaptation"': False,
    '|state="needs-review-translation"': False,
    '|state="translated" state-qualifier="rejected-grammar"': False,
    '|state-qualifier="fuzzy-match"': False,
    '|state-qualifier="mt-suggestion"': False,
}


@pytest.mark.parametrize("state", list(STATES))
def test_the_state_of_a_unit_says_whether_it_is_finished(tmp_path: Path, state: str) -> None:
    of_unit, _, of_target = state.partition("|")
    unit = f"<trans-unit id='1' {of_unit}><source>a</source><target {of_target}>A</target></trans-unit>"
    plain = "<trans-unit id='2'><source>b</source><target>B</target></trans-unit>"
    text = read_all(write(tmp_path / "x.xlf", document(unit, plain)))
    assert text.parts["train"] == [("a", "A")] * STATES[state] + [("b", "B")]
    assert text.notes == [f"left out: 1 {UNFINISHED}"] * (not STATES[state])


@pytest.mark.parametrize("state", ["initial", "translated", "reviewed", "final"])
def test_the_state_of_a_segment_of_xliff_2(tmp_path: Path, state: str) -> None:
    text = xliff([("a", "A"), ("b", "B")], 2).replace("<segment>", f'<segment state="{state}" subState="x:y">', 1)
    pairs = [("a", "A")] * (state != "initial") + [("b", "B")]
    assert read_train(write(tmp_path / "x.xlf", text)) == pairs


@pytest.mark.parametrize("version", [1, 2])
def test_units_that_are_not_to_be_translated_are_left_out(tmp_path: Path, version: int) -> None:
    """The nearest element around a text says so."""
    text = xliff([("a", "A"), ("b", "B"), ("c", "C")], version)
    unit = "trans-unit" if version == 1 else "unit"
    for start, said in ((f'<{unit} id="0"', "no"), (f'<{unit} id="2"', "yes")):
        text = text.replace(start, f'{start} translate="{said}"')
    head, second, rest = text.partition(f'<{unit} id="1"')
    inner, end, tail = rest.rpartition(f"</{unit}>")
    text = f'{head}<group id="g" translate="no">{second}{inner}{end}</group>{tail}'
    found = read_all(write(tmp_path / "x.xlf", text))
    assert found.parts["train"] == [("c", "C")]
    assert found.notes == ["left out: 2 units that are not to be translated"]


@pytest.mark.parametrize("version", [1, 2])
def test_what_was_read_is_freed_with_its_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """So that a file of any size is read in constant memory."""
    left: list[int] = []

    def release(element: Any) -> None:
        original(element)
        left.append(sum(1 for _ in element.getroottree().iter()))

    original = units._release
    monkeypatch.setattr(units, "_release", release)
    unit = "trans-unit" if version == 1 else "unit"
    text = xliff([("a", "A")] * 2000, version).replace(f"<{unit} ", f"<group><{unit} ")
    path = write(tmp_path / "x.xlf", text.replace(f"</{unit}>", f"</{unit}></group>"))
    assert len(read_train(path)) == len(left) == 2000
    assert left[-1] < 10
