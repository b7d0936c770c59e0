"""Good requests beside hostile ones, over sockets: nobody else gets an error, and what is slow or gone is dropped."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from asking import ask, ask_json
from reversal_task import reversals
from served import Serving

from seq2seq.serving import running
from seq2seq.serving.limits import Limits
from seq2seq.translation.translator import LineTranslator

DIRECTION = ("digits", "stigid")
LINES = [pair.src for pair in reversals(12, seed=17)]


def fields(q: object) -> dict[str, object]:
    return {"q": q, "source": "digits", "target": "stigid"}


@contextmanager
def connected(url: str, sent: bytes) -> Iterator[socket.socket]:
    """A connection on which these bytes were sent."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(sent)
        yield connection


def request(body: bytes, length: int | None = None) -> bytes:
    """A request, whose head may promise more than its body."""
    head = f"POST /translate HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    return head.encode() + body


def test_an_answer_does_not_wait_for_an_acknowledgement(serving: Serving, reverser: LineTranslator) -> None:
    """Linux sends an acknowledgement after 40 ms, if it has nothing to send with it."""
    with serving({DIRECTION: reverser}) as url, connected(url, b"") as connection:
        times = list[float]()
        for _ in range(8):
            begin, answer = time.perf_counter(), b""
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            while b"}" not in answer:
                answer += connection.recv(1000)
            times.append(time.perf_counter() - begin)
    assert sorted(times)[3] < 0.03


HOSTILE = {
    "surrogates": json.dumps(fields("\ud800")).encode(),
    "deep": b'{"q":' * 10_000,
    "huge number": b'{"q": "1", "alternatives": ' + b"9" * 5000 + b"}",
    "not UTF-8": b'{"q": "\xff"}',
    "many texts": json.dumps(fields(["1"] * 19_000)).encode(),
    "tiny texts": json.dumps(fields(["1", "2"] * 900)).encode(),
    "no space": json.dumps(fields("12" * 4000)).encode(),
}


def test_good_requests_are_served_beside_hostile_ones(serving: Serving, reverser: LineTranslator) -> None:
    expected = reverser.translate(LINES)
    with serving({DIRECTION: reverser}) as url, ThreadPoolExecutor(12) as clients:
        bad = [clients.submit(ask, f"{url}/translate", body) for body in HOSTILE.values()]
        for body in [*HOSTILE.values(), *(json.dumps(fields(f"{i} 1" * 50)).encode() for i in range(60))]:
            with connected(url, request(body)):
                pass  # it leaves at once
        slow = [clients.submit(ask_json, f"{url}/translate", fields(line)) for line in LINES * 4]
        answers = [each.result() for each in slow]
        assert [(a.status, a.content["translatedText"]) for a in answers] == [(200, text) for text in expected * 4]
        statuses = dict(zip(HOSTILE, [each.result().status for each in bad], strict=True))
        assert statuses == {name: 200 if name in ("tiny texts", "no space") else 400 for name in HOSTILE}


def test_a_small_request_does_not_wait_for_a_large_one(serving: Serving, reverser: LineTranslator) -> None:
    """However large it is: it is answered while the large one has not been."""
    with serving({DIRECTION: reverser}) as url, ThreadPoolExecutor(1) as clients:
        large = clients.submit(ask_json, f"{url}/translate", fields([f"{i} {i % 7} {i % 9}" for i in range(700)]))
        while b"seq2seq_characters_total 0.0" in ask(f"{url}/metrics").content:
            time.sleep(0.02)
        for line in LINES[:2]:
            assert ask_json(f"{url}/translate", fields(line)).status == 200
        assert not large.done()
        assert large.result().status == 200


def test_slow_bodies_and_heads_time_out(
    serving: Serving, reverser: LineTranslator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "HEADER_SECONDS", 0.4)
    with serving({DIRECTION: reverser}, limits=Limits(body_seconds=0.6)) as url:
        begin = time.monotonic()
        with (
            connected(url, request(b"q=", 1000)) as body,
            connected(url, b"POST / HT") as head,
            connected(url, b"") as none,
        ):
            assert body.recv(1000).startswith(b"HTTP/1.1 408")
            assert head.recv(1000) == none.recv(1000) == b""
        assert time.monotonic() - begin < 5
        with connected(url, request(json.dumps(fields("3 1")).encode())) as connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            connection.sendall(b"POST /tr")  # the head of the next request does not come either
            while connection.recv(1000):
                pass


def test_a_request_that_takes_too_long_is_503(serving: Serving, reverser: LineTranslator) -> None:
    with serving({DIRECTION: reverser}, limits=Limits(seconds=0.05)) as url:
        answer = ask_json(f"{url}/translate", fields([f"{i} 1 2 3" for i in range(1500)]))
        assert answer.status == 503 and int(answer.headers["retry-after"])
        time.sleep(0.5)
        assert ask(f"{url}/health").status == 200


def test_too_many_bytes_that_arrive_at_once_are_refused(serving: Serving, reverser: LineTranslator) -> None:
    with serving({DIRECTION: reverser}, limits=Limits(held_bytes=1000)) as url:
        with connected(url, request(b"q" * 900, 2000)):
            time.sleep(0.2)
            assert ask(f"{url}/translate", b"q=" + b"1" * 200).status == 503
        time.sleep(0.2)
        assert ask_json(f"{url}/translate", fields("3 1")).status == 200
