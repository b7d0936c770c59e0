"""The server: its answers, that lines in one batch do not affect one another, and that it survives a failure."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError

import pytest
import uvicorn
from reversal_task import Learnt, reversals

from seq2seq.folder.checkpoint import load_model
from seq2seq.serving import server
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator, Translation


class Slow(LineTranslator):
    """Waits for `go` before it translates, and counts the lines of each batch."""

    go = threading.Event()
    batches: list[int]

    def stream(self, lines: Iterable[str], warn: Callable[[str], None], *_: Any) -> Iterator[list[Translation]]:
        batch = list(lines)
        self.batches.append(len(batch))
        self.go.wait(30)
        if "fail" in batch:
            raise RuntimeError("it broke")
        return super().stream(batch, warn)


@pytest.fixture(scope="module")
def translator(learnt: Learnt) -> Slow:
    translator = Slow(load_model(learnt.folder), SearchConfig(beam=3), alignments=True)
    translator.batches = []
    return translator


@pytest.fixture
def url(translator: Slow) -> Iterator[str]:
    """Of a server that translates digits to their reverse, and not the other way round."""
    translator.go.set()
    app = server.application({("digits", "stigid"): translator})
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="on"))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    running.should_exit = True
    thread.join(30)
    assert not thread.is_alive()


def request(url: str, content: Any = None) -> tuple[int, Any]:
    """The status and the content of the server's answer."""
    data = content if isinstance(content, bytes | None) else json.dumps(content).encode()
    try:
        with urllib.request.urlopen(url, data, timeout=60) as answer:
            return answer.status, json.load(answer)
    except HTTPError as e:
        return e.code, json.load(e)


def test_a_text_is_translated_line_by_line(url: str, translator: Slow) -> None:
    lines = [pair.src for pair in reversals(5, seed=7)]
    best = translator.translate(lines)
    content = {"q": lines[0], "source": "digits", "target": "stigid"}
    assert request(f"{url}/translate", content) == (200, {"translatedText": best[0]})
    text = f"{lines[0]}\n\n{lines[1]}"
    status, answer = request(f"{url}/translate", {**content, "q": [text, "", lines[2]], "source": "auto"})
    assert (status, answer) == (200, {"translatedText": [f"{best[0]}\n\n{best[1]}", "", best[2]]})


def test_alternatives_are_the_next_candidates(url: str, translator: Slow) -> None:
    [line] = [pair.src for pair in reversals(1, seed=9)]
    [candidates] = translator.stream([line], lambda message: None)
    content = {"q": line, "target": "stigid"}
    for count, expected in ((0, None), (1, [candidates[1].text]), (99, [c.text for c in candidates[1:]])):
        assert request(f"{url}/translate", {**content, "alternatives": count})[1].get("alternatives") == expected
    assert request(f"{url}/translate", {**content, "q": ["", line], "alternatives": 1})[1]["alternatives"] == [
        [],
        [candidates[1].text],
    ]


def test_alignments_link_source_and_target_words(url: str) -> None:
    status, answer = request(f"{url}/translate", {"q": "3 1 4\n\n2 7", "target": "stigid", "alignments": True})
    assert status == 200
    first, empty, second = answer["alignments"]
    assert empty == []
    assert {t for _, t in first} <= {0, 1, 2} and {t for _, t in second} <= {0, 1}
    assert first and second


def test_waiting_lines_are_translated_in_one_batch_and_as_if_alone(url: str, translator: Slow) -> None:
    lines = [pair.src for pair in reversals(40, seed=11)]
    expected = [translator.translate([line])[0] for line in lines]
    translator.batches.clear()
    translator.go.clear()
    with ThreadPoolExecutor(len(lines)) as clients:
        answers = [clients.submit(request, f"{url}/translate", {"q": line, "target": "stigid"}) for line in lines]
        threading.Timer(1.0, translator.go.set).start()
        results = [answer.result() for answer in answers]
    assert results == [(200, {"translatedText": text}) for text in expected]
    assert sum(translator.batches) == len(lines)
    assert len(translator.batches) < 5


def test_a_failure_is_answered_and_the_next_request_is_served(url: str) -> None:
    assert request(f"{url}/translate", {"q": "fail", "target": "stigid"}) == (500, {"error": "it broke"})
    assert request(f"{url}/translate", {"q": "3 1", "target": "stigid"}) == (200, {"translatedText": "1 3"})


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"{", ["JSON"]),
        (b"\xff", ["JSON"]),
        ([], ["JSON object"]),
        ({"target": "stigid"}, ['"q"']),
        ({"q": [], "target": "stigid"}, ['"q"']),
        ({"q": ["a", 1], "target": "stigid"}, ['"q"']),
        ({"q": "3"}, ["None", "digits to stigid"]),
        ({"q": "3", "target": "fr"}, ["'fr'", "digits to stigid"]),
        ({"q": "3", "source": "en", "target": "stigid"}, ["'en'"]),
        ({"q": "3", "target": "stigid", "alternatives": "2"}, ["'2'"]),
        ({"q": "3", "target": "stigid", "alternatives": -1}, ["-1"]),
        ({"q": "3", "target": "stigid", "alternatives": True}, ["True"]),
        ({"q": "3" * server.MAX_BYTES, "target": "stigid"}, [str(server.MAX_BYTES)]),
    ],
)
def test_a_bad_request_is_refused_in_one_line(url: str, content: Any, names: list[str]) -> None:
    status, answer = request(f"{url}/translate", content)
    assert status == 400
    assert "\n" not in answer["error"]
    for name in names:
        assert name in answer["error"]


def test_the_other_routes(url: str) -> None:
    assert request(f"{url}/health") == (200, {"status": "ok"})
    assert request(f"{url}/languages") == (
        200,
        [
            {"code": "digits", "name": "digits", "targets": ["stigid"]},
            {"code": "stigid", "name": "stigid", "targets": []},
        ],
    )
    assert request(f"{url}/nowhere")[0] == 404
    assert request(f"{url}/translate")[0] == 405
    with urllib.request.urlopen(url) as answer:
        assert answer.headers["content-type"].startswith("text/html")
        page = answer.read().decode()
    assert "https://" not in page and "http://" not in page, "the page needs no other server"
