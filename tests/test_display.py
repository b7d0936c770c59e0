"""Progress: a bar in a terminal, elsewhere a line now and then, nothing if it is quiet."""

import sys

import pytest

from seq2seq import display
from seq2seq.display import Display, terminal_size


def run(steps: int, seconds: float, monkeypatch: pytest.MonkeyPatch, done: int = 0, quiet: bool = False) -> list[str]:
    """The lines of a run whose steps take so many seconds each."""
    now, lines = [0.0], list[str]()
    monkeypatch.setattr(display.time, "monotonic", lambda: now[0])
    with Display(steps, done, "update", lines.append, quiet) as shown:
        for step in range(done + 1, steps + 1):
            now[0] += seconds
            shown.advance(lambda step=step: f"loss {step}")  # type: ignore[misc]
    return lines


def test_without_a_terminal_a_line_is_written_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 20 s, after 200 s whenever a tenth of the time has passed, at last every 5 minutes."""
    assert run(10, 7.0, monkeypatch) == [
        "update 3 of 10 (30%), loss 3, about 0.8 min left",
        "update 6 of 10 (60%), loss 6, about 0.5 min left",
        "update 9 of 10 (90%), loss 9, about 0.1 min left",
    ]
    hour = len(run(3600, 1.0, monkeypatch))
    assert 30 < hour < 45
    assert len(run(36000, 1.0, monkeypatch)) < hour + 9 * 13


def test_a_fast_run_writes_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(100, 0.1, monkeypatch) == []


def test_the_time_left_is_that_of_the_steps_of_this_session(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(1000, 30.0, monkeypatch, done=998)[0] == "update 999 of 1,000 (100%), loss 999, about 0.5 min left"


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_is_written_if_quiet_or_where_a_bar_shows_it(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert run(10, 60.0, monkeypatch, quiet=not terminal) == []


def test_the_bar_takes_the_size_of_a_terminal_and_none_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("LINES", "20")
    for is_terminal, size in ((True, {"ncols": 70, "nrows": 20}), (False, {})):
        monkeypatch.setattr(sys.stderr, "isatty", lambda is_terminal=is_terminal: is_terminal, raising=False)
        assert terminal_size() == size
