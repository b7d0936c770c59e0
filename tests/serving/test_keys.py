"""API keys from a file, limits of each, and how often a client may ask."""

from pathlib import Path

import pytest
from asking import ask, ask_json
from served import Serving

from seq2seq.errors import InputError
from seq2seq.serving.keys import Key, Keys, read_keys
from seq2seq.serving.limits import Limits, Rates, RefusedError
from seq2seq.translation.translator import LineTranslator

FIELDS = {"q": "3 1 4", "source": "digits", "target": "stigid"}
FILE = """
[alice]
key = "first key"
requests_per_minute = 2
[bob]
key = "zweiter Schlüssel"
characters = 3
"""


def test_a_request_needs_one_of_the_keys(serving: Serving, reverser: LineTranslator, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(FILE, encoding="utf-8")
    with serving({("digits", "stigid"): reverser}, keys=read_keys(path)) as url:
        for key in (None, "", "third", "first key ", "\ufffd"):
            for route in ("translate", "detect"):
                answer = ask_json(f"{url}/{route}", {**FIELDS, "api_key": key})
                assert answer.status == (403 if key else 400) and "key" in answer.content["error"]
        assert ask(f"{url}/frontend/settings").content["keyRequired"] is True
        asked = [ask_json(f"{url}/translate", {**FIELDS, "api_key": "first key"}).status for _ in range(3)]
        assert asked == [200, 200, 429]
        second = {**FIELDS, "api_key": "zweiter Schlüssel"}
        assert ask_json(f"{url}/translate", second).status == 400
        assert ask_json(f"{url}/translate", {**second, "q": "3 1"}).status == 200
        assert b"first key" not in ask(f"{url}/metrics").content


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("", "no keys"),
        ("[a]", r"\[a\] has no key"),
        ('[a]\nkey = ""', r"\[a\] has no key"),
        ('[a]\nkey = "x"\n[b]\nkey = "x"', r"\[b\] has the key of \[a\]"),
        ('[a]\nkey = "x"\ncharacters = -1', "a.characters"),
        ('[a]\nkey = "x"\nrequests = 1', "a.requests"),
        ("[a", "TOML"),
        ('key = "x"', "outside a section"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: str, names: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=names):
        read_keys(path)


def test_the_limits_are_those_of_the_key_or_else_the_servers() -> None:
    keys = Keys({"a": Key("x", characters=5)}, Limits(requests_per_minute=7))
    name, limits = keys.check("x", "10.0.0.1")
    assert (name, limits.characters, limits.requests_per_minute) == ("key a", 5, 7)
    assert Keys({}, Limits()).check("anything", "10.0.0.1") == ("10.0.0.1", Limits())


def test_a_client_may_ask_so_often_a_minute_on_average() -> None:
    now = 0.0
    rates, served = Rates(lambda: now), 0
    for _ in range(600):  # ten minutes
        try:
            rates.count("a", 6)
            served += 1
        except RefusedError as refused:
            assert refused.status == 429 and 0 < (refused.retry_after or 0) <= 10
        now += 1
    assert served == 6 + 59
    for i in range(3 * Rates.MOST_CLIENTS):
        rates.count(f"client {i}", 6)
    assert len(rates._buckets) == Rates.MOST_CLIENTS
